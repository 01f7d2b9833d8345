"""The place that a command line goes to: the host of `ssh`, the namespace of `kubectl`, the server of `psql`.

A gateway (`run_command`) has no argument for it, so that without this every one of its calls would touch nothing.
Only words that a program is known to take as a place count; nothing is inferred from how a word looks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

COMMAND_KEYS: Final = frozenset(
    ("command", "commands", "cmd", "commandline", "script", "shell", "bash", "powershell", "exec", "execute", "line",
     "remotecommand", "args", "argv")
)  # fmt: skip
"""Argument names (lower case, without separators) under which a tool is given a command line."""
_LONGEST: Final = 2_000
_MOST_WORDS: Final = 128
_WORD: Final = re.compile(r"[^\s'\"]+")
_NAME: Final = re.compile(r"[A-Za-z0-9_](?:[\w.-]{0,251}\w)?")
_ENDS: Final = ("&&", "||", "|", ";")


def place_in(line: str) -> str | None:
    """The first place that a command of the line names; None where none does."""
    words = _WORD.findall(line[:_LONGEST])[:_MOST_WORDS]
    for number, word in enumerate(words):
        reads = _READS.get(word.rpartition("/")[2].lower())
        if reads is not None:
            rest = words[number + 1 :]
            ends = next((i for i, one in enumerate(rest) if one in _ENDS or one == "--"), len(rest))
            place = reads(rest[:ends])
            if place is not None and _NAME.fullmatch(place):
                return place
    return None


def _host(word: str) -> str:
    """`deploy@db-1:22` is `db-1`."""
    return word.rpartition("@")[2].partition(":")[0]


def _first_plain(takes: frozenset[str]) -> Callable[[Sequence[str]], str | None]:
    """The first word that is no option and no value of one."""

    def read(rest: Sequence[str]) -> str | None:
        is_value = False
        for word in rest:
            if is_value or word.startswith("-"):
                is_value = not is_value and word in takes
                continue
            return _host(word)
        return None

    return read


def _behind(*options: str) -> Callable[[Sequence[str]], str | None]:
    """What stands behind the first of these options, as a word of its own or after `=`."""

    def read(rest: Sequence[str]) -> str | None:
        for option in options:
            for number, word in enumerate(rest):
                if word == option and number + 1 < len(rest):
                    return _host(rest[number + 1])
                if word.startswith(f"{option}="):
                    return _host(word.partition("=")[2])
        return None

    return read


def _copied(rest: Sequence[str]) -> str | None:
    """The remote side of a copy, `host:path`."""
    return next((_host(w) for w in rest if ":" in w and not w.startswith(("-", "/", ".")) and "://" not in w), None)


def _url(rest: Sequence[str]) -> str | None:
    word = next((word for word in rest if "://" in word), None)
    return None if word is None else _host(word.partition("://")[2].partition("/")[0])


def _windows(rest: Sequence[str]) -> str | None:
    """`\\\\host` or `-r:host`."""
    for word in rest:
        if word.startswith("\\\\"):
            return word.strip("\\").partition("\\")[0]
        if word.lower().startswith(("-r:", "/r:", "/node:")):
            return word.partition(":")[2]
    return None


SSH_TAKES: Final = frozenset(f"-{letter}" for letter in "bcDEeFiJLlmoOpPQRSWw")
"""The options of ssh that take a value, which is no host."""
_SSH: Final = _first_plain(SSH_TAKES)
_CLUSTER: Final = _behind("-n", "--namespace", "--context", "--cluster")
_SERVER: Final = _behind("-h", "--host", "--hostname", "-S", "--server", "-H")
_READS: Final[dict[str, Callable[[Sequence[str]], str | None]]] = {
    **dict.fromkeys(("ssh", "sftp", "mosh", "ssh-copy-id", "plink", "telnet", "nc", "ncat", "nmap", "rsh"), _SSH),
    **dict.fromkeys(("scp", "rsync", "pscp"), _copied),
    **dict.fromkeys(("kubectl", "oc", "helm", "k"), _CLUSTER),
    **dict.fromkeys(
        ("psql", "pg_dump", "mysql", "mysqldump", "mongosh", "redis-cli", "sqlcmd", "clickhouse-client", "ldapsearch"),
        _SERVER,
    ),
    **dict.fromkeys(("curl", "wget", "http", "invoke-webrequest"), _url),
    **dict.fromkeys(("psexec", "psexec.exe", "winrs", "wmic"), _windows),
    **dict.fromkeys(("ansible", "salt", "pdsh"), _first_plain(frozenset(("-i", "-m", "-a", "-u", "-f", "-w")))),
    **dict.fromkeys(("evil-winrm", "enter-pssession", "invoke-command"), _behind("-i", "-ComputerName")),
}
"""Program -> how its words say where."""
