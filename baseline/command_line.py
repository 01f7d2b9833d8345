"""What a command line does: its programs by name, or by their first words as names of tools are.

A command line is as weighty as its weightiest part, and one of which nothing is known has no class. What is run through
another program (`ssh host …`, `kubectl exec … -- …`, `bash -c …`) counts as if it were run here.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Final

from baseline.capability import Capabilities
from baseline.capability_table import Capability, name_set
from baseline.statements import HTTP, LONGEST, MOST_PARTS, of_request, of_statement, weightiest
from ingest.command_lines import SSH_TAKES

_JOINS: Final = re.compile(r"&&|\|\||[;|\n]")
_ASSIGNED: Final = re.compile(r"[A-Za-z_]\w*=.*")

_WRAPPERS: Final = frozenset(
    ("sudo", "doas", "env", "nohup", "time", "timeout", "exec", "command", "xargs", "nice", "setsid")
)
_SHELLS: Final = name_set("""
    bash sh zsh dash powershell pwsh cmd cmd.exe powershell.exe
""")
DATABASES: Final = frozenset(("psql", "mysql", "sqlcmd", "snowsql", "clickhouse-client"))
"""Programs that take a statement as one of their words."""
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
_CREDENTIAL_FILES: Final = re.compile(
    r"/etc/(?:g?shadow|krb5\.keytab)\b|\bid_(?:rsa|dsa|ecdsa|ed25519)\b(?!\.pub)|\.aws/credentials|\.kube/config"
    r"|kubeconfig\b|/run/secrets/|serviceaccount/token|\.git-credentials|\.netrc\b|\.pgpass\b|\.vault-token"
    r"|/proc/(?:\d+|self|\*)/environ|\.docker/config\.json|application_default_credentials|\bntds\.dit"
    r"|\blsass\b|hklm\\+(?:sam|security)\b|\.azure/(?:accessTokens|msal_token_cache)|login data\b|\.env\b(?!\.example)",
    re.IGNORECASE,
)
"""Where operating systems, clouds and their tools keep credentials, by the documents of each."""


_LOGS: Final = r"(?:/var/log/|\.(?:bash|zsh|mysql|psql)_history\b|\blastlog\b|\b[bw]tmp\b|/var/audit/|audit\.log\b)"
_WATCHERS: Final = (
    r"(?:auditd|r?syslog(?:-ng|d)?|journald|falcon-sensor|csagent|wazuh-agent|osqueryd|clam(?:av|d)\S*|fail2ban|mdatp"
    r"|windefend|sense|sysmon\d*|fluent(?:d|-?bit)|td-agent|filebeat|auditbeat|winlogbeat|splunkd?|splunkforwarder"
    r"|cbagentd|sentinel(?:one|agent|d)|taniumclient|xagt|nessusagent|amazon-cloudwatch-agent|google-cloud-ops-agent"
    r"|datadog-agent|falco|tetragon|apparmor|firewalld)"
)
"""Services that log or guard a machine, by the names that their makers install them under."""
_BLINDS: Final = re.compile(
    rf"\b(?:rm|shred|truncate|unlink)\b[^|;&]*{_LOGS}|(?<![\d&])>\s*\S*{_LOGS}|\bhistory\s+-c\b|\bHISTFILE=/dev/null"
    rf"|\b(?:systemctl|service|sc|net|rc-service)\b[^|;&]*\b(?:stop|disable|mask|kill|delete)\b[^|;&]*\b{_WATCHERS}\b"
    rf"|\bservice\s+{_WATCHERS}\s+stop\b|\b(?:pkill|killall|taskkill)\b[^|;&]*\b{_WATCHERS}\b|\bauditctl\s+-[eD]\b"
    r"|\bwevtutil\s+cl\b|\bclear-eventlog\b|\bset-mppreference\b[^|;]*-disable",
    re.IGNORECASE,
)
"""Taking the log or the guard of a machine away (ATT&CK T1070, T1685)."""
_FETCHED: Final = re.compile(
    r"(?:\b(?:curl|wget|fetch)\b|base64\s+(?:-d|--decode))[^;&]*\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b"
    r"|\biex\b.*\b(?:downloadstring|iwr|invoke-webrequest)\b|\b(?:bash|sh)\s+<\(\s*curl\b"
    r"|/dev/tcp/|\bnc(?:at)?\b[^|;&]*\s-e\b",
    re.IGNORECASE,
)
"""Running what was fetched or decoded, unseen, or handing a shell to whoever listens (ATT&CK T1059, T1105)."""
_DOCKER_TAKES: Final = frozenset(("-e", "--env", "-u", "--user", "-w", "--workdir", "--env-file"))


def of_command(line: str, capabilities: Capabilities) -> Capability | None:
    """What a command line does.

    Whatever its programs, one that names a file of credentials takes credentials, and one that removes a log, stops
    what watches the machine or forgets its own history blinds whoever looks.
    """
    found = [_of_part(words, capabilities) for words in parts_of(line)]
    found.append("credential" if takes_credentials(line) else None)
    found.append("defence_impairment" if _BLINDS.search(line[:LONGEST]) is not None else None)
    found.append("remote_execution" if _FETCHED.search(line[:LONGEST]) is not None else None)
    return weightiest(found)


def takes_credentials(line: str) -> bool:
    """Whether a command line names a file in which systems keep credentials (ATT&CK T1552.001, T1552.004, T1003)."""
    return _CREDENTIAL_FILES.search(line[:LONGEST]) is not None


def parts_of(line: str, depth: int = 2) -> list[list[str]]:
    """The commands that a line joins, each as its words: the program in lower case without its folder first, wrappers
    like `sudo` left out. What a program runs elsewhere or inside stands behind it."""
    found: list[list[str]] = []
    for part in _JOINS.split(line[:LONGEST])[:MOST_PARTS]:
        try:
            words = shlex.split(part)
        except ValueError:
            words = part.split()
        while words and (_ASSIGNED.fullmatch(words[0]) or words[0] in _WRAPPERS or words[0].startswith("-")):
            words = words[1:]
        if words:
            words = [words[0].rpartition("/")[2].lower(), *words[1:]]
            found.append(words)
            inner = _inner(words) if depth else ""
            if inner:
                found += parts_of(inner, depth - 1)
    return found[:MOST_PARTS]


def _inner(words: Sequence[str]) -> str:
    """What a command has run by another shell: on another machine, in a container, by `-c`; "" where nothing."""
    program, rest = words[0], words[1:]
    if program in _SHELLS or program in ("su", "ansible", "salt"):
        return next((rest[i + 1] for i, word in enumerate(rest[:-1]) if word.lower() in _TOLD_BY), "")
    if program in ("kubectl", "oc", "k"):
        return shlex.join(rest[rest.index("--") + 1 :]) if "--" in rest else ""
    if program in ("docker", "podman") and rest[:1] == ["exec"]:
        return shlex.join(_behind_name(rest[1:], _DOCKER_TAKES))
    return " ".join(_behind_name(rest, SSH_TAKES)) if program in ("ssh", "rsh", "plink") else ""


def _behind_name(rest: Sequence[str], takes: frozenset[str]) -> Sequence[str]:
    """The words behind the first one that is no option and no value of one."""
    is_value = False
    for number, word in enumerate(rest):
        if not is_value and not word.startswith("-"):
            return rest[number + 1 :]
        is_value = not is_value and word in takes
    return ()


def plain_words(program: str, rest: Sequence[str]) -> list[str]:
    """The words of a command that are no options, nor what an option before the verb takes (`kubectl -n web get`)."""
    takes = _TAKE_A_VALUE if program in _TOLD_WHERE else ()
    behind = [False, *(word in takes for word in rest)]
    return [word for word, is_value in zip(rest, behind, strict=False) if not word.startswith("-") and not is_value]


def _of_part(words: Sequence[str], capabilities: Capabilities) -> Capability | None:
    program, rest = words[0], words[1:]
    plain = plain_words(program, rest)
    if program in _SHELLS:
        return None
    if program == "rm":
        return "destructive" if any(w.startswith("-") and "r" in w for w in rest) else "write"
    if program == "systemctl" or program == "service":
        return capabilities.classify("_".join(plain[:2])).capability
    if program in ("curl", "wget", "http", "invoke-webrequest"):
        return _of_curl(rest, plain, capabilities)
    if program in DATABASES:
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
    -c -command /c -lc -encodedcommand -a
""")


def _of_curl(rest: Sequence[str], plain: Sequence[str], capabilities: Capabilities) -> Capability | None:
    method = next((rest[i + 1] for i, word in enumerate(rest[:-1]) if word in ("-X", "--request", "-Method")), "")
    sends = any(word in ("-d", "--data", "--data-raw", "-F", "-T", "--json") for word in rest)
    url = next((word for word in plain if "://" in word), "")
    if "169.254.169.254" in url or "metadata.google.internal" in url:
        return "credential"
    method = method.lower() or ("post" if sends else "get")
    said = of_request(method, url, capabilities) if url and method in HTTP else None
    return said or ("write" if sends else "read")
