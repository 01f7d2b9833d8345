"""What the past and the other sessions say of one step: what a detector gets beside the step itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from detect.approvals import Coverage
from detect.authority import Delegation
from detect.behaviour import Behaviour
from detect.chains import Phases
from detect.distance import Drop
from detect.doing import NewDoing
from detect.effective import Standing
from detect.escalation import Completed
from detect.excuses import Excuse
from detect.lives import Sleep
from detect.misfit import Misfit
from detect.outward import NewDomain
from detect.provenance import Origin
from detect.reach import Place, Reach, Stranger
from detect.same_place import Neighbour
from detect.shift import Shift
from detect.stamping import Stamp
from detect.step import Step
from detect.switch import Switch
from detect.usual_yes import MissingYes
from detect.weakened import After

Asked = Literal["privileged", "handoff", "approval"]
"""What a detector is asked about."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the past and the other sessions say of one step."""

    asked: Asked = "privileged"
    coverage: Coverage = Coverage("none")
    excuse: Excuse | None = None
    """What speaks for the step although no person approved it."""
    misfit: Misfit | None = None
    """A change record that the step rests on, and that is for something else."""
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
    missing_yes: MissingYes | None = None
    doing: NewDoing | None = None
    """What the step tells a usual tool to do that its agent never told it."""
    place: Place | None = None
    """Where the step goes out from, where nobody ever acted from there."""
    set_in_motion: Step | None = None
    """The step of another agent that gave the acting role to something that runs."""
    neighbour: Neighbour | None = None
    """Who took a secret in the place from which the step's identity acts for the first time."""
    outward: NewDomain | None = None
    """A domain that the step names as a destination, and that its agent never named."""
    own_request: Step | None = None
    """The agent's own call that made the request which this step approves."""
    own_requests: int = 0
    """Sessions of earlier days in which the agent approved what it had asked for."""
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


NOWHERE: Final = Reach(False, False, False, False, 1.0, 0)
