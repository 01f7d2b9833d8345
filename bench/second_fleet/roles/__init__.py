"""The fleet's roles, one block of text each, and how a block is read.

    role | team | form,form | hours | sessions a day | tags | names | helpers | what it is asked
    ! server.verb_noun | weight | argument={kind} ; … >> svc:Action Parameter={kind} ; …

`!` marks what a person is asked about first; what follows `>>` is what the call shows in CloudTrail.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

from bench.second_fleet.model import Role, Tool

_FILES: Final = ("business", "cloud", "engineering", "security")


def roles() -> list[Role]:
    """All roles, in the order of their files."""
    blocks = [
        block
        for name in _FILES
        for block in import_module(f"bench.second_fleet.roles.{name}").ROLES.strip().split("\n\n")
    ]
    return [_role(block) for block in blocks]


def _role(block: str) -> Role:
    head, *lines = block.strip().splitlines()
    name, team, forms, hours, rate, tags, names, helpers, asked = (part.strip() for part in head.split("|"))
    return Role(
        name=name,
        tags=frozenset((name, *_listed(tags))),
        team=team,
        forms=tuple(_listed(forms)),
        hours=hours,
        rate=float(rate),
        tools=tuple(_tool(line) for line in lines),
        names=tuple(_listed(names)),
        helpers=tuple(_listed(helpers)),
        asked=tuple(part.strip() for part in asked.split("/") if part.strip()),
    )


def _tool(line: str) -> Tool:
    said, _, shown = line.partition(">>")
    name, weight, args = (part.strip() for part in said.split("|", 2))
    return Tool(
        name=name.removeprefix("!").strip(),
        weight=float(weight),
        args=_pairs(args),
        mirror=(_mirrored(shown),) if shown.strip() else (),
        needs_approval=name.startswith("!"),
    )


def _mirrored(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    action, _, args = text.strip().partition(" ")
    return action, tuple(_pairs(args).items())


def _pairs(text: str) -> dict[str, str]:
    pairs = (part.split("=", 1) for part in text.split(" ; ") if part.strip())
    return {key.strip(): value.strip() for key, value in pairs}


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
