"""A whole fleet: its ordinary life, the oddities and the chains, written out in their forms."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from bench.second_fleet import cloudtrail, otlp, temporal
from bench.second_fleet.cast import cast
from bench.second_fleet.chains import kinds
from bench.second_fleet.draft import Draft
from bench.second_fleet.ledger import Chain, Ledger
from bench.second_fleet.life import life
from bench.second_fleet.model import Agent, Session
from bench.second_fleet.oddities import oddities
from bench.second_fleet.settings import DAY_NS, Settings


@dataclass(frozen=True)
class Made:
    """What was written."""

    files: int
    events: int
    attacks: int
    look_alikes: int


def make(settings: Settings, out: Path) -> Made:
    """Write `out/logs` and `out/truth.jsonl`."""
    agents = cast(settings)
    ledger = Ledger()
    told = [*chains(settings, agents, ledger), *oddities(settings, agents)]
    left = settings.event_count - sum(event_count(session) for session in told)
    share = max(left, 0) / max(_events_a_fleet(settings, agents), 1)
    sessions = sorted([*told, *life(settings, agents, share)], key=lambda made: (made.start_ns, made.id))
    files = _write(settings, sessions, ledger, out / "logs")
    ledger.write(out / "truth.jsonl")
    bad = sum(chain.is_malicious for chain in ledger.chains.values())
    return Made(files, sum(event_count(made) for made in sessions), bad, len(ledger.chains) - bad)


def chains(settings: Settings, agents: list[Agent], ledger: Ledger) -> Iterable[Session]:
    """Attacks and look-alikes, the kinds in turn, in an order that their names do not give away."""
    known = kinds()
    for is_malicious, count in ((True, settings.attacks), (False, settings.look_alikes)):
        word = "attack" if is_malicious else "look-alike"
        order = sorted(known)
        Random(f"{settings.seed}/{word}").shuffle(order)
        used: dict[str, int] = {}
        for number in range(count):
            kind = order[number % len(order)]
            chain = ledger.chains[f"{word}-{number + 1:03d}"] = Chain(f"{word}-{number + 1:03d}", kind, is_malicious)
            module = known[kind]
            turn = number // len(order) + settings.seed
            draft = Draft(settings, agents, chain, turn, getattr(module, "ROOM_DAYS", 1.0), used)
            (module.attack if is_malicious else module.look_alike)(draft)
            yield from draft.sessions


def event_count(made: Session) -> int:
    """About how many events ingest makes of a session."""
    calls = sum(1 + (len(step.mirror) if made.agent.form != "cloudtrail" else 0) for step in made.steps)
    subs = sum(event_count(step.sub) for step in made.steps if step.sub is not None)
    asked = sum(step.approval is not None for step in made.steps)
    if made.aws_only:
        return len(made.steps)
    match made.agent.form:
        case "cloudtrail":
            return calls + subs
        case "temporal":
            return calls + subs + asked + len(made.steps) + 2
    return calls + subs + len(made.steps) + 2 + (4 * asked if made.agent.form == "maf" else 0)


def _events_a_fleet(settings: Settings, agents: list[Agent]) -> float:
    """The events of a life at share 1, from a share of it."""
    return sum(event_count(made) for made in life(settings, agents, 0.1)) * 10


def _write(settings: Settings, sessions: list[Session], ledger: Ledger, logs: Path) -> int:
    lines: dict[Path, list[str]] = defaultdict(list)
    histories: dict[Path, list[dict[str, Any]]] = defaultdict(list)
    calls: dict[Path, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
    for made in sessions:
        day = f"{(made.start_ns - settings.start_ns) // DAY_NS:02d}"
        form = made.agent.form
        if form in ("otlp", "maf") and not made.aws_only:
            lines[logs / "otlp" / f"{form}-{made.agent.role.team}-{day}.jsonl"] += otlp.traces(made, ledger)
        elif form == "temporal" and not made.aws_only:
            histories[logs / "temporal" / f"histories-{day}.json"] += temporal.history(made, ledger)
        for at_ns, account, record in cloudtrail.calls(made, ledger):
            day = f"{(at_ns - settings.start_ns) // DAY_NS:02d}"
            calls[logs / "cloudtrail" / account / f"{account}_CloudTrail_{day}.json.gz"].append((at_ns, record))
    for path, found in lines.items():
        _put(path, "\n".join(found) + "\n")
    for path, documents in histories.items():
        _put(path, json.dumps(documents, ensure_ascii=False) + "\n")
    for path, records in calls.items():
        rows = [record for _, record in sorted(records, key=lambda call: (call[0], call[1]["eventID"]))]
        Random(path.name).shuffle(rows)
        _put(path, json.dumps({"Records": rows}, ensure_ascii=False))
    return len(lines) + len(histories) + len(calls)


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode(), mtime=0))
    else:
        path.write_text(text, encoding="utf-8")
