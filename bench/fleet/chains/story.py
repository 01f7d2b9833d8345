"""The words in which a chain is told: who does what, when, with which credential, covered by what."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from bench.fleet.cast import Agent, external_ip, long_key
from bench.fleet.maker import CREDENTIAL_KEYS, assumed
from bench.fleet.settings import DAY_NS, StepPlan
from bench.fleet.steps import Ask, Call, Chain, Hand, Identity, Session
from bench.fleet.values import sentence
from bench.fleet.work import Work

RECORDS_APPROVALS: Final = ("temporal", "maf")
PACES: Final = {"seconds": (2, 25), "minutes": (60, 1200), "hours": (1800, 18000), "days": (30000, 110000)}


class Story:
    """One chain while it is made up. `who` decides the cast and what it is about, `rng` all that passes."""

    def __init__(
        self, work: Work, chain: Chain, at_ns: int, who: random.Random, rng: random.Random, end_ns: int
    ) -> None:
        self.work, self.maker, self.world = work, work.maker, work.maker.world
        self.chain, self.who, self.rng = chain, who, rng
        self.at_ns, self.end_ns = at_ns, end_ns
        self.malicious, self.why = chain.malicious, chain.why
        self.pace = "minutes"
        self.change = f"CHG{who.randrange(10**7):07d}"
        self.crew: list[Agent] = []
        self._means: dict[str, frozenset[str]] = {}
        self.is_beyond_means = who.random() < self.maker.settings.raw["fleet"]["beyond_means"]

    # --- who and what ---

    def agent(
        self,
        *roles: str,
        aws: bool | None = None,
        logs: bool = False,
        asks: bool = False,
        other: bool = True,
        can: Sequence[str] = (),
    ) -> Agent:
        """An agent of one of the roles; `aws` of that platform, `logs` with a log of its own, `asks` with approvals.

        It `can` do all of that by its own means: whoever takes an agent over has the tools that it has. Some
        attacks go beyond that. What cannot be had is let go of: first the roles, then the rest.
        """
        wanted = () if self.is_beyond_means else can
        wish = [
            lambda a: a.role in roles,
            lambda a: all(action in self.means(a) for action in wanted),
            lambda a: aws is None or a.uses_aws == aws,
            lambda a: not logs or a.medium != "cloudtrail",
            lambda a: not asks or a.medium in RECORDS_APPROVALS,
            lambda a: not other or a not in self.crew,
        ]
        pool = [agent for agent in self.work.agents if agent.since_day == 0]
        for kept in (wish, wish[1:], [wish[0], *wish[2:]], wish[2:], wish[2:5], wish[4:5], []):
            fitting = [agent for agent in pool if all(fits(agent) for fits in kept)]
            if fitting:
                break
        if self.malicious:
            # Not always the same: attackers take what they can get.
            hit = self.work.attacked
            fitting = [a for a in fitting if not a.shared_user] or fitting
            least = min(hit[agent.name] for agent in fitting)
            fitting = [agent for agent in fitting if hit[agent.name] == least]
        found = self.who.choice(fitting)
        self.crew.append(found)
        if self.malicious:
            self.work.attacked[found.name] += 1
        return found

    def means(self, agent: Agent) -> frozenset[str]:
        """All that an agent is seen to do in a month: its playbooks and what it seldom does."""
        if (found := self._means.get(agent.name)) is None:
            books = self.maker.settings.roles[agent.role].playbooks
            usual = (action for book in books for plan in book.steps for action in plan.actions)
            found = self._means[agent.name] = frozenset((*usual, *agent.seldom))
        return found

    def one_of(self, agent: Agent, *actions: str) -> str:
        """One of some actions, of those that the agent has if it has any."""
        own = [action for action in actions if self.is_beyond_means or action in self.means(agent)]
        return self.who.choice(own or list(actions))

    def some_of(self, agent: Agent, count: int, *actions: str) -> list[str]:
        """Several of them, in any order."""
        own = [action for action in actions if self.is_beyond_means or action in self.means(agent)]
        rest = [action for action in actions if action not in own]
        return (self.who.sample(own, len(own)) + self.who.sample(rest, len(rest)))[:count]

    @property
    def covered_by_approval(self) -> bool:
        return not self.malicious and self.why in ("approval", "incident")

    def thing(self, kind: str, agent: Agent, fresh: float = 0.9) -> str:
        """Something of a kind; mostly new to the agent, but what is habit is of its beat."""
        beat = agent.beat[kind]
        if self.why == "habit" or self.who.random() >= fresh:
            return beat[self.who.randrange(min(4, len(beat)))]
        return self.world.fresh(kind, self.who, beat, self.day())

    def day(self) -> int:
        return int((self.at_ns - self.maker.settings.start_ns) // DAY_NS)

    def outsider(self, identity: Identity) -> Agent:
        """Whoever uses a key from elsewhere: only AWS sees it."""
        like = next((a for a in self.work.agents if a.uses_aws), self.work.agents[0])
        return replace(
            like, name=f"outside/{identity.name}", medium="cloudtrail", platform="aws", host=identity.host,
            is_witnessed=True, account=identity.account, tools={}, renamed={}, skew_ns=0,
        )  # fmt: skip

    def key_of(self, user: str, account: str, key: str | None = None, host: str | None = None) -> Identity:
        """A user's long-lived key, used from a host (an address outside by default)."""
        return Identity(account, user, key or long_key(self.rng), None, host or external_ip(self.rng))

    # --- when ---

    def pass_time(self, pace: str | None = None) -> None:
        """The next session begins later, at the story's pace."""
        least, most = PACES[pace or self.pace]
        self.at_ns = min(self.at_ns + int(self.rng.uniform(least, most) * 1e9), self.end_ns)

    def waits(self) -> float:
        """Between two steps of one run."""
        return self.rng.uniform(0.5, 20) if self.pace != "seconds" else self.rng.uniform(0.1, 2)

    # --- what happens ---

    def session(self, agent: Agent, prompt: str | None = None, *, warm: int | None = None) -> Session:
        """A run of the chain; it mostly begins like any other of this agent's."""
        made = self.maker.session(agent, self.at_ns, self.rng, prompt or sentence(self.rng))
        made.chain = self.chain
        self.chain.sessions.append(made)
        count = warm if warm is not None else self.rng.choice((0, 1, 2, 2, 3))
        self.usual(made, count)
        return made

    def usual(self, session: Session, count: int) -> None:
        """Steps as the agent's playbooks have them, none of them asking or handing over."""
        if session.agent.name.startswith("outside/"):
            return
        books = self.maker.settings.roles[session.agent.role].playbooks
        book = self.rng.choices(books, [book.weight for book in books])[0]
        plans: list[StepPlan] = [
            plan for plan in book.steps if not plan.asks and not plan.hands_over and "role.assume" not in plan.actions
        ]
        for place in range(count if plans else 0):
            plan = plans[place % len(plans)]
            call = self.maker.call(
                session.agent, plan.actions[0], self.rng, self.day(), identity=session.identity, smooth=True
            )
            session.steps.append(call)

    def do(
        self, session: Session, action: str, *, told: bool = True, identity: Identity | None = None,
        credential: str | None = None, extra: dict[str, Any] | None = None, cover: bool = False, **about: Any,
    ) -> Call:  # fmt: skip
        """A step of the chain. `about` fixes values by kind, `credential` names a key in the arguments, and
        `cover` puts before it, where the chain is benign, what makes it so."""
        agent = session.agent
        call = self.maker.call(
            agent, action, self.rng, self.day(), identity=identity or session.identity, about=about, smooth=True,
            told=told,
        )  # fmt: skip
        call.wait = self.waits()
        if self.malicious and told and self.rng.random() < 0.08:
            tried = replace(
                call, error="AccessDenied: not authorized", denied=True, result=None, answer=None, told=False
            )
            session.steps.append(tried)
        if credential is not None:
            call.arguments[CREDENTIAL_KEYS[agent.style % 5]] = credential
        if extra:
            call.arguments |= extra
        if cover and not self.malicious:
            self.cover(session, call)
        session.steps.append(call)
        return call

    def assume(self, session: Session, role: str, identity: Identity | None = None, **more: Any) -> Identity:
        """Assume a role; what follows may be signed with it."""
        call = self.do(session, "role.assume", identity=identity, role=role, **more)
        found = assumed(call, session.agent, self.rng)
        if found is None:
            key = next(str(v) for v in (call.result or {}).values())
            found = Identity(role.split(":")[4], role.rsplit("/", 1)[-1], key, session.id[:40], session.agent.host)
        return found

    def cover(self, session: Session, call: Call) -> None:
        """What makes a step right: a person's yes for it, a change ticket, or that it is always so."""
        match self.why:
            case "approval":
                self.approve(session, call, self.maker.latency(self.rng, self.at_ns))
            case "incident":
                self.approve(session, call, self.rng.uniform(15, 120), self.rng.choice(self.world.on_call[:4]))
            case "ticket" | "deploy":
                self.ticket(session, call)
                if self.why == "deploy" and session.agent.medium in RECORDS_APPROVALS:
                    by = "rollout-policy"
                    session.steps.append(Ask(call.tool, dict(call.arguments), by, automatic=True, seconds=0.4))
            case _:
                if session.agent.medium in RECORDS_APPROVALS:
                    by = "policy:routine-work"
                    session.steps.append(Ask(call.tool, dict(call.arguments), by, automatic=True, seconds=0.3))

    def approve(self, session: Session, call: Call, seconds: float, by: str | None = None, **more: Any) -> Ask:
        """A person's yes, for exactly these arguments unless said otherwise."""
        person = by or self.maker.person(session.agent, self.rng, self.at_ns)
        said: dict[str, Any] = {"arguments": dict(call.arguments), "seconds": seconds} | more
        ask = Ask(call.tool, by=person, **said)
        session.steps.append(ask)
        return ask

    def ticket(self, session: Session, call: Call) -> None:
        """The change that covers it is looked up, and named in the call."""
        if not any(isinstance(s, Call) and s.action == "change.get" for s in session.steps):
            self.do(session, "change.get", told=False, change=self.change)
        call.arguments["change"] = self.change

    def hand(self, session: Session, to: Agent, task: dict[str, Any], *, told: bool = True) -> Session:
        """Hand a task to another agent, whose run begins with it."""
        child = self.maker.session(to, self.at_ns + int(self.rng.uniform(2, 9) * 1e9), self.rng, sentence(self.rng))
        child.chain, child.parent, child.human = self.chain, session.id, session.human
        session.steps.append(Hand(child, task, told))
        return child

    def declare_incident(self) -> None:
        """On such a night somebody says so first, and wakes the one on call."""
        if self.why != "incident" or self.malicious:
            return
        lead = self.agent("orchestrator", "triage", logs=True)
        session = self.session(lead, "incident declared, all hands", warm=0)
        for action in ("alert.get", "calendar.oncall", "ticket.create", "siem.search"):
            self.do(session, action, told=False)
        self.pass_time("minutes")

    def before(self, days: Sequence[int], agent: Agent, actions: Sequence[str], **about: Any) -> None:
        """What was done in the weeks before, and belongs to the chain's story but not to its steps."""
        settings = self.maker.settings
        for day in days:
            at_ns = settings.start_ns + day * DAY_NS + int(self.rng.uniform(8, 17) * 3600e9)
            session = self.maker.session(agent, at_ns, self.rng, sentence(self.rng))
            identity = about.get("identity") or session.identity
            for action in actions:
                more = {kind: value for kind, value in about.items() if kind != "identity"}
                call = self.maker.call(agent, action, self.rng, day, identity=identity, about=more)
                session.steps.append(call)
            self.chain.sessions.append(session)
