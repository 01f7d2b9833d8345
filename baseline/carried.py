"""What a call carries: a command line, an HTTP request, an SQL statement or the name of an operation in its arguments.

A gateway's own name (`run`, `http_request`, `call_api`) says nothing; what it is told to do has the class. A command
line is as weighty as its weightiest part, and one of which nothing is known has no class.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import urlsplit

from baseline.capability import Capabilities
from baseline.capability_table import IMPACT, Capability, name_set
from ingest import command_lines

_LONGEST: Final = 2_000
"""Characters of a command line or statement that are looked at."""
_MOST_PARTS: Final = 16

OPERATION_KEYS: Final = name_set("""
    operation operationname action actionname api apicall apiname apimethod endpoint eventname tool toolname
    function functionname subcommand method methodname procedure rpc playbook playbookname runbook job jobname
    task taskname workflow step verb intent capability
""")
"""Argument names (lower case, without separators) under which a gateway is told what to do."""
SERVICE_KEYS: Final = frozenset(
    ("service", "servicename", "api", "provider", "product", "resource", "resourcetype", "server")
)
COMMAND_KEYS: Final = command_lines.COMMAND_KEYS | name_set("scriptblock scriptcontent run input code payload oneliner")
STATEMENT_KEYS: Final = name_set("""
    sql query statement statements sqltext sqlquery
""")
PATH_KEYS: Final = name_set("""
    path url uri endpoint route requestpath href
""")
HTTP_KEYS: Final = name_set("""
    method httpmethod verb requestmethod
""")

_HTTP: Final = {"get": "get", "head": "get", "post": "create", "put": "set", "patch": "update", "delete": "delete"}
_ID_LIKE: Final = re.compile(r"\{.*\}|:\w+|[0-9a-f-]{8,}|.*\d.*|v\d+\w*|api|rest|beta|graph", re.IGNORECASE)
_NAME: Final = re.compile(r"[A-Za-z][\w.:/ -]{1,120}")
_JOINS: Final = re.compile(r"&&|\|\||[;|\n]")
_ASSIGNED: Final = re.compile(r"[A-Za-z_]\w*=.*")

_WRAPPERS: Final = frozenset(
    ("sudo", "doas", "env", "nohup", "time", "timeout", "exec", "command", "xargs", "nice", "setsid")
)
_SHELLS: Final = name_set("""
    bash sh zsh dash powershell pwsh cmd cmd.exe powershell.exe
""")
_CLOUD_WORDS: Final = name_set("""
    az gcloud gsutil oci doctl ibmcloud vault okta gh glab terraform helm docker podman op bw gam snow
    databricks
