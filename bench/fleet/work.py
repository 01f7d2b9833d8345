"""An ordinary day's work: which runs each agent has, when, and what happens in them."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from math import exp
from typing import Any

from bench.fleet.cast import Agent
from bench.fleet.maker import CREDENTIAL_KEYS, Maker, assumed
from bench.fleet.settings import DAY_NS, Playbook, Settings, StepPlan, chance
from bench.fleet.steps import Call, Hand, Session
from bench.fleet.values import sentence

_FREELY = (
    "log.tail",
    "object.get",
    "role.list",
    "key.list",
    "asset.list",
    "api.call",
    "db.query",
    "user.get",
    "k8s.get",
)
"""Of what is seldom done: what nobody is asked about."""
_HOUR_NS = 3_600_000_000_000


class Work:
    """The fleet's benign life."""

    def __init__(self, settings: Settings, agents: list[Agent], bystanders: list[Agent], maker: Maker) -> None:
        self.settings, self.agents, self.maker = settings, agents, maker
        self.everybody = [*agents, *bystanders]
        self.attacked: Counter[str] = Counter()
        """How many attacks went through an agent."""
        self.by_role: dict[str, list[Agent]] = defaultdict(list)
        for agent in agents:
            self.by_role[agent.role].append(agent)
        self.profiles = settings.raw["time"]["profiles"]
        self.incidents = set(settings.raw["incidents"]["days"])

    def of_day(self, day: int, scale: float) -> Iterator[Session]:
        """The sessions that begin on a day, agent after agent; `scale` sessions a unit of rate."""
        for agent in self.everybody:
            rng = chance(self.settings, "work", agent.name, day)
            role = self.settings.roles[agent.role]
            mean = role.rate * scale * self.factor(agent, day)
            for _ in range(_poisson(rng, mean)):
                yield self.run(agent, self._moment(rng, day, role.hours), rng, self.book_of(agent, rng))
            if role.monthly and day >= agent.since_day and day == self._monthly_day(agent):
                for book in role.monthly:
                    yield self.run(agent, self._moment(rng, day, "office"), rng, book)

    def factor(self, agent: Agent, day: int) -> float:
        """How much more or less than usual an agent has to do on a day."""
        if day < agent.since_day:
            return 0.0
        weekend = day % 7 in (5, 6)
        factor = self.settings.raw["time"]["weekend"] if weekend else 1.0
        incidents = self.settings.raw["incidents"]
        if day in self.incidents and agent.role in incidents["roles"]:
            factor *= incidents["boost"]
        return factor

    def _monthly_day(self, agent: Agent) -> int:
        return chance(self.settings, "monthly", agent.name).randrange(self.settings.days)

    def _moment(self, rng: random.Random, day: int, hours: str) -> int:
        hour = rng.choices(range(24), self.profiles[hours])[0]
        return self.settings.start_ns + day * DAY_NS + hour * _HOUR_NS + int(rng.random() * _HOUR_NS)

    def book_of(self, agent: Agent, rng: random.Random) -> Playbook:
        """One of the role's playbooks, by the agent's own habits."""
        books = self.settings.roles[agent.role].playbooks
        return rng.choices(books, [book.weight * _taste(agent, place) for place, book in enumerate(books)])[0]

    def run(self, agent: Agent, at_ns: int, rng: random.Random, book: Playbook, parent: str | None = None) -> Session:
        """One run of a playbook, with all that may go wrong in it."""
        session = self.maker.session(agent, at_ns, rng, sentence(rng))
        session.parent = parent
        day = (at_ns - self.settings.start_ns) // DAY_NS
        if rng.random() < self.maker.texture["dead_run"]:
            session.crashed = True
            return session
        identity, held = session.identity, None
        subject = self._subject(agent, rng, day)
        for plan in self._plans(agent, at_ns, rng, book):
            if plan.chance < 1 and rng.random() >= plan.chance:
                continue
            for _ in range(rng.randint(plan.least, plan.most)):
                name = plan.actions[0] if len(plan.actions) == 1 else rng.choice(plan.actions)
                if plan.hands_over:
                    self._hand_over(session, name, rng, subject)
                    continue
                call = self.maker.call(agent, name, rng, day, identity=identity, about=subject)
                if plan.asks and not self._allowed(session, call, rng, at_ns):
                    return session
                if held is not None and rng.random() < 0.6:
                    call.arguments.setdefault(CREDENTIAL_KEYS[agent.style % 5], held)
                session.steps.append(call)
                held = self.maker.credential(call) or held
                identity = assumed(call, agent, rng) or identity
                if call.error is not None and rng.random() < 0.35:
                    session.steps.append(self.maker.call(agent, name, rng, day, identity=identity, about=subject))
            if rng.random() < self.maker.texture["abandon"]:
                break
        return session

    def _plans(self, agent: Agent, at_ns: int, rng: random.Random, book: Playbook) -> list[StepPlan]:
        """The playbook as a model follows it: mostly. Now and then something else helps, or nothing was foreseen."""
        texture = self.maker.texture
        if rng.random() < texture["explores"]:
            return self._exploration(agent, rng)
        plans = list(book.steps)
        brought = [
            action
            for (since, _), action in zip(agent.versions[1:], agent.added, strict=False)
            if action and since <= at_ns
        ]
        if brought and rng.random() < 0.2:
            plans.insert(rng.randrange(1, len(plans) + 1), StepPlan((rng.choice(brought),)))
        if agent.seldom and rng.random() < texture["adhoc"]:
            plans.insert(rng.randrange(1, len(plans) + 1), self._seldom(agent, rng))
        if len(plans) > 2 and rng.random() < texture["shuffled"]:
            place = rng.randrange(1, len(plans) - 1)
            plans[place], plans[place + 1] = plans[place + 1], plans[place]
        return plans

    def _seldom(self, agent: Agent, rng: random.Random) -> StepPlan:
        action = agent.seldom[int(len(agent.seldom) * rng.random() ** 1.5)]
        is_asked = action not in _FREELY and random.Random(f"{agent.name}/asks/{action}").random() < 0.7
        return StepPlan((action,), asks=is_asked)

    def _exploration(self, agent: Agent, rng: random.Random) -> list[StepPlan]:
        """Steps of the agent's own playbooks in any order, with one or two of what it seldom does."""
        books = self.settings.roles[agent.role].playbooks
        known = [plan for book in books for plan in book.steps if not plan.asks and not plan.hands_over]
        plans = [rng.choice(known) for _ in range(rng.randrange(3, 8))]
        for _ in range(rng.randrange(0, 3) if agent.seldom else 0):
            plans.insert(rng.randrange(len(plans)), self._seldom(agent, rng))
        return plans

    def _subject(self, agent: Agent, rng: random.Random, day: int) -> dict[str, object]:
        """What the run is about: the same host, user and ticket in all of its steps."""
        draw = self.maker.values.draw
        kinds = ("host", "user", "alert", "ticket", "sg", "service_user", "role_name", "secret", "instance", "volume")
        return {kind: draw(kind, agent, rng, day) for kind in kinds}

    def _allowed(self, session: Session, call: Call, rng: random.Random, at_ns: int) -> bool:
        asked = self.maker.ask(session, call, rng, at_ns)
        if asked is None:
            return True
        session.steps.append(asked)
        return asked.verdict == "approved"

    def _hand_over(self, session: Session, role: str, rng: random.Random, subject: dict[str, object]) -> None:
        """Orchestrators work with the same few agents of a role."""
        crew = self.by_role.get(role)
        if not crew:
            return
        own = random.Random(f"{session.agent.name}/{role}")
        to = crew[own.randrange(len(crew))] if rng.random() < 0.9 else rng.choice(crew)
        book = self.book_of(to, rng)
        at_ns = session.at_ns + int(rng.uniform(5, 40) * 1e9)
        child = self.run(to, at_ns, rng, book, parent=session.id)
        child.human = session.human
        task: dict[str, Any] = {"goal": sentence(rng), "ticket": subject["ticket"], "scope": {"host": subject["host"]}}
        if session.identity is not None and rng.random() < 0.3:
            task["session_key"] = session.identity.key
        session.steps.append(Hand(child, task))


def _taste(agent: Agent, place: int) -> float:
    """Agents of a role have different habits; some never do what others do often."""
    drawn = random.Random(f"{agent.name}/book/{place}").random()
    return 0.0 if drawn < 0.12 and place > 0 else 0.3 + 1.6 * drawn


def _poisson(rng: random.Random, mean: float) -> int:
    if mean > 30:
        return max(0, round(rng.gauss(mean, mean**0.5)))
    limit, count, product = exp(-mean), 0, rng.random()
    while product > limit:
        count += 1
        product *= rng.random()
    return count
