"""The causal pass: who came to hold which credential from where, who opened which path, who delegated to whom.

One pass over the fleet's steps in time. Root-actor and path inference follow Hopper (Ho et al., USENIX
Security 2021): an attack acts with a credential that its root did not hold, and with it reaches what the
root had not reached. A switch is *clear* where the step that gave the credential is known, and *unclear*
where it is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from baseline.history import History
from detect.approvals import Approvals, Coverage
from detect.recent import Recent
from detect.step import Step
from ingest.arguments import CREDENTIAL_KEYS, scalars_in

WINDOW_S: Final = 24 * 3600
"""How long a credential or a path that was given is followed: Hopper's backtrace is a day as well."""
LONGEST_PATH: Final = 12

_GIVEN_KEYS: Final = frozenset(CREDENTIAL_KEYS) | {
    "sessiontoken",
    "accesstoken",
    "clientid",
    "secretarn",
    "token",
}
_OBJECT_KEYS: Final = frozenset({"accesskeyid", "accesskey", "keyid", "apikeyid", "tokenid"})
_MANAGES_KEYS: Final = re.compile(r"(?:key|token|credential)s?$", re.IGNORECASE)
_ACCESS_KEY: Final = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,20}\b")
_HOST_LIKE: Final = re.compile(r"[A-Za-z0-9]+(?:[.:/_-]+[A-Za-z0-9]+)+")


class Gift(msgspec.Struct, frozen=True):
    """A step that gave a credential, and the steps that led to it."""

    step: Step
    identity: str
    """What the credential stands for: the role, user or secret that the giving step named."""
    path: tuple[Step, ...]
    is_held: bool
    """Whether the agent may hold it: it always took this one, or a human approved just this."""


class Switch(msgspec.Struct, frozen=True):
    """A step that acts with a credential its root did not hold."""

    how: Literal["clear", "unclear"]
    identity: str
    path: tuple[Step, ...]
    """From the step that gave the credential to the step that used it."""


class Facts(msgspec.Struct, frozen=True):
    """What the past and the other sessions say of one privileged step."""

    coverage: Coverage
    has_history: bool
    is_new_reach: bool
    switch: Switch | None
    opened_by: Step | None
    """The uncovered step of another actor that opened the network path on which this one crosses."""
    delegation: Step | None
    """The hand-off under which this step's agent works."""


