"""Known ways to more privilege: the parts that one agent did and that concern one thing.

Parts belong together where both name the same role, user, policy or service, in what was asked or what came back, or
where one acts as what another one named or with what it handed out. What a log says nothing of is not told apart: a
part that names nothing belongs to those of its session.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import chain
from math import inf
from typing import Final

import msgspec

from baseline.capability_table import words_of
from detect.approvals import action_of
from detect.governance import ACTING_KEYS
from detect.handed_out import HOLDER_KEYS, credential_of, fingerprint, given, opaque_in, role_of
from detect.memory import Habits, remember
from detect.step import Step, within
from ingest.arguments import TARGET_KEYS, is_thing, scalars_in

_MOST_PARTS: Final = 32
_MOST_NAMES: Final = 64
_SHORTEST: Final = 4
_LONGEST: Final = 300
_NAMING: Final = re.compile(r"(?:arn|name|id)$")
_OF_THE_CALL: Final = re.compile(r"(?:request|event|correlation|trace|span|call|operation|client)(?:id|name)$")
_HOLDS_MANY: Final = frozenset(
    {"account", "accountid", "accountname", "projectid", "projectname", "tenantid", "tenantname", "subscriptionid",
     "organizationid", "namespace", "cluster", "clustername", "region", "regionname", "zone", "endpoint", "domain",
     "channel", "url", "uri", "path", "filepath"}
)  # fmt: skip
"""Argument names of what holds many things, or is the way to one: steps in one account need not concern one role."""


@dataclass(frozen=True)
class Method:
    """A way to more privilege: one action of each set, one of the first set before the last step."""

    name: str
    actions: tuple[frozenset[str], ...]
    source: str


class Completed(msgspec.Struct, frozen=True):
    """A method, every part of which one agent did in the window."""

    name: str
    source: str
    steps: tuple[Step, ...]
    shown: int


class Part(msgspec.Struct, frozen=True):
    """A step that may be part of a way."""

    action: str
    step: Step
    names: frozenset[str]
    """What it names, and digests of what it handed out."""
    acts_as: frozenset[str]

    def belongs_to(self, later: Part) -> bool:
        """Whether both concern one thing, or the later one acts as what this one named or with what it handed out."""
        if not self.names or not later.names:
            return self.step.session_id == later.step.session_id
        return not (self.names.isdisjoint(later.names) and self.names.isdisjoint(later.acts_as))


class Escalations(msgspec.Struct):
    """Of each agent the latest steps that may be part of a way."""

    parts: dict[str, list[Part]] = {}

    def method(self, step: Step, habits: Habits, window_s: float) -> Completed | None:
        """The way to more privilege that this step completes."""
        action = action_of(step.tool or "")
        if action not in telling_actions():
            return None
        agent, last = step.agent_id, _part(action, step)
        before = [part for part in self.parts.get(agent, ()) if within(part.step, step, window_s)]
        remember(self.parts, agent, [*before, last][-_MOST_PARTS:])
        for method in _ending_with(action):
            parts = _joined(method, before, last)
            if parts is not None and len(done := {part.step.event_id: part.step for part in parts}) > 1:
                shown = habits.seen("method", agent, method.name)
                habits.note(step.session_id, "method", agent, method.name)
                ordered = sorted(done.values(), key=lambda s: (s.at_ns or 0, s.event_id))
                return Completed(method.name, method.source, tuple(ordered), shown)
        return None


def _joined(method: Method, before: list[Part], last: Part) -> list[Part] | None:
    """One part of each set, the latest ones, each of which belongs to the last one or to another of them."""
    chosen = {number: last for number, some in enumerate(method.actions) if last.action in some}
    for _ in method.actions:
        for number, some in enumerate(method.actions):
            if number not in chosen:
                fitting = (p for p in reversed(before) if p.action in some and _is_joined(p, chosen.values()))
                if (part := next(fitting, None)) is not None:
                    chosen[number] = part
    return list(chosen.values()) if len(chosen) == len(method.actions) else None


def _is_joined(part: Part, chosen: Iterable[Part]) -> bool:
    return any(
        part.belongs_to(other) if within(part.step, other.step, inf) else other.belongs_to(part) for other in chosen
    )


def _part(action: str, step: Step) -> Part:
    names: dict[str, None] = {}
    for key, value in chain(scalars_in(step.arguments), scalars_in(step.result)):
        if _is_name(key, value):
            names.update(dict.fromkeys(_forms(value)))
    if step.target and is_thing(step.target) and step.target not in _wide(step):
        names.update(dict.fromkeys(_forms(step.target)))
    handed = {fingerprint(value) for value in chain(given(step.result), opaque_in(step))} if step.gives else set()
    acting = set(_forms(step.principal)) if step.principal else set()
    acting |= {fingerprint(credential)} if (credential := credential_of(step)) is not None else set()
    return Part(action, step.without_payload(), frozenset(list(names)[:_MOST_NAMES]) | handed, frozenset(acting))


def _wide(step: Step) -> set[str]:
    return {value for key, value in scalars_in(step.arguments) if key in _HOLDS_MANY}


def _is_name(key: str, value: str) -> bool:
    if not _SHORTEST <= len(value) <= _LONGEST or " " in value or key in _HOLDS_MANY or key in ACTING_KEYS:
        return False
    if key in HOLDER_KEYS or key in TARGET_KEYS:
        return True
    return _NAMING.search(key) is not None and _OF_THE_CALL.search(key) is None


def _forms(name: str) -> list[str]:
    """A name as it stands, and the last part of one that is a path or an ARN."""
    name = role_of(name) or name
    last = name.rpartition("/")[2]
    if name.startswith("arn:"):
        last = last.rpartition(":")[2]
    return [form for form in dict.fromkeys((name, last)) if len(form) >= _SHORTEST]


@cache
def methods() -> tuple[Method, ...]:
    """The methods of `escalation.toml`."""
    told = tomllib.loads(files("detect").joinpath("escalation.toml").read_text())
    return tuple(
        Method(m["name"], tuple(frozenset("".join(words_of(a)) for a in some) for some in m["actions"]), m["source"])
        for m in told["method"]
    )


@cache
def _ending_with(action: str) -> tuple[Method, ...]:
    """The methods of which the action may be the last part."""
    return tuple(method for method in methods() if any(action in some for some in method.actions[1:]))


@cache
def telling_actions() -> frozenset[str]:
    """Every action that a method names."""
    return frozenset(action for method in methods() for some in method.actions for action in some)