""")
_NAMED: Final[tuple[tuple[Capability, str], ...]] = (
    ("remote_execution", """
        ssh psexec psexec.exe winrs evil-winrm wmic wmiexec.py smbexec.py ansible salt pdsh rsh nsenter plink
        xfreerdp mstsc crontab at schtasks
    """),
    ("permission", """
        usermod useradd adduser deluser userdel groupadd gpasswd visudo setfacl icacls dsadd
    """),
    ("credential", """
        passwd chpasswd kinit mimikatz secretsdump.py ssh-keygen htpasswd hashcat john lsadump
    """),
    ("network_path", """
        iptables ip6tables nft ufw firewall-cmd netsh ngrok socat chisel cloudflared route
    """),
    ("defence_impairment", """
        setenforce auditctl wevtutil mpcmdrun
    """),
    ("destructive", """
        mkfs shred wipefs vssadmin dd
    """),
    ("write", """
        tee cp mv scp rsync rclone touch mkdir chmod chown git npm pip apt yum make
    """),
    ("read", """
        ls cat head tail grep find ps df du whoami id uname hostname netstat ss dig nslookup ping traceroute
        stat wc awk sort uniq echo which env printenv pwd rpm dpkg lsof uptime date last who journalctl
        tasklist ipconfig ifconfig jq
    """),
)  # fmt: skip
_PROGRAMS: Final[dict[str, Capability]] = {name: capability for capability, names in _NAMED for name in names.split()}
"""Programs whose name says what they do; the others are asked with their first words, as names of tools are."""
_PATTERNS: Final[tuple[tuple[str, Capability], ...]] = (
    (r"\bxp_cmdshell\b|\bcopy\b.+\b(?:from|to)\s+program\b|\bsys_exec\s*\(", "remote_execution"),
    (r"^\s*(?:create|alter)\s+(?:user|role|login)\b.+\b(?:password|identified|rsa_public_key)\b", "credential"),
    (r"^\s*(?:grant|revoke|deny)\b", "permission"),
    (r"^\s*(?:create|alter|drop)\s+(?:user|role|login|share|masking|row access)\b", "permission"),
    (r"^\s*(?:create|alter|drop)\s+network\s+(?:policy|rule)\b", "network_path"),
    (r"^\s*(?:drop|truncate)\b", "destructive"),
    (r"^\s*(?:alter|drop)\s+(?:server\s+)?audit\b", "defence_impairment"),
    (r"\bset\s+global\s+general_log\s*=\s*(?:0|'?off)", "defence_impairment"),
    (r"^\s*(?:insert|update|delete|merge|copy|unload|create|alter|call|exec)\b", "write"),
    (r"^\s*(?:select|show|describe|explain|with|list)\b", "read"),
)  # fmt: skip
_STATEMENTS: Final = tuple((re.compile(pattern, re.IGNORECASE), capability) for pattern, capability in _PATTERNS)


_CREDENTIAL_FILES: Final = re.compile(
    r"/etc/(?:g?shadow|krb5\.keytab)\b|\bid_(?:rsa|dsa|ecdsa|ed25519)\b(?!\.pub)|\.aws/credentials|\.kube/config"
    r"|kubeconfig\b|/run/secrets/|serviceaccount/token|\.git-credentials|\.netrc\b|\.pgpass\b|\.vault-token"
    r"|/proc/(?:\d+|self|\*)/environ|\.docker/config\.json|application_default_credentials|\bntds\.dit"
    r"|\blsass\b|hklm\\+(?:sam|security)\b|\.azure/(?:accessTokens|msal_token_cache)|login data\b|\.env\b(?!\.example)",
    re.IGNORECASE,
)
"""Where operating systems, clouds and their tools keep credentials, by the documents of each."""

_TELLING: Final = COMMAND_KEYS | STATEMENT_KEYS | PATH_KEYS | OPERATION_KEYS
"""Argument names without any of which nothing says what to do."""


def carried(scalars: Sequence[tuple[str, str]], capabilities: Capabilities) -> Capability | None:
    """The weightiest class that anything in the arguments says; None where nothing in them says what to do.

    `scalars` are the arguments as `ingest.arguments.scalars_in` gives them.
    """
    if _TELLING.isdisjoint([key for key, _ in scalars]):
        return None
    found: list[Capability | None] = []
    service = next((value for key, value in scalars if key in SERVICE_KEYS), "")
    method = next((value.lower() for key, value in scalars if key in HTTP_KEYS), "")
    for key, value in scalars:
        if key in COMMAND_KEYS:
            found.append(of_command(value, capabilities))
        if key in STATEMENT_KEYS:
            found.append(of_statement(value))
        if key in PATH_KEYS and method in _HTTP:
            found.append(of_request(method, value, capabilities))
        if key in OPERATION_KEYS and value.lower() not in _HTTP and _NAME.fullmatch(value):
            classed = capabilities.classify(value, service)
            found.append(classed.capability if classed.is_sure else None)
    return _weightiest(found)


def of_request(method: str, url: str, capabilities: Capabilities) -> Capability | None:
    """What an HTTP request does: its method, and the last parts of its path that are no ids."""
    parts = [p for p in urlsplit(url[:_LONGEST]).path.split("/") if p and not _ID_LIKE.fullmatch(p)]
    if not parts:
        return None
    names = [f"{_HTTP[method]}_{'_'.join(parts[-2:])}"]
    if method == "post":
        # What is posted to may be a verb of its own: users/7/suspend, applications/7/addPassword.
        names = [parts[-1], "_".join([parts[-1], *parts[:-1][-2:]]), *names]
    classed = (capabilities.classify(name) for name in names)
    return next((one.capability for one in classed if one.is_sure), None)


def of_statement(sql: str) -> Capability | None:
    """What an SQL statement does."""
    found = []
    for statement in sql[:_LONGEST].split(";")[:_MOST_PARTS]:
        found.append(next((capability for pattern, capability in _STATEMENTS if pattern.search(statement)), None))
    return _weightiest(found)


def of_command(line: str, capabilities: Capabilities) -> Capability | None:
    """What a command line does. Whatever its program, one that names a file of credentials takes credentials."""
    found = [_of_part(words, capabilities) for words in parts_of(line)]
    return _weightiest([*found, "credential" if takes_credentials(line) else None])


def takes_credentials(line: str) -> bool:
    """Whether a command line names a file in which systems keep credentials (ATT&CK T1552.001, T1552.004, T1003)."""
    return _CREDENTIAL_FILES.search(line[:_LONGEST]) is not None


def parts_of(line: str) -> list[list[str]]:
    """The commands that a line joins, each as its words: the program in lower case without its folder first, wrappers
    like `sudo` left out."""
    found = []
    for part in _JOINS.split(line[:_LONGEST])[:_MOST_PARTS]:
        try:
            words = shlex.split(part)
        except ValueError:
            words = part.split()
        while words and (_ASSIGNED.fullmatch(words[0]) or words[0] in _WRAPPERS or words[0].startswith("-")):
            words = words[1:]
        if words:
            found.append([words[0].rpartition("/")[2].lower(), *words[1:]])
    return found


def plain_words(program: str, rest: Sequence[str]) -> list[str]:
    """The words of a command that are no options, nor what an option before the verb takes (`kubectl -n web get`)."""
    takes = _TAKE_A_VALUE if program in _TOLD_WHERE else ()
    behind = [False, *(word in takes for word in rest)]
    return [word for word, is_value in zip(rest, behind, strict=False) if not word.startswith("-") and not is_value]


def _of_part(words: Sequence[str], capabilities: Capabilities) -> Capability | None:
    program, rest = words[0], words[1:]
    plain = plain_words(program, rest)
    if program in _SHELLS:
        told = next((rest[i + 1] for i, word in enumerate(rest[:-1]) if word.lower() in _TOLD_BY), "")
        return of_command(told, capabilities) if told else None
    if program == "rm":
        return "destructive" if any(w.startswith("-") and "r" in w for w in rest) else "write"
    if program == "systemctl" or program == "service":
        return capabilities.classify("_".join(plain[:2])).capability
    if program in ("curl", "wget", "http", "invoke-webrequest"):
        return _of_curl(rest, plain, capabilities)
    if program in ("psql", "mysql", "sqlcmd", "snowsql", "clickhouse-client"):
        return next((found for word in rest if " " in word and (found := of_statement(word))), "read")
    if program == "aws" and len(plain) > 1:
        return capabilities.classify(f"{plain[0]}:{plain[1].replace('-', '')}").capability
    if program in ("kubectl", "oc", "k") and plain:
        verb, resource = plain[0], (plain[1] if len(plain) > 1 else "")
        kind = resource.partition("/")[0].lower()
        resource = _KINDS.get(kind, kind if kind.endswith("s") else f"{kind}s") if kind else ""
        return capabilities.classify({"exec": "create pods/exec"}.get(verb, f"{verb} {resource}".strip())).capability
    if program in _CLOUD_WORDS and plain:
        classed = capabilities.classify(" ".join([program, *plain[:5]]).replace("-", " "))
        return classed.capability
    if "-" in program and program not in _PROGRAMS:
        classed = capabilities.classify(program)
        return classed.capability if classed.is_sure else None
    return _PROGRAMS.get(program)


_KINDS: Final = dict(
    pair.split("=")
    for pair in sorted(
        name_set("""
    ns=namespaces namespace=namespaces deploy=deployments deployment=deployments secret=secrets
    po=pods pod=pods netpol=networkpolicies networkpolicy=networkpolicies ing=ingresses
    rolebinding=rolebindings clusterrolebinding=clusterrolebindings role=roles clusterrole=clusterroles
    sa=serviceaccounts serviceaccount=serviceaccounts token=serviceaccounts/token pvc=persistentvolumeclaims
