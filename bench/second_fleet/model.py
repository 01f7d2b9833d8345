"""What happens, before any form is chosen for it: agents, their sessions, and the steps of those."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from random import Random
from typing import Any

from bench.second_fleet.settings import HOUR_NS, SECOND_NS

Args = dict[str, Any]


@dataclass(frozen=True)
class Identity:
    """Who an AWS call is made as."""

    arn: str
    """Of the role, or of the user."""
    account: str
    session_name: str
    """Empty for a user."""
    access_key: str
    principal_id: str
    born_ns: int = 0


@dataclass(frozen=True)
class Approval:
    """What a person (or a machine) said to a call before it was made."""

    by: str
    wait_s: float
    is_yes: bool = True
    said: Args | None = None
    """The arguments that were approved, where they are not those of the call."""
    tool: str = ""
    """The tool that was approved, where it is not that of the call."""
    by_machine: bool = False


@dataclass
class Step:
    """One call. `tool` is canonical (`server.verb_noun`) or an AWS action (`iam:CreateUser`)."""

    tool: str
    args: Args
    result: Any = None
    error: str = ""
    gap_s: float = -1.0
    took_s: float = -1.0
    approval: Approval | None = None
    sub: Session | None = None
    mirror: list[tuple[str, Args, Any]] = field(default_factory=list)
    chain: str = ""
    identity: Identity | None = None
    ip: str = ""
    user_agent: str = ""
    is_literal: bool = False
    """The name is written as it stands, whatever the agent's style."""
    at_ns: int = 0


@dataclass(frozen=True)
class Tool:
    """A tool of a role, with how it is called."""

    name: str
    weight: float
    args: dict[str, str]
    mirror: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    needs_approval: bool = False


@dataclass(frozen=True)
class Role:
    """What several agents have in common."""

    name: str
    tags: frozenset[str]
    team: str
    forms: tuple[str, ...]
    hours: str
    """office, round, nightly or weekly."""
    rate: float
    tools: tuple[Tool, ...]
    names: tuple[str, ...]
    helpers: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()


@dataclass
class Agent:
    """One agent of the fleet."""

    name: str
    role: Role
    form: str
    style: str
    number: int
    account: str
    host: str
    ip: str
    user_agent: str
    model: str
    arn: str = ""
    session_name: str = ""
    key_hours: int = 6
    is_user: bool = False
    zone_h: int = 0
    rate: float = 1.0
    born: int = 0
    dies: int = 10_000
    owners: list[str] = field(default_factory=list)
    versions: list[tuple[int, str]] = field(default_factory=list)
    recipes: list[list[Tool]] = field(default_factory=list)
    late_tools: list[tuple[int, Tool]] = field(default_factory=list)
    areas: dict[str, list[int]] = field(default_factory=dict)
    id_style: str = "uuid"
    shows_content: bool = True

    def version(self, day: int) -> str:
        """The version that is deployed on a day."""
        return next(said for since, said in reversed(self.versions) if since <= day)

    def identity(self, at_ns: int) -> Identity:
        """The AWS identity at a moment: temporary keys change every `key_hours`."""
        principal = ("AIDA" if self.is_user else "AROA") + letters(self.arn, 17)
        if self.is_user:
            return Identity(self.arn, self.account, "", "AKIA" + letters("key" + self.arn, 16), principal)
        window = (at_ns // HOUR_NS + self.number) // self.key_hours
        key = "ASIA" + letters(f"{self.arn}/{window}", 16)
        born_ns = (window * self.key_hours - self.number) * HOUR_NS + 41 * SECOND_NS
        return Identity(self.arn, self.account, self.session_name, key, principal, born_ns)


@dataclass
class Session:
    """One run of an agent toward one goal."""

    agent: Agent
    id: str
    start_ns: int
    day: int
    steps: list[Step]
    asked: str = ""
    human: str = ""
    version: str = ""
    answer: str = "Done."
    parent: tuple[str, str] = ("", "")
    """Workflow id and run id of the parent, where this is a child workflow."""
    end_ns: int = 0
    aws_only: bool = False
    """Only the AWS calls are seen: somebody else uses this agent's credential."""
    chain: str = ""
    """The chain that the whole run belongs to, where its beginning alone is a step."""

    def lay_out(self, rng: Random) -> int:
        """Give every step its moment; the end of the last is returned."""
        at = self.start_ns + int(rng.uniform(0.4, 4.0) * SECOND_NS)
        for step in self.steps:
            gap = step.gap_s if step.gap_s >= 0 else min(rng.lognormvariate(1.3, 0.7), 90.0)
            at += int(gap * SECOND_NS)
            if step.approval is not None:
                at += int(step.approval.wait_s * SECOND_NS)
            step.at_ns = at
            if step.took_s < 0:
                step.took_s = min(rng.lognormvariate(-0.6, 1.0), 60.0)
            if step.sub is not None:
                step.sub.start_ns = at + int(0.2 * SECOND_NS)
                step.took_s = (step.sub.lay_out(rng) - at) / SECOND_NS + 0.2
            at += int(step.took_s * SECOND_NS)
        self.end_ns = at + int(rng.uniform(0.5, 3.0) * SECOND_NS)
        return self.end_ns


def letters(text: str, length: int) -> str:
    """Capital letters and digits that a text always gives."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return "".join(alphabet[byte % 32] for byte in sha256(text.encode()).digest()[:length])


def hexes(text: str, length: int) -> str:
    """Hex digits that a text always gives."""
    return sha256(text.encode()).hexdigest()[:length]
