"""The parameter file as typed values."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

DAY_NS: Final = 86_400_000_000_000


@dataclass(frozen=True)
class Action:
    """Something that can be done: its tools' names, its arguments, and the AWS call behind it, if any."""

    name: str
    names: tuple[str, ...]
    args: tuple[tuple[tuple[str, ...], str], ...]
    """((spellings of the key), kind of value), …"""
    result: tuple[tuple[tuple[str, ...], str], ...] = ()
    api: str | None = None
    params: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class StepPlan:
    """One word of a playbook."""

    actions: tuple[str, ...]
    """Alternatives; of roles where `hands_over`."""
    least: int = 1
    most: int = 1
    chance: float = 1.0
    asks: bool = False
    hands_over: bool = False


@dataclass(frozen=True)
class Playbook:
    weight: float
    steps: tuple[StepPlan, ...]


@dataclass(frozen=True)
class Role:
    name: str
    share: float
    hours: str
    rate: float
    platforms: dict[str, float]
    playbooks: tuple[Playbook, ...]
    monthly: tuple[Playbook, ...]
    seldom: tuple[str, ...]
    """What its agents can do and do now and then; each has some of it."""


@dataclass(frozen=True)
class Settings:
    """What the generator is asked for: counts from the command line, all else from the file."""

    seed: int
    agents: int
    days: int
    events: int
    history_days: int
    attacks: int
    look_alikes: int
    start_ns: int
    raw: dict[str, Any]
    roles: dict[str, Role]
    actions: dict[str, Action]
    evasion: str = ""

    def with_(self, **changes: Any) -> Settings:
        return replace(self, **{name: value for name, value in changes.items() if value is not None})


@cache
def load() -> Settings:
    """The shipped parameters."""
    raw = tomllib.loads((files(__package__) / "fleet.toml").read_text(encoding="utf-8"))
    fleet = raw["fleet"]
    start = datetime.fromisoformat(fleet["start"]).replace(tzinfo=UTC)
    return Settings(
        seed=1,
        agents=fleet["agents"],
        days=fleet["days"],
        events=fleet["events"],
        history_days=fleet["history_days"],
        attacks=fleet["attacks"],
        look_alikes=fleet["look_alikes"],
        start_ns=int(start.timestamp()) * 1_000_000_000,
        raw=raw,
        roles={name: _role(name, said) for name, said in raw["roles"].items()},
        actions={name: _action(name, said) for name, said in raw["actions"].items()},
    )


def _action(name: str, said: dict[str, Any]) -> Action:
    return Action(
        name,
        tuple(said["names"]),
        tuple(_keyed(said.get("args", []))),
        tuple(_keyed(said.get("result", []))),
        said.get("api"),
        tuple((keys[0], kind) for keys, kind in _keyed(said.get("params", []))),
    )


def _keyed(lines: list[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    for line in lines:
        keys, kind = line.split("=")
        yield tuple(keys.split("|")), kind


def _role(name: str, said: dict[str, Any]) -> Role:
    return Role(
        name,
        said["share"],
        said["hours"],
        said["rate"],
        said["platforms"],
        tuple(Playbook(book["weight"], playbook(book["steps"])) for book in said["playbooks"]),
        tuple(Playbook(1, playbook(steps)) for steps in said["monthly"]),
        tuple(said["seldom"].split()),
    )


_WORD: Final = re.compile(
    r"(?P<over>>?)(?P<names>[\w./]+)(?P<asks>!?)(?:\*(?P<least>\d+)-(?P<most>\d+))?(?:\?(?P<chance>[\d.]+))?"
)


@cache
def playbook(line: str) -> tuple[StepPlan, ...]:
    """A line of steps in the little language of the parameter file."""
    found = []
    for word in line.split():
        said = _WORD.fullmatch(word)
        if said is None:
            raise ValueError(f"{word!r} in the playbook {line!r} cannot be read")
        found.append(
            StepPlan(
                tuple(said["names"].split("/")),
                int(said["least"] or 1),
                int(said["most"] or 1),
                float(said["chance"] or 1),
                bool(said["asks"]),
                bool(said["over"]),
            )
        )
    return tuple(found)


def chance(settings: Settings, *names: object) -> random.Random:
    """A stream of chance of its own for whatever is named: what one part draws moves no other."""
    return random.Random("/".join(str(part) for part in (settings.seed, *names)))
