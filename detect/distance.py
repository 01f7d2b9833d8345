"""How far an agent is from the most privileged identities, before and after a step.

A directed graph of who can become whom, as far as the log shows it: who acted as whom, who assumed, minted or read
whose credential, who was given which role, group or policy. Tier 0 is who is an administrator by its name, or who was
seen to give both permissions and credentials on the days before. The distance is the least number of edges to it; a
step that shortens it weighs more, and is no more suspect for it (attack paths as BloodHound has them).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

import msgspec

from baseline.capability_table import words_of
from detect.handed_out import role_of
from detect.memory import Habits, remember
from detect.step import Step
from detect.switch import Switch
from detect.toolnames import says
from ingest.arguments import scalars_in

_MOST_EDGES: Final = 64
_MOST_VISITED: Final = 512
_LONGEST: Final = 8
_MOST_LENGTH: Final = 300
_ADMIN: Final = frozenset({"admin", "administrator", "superuser", "superadmin", "sysadmin", "sudoer"})
_NOT_ADMIN: Final = frozenset({"read", "reader", "readonly", "view", "viewer", "audit", "auditor", "assistant"})
_WHOLE: Final = frozenset(
    {"root", "owner", "roles/owner", "system:masters", "iamfullaccess", "wheel", "break-glass", "breakglass"}
)
_IAM: Final = re.compile(r"arn:aws[\w-]*:iam::[^:]*:(?:role|user|group|policy)/(?:.*/)?([^/]+)|arn:.*:(root)")
_TAKES_AWAY: Final = re.compile(
    r"delet|revok|disabl|deactivat|remov|detach|retir|expire|deny|unassign|disassociat|list|suspend|block",
    re.IGNORECASE,
)
_HOLDERS: Final = (
    "user", "username", "userid", "member", "principal", "principalid", "principalarn", "subject", "serviceaccount",
    "identity", "agent", "agentid", "grantee", "assignee", "email", "account", "role", "rolename", "rolearn",
    "group", "groupname",
)  # fmt: skip
"""Argument names under which somebody is given something, the most telling first."""
_HELD: Final = frozenset(
    {"policy", "policyarn", "policyname", "permission", "privilege", "scope", "access", "accesslevel", "clusterrole",
     "roledefinition", "roledefinitionid", "role", "rolename", "rolearn", "group", "groupname", "team"}
)  # fmt: skip


class Drop(msgspec.Struct, frozen=True):
    """A step after which its agent is nearer to the most privileged identities."""

    before: int | None
    """None: no way to them was known."""
    after: int
    to: str

    @property
    def impact(self) -> float:
        """0..1: at them 0.95, less with every edge; a judgement that orders, as that of the classes is."""
        return max(0.0, 0.95 - 0.1 * self.after)

    def __str__(self) -> str:
        before = "no way there was known before" if self.before is None else f"{self.before} before"
        steps = "step" if self.after == 1 else "steps"
        return f"{self.after} {steps} from {self.to} of the most privileged, {before}"


class Distances(msgspec.Struct):
    """Who can become whom, and the steps that brought an agent nearer to tier 0."""

    edges: dict[str, list[str]] = {}
    drops: dict[str, Drop] = {}
    """Event -> what it shortened."""

    def take(self, step: Step, switch: Switch | None, habits: Habits) -> None:
        """Remember what a privileged step that took effect shows, and whether it shortened its agent's way."""
        start = _node(step.agent_id)
        acting = _acting(step)
        new = [
            (one, other)
            for one, name in _edges(step, switch, start, acting)
            if one != (other := _node(name)) and other not in self.edges.get(one, ())
        ]
        before = self._distance(start, habits) if new else None
        for one, other in new:
            remember(self.edges, one, [*self.edges.get(one, ()), other][-_MOST_EDGES:])
        after = self._distance(start, habits) if new else None
        if after is not None and (before is None or after[0] < before[0]):
            drop = Drop(before[0] if before is not None else None, after[0], after[1])
            remember(self.drops, step.event_id, drop)
        if step.capability in ("permission", "credential"):
            habits.note(step.session_id, "holds", acting or start, step.capability)

    def _distance(self, start: str, habits: Habits) -> tuple[int, str] | None:
        """(edges, the nearest identity of tier 0), by breadth."""
        level, seen = [start], {start}
        for length in range(_LONGEST):
            for node in level:
                if _is_admin(node) or _gives_both(node, habits):
                    return length, node
            level = [other for node in level for other in self.edges.get(node, ()) if other not in seen]
            level = list(dict.fromkeys(level))[: _MOST_VISITED - len(seen)]
            seen.update(level)
        return None


def nearest(path: Iterable[Step], drops: Mapping[str, Drop]) -> Drop | None:
    """What the steps of a path shortened together: from before the first that did to the nearest that one came."""
    found = [drop for step in path if (drop := drops.get(step.event_id)) is not None]
    if not found:
        return None
    best = min(found, key=lambda drop: drop.after)
    return Drop(found[0].before, best.after, best.to)


def _edges(step: Step, switch: Switch | None, start: str, acting: str | None) -> Iterator[tuple[str, str]]:
    """(who, the name of whom it can become)."""
    if acting is not None:
        yield start, acting
    if switch is not None:
        yield start, switch.identity
    if step.capability not in ("credential", "permission") or says(_TAKES_AWAY, step.tool):
        return
    if step.capability == "credential":
        if step.target is not None:
            yield acting or start, step.target
        return
    said = [(key, value) for key, value in scalars_in(step.arguments) if len(value) < _MOST_LENGTH]
    rank, holder = min(
        ((_HOLDERS.index(key), value) for key, value in said if key in _HOLDERS), default=(None, step.target)
    )
    for key, value in said:
        if holder is not None and key in _HELD and value != holder and (rank is None or key != _HOLDERS[rank]):
            yield _node(holder), value


def _acting(step: Step) -> str | None:
    principal = step.principal
    return _node(role_of(principal) or principal) if principal else None


def _gives_both(node: str, habits: Habits) -> bool:
    return habits.seen("holds", node, "permission") > 0 and habits.seen("holds", node, "credential") > 0


@lru_cache(maxsize=1 << 15)
def _node(name: str) -> str:
    """One name for an identity that logs write in full or short."""
    found = _IAM.fullmatch(name)
    return next(group for group in found.groups() if group) if found else name


@lru_cache(maxsize=1 << 15)
def _is_admin(node: str) -> bool:
    if node.casefold() in _WHOLE:
        return True
    words = set(words_of(node)) if len(node) < _MOST_LENGTH else set()
    return bool(words & _ADMIN) and not words & _NOT_ADMIN
