"""What an HTTP request or an SQL statement does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from baseline.capability import Capabilities
from baseline.capability_table import IMPACT, Capability

LONGEST: Final = 2_000
"""Characters of a command line or statement that are looked at."""
MOST_PARTS: Final = 16

HTTP: Final = {"get": "get", "head": "get", "post": "create", "put": "set", "patch": "update", "delete": "delete"}
_ID_LIKE: Final = re.compile(r"\{.*\}|:\w+|[0-9a-f-]{8,}|.*\d.*|v\d+\w*|api|rest|beta|graph", re.IGNORECASE)
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


def of_request(method: str, url: str, capabilities: Capabilities) -> Capability | None:
    """What an HTTP request does: its method, and the last parts of its path that are no ids."""
    parts = [p for p in urlsplit(url[:LONGEST]).path.split("/") if p and not _ID_LIKE.fullmatch(p)]
    if not parts:
        return None
    names = [f"{HTTP[method]}_{'_'.join(parts[-2:])}"]
    if method == "post":
        # What is posted to may be a verb of its own: users/7/suspend, applications/7/addPassword.
        names = [parts[-1], "_".join([parts[-1], *parts[:-1][-2:]]), *names]
    classed = (capabilities.classify(name) for name in names)
    return next((one.capability for one in classed if one.is_sure), None)


def of_statement(sql: str) -> Capability | None:
    """What an SQL statement does."""
    found = []
    for statement in sql[:LONGEST].split(";")[:MOST_PARTS]:
        found.append(next((capability for pattern, capability in _STATEMENTS if pattern.search(statement)), None))
    return weightiest(found)


def weightiest(found: Iterable[Capability | None]) -> Capability | None:
    """The class that can do most."""
    return max((one for one in found if one is not None), key=lambda one: IMPACT[one], default=None)
