"""Who is registered: one form of a registry a file. To add one: a file here with a function of its name, `@form`.

A form gets a file's content as it was parsed (TOML or JSON) and yields what it says of agents and of people. What a
form has no place for stays None, which means "not said" and forbids nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import msgspec

from ingest.errors import Trouble
from ingest.plugins import first_line

Part = Literal["tools", "targets", "capabilities", "principals", "humans"]
"""What a grant can name; `fnmatch` patterns each, case does not matter."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An agent, or a person whose grant agents work under. A part that is None is not said."""

    id: str
    is_human: bool = False
    names: tuple[str, ...] = ()
    """Other names under which logs know it."""
    tools: tuple[str, ...] | None = None
    targets: tuple[str, ...] | None = None
    capabilities: tuple[str, ...] | None = None
    principals: tuple[str, ...] | None = None
    humans: tuple[str, ...] | None = None
    """Whom it may act on behalf of."""
    owner: str | None = None
    ended_ns: int | None = None
    """Since when its registration is over, in nanoseconds of UTC."""
    ended_how: str = "expired"
    source: str = ""
    """The file, and the entry in it."""


@dataclass(frozen=True)
class Form:
    """One form of a registry."""

    name: str
    summary: str
    claims: Callable[[Any, Path], bool]
    """Whether a parsed file is of this form."""
    read: Callable[[Any, Path], Iterator[Entry]]


def form(*, claims: Callable[[Any, Path], bool]) -> Callable[[Callable[[Any, Path], Iterator[Entry]]], Form]:
    """Declare a form."""

    def declare(read: Callable[[Any, Path], Iterator[Entry]]) -> Form:
        return Form(read.__name__, first_line(read.__doc__), claims, read)

    return declare


def members(said: object, key: str) -> list[dict[str, Any]]:
    """The objects of a list response, of one page or of several put into one array, else of a bare array or object."""
    pages = said if isinstance(said, list) else [said]
    found: list[dict[str, Any]] = []
    for page in pages:
        if isinstance(page, dict):
            inner = page.get(key)
            found += [one for one in inner if isinstance(one, dict)] if isinstance(inner, list) else [page]
    return found


def known(key: str, keys: tuple[str, ...], where: str) -> None:
    """Refuse a key that is none of these. Raises `Trouble` with the nearest one."""
    if key not in keys:
        near = get_close_matches(key, keys, 1, 0.5)
        raise Trouble(
            f"{where}: {key!r} is not known; " + (f"did you mean {near[0]!r}?" if near else f"one of {', '.join(keys)}")
        )


def text(said: dict[str, Any], *keys: str) -> str | None:
    """The first of these members that holds text."""
    return next((v for key in keys if isinstance(v := said.get(key), str) and v), None)


def texts(said: dict[str, Any], *keys: str) -> tuple[str, ...]:
    """All of these members that hold text, each once."""
    return tuple(dict.fromkeys(v for key in keys if isinstance(v := said.get(key), str) and v))
