"""The causal pass: one walk over the fleet's steps in time, and what the past and the others say of each.

Nodes are agents, people, principals, credentials, hosts and resources; edges in time are kept each by the module of
its idea: credentials given and used (`credentials`), paths opened (`opened`), work delegated (`authority`), new
reach (`reach`), what was refused and then let through (`restrictions`), who slept or was retired (`lives`), where a
value came from (`provenance`), what the steps amount to together (`chains`, `escalation`). Memory is bounded, can
be written down (`CausalPass.state`) and taken up again.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Final, Literal

import msgspec

from baseline.history import History
from detect.approvals import Approvals, Coverage
from detect.authority import Delegation, Delegations
from detect.behaviour import Behaviour
from detect.chains import Chains, Phases
from detect.credentials import LONGEST_PATH, Credentials, Switch
from detect.disguise import Shapes
from detect.distance import Distances, Drop
from detect.effective import Standing, standing
from detect.escalation import Completed, Escalations
from detect.excuses import Excuse, Excuses
from detect.governance import cleans_log_of, rewrites_itself
from detect.handed_out import is_service, is_temporary, may_grant
from detect.lives import Lives, Sleep
from detect.memory import Habits, packed, unpacked
from detect.named_next import NamedNext
from detect.opened import Opened
from detect.provenance import Origin, Provenance
from detect.reach import HOUR_S, Place, Reach, Reaches, Stranger
from detect.registry import NO_REGISTRY, Registry
from detect.restrictions import Restrictions
from detect.shift import Shift, Shifts
from detect.stamping import Stamp, Stamps
from detect.step import Step, within
from detect.weakened import After, Weakened

WINDOW_HOURS: Final = 24.0
"""How long a path, a delegation or a temporary credential is followed: Hopper's backtrace is a day as well."""
_MOVES: Final = frozenset({"remote_execution", "credential", "permission", "network_path"})
_GOES: Final = frozenset({"remote_execution", "credential"})

Asked = Literal["privileged", "handoff", "approval"]
"""What a detector is asked about."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the past and the other sessions say of one step."""

    asked: Asked = "privileged"
    coverage: Coverage = Coverage("none")
    excuse: Excuse | None = None
    """What speaks for the step although no person approved it."""
    has_history: bool = False
    root: str = ""
    """The agent at the start of the path: who first held what this step acts with."""
    root_has_history: bool = False
    is_new_to_root: bool = False
    takes_chance: float = 0.0
    """Of the root of the path taking a credential that is new to it."""
    is_just_given: bool = False
    """Whether the logs show who took the credential that the step acts with."""
    is_new_to_giver: bool = False
    """Whether who took the credential that the step acts with had never reached the target."""
    raises_own: Step | None = None
    """The step that took the credential with which this one gives more rights to whom that credential stands for."""
    new_key: Step | None = None
    """The step that handed out the credential that is used from a place where nobody ever acted."""
    told: tuple[Step, ...] = ()
    """(the output whose text named both, the step that took the credential): this one uses it on the place named."""
    after: After | None = None
    """What this session weakened shortly before."""
    place: Place | None = None
    """Where the step goes out from, where nobody ever acted from there."""
    came: tuple[Step, ...] = ()
    """The steps on other places, each of which named the next one in its command, up to this step's target."""
    came_shown: int = 0
    """Sessions of earlier days that went the last of these ways."""
    chain: tuple[Step, ...] = ()
    """The steps that each took a temporary credential with the one before; this step takes or uses the last."""
    chain_path: tuple[Step, ...] = ()
    """The same from where it leaves what its root may hold, this step last."""
    chain_shown: int = 0
    """Sessions in which the root of the chain had one as long."""
    chain_shown_by_all: int = 0
    """Sessions of the fleet that had one as long."""
    chain_chance: float = 1.0
    """Of the root going from one role to another that it never went to from there; 0 where it did go there."""
    reach: Reach
    switch: Switch | None = None
    opened_by: Step | None = None
    """The uncovered step that opened the network path on which this one crosses."""
    delegation: Delegation | None = None
    """The hand-offs under which this step's agent works; for a hand-off, what it gives."""
    unmasked: Behaviour | None = None
    """What showed the class, since the name says nothing."""
    loosened: tuple[Step, Step] | None = None
    """(the call that was refused, the change after it): this step is that call again, let through."""
    sleep: Sleep | None = None
    retired_by: Step | None = None
    """The step that took the acting key, agent or principal out of service."""
    rewrites_itself: bool = False
    cleans_log_of: str | None = None
    origin: Origin | None = None
    phases: Phases | None = None
    method: Completed | None = None
    fan: tuple[Step, ...] = ()
    """The agent's uncovered steps to new targets in the last hour, this one last."""
    fan_shown: tuple[int, int] = (0, 0)
    """Sessions that reached as many new targets within an hour: the agent's, and everybody's."""
    fan_sessions: int = 0
    """Sessions that reached any new target."""
    shift: Shift | None = None
    bridge: Step | None = None
    """The uncovered step by which somebody came to the host that this step goes out from."""
    hops: tuple[Step, ...] = ()
    """The session's uncovered steps to new targets, this one last."""
    hops_shown: tuple[int, int] = (0, 0)
    """Sessions with as many: the agent's, and everybody's."""
    strangers: tuple[Step, ...] = ()
    """The latest privileged steps on this target of agents that do not usually work with this one."""
    stranger: Stranger | None = None
    """An account that the step's arguments name, and that is new to the agent."""
    stamp: Stamp | None = None
    drops: Mapping[str, Drop] = {}
    """Event -> how much nearer it brought its agent to the most privileged identities."""
    standing: Standing | None = None
    """What the registries say; None without any."""

    @property
    def is_new_reach(self) -> bool:
        return self.reach.is_new