class CausalPass:
    """Feed every step in time; a privileged one comes back with its facts."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._approvals = Approvals()
        self._gifts: Recent[str, Gift] = Recent()
        self._opened: Recent[str, Step] = Recent()
        self._acquired: Recent[tuple[str, str], Gift] = Recent()
        self._delegations: Recent[tuple[str, str], Step] = Recent()

    def take(self, step: Step) -> Facts | None:
        """The facts of a privileged tool call; None for every other step."""
        match step.kind:
            case "approval":
                self._approvals.take(step)
                return None
            case "handoff":
                if step.target:
                    self._delegations[step.session_id, step.target] = step
                return None
            case "tool_call":
                return self._judge(step)
            case _:
                self._join_to_parent(step)
                return None

    def _join_to_parent(self, start: Step) -> None:
        """A run that another run started in a session of its own works under that session's hand-off."""
        parent = dict(scalars_in(start.arguments)).get("parentworkflowid")
        handoff = self._delegations.get((parent, start.agent_id)) if parent else None
        if handoff is not None:
            self._delegations[start.session_id, start.agent_id] = handoff

    def _judge(self, step: Step) -> Facts | None:
        switch = self._switch(step)
        if not step.is_privileged:
            return None
        coverage = self._approvals.covering(step)
        facts = Facts(
            coverage=coverage,
            has_history=self._history.is_enough(step.agent_id),
            is_new_reach=self._is_new_reach(step),
            switch=switch,
            opened_by=self._opener(step),
            delegation=self._delegations.get((step.session_id, step.agent_id)),
        )
        if step.status not in ("error", "denied"):
            if step.capability == "credential":
                self._remember_gift(step, switch, coverage)
            elif step.capability == "network_path" and not coverage.is_covered:
                for place in _places(step):
                    self._opened[place] = step
        return facts

    def _switch(self, step: Step) -> Switch | None:
        """Whether the step acts as somebody its agent never acted as."""
        agent = step.agent_id
        acting_as = _credential(step) or step.principal
        if acting_as is None:
            gift = self._acquired.get((step.session_id, agent))
            if gift is None or gift.is_held or self._history.steps_in(agent, "credential"):
                return None
            return Switch("unclear", gift.identity, (*gift.path, step)[-LONGEST_PATH:])
        aspect = "credential" if acting_as == step.credential_id else "principal"
        if self._history.seen(agent, aspect, acting_as).sessions:
            return None
        gift = self._gifts.get(acting_as)
        if gift is not None and _within_window(gift.step, step):
            if gift.is_held and gift.step.agent_id == agent:
                return None
            return Switch("clear", gift.identity, (*gift.path, step)[-LONGEST_PATH:])
        if self._is_always_new(agent, aspect) or not self._history.is_enough(agent):
            return None
        return Switch("unclear", acting_as, (step,))

    def _is_always_new(self, agent: str, aspect: str) -> bool:
        """An agent that has no usual credential: most of its sessions, or none, showed one of their own."""
        distinct = self._history.values_in(agent, aspect)
        return distinct == 0 or distinct * 2 > self._history.sessions(agent)

    def _remember_gift(self, step: Step, switch: Switch | None, coverage: Coverage) -> None:
        identity = step.target or step.tool or ""
        usual = self._history.seen(step.agent_id, "tool_target", identity, step.tool or "").sessions > 0
        before = switch.path[:-1] if switch is not None else ()
        is_held = coverage.is_covered or (usual and switch is None)
        gift = Gift(step, identity, (*before, step), is_held)
        self._acquired[step.session_id, step.agent_id] = gift
        for credential in given(step.result):
            if credential != step.credential_id:
                self._gifts[credential] = gift

    def _is_new_reach(self, step: Step) -> bool:
        return step.target is not None and not self._history.seen(step.agent_id, "target", step.target).sessions

    def _opener(self, step: Step) -> Step | None:
        if step.capability == "network_path":
            return None
        for place in _places(step):
            opener = self._opened.get(place)
            if opener is not None and opener.agent_id != step.agent_id and _within_window(opener, step):
                return opener
        return None


def _credential(step: Step) -> str | None:
    """The credential that the step acts with; a key that a key-managing tool names as its object is none."""
    if step.credential_id is None or _MANAGES_KEYS.search(step.tool or "") is None:
        return step.credential_id
    objects = {value for key, value in scalars_in(step.arguments) if key in _OBJECT_KEYS}
    return None if step.credential_id in objects else step.credential_id


def given(result: str | None) -> Iterator[str]:
    """The credentials that a result hands out: under a telling key, or in the shape of an access key."""
    seen: set[str] = set()
    for key, value in scalars_in(result):
        if key in _GIVEN_KEYS and value not in seen:
            seen.add(value)
            yield value
    for value in _ACCESS_KEY.findall(result or ""):
        if value not in seen:
            seen.add(value)
            yield value


def _places(step: Step) -> Iterator[str]:
    """The hosts, addresses and resources that a step names."""
    seen = {step.target} - {None}
    yield from sorted(place for place in seen if place)
    for _, value in scalars_in(step.arguments):
        if value not in seen and len(value) < 200 and _HOST_LIKE.fullmatch(value):
            seen.add(value)
            yield value


def _within_window(earlier: Step, later: Step) -> bool:
    if earlier.at_ns is None or later.at_ns is None:
        return earlier.session_id == later.session_id
    return 0 <= later.at_ns - earlier.at_ns <= WINDOW_S * 1_000_000_000
