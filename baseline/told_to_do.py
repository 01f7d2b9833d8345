"""What a call tells its tool to do, in few words that recur: the program of a command line, the verb and kind of a
cluster command, the verb and table of a statement, the kinds in a manifest.

A gateway (`run_command`, `kubectl`, `sql_query`) is one tool that can do anything. What an agent has it do is its
habit: the same few programs day by day. These words are to such a tool what a tool's name is to an agent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from baseline.capability_table import name_set
from baseline.carried import COMMAND_KEYS, STATEMENT_KEYS
from baseline.command_line import DATABASES, parts_of, plain_words, takes_credentials

MARK: Final = "!"
"""In the place of a verb: what follows is no name among many but something that a call does or does not."""
_MOST: Final = 16
_LONGEST_WORD: Final = 40
_DOCUMENT_KEYS: Final = name_set("""
    documentname playbook playbookname runbook runbookname package packagename bundle bundlename installer software
""")
"""Argument names under which a tool is told what prepared work to run, or what to install."""
_LONGEST_STATEMENT: Final = 2_000
_HAS_VERBS: Final = name_set("""
    kubectl oc k helm git docker podman aws az gcloud systemctl service apt apt-get dnf yum pip npm terraform vault gh
    ansible ip nft firewall-cmd gsutil net sc reg netsh wmic
""")
"""Programs whose first word says what they do."""
_TWO_WORDS: Final = frozenset(("kubectl", "oc", "k", "aws", "az", "gcloud", "vault", "gh"))
"""Of those, the ones that name what it is done to as well."""
_ON_A_NAME: Final = (["exec"], ["logs"], ["cp"], ["attach"], ["port-forward"], ["debug"], ["config"], ["use"])
"""Verbs behind which a name of somebody's own stands, and no kind of thing."""
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_-]*")
_INTO: Final = re.compile(r">>?\s*(\S+)")
_STATEMENT: Final = re.compile(r"^\s*([A-Za-z]+)")
_TABLES: Final = re.compile(
    r"\b(?:from|join|into|update|table|on|user|role|database|schema)\s+(?:if\s+(?:not\s+)?exists\s+)?([A-Za-z_][\w.]*)",
    re.IGNORECASE,
)
_NUMBERS: Final = re.compile(r"\d+")
_MANIFEST_KEYS: Final = frozenset(("manifest", "manifests", "yaml", "spec", "template", "podspec", "body", "patch"))
_SWITCHES: Final = frozenset(("mode", "state", "status", "enforcement", "protection", "prevention", "logging", "level"))
_OFF: Final = re.compile(
    r"off|disabled?|stopped|paused|permissive|suspended|inactive|none|(?:detect|audit|report|monitor)(?:[ _-]?only)?",
    re.IGNORECASE,
)
_KIND: Final = re.compile(r"\bkind[\"']?\s*:\s*[\"']?([A-Za-z]+)")
_ESCAPES: Final = re.compile(
    r'"?(?:privileged|hostPID|hostIPC|hostNetwork|allowPrivilegeEscalation)"?\s*:\s*true|"?hostPath"?\s*:',
    re.IGNORECASE,
)
_MOST_KINDS: Final = 8


def told_to_do(scalars: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """(the verb alone, the verb with what it is done to) of each thing that the arguments tell to do, in their order;
    empty where they tell nothing.

    `scalars` are the arguments as `ingest.arguments.scalars_in` gives them.
    """
    found: dict[tuple[str, str], bool] = {}
    for key, value in scalars:
        if key in COMMAND_KEYS and " " in value.strip():
            found.update((pair, True) for pair in _of_command(value))
        elif key in _DOCUMENT_KEYS and len(value) <= _LONGEST_WORD:
            found["", f"{key} {_NUMBERS.sub('#', value)}"] = True
        elif key in STATEMENT_KEYS:
            found.update((pair, True) for pair in _of_statements(value))
        elif key in _SWITCHES and _OFF.fullmatch(value):
            found[MARK, f"set {key} to {value.lower()}"] = True
        elif key in _MANIFEST_KEYS:
            found.update((pair, True) for pair in _of_manifest(value))
    return tuple(found)[:_MOST]


def lets_escape(scalars: Sequence[tuple[str, str]]) -> bool:
    """Whether a manifest in the arguments lets a pod out onto its node (ATT&CK T1611, Escape to Host; the Kubernetes
    pod security standards forbid it)."""
    return any(key in _MANIFEST_KEYS and _ESCAPES.search(value) is not None for key, value in scalars)


def _of_manifest(text: str) -> Iterator[tuple[str, str]]:
    for kind in _KIND.findall(text)[:_MOST_KINDS]:
        yield "", f"kind {kind.lower()}"
    if _ESCAPES.search(text) is not None:
        yield MARK, "let a pod out onto its node"


def _of_command(line: str) -> Iterator[tuple[str, str]]:
    for words in parts_of(line):
        program = words[0]
        plain = [w for w in plain_words(program, words[1:]) if len(w) <= _LONGEST_WORD]
        said = [program]
        if program in _HAS_VERBS:
            kinds = (word.partition("/")[0] for word in plain)
            verbs = [w.lower() for w in kinds if _WORD.fullmatch(w)]
            said += verbs[: 2 if program in _TWO_WORDS and verbs[:1] not in _ON_A_NAME else 1]
        yield " ".join(said[: 2 if program in _TWO_WORDS else 1]), " ".join(said)
        if program in DATABASES:
            for word in words[1:]:
                if " " in word:
                    yield from _of_statements(word)
    if takes_credentials(line):
        yield MARK, "take credentials from a file"
    for into in _INTO.findall(line):
        name = into.rpartition("/")[2]
        if name and name != "null" and not name.startswith("&"):
            yield "write into", f"write into {_NUMBERS.sub('#', name)[:_LONGEST_WORD]}"


def _of_statements(text: str) -> Iterator[tuple[str, str]]:
    for statement in text[:_LONGEST_STATEMENT].split(";"):
        verb = _STATEMENT.match(statement)
        if verb is None:
            continue
        tables = sorted({_NUMBERS.sub("#", name.lower()) for name in _TABLES.findall(statement)}) or [""]
        for table in tables:
            yield verb[1].lower(), f"{verb[1].lower()} {table}".strip()