class Memory(msgspec.Struct):
    """Everything that the pass remembers."""

    approvals: Approvals = msgspec.field(default_factory=Approvals)
    excuses: Excuses = msgspec.field(default_factory=Excuses)
    credentials: Credentials = msgspec.field(default_factory=Credentials)
    opened: Opened = msgspec.field(default_factory=Opened)
    named_next: NamedNext = msgspec.field(default_factory=NamedNext)
    delegations: Delegations = msgspec.field(default_factory=Delegations)
    reaches: Reaches = msgspec.field(default_factory=Reaches)
    restrictions: Restrictions = msgspec.field(default_factory=Restrictions)
    lives: Lives = msgspec.field(default_factory=Lives)
    provenance: Provenance = msgspec.field(default_factory=Provenance)
    chains: Chains = msgspec.field(default_factory=Chains)
    escalations: Escalations = msgspec.field(default_factory=Escalations)
    weakened: Weakened = msgspec.field(default_factory=Weakened)
    shapes: Shapes = msgspec.field(default_factory=Shapes)
    distances: Distances = msgspec.field(default_factory=Distances)
    shifts: Shifts = msgspec.field(default_factory=Shifts)
    stamps: Stamps = msgspec.field(default_factory=Stamps)
    habits: Habits = msgspec.field(default_factory=Habits)


