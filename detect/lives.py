"""When an agent or a key was last at work, and what was taken out of service."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from detect.handed_out import OBJECT_KEYS, acting_as, fingerprint, given
from detect.memory import remember
from detect.step import Step, within
from detect.toolnames import says
from ingest.arguments import scalars_in

_MOST_AWAKE: Final = 16
_DAY_NS: Final = 86_400_000_000_000
_STIRS_NS: Final = 7 * _DAY_NS
_FEW_SESSIONS: Final = 5
"""Of a week: an agent with more is at work again."""
_RETIRES: Final = re.compile(
    r"(?:delet|disabl|deactivat|revok|retir|decommission|offboard|deregister|terminat|remov|suspend|expire)",
    re.IGNORECASE,
)
_REVIVES: Final = re.compile(
    r"(?:creat|enabl|(?<!de)activat|reinstat|restor|(?<!de)register|onboard|resum|rotat)", re.IGNORECASE
)
_IDENTITY: Final = re.compile(
    r"key|token|credential|secret|agent|user|account|principal|role|identit|client", re.IGNORECASE
)
_KEYS_ALONE: Final = re.compile(r"key|token|credential|secret", re.IGNORECASE)
_KEY_KEYS: Final = OBJECT_KEYS | {"clientid", "certificateid", "thumbprint", "serial"}
_HOLDER_KEYS: Final = frozenset(
    {"agent", "agentid", "agentname", "user", "username", "userid", "principal", "principalid", "principalarn", "role",
     "rolename", "rolearn", "serviceaccount", "account", "identity", "clientname"}
)  # fmt: skip
_DETACHES: Final = re.compile(r"polic|permission|from_?group|tag|session", re.IGNORECASE)


class Sleep(msgspec.Struct, frozen=True):
    """How long an agent was silent before this session, beside its longest silence until then."""

    days: float
    longest_days: float
    since: Step
    steps: tuple[Step, ...] = ()
    """The uncovered privileged steps since it woke, this one last."""


class Lives(msgspec.Struct):
    """Last seen, longest silence, and retired names."""

    last: dict[str, tuple[int, Step]] = {}
    """Agent -> when it was last at work, and the first step of that session."""
    longest_ns: dict[str, int] = {}
    woke: dict[str, tuple[str, int, int, Step]] = {}
    """Agent -> (the session in which it woke, the silence before it, the longest one until then, the step before)."""
    awake: dict[str, tuple[Step, ...]] = {}
    """Agent -> its uncovered privileged steps since it woke."""
    stirring: dict[str, tuple[int, list[str]]] = {}
    """Agent -> (when it woke, its sessions since), while they are few."""
    retired: dict[str, Step] = {}
    """Digest of a key's, an agent's or a principal's name -> the step that took it out of service."""
    revived: dict[str, Step] = {}
    """The same -> the step that brought it back with a person's yes."""

    def seen(self, step: Step) -> None:
        """Remember that the agent was at work; every tool call passes here."""
        if step.at_ns is None:
            return
        agent = step.agent_id
        before = self.last.get(agent)
        if before is not None and step.at_ns - before[0] > _DAY_NS:
            silence, longest = step.at_ns - before[0], self.longest_ns.get(agent, 0)
            if not self._stirs(step):
                remember(self.woke, agent, (step.session_id, silence, longest, before[1]))
                remember(self.stirring, agent, (step.at_ns, []))
                self.awake.pop(agent, None)
            remember(self.longest_ns, agent, max(silence, longest))
        stirring = self.stirring.get(agent)
        if stirring is not None and step.session_id not in stirring[1]:
            stirring[1].append(step.session_id)
            if len(stirring[1]) > _FEW_SESSIONS:
                del self.stirring[agent]
        if before is None or before[1].session_id != step.session_id:
            remember(self.last, agent, (step.at_ns, step.without_payload()))
        else:
            self.last[agent] = (step.at_ns, before[1])

    def sleep(self, step: Step, *, is_open: bool) -> Sleep | None:
        """The silence before this session, where there was one of more than a day, or before the few that led to it.

        `is_open`: nobody approved the step.
        """
        woke = self.woke.get(step.agent_id)
        if woke is None or (woke[0] != step.session_id and not self._stirs(step)) or self._is_asked_back(step):
            return None
        steps = self.awake.get(step.agent_id, ())
        if is_open:
            steps = (*steps, step.without_payload())[-_MOST_AWAKE:]
            remember(self.awake, step.agent_id, steps)
        return Sleep(woke[1] / _DAY_NS, woke[2] / _DAY_NS, woke[3], steps)

    def _stirs(self, step: Step) -> bool:
        """Whether the agent woke in the last week and was hardly at work since: a step a day is no habit yet."""
        stirring = self.stirring.get(step.agent_id)
        return stirring is not None and step.at_ns is not None and step.at_ns - stirring[0] <= _STIRS_NS

    def _is_asked_back(self, step: Step) -> bool:
        """Whether a person let somebody bring the agent back in the last week."""
        if not self.revived:
            return False
        back = self.revived.get(fingerprint(step.agent_id.rpartition("/")[2]))
        return back is not None and within(back, step, _STIRS_NS / 1_000_000_000)

    def take(self, step: Step, *, is_covered: bool) -> None:
        """Remember what a step that took effect put out of service, or back into it."""
        tool = step.tool or ""
        if not concerns_lives(step):
            return
        names = _objects(step)
        if says(_RETIRES, tool) or _turned_off(step):
            slim = step.without_payload()
            for name in names:
                remember(self.retired, fingerprint(name), slim)
        elif says(_REVIVES, tool):
            for name in names:
                self.retired.pop(fingerprint(name), None)
                if is_covered:
                    remember(self.revived, fingerprint(name.rpartition("/")[2]), step.without_payload())

    def given_out(self, step: Step) -> None:
        """Who hands out a key that was retired says that it is in service again."""
        if self.retired and _RETIRES.search(step.tool or "") is None:
            for credential in given(step.result):
                self.retired.pop(fingerprint(credential), None)

    def retired_by(self, step: Step) -> Step | None:
        """The step that took the acting agent, key or principal out of service before."""
        if not self.retired:
            return None
        for name in dict.fromkeys((acting_as(step), step.agent_id, step.principal)):
            by = self.retired.get(fingerprint(name)) if name and len(name) >= 4 else None
            if by is not None and by.event_id != step.event_id and by.session_id != step.session_id:
                return by
        return None


def concerns_lives(step: Step) -> bool:
    """Whether the step is about who or what is in service."""
    return says(_IDENTITY, step.tool) and _DETACHES.search(step.tool or "") is None


def _objects(step: Step) -> list[str]:
    """The key that the step names, else the agent, user or role."""
    values = scalars_in(step.arguments)
    keys = [value for key, value in values if key in _KEY_KEYS]
    if keys or says(_KEYS_ALONE, step.tool):
        return [name for name in keys if len(name) >= 4]
    names = [value for key, value in values if key in _HOLDER_KEYS]
    return [name for name in names or [step.target or ""] if len(name) >= 4]


def _turned_off(step: Step) -> bool:
    """`update_access_key(status=Inactive)`, `set_agent_state(enabled=false)`."""
    return any(
        key in ("status", "state", "enabled", "active")
        and value.lower() in ("inactive", "disabled", "retired", "suspended")
        for key, value in scalars_in(step.arguments)
    )
