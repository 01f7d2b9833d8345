"""Which steps of different traces are one and the same: by ids that several exports of a step carry.

Two exports of one run, or a pause and its resume, tell of the same call under event ids of their own. What they
share is an id that nothing else has: the call's (`call_wrrKpr7XnsTaNcHp3nssmJzH`), or that of the span that a
message names. Where they share none, nothing is guessed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

_RANDOM_CHARACTERS: Final = 16
_RANDOM_VARIETY: Final = 8
_LONGEST: Final = 200


def is_random(identity: str) -> bool:
    """Whether an id is one of its kind everywhere (`call_wrrKpr7XnsTaNcHp3nssmJzH`), not `call_1`."""
    characters = [c for c in identity if c.isalnum()]
    return (
        len(characters) >= _RANDOM_CHARACTERS
        and len(set(characters)) >= _RANDOM_VARIETY
        and any(c.isdigit() for c in characters)
    )


def joined_by(**ids: str | Iterable[str] | None) -> str | None:
    """What `joins` holds for ids by their sort (`call=…`, `span=…`); None where none of them is one of its kind."""
    keys: set[str] = set()
    for sort, said in ids.items():
        for identity in (said,) if isinstance(said, str) else said or ():
            if len(identity) < _LONGEST and is_random(identity) and not any(map(str.isspace, identity)):
                keys.add(f"{sort}:{identity}")
    return " ".join(sorted(keys)) or None


def keys_in(joins: str | None) -> list[str]:
    """The single keys in `joins`."""
    return joins.split(" ") if joins else []


def grouped(keys_of: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Members that hang together by a key that they share, in groups; one that shares none is alone in its own."""
    above: dict[str, str] = {member: member for member in keys_of}

    def top(member: str) -> str:
        while above[member] != member:
            above[member] = above[above[member]]
            member = above[member]
        return member

    holder: dict[str, str] = {}
    for member, keys in keys_of.items():
        for key in keys:
            above[top(member)] = top(holder.setdefault(key, member))
    groups: dict[str, list[str]] = defaultdict(list)
    for member in keys_of:
        groups[top(member)].append(member)
    return list(groups.values())