class CausalPass:
    """Feed every step in time; a step that detectors are asked about comes back with its facts."""

    def __init__(
        self,
        history: History,
        window_hours: float = WINDOW_HOURS,
        memory: Memory | None = None,
        registry: Registry = NO_REGISTRY,
    ) -> None:
        self._history = history
        self.registry = registry
        self.window_hours = window_hours
        self._window_s = window_hours * 3600
        self._memory = memory or Memory()

    @property
    def told(self) -> Mapping[str, Mapping[str, int]]:
        """Tool whose name says nothing -> what showed its class -> steps."""
        return self._memory.shapes.told

    def state(self) -> bytes:
        """All that the pass remembers; a pass resumed from it goes on as this one would."""
        return packed(msgspec.msgpack.encode(self._memory))

    def again(self) -> CausalPass:
        """Another pass that goes on where this one stands."""
        memory = msgspec.msgpack.decode(msgspec.msgpack.encode(self._memory), type=Memory)
        return CausalPass(self._history, self.window_hours, memory, self.registry)

    @classmethod
    def resume(
        cls,
        state: bytes,
        history: History,
        window_hours: float = WINDOW_HOURS,
        registry: Registry = NO_REGISTRY,
    ) -> CausalPass:
        """A pass that goes on where another one stopped."""
        return cls(history, window_hours, msgspec.msgpack.decode(unpacked(state), type=Memory), registry)

    def end_day(self, flagged: Set[str] = frozenset()) -> None:
        """A day is over: what its sessions showed is habit from now on, but for the flagged ones."""
        self._memory.habits.end_day(flagged)
        self._memory.credentials.forget_ended(self._window_s)

    def take(self, step: Step) -> Facts | None:
        """The facts of a privileged tool call, a hand-off or an approval; None for every other step."""
        memory = self._memory
        match step.kind:
            case "tool_call":
                return self._call(step)
            case "approval":
                memory.approvals.take(step)
                stamp = memory.stamps.take(step, memory.habits)
                return Facts(asked="approval", reach=_NOWHERE, stamp=stamp) if stamp is not None else None
            case "handoff":
                given = memory.delegations.take(step)
                return Facts(asked="handoff", reach=_NOWHERE, delegation=given) if given is not None else None
            case _:
                if step.operation == "WorkflowExecutionStarted":
                    memory.delegations.join_to_parent(step)
                memory.provenance.take(step)
                return None

    def _call(self, step: Step) -> Facts | None:
        memory = self._memory
        memory.lives.seen(step)
        memory.delegations.begin(step)
        memory.approvals.acts(step.agent_id)
        unmasked = None if step.is_privileged else memory.shapes.unmask(step, memory.credentials.given)
        if unmasked is not None:
            step.capability = unmasked.capability
        is_asked = not is_service(step.agent_id) and (
            step.is_privileged or memory.credentials.is_handed_on(step, self._history, memory.habits)
        )
        facts = self._judged(step, unmasked) if is_asked else None
        if facts is None:
            memory.restrictions.take(step, self._window_s, is_covered=True)
            if step.is_done and (step.gives or may_grant(step)):
                coverage, said = memory.approvals.covering(step), memory.provenance.text_that_named(step)
                memory.credentials.take(step, None, coverage, self._history, memory.habits, said)
                memory.lives.given_out(step)
            memory.excuses.take(step)
        memory.reaches.note(step, memory.habits)
        memory.provenance.take(step)
        return facts

    def _judged(self, step: Step, unmasked: Behaviour | None) -> Facts:
        memory, habits, window_s = self._memory, self._memory.habits, self._window_s
        coverage = memory.approvals.covering(step)
        is_covered = coverage.is_covered
        reach = memory.reaches.of(step, self._history, habits)
        delegation = memory.delegations.of(step)
        if is_covered:
            memory.credentials.approve(step, window_s)
        switch = memory.credentials.switch(step, self._history, habits, window_s)
        is_open_move = reach.is_new and not is_covered and step.is_privileged and step.capability != "destructive"
        root = switch.path[0].agent_id if switch is not None and switch.is_session else step.agent_id
        if step.is_privileged and unmasked is None:
            memory.shapes.unmask(step)
        is_move = is_open_move and step.is_done and step.capability in _MOVES
        hops, hops_shown = memory.chains.hop(step, habits) if is_move else ((), (0, 0))
        fan, fan_shown, fan_sessions = self._fan(step) if is_open_move else ((), (0, 0), 0)
        chain, chain_path, chain_shown, chain_chance = self._chain(step)
        chain_shown_by_all = habits.seen("chain", "", str(len(chain))) if chain else 0
        came, came_shown = self._came(step) if step.capability in _GOES else ((), 0)
        if step.is_done:
            memory.distances.take(step, switch, habits)
        is_own_rule = rewrites_itself(step)
        place = memory.reaches.place(step, habits)
        after = None if is_covered or not step.is_done else memory.weakened.after(step, habits)
        facts = Facts(
            coverage=coverage,
            after=after,
            place=place,
            raises_own=memory.credentials.raises_own(step, window_s),
            new_key=memory.credentials.giver(step, window_s) if place is not None else None,
            told=memory.credentials.told(step, window_s),
            excuse=None if is_covered else memory.excuses.of(step, coverage, habits),
            has_history=self._history.is_enough(step.agent_id),
            root=root,
            root_has_history=self._history.is_enough(switch.path[0].agent_id if switch is not None else root),
            is_new_to_root=memory.reaches.is_new_to(root, step.target, self._history, habits),
            takes_chance=memory.credentials.takes_chance(switch.path[0].agent_id, self._history, habits)
            if switch is not None
            else 0.0,
            is_just_given=memory.credentials.is_given(step, window_s),
            is_new_to_giver=switch is not None
            and memory.reaches.is_new_to(switch.path[0].agent_id, step.target or "", self._history, habits),
            came=came,
            came_shown=came_shown,
            chain=chain,
            chain_path=chain_path,
            chain_shown=chain_shown,
            chain_chance=chain_chance,
            chain_shown_by_all=chain_shown_by_all,
            reach=reach,
            switch=switch,
            opened_by=memory.opened.opener(step, window_s),
            delegation=delegation,
            drops=memory.distances.drops,
            standing=standing(self.registry, step, delegation, habits),
            unmasked=unmasked,
            loosened=memory.restrictions.take(step, window_s, is_covered=is_covered),
            sleep=memory.lives.sleep(step, is_open=not is_covered and step.is_done),
            retired_by=memory.lives.retired_by(step) if step.is_done else None,
            rewrites_itself=is_own_rule,
            cleans_log_of=cleans_log_of(step, memory.approvals.agents),
            origin=memory.provenance.origin(step, habits),
            phases=memory.chains.phase(step, habits, is_covered=is_covered)
            if step.is_done and step.is_privileged
            else None,
            stranger=memory.reaches.stranger(step, habits),
            method=memory.escalations.method(step, habits, window_s) if step.is_done else None,
            fan=fan,
            fan_shown=fan_shown,
            fan_sessions=fan_sessions,
            shift=memory.shifts.take(step, memory.reaches.touched, habits, window_s) if is_open_move else None,
            bridge=self._bridge(step),
            hops=hops,
            hops_shown=hops_shown,
            strangers=memory.chains.others(step, habits, window_s),
        )
        if step.is_done:
            memory.credentials.note(step, habits, window_s)
            said = memory.provenance.text_that_named(step) if step.gives else None
            memory.credentials.take(step, switch, coverage, self._history, habits, said)
            memory.lives.take(step)
            if step.gives:
                memory.lives.given_out(step)
            if step.capability == "network_path" and not is_covered:
                memory.opened.take(step, is_new=is_open_move)
            if is_open_move:
                memory.reaches.remember(step)
            if not is_covered and self._weakens(step, is_own_rule=is_own_rule):
                memory.weakened.take(step, is_own_rule=is_own_rule)
        return facts

    def _chain(self, step: Step) -> tuple[tuple[Step, ...], tuple[Step, ...], int, float]:
        """The temporary credentials that led to this step, and how often their root went as far."""
        taken, way = self._memory.credentials.chain(step, self._window_s)
        chain = (*taken, step.without_payload()) if step.gives and is_temporary(step) else taken
        if not taken or len(chain) < 2:
            return (), (), 0, 1.0
        habits, root, links = self._memory.habits, taken[0].agent_id, str(len(chain))
        if chain[-2].target == chain[-1].target:
            return (), (), 0, 1.0
        edge = f"{chain[-2].target} {chain[-1].target}"
        before, edges = habits.seen("chain", root), habits.distinct("chain edge", root)
        chance = 0.0 if habits.seen("chain edge", root, edge) else (edges + 1) / (before + edges + 2)
        for parts in ((), (links,)):
            habits.note(step.session_id, "chain", root, *parts)
        habits.note(step.session_id, "chain edge", root, edge)
        habits.note(step.session_id, "chain", "", links)
        return (
            chain,
            (*way, step),
            sum(habits.seen("chain", root, str(n)) for n in range(len(chain), LONGEST_PATH + 2)),
            chance,
        )

    def _weakens(self, step: Step, *, is_own_rule: bool) -> bool:
        """Whether the step weakens what holds others or its own agent back, and that is not its agent's habit."""
        if not is_own_rule and step.capability != "defence_impairment":
            return False
        return not self._history.seen(step.agent_id, "tool_target", step.target or "", step.tool or "").sessions

    def _came(self, step: Step) -> tuple[tuple[Step, ...], int]:
        """The way that commands on other hosts had named, and in how many sessions somebody went it before."""
        memory = self._memory
        came = memory.named_next.came(step, self._window_s)
        if step.is_done and step.capability == "remote_execution":
            memory.named_next.take(step, came)
        if not came:
            return (), 0
        way = (came[-1].target or "", step.target or "")
        memory.habits.note(step.session_id, "way", *way)
        return came, memory.habits.seen("way", *way)

    def _fan(self, step: Step) -> tuple[tuple[Step, ...], tuple[int, int], int]:
        """The new targets of the last hour, one step each, and in how many sessions there were as many before."""
        habits = self._memory.habits
        earlier = [
            s
            for s in self._memory.reaches.new.get(step.agent_id, ())
            if s.capability == step.capability and within(s, step, HOUR_S)
        ]
        by_target = {s.target: s for s in (*earlier, step.without_payload())}
        number = str(len(by_target))
        habits.note(step.session_id, "fan", step.agent_id, number)
        habits.note(step.session_id, "fan", "", number)
        shown = (habits.seen("fan", step.agent_id, number), habits.seen("fan", "", number))
        return tuple(by_target.values()), shown, habits.seen("fan", "", "1")

    def _bridge(self, step: Step) -> Step | None:
        """Who reached the place that this step goes out from, shortly before."""
        touched = self._memory.reaches.touched.get(step.source_host or "", ())
        return next((s for s in reversed(touched) if within(s, step, self._window_s) and s.target != step.target), None)


_NOWHERE: Final = Reach(False, False, False, False, 1.0, 0)
