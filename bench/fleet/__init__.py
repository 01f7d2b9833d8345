"""A fleet of security agents for a month: its logs, and the truth about the chains in them.

    python -m bench.fleet --out DIR [--seed N] [--events N] [--agents N] [--days N] [--attacks N] [--look-alikes N]

writes `DIR/otlp/`, `DIR/temporal/` and `DIR/cloudtrail/`, and `DIR/truth.jsonl` (its form: `bench/fleet/truth.py`).
The same options write the same bytes. All rates and words stand in `fleet.toml`; nothing of the product reads it, and
nothing here knows how anything is detected.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bench.fleet.cast import bystanders, cast
from bench.fleet.life import write
from bench.fleet.maker import Maker
from bench.fleet.plan import plan
from bench.fleet.settings import Settings, chance, load
from bench.fleet.shelf import Shelf
from bench.fleet.steps import Ask, Call, Hand, Session
from bench.fleet.truth import write_truth
from bench.fleet.work import Work
from bench.fleet.world import World

__all__ = ["Written", "generate", "load"]


@dataclass
class Written:
    """What was written."""

    sessions: int = 0
    bytes: int = 0
    chains: Counter[tuple[str, bool]] = field(default_factory=Counter)
    truth: Path = Path()


def generate(out: Path, settings: Settings) -> Written:
    """Write the logs of a fleet into a new folder, day by day, and the truth beside them."""
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise ValueError(f"{out} is not empty; name a new folder")
    world = World(settings)
    agents = cast(settings, world)
    work = Work(settings, agents, bystanders(settings, world), Maker(settings, world))
    planned = plan(settings, work)
    # Not the attacks: however they are told, the work around them is the same.
    beside = [s for sessions in planned.by_day.values() for s in sessions if not (s.chain and s.chain.malicious)]
    extra = sum(_events(session) for session in beside)
    scale = _scale(settings, work, max(settings.events - extra, settings.events * 0.1))
    written = Written(truth=out / "truth.jsonl")
    with Shelf(out, settings) as shelf:
        for day in range(settings.days):
            for session in planned.by_day.get(day, ()):
                write(session, shelf)
                written.sessions += 1
            for session in work.of_day(day, scale):
                write(session, shelf)
                written.sessions += 1
            shelf.day_is_over(day)
        written.bytes = shelf.bytes
    write_truth(written.truth, planned.chains)
    written.chains = Counter((chain.kind, chain.malicious) for chain in planned.chains if chain.notes)
    return written


def _scale(settings: Settings, work: Work, events: float) -> float:
    """How many sessions a unit of rate makes for the events that were asked for: from a few runs of each agent."""
    wanted = 0.0
    for agent in work.everybody:
        rng = chance(settings, "pilot", agent.name)
        role = settings.roles[agent.role]
        runs = [work.run(agent, settings.start_ns, rng, work.book_of(agent, rng)) for _ in range(8)]
        mean = sum(_events(run) for run in runs) / len(runs)
        wanted += mean * role.rate * sum(work.factor(agent, day) for day in range(settings.days))
    return events / max(wanted, 1.0)


def _events(session: Session) -> float:
    """About how many events a run becomes."""
    bare = session.agent.medium == "cloudtrail"
    found = 0.0 if bare else 1.8
    for step in session.steps:
        if isinstance(step, Hand):
            found += 1 + _events(step.to)
        elif isinstance(step, Call):
            found += 0 if bare else 1.8
            found += step.api is not None and (bare or session.agent.is_witnessed)
        elif isinstance(step, Ask) and session.agent.medium in ("temporal", "maf"):
            found += 1 if session.agent.medium == "temporal" else 3
    return found
