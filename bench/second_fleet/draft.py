"""What a kind of chain is written with: it picks agents, makes sessions of theirs, and lets time pass."""

from __future__ import annotations

from random import Random
from typing import Any, Final

from bench.second_fleet import estate
from bench.second_fleet.ledger import Chain
from bench.second_fleet.life import asked_for_s, begun, handed_over, plan
from bench.second_fleet.model import Agent, Approval, Args, Session, Step
from bench.second_fleet.results import answer
from bench.second_fleet.settings import DAY_NS, HOUR_NS, Settings

_IN_CLOUD: Final = frozenset(
    (
        "aws", "awsadmin", "awskeys", "awsread", "defence", "finops", "iamwrite", "longkey", "secrets", "serverless",
        "snapshots", "ssm", "storage", "terraform",
    )
)  # fmt: skip
"""Tags of agents that make AWS calls; picked by these, an agent may be one that CloudTrail alone tells of."""


class Draft:
    """One chain while it is written. Attack and look-alike are written with the same means."""

    def __init__(
        self, settings: Settings, agents: list[Agent], chain: Chain, turn: int, room_days: float, used: dict[str, int]
    ) -> None:  # fmt: skip
        self.settings, self.agents, self.chain, self.turn, self.used = settings, agents, chain, turn, used
        self.rng = Random(f"{settings.seed}/chain/{chain.name}")
        last = max(settings.history_days + 0.5, settings.days - room_days - 0.3)
        first_ns = settings.start_ns + settings.history_days * DAY_NS
        self.at_ns = first_ns + int(self.rng.uniform(0.02, last - settings.history_days) * DAY_NS)
        self.sessions: list[Session] = []

    @property
    def day(self) -> int:
        """The day that it is, from 0."""
        return min((self.at_ns - self.settings.start_ns) // DAY_NS, self.settings.days - 1)

    def choose(self, *variants: str) -> str:
        """The variant: the kind's chains take them in turn."""
        self.chain.variant = variants[self.turn % len(variants)]
        return self.chain.variant

    def tell(self, pace: str, why: str) -> None:
        """What the truth says of it beside where it is."""
        self.chain.pace, self.chain.why = pace, why

    def pick(self, *tags: str, forms: tuple[str, ...] = (), but: tuple[Agent, ...] = ()) -> Agent:
        """An agent with any of the tags, in one of the forms where there is one; those used least come first."""
        day, wanted = self.day, set(tags)
        there = [agent for agent in self.agents if agent not in but and agent.born < day - 2 and agent.dies > day + 6]
        if wanted & _IN_CLOUD:
            there = [agent for agent in there if agent.arn]
        elif "cloudtrail" not in forms:
            there = [agent for agent in there if agent.form != "cloudtrail"]
        able = [agent for agent in there if agent.role.tags & wanted] or there
        able = [agent for agent in able if not forms or agent.form in forms] or able
        fewest = min(self.used.get(agent.name, 0) for agent in able)
        chosen = self.rng.choice([agent for agent in able if self.used.get(agent.name, 0) <= fewest + 1])
        self.used[chosen.name] = self.used.get(chosen.name, 0) + 1
        return chosen

    def wait(self, least_h: float, most_h: float) -> None:
        """Let hours pass; never beyond the last day."""
        end_ns = self.settings.start_ns + self.settings.days * DAY_NS - 2 * HOUR_NS
        self.at_ns = min(self.at_ns + int(self.rng.uniform(least_h, most_h) * HOUR_NS), end_ns)

    def at_hour(self, least: float, most: float) -> None:
        """Go on to the next time that the clock (UTC) stands between these hours."""
        hour = self.rng.uniform(least, most)
        midnight = self.at_ns // DAY_NS * DAY_NS
        at_ns = midnight + int(hour * HOUR_NS)
        if at_ns < self.at_ns and self.day + 1 < self.settings.days:
            at_ns += DAY_NS
        self.at_ns = max(at_ns, self.at_ns)

    def usual(self, kind: str, agent: Agent) -> str:
        """Something that the agent works on day by day."""
        estate.target(kind, agent, self.rng, self.day)
        area = agent.areas.get(kind, [0])
        return estate.item(kind, area[0]) if kind in estate.POOLED else self.fresh(kind)

    def strange(self, kind: str, agent: Agent) -> str:
        """Something that exists and that the agent does not work on."""
        estate.target(kind, agent, Random(0), 0)
        area = set(agent.areas.get(kind, []))
        others = [number for number in range(estate.size(kind, self.day)) if number not in area]
        return estate.item(kind, self.rng.choice(others or [0]))

    def fresh(self, kind: str) -> str:
        """A new ticket, change, number or the like."""
        return estate.FRESH[kind](self.rng, self.day)

    def new_domain(self) -> str:
        """A domain that nobody here has had to do with, of a good or of a bad stranger."""
        return estate.item("domain", estate.size("domain", 60) + self.rng.randrange(4000))

    def new_ip(self) -> str:
        """An address outside."""
        return estate.outside_ip(self.rng)

    def person(self) -> str:
        """Anybody."""
        return estate.person(self.rng.randrange(500))

    def yes(self, agent: Agent, wait_s: float | None = None, by: str = "", **said: Any) -> Approval:
        """A person's yes to just this call, after a usual while."""
        wait_s = asked_for_s(self.rng) if wait_s is None else wait_s
        return Approval(by or self.rng.choice(agent.owners), wait_s, said=said or None)

    def step(
        self, tool: str, result: Any = None, *, approval: Approval | None = None, error: str = "", **args: Any
    ) -> Step:
        """A call of a tool under its canonical name."""
        given = {key.rstrip("_"): value for key, value in args.items()}
        said = None if error else answer(tool, self.rng) if result is None else result
        return Step(tool, given, said, error=error, approval=approval)

    def aws(self, action: str, args: Args | None = None, result: Any = None, error: str = "") -> Step:
        """An AWS call: shown in CloudTrail, and by agents with a log of their own there as well."""
        said = None if error else result if result is not None else {"ok": True}
        return Step(action, args or {}, said, error=error, mirror=[(action, args or {}, result)])

    def change(self, agent: Agent, scope: str) -> Step:
        """An approved change is looked up, with what it covers and who approved it."""
        said = {
            "state": "approved",
            "approved_by": self.rng.choice(agent.owners),
            "implementer": agent.name,
            "scope": scope,
        }
        return self.step("itsm.get_change", said, change=self.fresh("change"))

    def run(
        self, agent: Agent, steps: list[Step], *, gap: tuple[float, float] = (3, 45), asked: str = "", human: str = "",
        before: tuple[int, int] = (0, 4), after: tuple[int, int] = (0, 3), aws_only: bool = False, whole: bool = False,
    ) -> Session:  # fmt: skip
        """A session with these steps of the chain's among ordinary ones; time goes on to its end."""
        rng = self.rng
        is_late = not 5 <= self.at_ns % DAY_NS / HOUR_NS <= 20
        # What is harmless keeps the hours of the people who ask for it; an attacker does so half the time.
        keeps_hours = not self.chain.is_malicious or rng.random() < 0.5
        if agent.role.hours == "office" and is_late and keeps_hours and not aws_only:
            self.at_hour(7, 17)
        day = self.day
        bound: dict[str, str] = {}
        lead = self._ordinary(agent, before, bound) if not aws_only else []
        tail = self._ordinary(agent, after, bound) if not aws_only else []
        for step in steps:
            step.chain = self.chain.name
            step.gap_s = rng.uniform(*gap) if step.gap_s < 0 else step.gap_s
            if step.approval is not None and step.approval.by_machine is False and agent.form in ("otlp", "cloudtrail"):
                step.gap_s += step.approval.wait_s
                step.approval = None
        made = begun(agent, rng, day, self.at_ns, [*lead, *steps, *tail], bound)
        if agent.form == "cloudtrail" and not any(":" in step.tool for step in steps):
            raise ValueError(f"{self.chain.name}: nothing of this would be seen of {agent.name}")
        made.asked, made.human, made.aws_only = asked or made.asked, human or made.human, aws_only
        made.chain = self.chain.name if whole else ""
        for step in steps:
            if step.sub is not None and step.sub.agent.form != "temporal":
                step.sub.id = made.id
        made.lay_out(rng)
        self.at_ns = made.end_ns
        self.sessions.append(made)
        return made

    def hand(self, parent: Agent, other: Agent, steps: list[Step], reason: str) -> Step:
        """A hand-over of these steps to another agent, to be put among the parent's steps."""
        for step in steps:
            step.chain = self.chain.name
        about = Session(parent, f"{self.chain.name}-x", self.at_ns, self.day, [], reason, parent.owners[0])
        step = handed_over(about, other, self.rng, steps)
        step.args = {"reason": reason}
        return step

    def _ordinary(self, agent: Agent, count: tuple[int, int], bound: dict[str, str]) -> list[Step]:
        wanted = self.rng.randint(*count)
        steps = plan(self.settings, agent, self.rng, self.day, bound) if wanted else []
        return [step for step in steps if step.approval is None and step.tool != "sts:AssumeRole"][:wanted]


def as_other(steps: list[Step], ip: str, user_agent: str) -> list[Step]:
    """The same calls from another place with another client."""
    for step in steps:
        step.ip, step.user_agent = ip, user_agent
    return steps
