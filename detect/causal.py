"""The causal pass: one walk over the fleet's steps in time, and what the past and the others say of each.

Nodes are agents, people, principals, credentials, hosts and resources; edges in time are kept each by the module of
its idea: credentials given and used (`credentials`), paths opened (`opened`), work delegated (`authority`), new
reach (`reach`), what was refused and then let through (`restrictions`), who slept or was retired (`lives`), where a
value came from (`provenance`), what the steps amount to together (`chains`, `escalation`). Memory is bounded, can
be written down (`CausalPass.state`) and taken up again.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Final

import msgspec

from baseline.history import History
from detect.behaviour import Behaviour
from detect.causal_memory import Memory
from detect.containment import takes_away
from detect.doing import NewDoing, new_doing
from detect.effective import standing
from detect.facts import NOWHERE, Facts
from detect.governance import cleans_log_of, rewrites_itself
from detect.handed_out import is_service, may_grant
from detect.lives import concerns_lives
from detect.memory import packed, unpacked
from detect.misfit import misfit
from detect.outward import NewDomain, new_domain
from detect.own_request import approves, own_request
from detect.reach import Place
from detect.registry import NO_REGISTRY, Registry
from detect.role_chain import role_chain
from detect.same_place import Neighbour
from detect.set_in_motion import names_a_role
from detect.spoken_for import covering, run_of
from detect.step import Step
from detect.taken import giver, is_given, raises_own, told
from detect.usual_yes import MissingYes, missing_yes
from detect.weakened import weakens

WINDOW_HOURS: Final = 24.0
"""How long a path, a delegation or a temporary credential is followed: Hopper's backtrace is a day as well."""
_MOVES: Final = frozenset({"remote_execution", "credential", "permission", "network_path"})
_GOES: Final = frozenset({"remote_execution", "credential"})


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
                if (yes := memory.approvals.take(step)) is not None:
                    memory.elsewhere.take(yes)
                memory.runs.begin(step.session_id)
                stamp = memory.stamps.take(step, memory.habits)
                return Facts(asked="approval", reach=NOWHERE, stamp=stamp) if stamp is not None else None
            case "handoff":
                given = memory.delegations.take(step)
                return Facts(asked="handoff", reach=NOWHERE, delegation=given) if given is not None else None
            case _:
                if step.operation == "WorkflowExecutionStarted":
                    memory.delegations.join_to_parent(step)
                memory.provenance.take(step)
                memory.runs.begin(step.session_id)
                return None

    def _call(self, step: Step) -> Facts | None:
        memory = self._memory
        memory.lives.seen(step)
        memory.delegations.begin(step)
        memory.approvals.acts(step.agent_id)
        if step.approval == "cannot_record" and step.agent_id in memory.approvals.asking:
            step.approval = "not_recorded"
        is_usual = self._history.seen_itself(step.agent_id, "tool", step.tool or "").sessions > 0
        given = memory.credentials.given
        unmasked = None if step.is_privileged else memory.shapes.unmask(step, given, is_usual=is_usual)
        if unmasked is not None:
            step.capability = unmasked.capability
        missing = missing_yes(step, memory.approvals, memory.habits)
        place = memory.reaches.place(step, memory.habits)
        neighbour = memory.read_here.neighbour(step, memory.habits, self._window_s)
        if neighbour is not None and memory.credentials.is_taken_there(step, self._window_s):
            neighbour = None
        doing = new_doing(step, memory.habits)
        outward = new_domain(step, self._history, memory.habits)
        is_asked = not is_service(step.agent_id) and (
            step.is_privileged
            or missing is not None
            or outward is not None
            or approves(step)
            or (place is not None and place.is_first)
            or neighbour is not None
            or memory.opened.let_through(step, self._window_s) is not None
            or memory.credentials.is_handed_on(step, self._history, memory.habits)
        )
        facts = self._judged(step, unmasked, doing, missing, place, neighbour, outward) if is_asked else None
        if facts is None:
            memory.restrictions.take(step, self._window_s, is_covered=True)
            if step.is_done and (step.gives or may_grant(step)):
                coverage, said = covering(memory, step, self._window_s), memory.provenance.text_that_named(step)
                memory.credentials.take(step, None, coverage, self._history, memory.habits, said)
                memory.lives.given_out(step)
            if step.is_done and step.capability != "read" and concerns_lives(step):
                memory.lives.take(step, is_covered=covering(memory, step, self._window_s).is_covered)
            if memory.excuses.take(step):
                memory.runs.begin(step.session_id)
        if names_a_role(step):
            coverage = covering(memory, step, self._window_s) if facts is None else facts.coverage
            memory.motion.take(step, memory.habits, is_covered=coverage.is_covered)
        memory.reaches.note(step, memory.habits)
        memory.provenance.take(step)
        return facts

    def _judged(
        self,
        step: Step,
        unmasked: Behaviour | None,
        doing: NewDoing | None,
        missing: MissingYes | None,
        place: Place | None,
        neighbour: Neighbour | None,
        outward: NewDomain | None,
    ) -> Facts:
        memory, habits, window_s = self._memory, self._memory.habits, self._window_s
        run, coverage = run_of(memory, step, window_s), covering(memory, step, window_s)
        is_covered = coverage.is_covered
        reach = memory.reaches.of(step, self._history, habits)
        delegation = memory.delegations.of(step)
        if is_covered:
            memory.credentials.approve(step, window_s)
        switch = memory.credentials.switch(step, self._history, habits, window_s)
        is_containment = takes_away(step)
        is_open_move = (
            reach.is_new
            and not is_covered
            and step.is_privileged
            and step.capability != "destructive"
            and not is_containment
        )
        root = switch.path[0].agent_id if switch is not None and switch.is_session else step.agent_id
        has_history = self._history.is_enough(step.agent_id)
        if step.is_privileged and unmasked is None:
            memory.shapes.unmask(step)
        is_move = is_open_move and step.is_done and step.capability in _MOVES
        hops, hops_shown = memory.chains.hop(step, habits) if is_move else ((), (0, 0))
        fan, fan_shown, fan_sessions = memory.reaches.fan(step, habits) if is_open_move else ((), (0, 0), 0)
        chain = role_chain(step, memory.credentials, habits, window_s)
        came, came_shown = memory.named_next.went(step, habits, window_s) if step.capability in _GOES else ((), 0)
        if step.is_done:
            memory.distances.take(step, switch, habits)
        after = None if is_covered or is_containment or not step.is_done else memory.weakened.after(step, habits)
        made = own_request(step, memory.provenance)
        if made is not None:
            habits.note(step.session_id, "approves its own", step.agent_id)
        facts = Facts(
            coverage=coverage,
            after=after,
            missing_yes=missing,
            doing=doing,
            place=place,
            set_in_motion=memory.motion.of(step, window_s),
            neighbour=neighbour,
            outward=outward,
            own_request=made,
            own_requests=habits.seen("approves its own", step.agent_id) if made is not None else 0,
            raises_own=raises_own(memory.credentials, step, window_s),
            new_key=giver(memory.credentials, step, window_s) if place is not None else None,
            told=told(memory.credentials, step, window_s),
            excuse=None
            if is_covered
            else memory.excuses.of(
                step,
                run,
                coverage,
                habits,
                memory.approvals.agents,
                memory.provenance.request(run),
            ),
            misfit=misfit(memory.excuses, step, run, memory.approvals.agents, habits)
            if step.is_privileged and not is_covered and not is_containment
            else None,
            has_history=has_history,
            root=root,
            root_has_history=has_history if switch is None else self._history.is_enough(switch.path[0].agent_id),
            is_new_to_root=reach.is_new
            if root == step.agent_id
            else memory.reaches.is_new_to(root, step.target, self._history, habits),
            takes_chance=memory.credentials.takes_chance(switch.path[0].agent_id, self._history, habits)
            if switch is not None
            else 0.0,
            is_just_given=is_given(memory.credentials, step, window_s),
            is_new_to_giver=switch is not None
            and memory.reaches.is_new_to(switch.path[0].agent_id, step.target or "", self._history, habits),
            came=came,
            came_shown=came_shown,
            chain=chain.steps,
            chain_path=chain.path,
            chain_shown=chain.shown,
            chain_chance=chain.chance,
            chain_shown_by_all=chain.shown_by_all,
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
            rewrites_itself=rewrites_itself(step),
            cleans_log_of=cleans_log_of(step, memory.approvals.agents),
            origin=memory.provenance.origin(step, habits),
            phases=memory.chains.phase(step, habits, is_covered=is_covered)
            if step.is_done and step.is_privileged and not is_containment
            else None,
            stranger=memory.reaches.stranger(step, habits),
            method=memory.escalations.method(step, habits, window_s) if step.is_done else None,
            fan=fan,
            fan_shown=fan_shown,
            fan_sessions=fan_sessions,
            shift=memory.shifts.take(step, memory.reaches.touched, habits, window_s) if is_open_move else None,
            bridge=memory.reaches.came_by(step, window_s),
            hops=hops,
            hops_shown=hops_shown,
            strangers=memory.chains.others(step, habits, window_s),
        )
        if step.is_done:
            self._remember(step, facts, is_open_move=is_open_move)
        return facts

    def _remember(self, step: Step, facts: Facts, *, is_open_move: bool) -> None:
        """What a judged step that took effect means for later ones."""
        memory, habits, is_covered = self._memory, self._memory.habits, facts.coverage.is_covered
        memory.credentials.note(step, habits, self._window_s)
        said = memory.provenance.text_that_named(step) if step.gives else None
        memory.credentials.take(step, facts.switch, facts.coverage, self._history, habits, said)
        memory.lives.take(step, is_covered=is_covered)
        if step.gives:
            memory.lives.given_out(step)
        if step.capability == "network_path" and not is_covered:
            memory.opened.take(step, is_new=is_open_move)
        if is_open_move:
            memory.reaches.remember(step)
            memory.read_here.take(step)
        if not is_covered and weakens(step, self._history, is_own_rule=facts.rewrites_itself):
            memory.weakened.take(step, is_own_rule=facts.rewrites_itself)
