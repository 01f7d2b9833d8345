"""Which chains there are, of which kinds, when; and the habits across agents that some of them look like."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from bench.fleet.chains import kinds
from bench.fleet.chains.story import Story
from bench.fleet.evasion import evade
from bench.fleet.settings import DAY_NS, Settings, chance
from bench.fleet.steps import Chain, Session
from bench.fleet.work import Work

_PACES = ("seconds", "minutes", "hours", "days")
_REASONS = ("approval", "ticket", "habit", "incident", "deploy")
_HOUR_NS = 3_600_000_000_000


@dataclass
class Plan:
    """The chains, and all sessions that are not a day's ordinary work, by the day on which they begin."""

    chains: list[Chain] = field(default_factory=list)
    by_day: dict[int, list[Session]] = field(default_factory=dict)


def plan(settings: Settings, work: Work) -> Plan:
    """Play every story once; the habits, day after day."""
    made = Plan()
    rng = chance(settings, "plan")
    history = min(settings.history_days, settings.days - 1)
    for malicious, count in ((True, settings.attacks), (False, settings.look_alikes)):
        order = list(range(count))
        rng.shuffle(order)
        for number, place in enumerate(order):
            made.chains.append(_chain(settings, work, made, malicious, number, (place + 0.5) / count, history))
    for number in range(settings.raw["routines"]["pairs"]):
        _routine(settings, work, made, number)
    for number in range(settings.raw["seldom"]["migrations"]):
        _migration(settings, work, made, number)
    return made


def _chain(
    settings: Settings, work: Work, made: Plan, malicious: bool, number: int, share: float, history: int
) -> Chain:
    names = list(kinds())
    kind, turn = names[number % len(names)], number // len(names)
    mark = "attack" if malicious else "look-alike"
    pace = _PACES[(number + turn) % 4]
    why = "attack" if malicious else _REASONS[(number + turn) % 5]
    chain = Chain(f"{mark}-{number + 1:03d}", kind, str(turn % 4), malicious, why)
    if pace == "days":
        share *= 0.6
    day = history + share * (settings.days - history - 0.6)
    rng = chance(settings, chain.id, "when")
    at_ns = settings.start_ns + int(day) * DAY_NS + _hour(rng, malicious, why)
    if why == "habit":
        for earlier in range(int(day) % 2, int(day), 1 if int(day) < 10 else 2):
            once = Chain("", kind, chain.variant, False, why)
            _play(settings, work, once, settings.start_ns + earlier * DAY_NS + at_ns % DAY_NS, pace, chain.id)
            _shelve(settings, made, once)
    story = _play(settings, work, chain, at_ns, pace, chain.id)
    if why == "deploy":
        _deploy(story)
    if malicious and settings.evasion:
        evade(settings.evasion, story)
    _shelve(settings, made, chain)
    return chain


def _hour(rng: Random, malicious: bool, why: str) -> int:
    at_night = (malicious and rng.random() < 0.4) or why == "incident"
    hour = rng.choice((22, 23, 0, 1, 2, 3, 4)) if at_night else rng.uniform(8, 17)
    return int((hour + rng.random() * 0.9) * _HOUR_NS)


def _play(settings: Settings, work: Work, chain: Chain, at_ns: int, pace: str, who: str) -> Story:
    end_ns = settings.start_ns + settings.days * DAY_NS - 3 * _HOUR_NS
    rng = chance(settings, who, "rng", at_ns)
    story = Story(work, chain, min(at_ns, end_ns), chance(settings, who, "who"), rng, end_ns)
    story.pace = pace if chain.why != "habit" else "minutes"
    kinds()[chain.kind](story)
    return story


def _deploy(story: Story) -> None:
    """The version that brings it came out some hours before."""
    for agent in story.crew:
        at_ns = story.chain.sessions[0].at_ns - int(story.rng.uniform(1, 5) * _HOUR_NS)
        number = f"{int(agent.versions[-1][1].split('.')[0]) + 1}.0.{story.rng.randrange(9)}"
        agent.versions = tuple(sorted((*agent.versions, (at_ns, number))))
    for session in story.chain.sessions:
        session.version = session.agent.version(session.at_ns)


def _routine(settings: Settings, work: Work, made: Plan, number: int) -> None:
    """A habit of the same kinds, every day or so, all month; nothing that the truth tells of."""
    name = f"routine-{number}"
    rng = chance(settings, name)
    names = list(kinds())
    kind, every, first = names[(number * 4 + 1) % len(names)], rng.choice((1, 1, 2, 7)), rng.randrange(3)
    for day in range(first, settings.days, every):
        once = Chain("", kind, str(number % 4), False, "habit")
        at_ns = settings.start_ns + day * DAY_NS + int(rng.uniform(7, 17) * _HOUR_NS)
        _play(settings, work, once, at_ns, "minutes", name)
        _shelve(settings, made, once)


def _migration(settings: Settings, work: Work, made: Plan, number: int) -> None:
    """A project that happens once: much that is strong, about things that were never seen, all under one change."""
    rng = chance(settings, f"migration-{number}")
    end_ns = settings.start_ns + settings.days * DAY_NS - 3 * _HOUR_NS
    first = settings.start_ns + rng.randrange(settings.days) * DAY_NS + int(rng.uniform(8, 12) * _HOUR_NS)
    once = Chain("", "migration", "0", False, "ticket")
    story = Story(work, once, min(first, end_ns), rng, rng, end_ns)
    kinds_of_things = ("host", "sg", "secret", "service_user", "role", "role_name", "database", "volume", "instance")
    for _ in range(rng.randrange(2, 4)):
        agent = story.agent("deploy", "remediation", "backup", "firewall", "rotation", "vulnerability")
        strong = sorted(story.means(agent) & set(settings.raw["seldom"]["of_migrations"].split()))
        for _ in range(rng.randrange(2, 5)):
            session = story.session(agent)
            about = {kind: story.thing(kind, agent, 1.0) for kind in kinds_of_things}
            for _ in range(rng.randrange(3, 9)):
                story.do(session, rng.choice(strong or ["host.get"]), told=False, cover=True, **about)
            story.pass_time("minutes")
    _shelve(settings, made, once)


def _shelve(settings: Settings, made: Plan, chain: Chain) -> None:
    for session in chain.sessions:
        day = (session.at_ns - settings.start_ns) // DAY_NS
        made.by_day.setdefault(day, []).append(session)
