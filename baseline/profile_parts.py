"""What a profile consists of: plain values for a page, a table or `--json`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from baseline.models.drift import Drift


@dataclass(frozen=True)
class RestsOn:
    """The history. `worth` counts sessions of the version in force fully and those of others by a discount."""

    sessions: int
    calls: int
    days: int
    first_day: date | None
    last_day: date | None
    worth: float
    is_enough: bool


@dataclass(frozen=True)
class VersionSeen:
    version: str
    sessions: int
    first_day: date | None
    last_day: date | None


@dataclass(frozen=True)
class ChangeWindow:
    """While it is open pure novelty says little; credentials, paths and approvals count fully."""

    version: str
    since: date
    until: date


@dataclass(frozen=True)
class ToolUse:
    """Of the agent's sessions, how many used the tool; `expected` borrows from peers and fleet."""

    tool: str
    capability: str | None
    sessions: int
    of: int
    share: float
    low: float
    high: float
    peers_share: float | None
    expected: float


@dataclass(frozen=True)
class Transition:
    before: str
    tool: str
    steps: int
    of: int
    p: float


@dataclass(frozen=True)
class Linked:
    """One kind of link: the usual ones, how many there are, and how likely the next is a new one."""

    kind: str
    distinct: int
    of: int
    p_new: float
    usual: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Hour:
    """Calls expected in this hour of the week, and the most that would not surprise (p >= 0.01)."""

    weekday: str
    hour: int
    calls: float
    most: int


@dataclass(frozen=True)
class Size:
    """Calls or targets a session: the middle, the 95th percentile, the most, and p of one more than that."""

    of_what: str
    median: int
    q95: int
    most: int
    p_more: float


@dataclass(frozen=True)
class ApprovalsSeen:
    """Privileged calls by their state of approval; who decided; how long it took, by the longest it can have.

    Shares are of the `recordable` calls: those of sources that have a place for approvals.
    """

    privileged_calls: int
    recordable: int
    by_state: dict[str, int]
    share: float
    low: float
    high: float
    expected: float
    by_whom: dict[str, int]
    latency: dict[str, int]


@dataclass(frozen=True)
class Peers:
    agents: tuple[str, ...]
    sessions: int
    kappa: float
    own_weight: float
    said: str


@dataclass(frozen=True)
class Profile:
    """What is normal for an agent."""

    agent_id: str
    rests_on: RestsOn
    versions: tuple[VersionSeen, ...]
    change_window: ChangeWindow | None
    peers: Peers
    tools: tuple[ToolUse, ...]
    transitions: tuple[Transition, ...]
    links: tuple[Linked, ...]
    hours: tuple[Hour, ...]
    sizes: tuple[Size, ...]
    approvals: ApprovalsSeen
    origins: dict[str, dict[str, int]]
    drift: tuple[Drift, ...]
    not_enough: tuple[str, ...]
