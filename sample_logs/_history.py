"""Four ordinary weeks of all six agents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from random import Random

from _calls import Log
from _cast import FIREWALL, FIRST_DAY, LAST_DAY, TRIAGE, Agent, moment_of_day, when
from _mail_sessions import phishing
from _spans_sessions import firewall, orchestrator, some_change, triage
from _workflow_sessions import remediation, rotation


def four_weeks() -> Iterator[Log]:
    """Every session of the four weeks, agent by agent."""
    for name, a_day, session in HABITS:
        for day in days():
            rng = Random(f"four_weeks/{name}/{day}")
            usual = a_day if day.weekday() < 5 else a_day * 0.15
            for number in range(max(0, round(rng.gauss(usual, usual**0.5 / 2)))):
                at = moment_of_day(rng, day)
                yield session(Random(f"four_weeks/{name}/{day}/{number}"), at)
    yield own_key_replaced(TRIAGE, when(12, 15, 20))
    yield own_key_replaced(FIREWALL, when(20, 13, 45))
    for day, host in ((9, "web-fe-04"), (16, "crm-app-02"), (27, "pay-api-03")):
        yield from new_host_taken_in(when(day, 9, 50), host)


def days() -> Iterator[date]:
    for number in range((LAST_DAY - FIRST_DAY).days + 1):
        yield FIRST_DAY + timedelta(days=number)


def some_rotation(rng: Random, at: datetime) -> Log:
    return rotation(rng, at, approved=rng.random() > 0.05, failures=some_failures(rng))


def some_remediation(rng: Random, at: datetime) -> Log:
    return remediation(rng, at, approved=rng.random() > 0.06, failures=some_failures(rng))


def some_firewall(rng: Random, at: datetime) -> Log:
    return firewall(rng, at, approved=rng.random() > 0.06, failures=some_failures(rng))


def some_failures(rng: Random) -> int:
    """How often a change fails before it succeeds: seldom at all."""
    return rng.choices((0, 1, 2), (93, 5, 2))[0]


def own_key_replaced(agent: Agent, at: datetime) -> Log:
    """An agent's own key is due like any other; from the next morning on the agent acts with the new one."""
    user = f"svc-{agent.service}"
    _, key = agent.keys[-1]
    return rotation(Random(f"four_weeks/own_key/{agent.name}"), at, users=[user], new_keys={user: key})


def new_host_taken_in(at: datetime, host: str) -> Iterator[Log]:
    """A rule for a new host is approved; an hour later the triage agent first runs a command on it."""
    rng = Random(f"four_weeks/new_host/{host}")
    yield firewall(rng, at, change=some_change(rng, host))
    yield triage(rng, at + timedelta(minutes=65), host=host, look_closer=1)


HABITS: tuple[tuple[str, float, Callable[[Random, datetime], Log]], ...] = (
    ("triage", 14, triage),
    ("phishing", 8, phishing),
    ("firewall", 6, some_firewall),
    ("rotation", 5, some_rotation),
    ("remediation", 5, some_remediation),
    ("orchestrator", 8, orchestrator),
)
"""Each agent's sessions on a workday; on weekends there are few."""
