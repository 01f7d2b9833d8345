"""What the causal pass remembers: every idea's own part, written down and taken up again as one."""

from __future__ import annotations

import msgspec

from detect.approvals import Approvals
from detect.authority import Delegations
from detect.chains import Chains
from detect.credentials import Credentials
from detect.disguise import Shapes
from detect.distance import Distances
from detect.elsewhere import Elsewhere
from detect.escalation import Escalations
from detect.excuses import Excuses
from detect.lives import Lives
from detect.memory import Habits
from detect.named_next import NamedNext
from detect.opened import Opened
from detect.provenance import Provenance
from detect.reach import Reaches
from detect.restrictions import Restrictions
from detect.run_names import Runs
from detect.same_place import ReadHere
from detect.set_in_motion import Motion
from detect.shift import Shifts
from detect.stamping import Stamps
from detect.weakened import Weakened


class Memory(msgspec.Struct):
    """Everything that the pass remembers."""

    runs: Runs = msgspec.field(default_factory=Runs)
    approvals: Approvals = msgspec.field(default_factory=Approvals)
    elsewhere: Elsewhere = msgspec.field(default_factory=Elsewhere)
    excuses: Excuses = msgspec.field(default_factory=Excuses)
    credentials: Credentials = msgspec.field(default_factory=Credentials)
    opened: Opened = msgspec.field(default_factory=Opened)
    named_next: NamedNext = msgspec.field(default_factory=NamedNext)
    delegations: Delegations = msgspec.field(default_factory=Delegations)
    reaches: Reaches = msgspec.field(default_factory=Reaches)
    read_here: ReadHere = msgspec.field(default_factory=ReadHere)
    motion: Motion = msgspec.field(default_factory=Motion)
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
