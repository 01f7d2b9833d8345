"""What is written: sessions of steps, whatever log they end up in; and chains that go through sessions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.fleet.cast import Agent


@dataclass(frozen=True, slots=True)
class Identity:
    """An AWS identity that a call is signed with."""

    account: str
    name: str
    """Of the role or the user."""
    key: str
    session: str | None
    """The role session's name; None for a user's long-lived key."""
    host: str
    human: str | None = None
    """Who stands behind the role session (sourceIdentity), where that is recorded."""

    @property
    def issuer(self) -> str:
        return f"arn:aws:iam::{self.account}:{'role' if self.session else 'user'}/{self.name}"

    @property
    def arn(self) -> str:
        if self.session is None:
            return self.issuer
        return f"arn:aws:sts::{self.account}:assumed-role/{self.name}/{self.session}"


@dataclass(slots=True)
class Call:
    """A tool call; with `api` also a call to AWS."""

    action: str
    tool: str
    arguments: dict[str, Any]
    result: Any = None
    api: str | None = None
    params: dict[str, Any] | None = None
    answer: dict[str, Any] | None = None
    """What AWS answers (CloudTrail's responseElements)."""
    identity: Identity | None = None
    account: str | None = None
    """The account it is about, where not the identity's own."""
    error: str | None = None
    denied: bool = False
    attempts: int = 1
    seconds: float = 1.0
    wait: float = 0.0
    told: bool = False
    """Whether it is a step of a chain that the truth tells of."""


@dataclass(slots=True)
class Ask:
    """Somebody, or a policy, is asked; logs that have no place for it show only the time that passes."""

    tool: str
    arguments: dict[str, Any]
    by: str
    verdict: str = "approved"
    automatic: bool = False
    seconds: float = 60.0
    ticket: str | None = None
    silent: bool = False
    """Nobody answered."""
    told: bool = False


@dataclass(slots=True)
class Hand:
    """The task, or a part of it, is handed to another agent."""

    to: Session
    task: dict[str, Any]
    told: bool = False


@dataclass(slots=True)
class Note:
    """One step of a chain as it was written."""

    session: str
    agent: str
    at_ns: int
    event: dict[str, Any]


@dataclass(slots=True)
class Chain:
    """An attack, or what looks like one, with the sessions that it goes through."""

    id: str
    kind: str
    variant: str
    malicious: bool
    why: str
    sessions: list[Session] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


@dataclass(slots=True)
class Session:
    """One run of an agent toward one goal."""

    agent: Agent
    at_ns: int
    id: str
    human: str
    prompt: str
    steps: list[Call | Ask | Hand] = field(default_factory=list)
    identity: Identity | None = None
    chain: Chain | None = None
    parent: str | None = None
    crashed: bool = False
    is_born: bool = False
    """Whether CloudTrail has been told how the run came by its role."""
    version: str | None = None