""")
    )
)
"""Short and singular names of Kubernetes kinds -> as the audit log has them."""
_TOLD_WHERE: Final = frozenset(("kubectl", "oc", "k", "helm", "aws", "az", "gcloud", "docker", "git", "systemctl"))
_TAKE_A_VALUE: Final = name_set("""
    -n --namespace --context --cluster --kubeconfig --as --token -s --server --profile --region --project
    --subscription -h --host
""")
"""Options that say where, and stand before the verb."""
_TOLD_BY: Final = name_set("""
    -c -command /c -lc -encodedcommand
""")


def _of_curl(rest: Sequence[str], plain: Sequence[str], capabilities: Capabilities) -> Capability | None:
    method = next((rest[i + 1] for i, word in enumerate(rest[:-1]) if word in ("-X", "--request", "-Method")), "")
    sends = any(word in ("-d", "--data", "--data-raw", "-F", "-T", "--json") for word in rest)
    url = next((word for word in plain if "://" in word), "")
    if "169.254.169.254" in url or "metadata.google.internal" in url:
        return "credential"
    method = method.lower() or ("post" if sends else "get")
    said = of_request(method, url, capabilities) if url and method in _HTTP else None
    return said or ("write" if sends else "read")


def _weightiest(found: Iterable[Capability | None]) -> Capability | None:
    return max((one for one in found if one is not None), key=lambda one: IMPACT[one], default=None)
