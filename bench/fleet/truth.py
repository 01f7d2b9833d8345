"""What is true of a fleet's logs: one line a chain, written beside them and read by the benches.

    {"chain": "attack-001", "kind": "path_opened_then_crossed", "malicious": true,
     "agents": ["fw-changer-eu", …], "sessions": ["…", …],
     "first_at": "2026-10-20T02:11:09.104000000Z", "last_at": "…"}

`sessions` and `agents` are the values of `session_id` and `agent_id` in the events after ingest; for CloudTrail the
session is `ISSUER_ARN/SESSION_NAME/ACCESS_KEY` of a role, `USER_ARN/ACCESS_KEY/DAY` of a user's long-lived key. They
hold the sessions in which the chain's own steps were done, and no other. Times are those of the first and the last
such step. A line without `chain` or `malicious` is an error, as is one without both `sessions` and `agents`; all else
may be missing or be more than is known here (sessions under other names: see `bench/_told.py`). The generator adds

    "variant", "pace", "why" (what makes a look-alike benign), and
    "events": [{"source": "otlp", "trace_id", "span_id"} | {"source": "temporal", "workflow_id", "run_id", "event_id"}
               | {"source": "cloudtrail", "event_id"}, …]
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bench.fleet.clock import rfc3339
from bench.fleet.steps import Chain
from ingest.times import nanoseconds


@dataclass(frozen=True)
class Told:
    """One line of the truth."""

    chain: str
    kind: str
    malicious: bool
    agents: frozenset[str]
    sessions: frozenset[str]
    first_ns: int | None
    last_ns: int | None
    events: tuple[dict[str, Any], ...] = ()


def write_truth(path: Path, chains: Iterable[Chain]) -> int:
    """Write a line for every chain of which something is in the logs; how many."""
    lines = [msgspec.json.encode(_line(chain)) for chain in chains if chain.notes]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return len(lines)


def _line(chain: Chain) -> dict[str, Any]:
    notes = sorted(chain.notes, key=lambda note: (note.at_ns, note.session))
    return {
        "chain": chain.id,
        "kind": chain.kind,
        "malicious": chain.malicious,
        "agents": list(dict.fromkeys(note.agent for note in notes)),
        "sessions": list(dict.fromkeys(note.session for note in notes)),
        "first_at": rfc3339(notes[0].at_ns),
        "last_at": rfc3339(notes[-1].at_ns),
        "variant": chain.variant,
        "why": chain.why,
        "events": [note.event for note in notes],
    }


def read_truth(path: Path) -> list[Told]:
    """Read the truth of any logs. Raises ValueError with the line where one cannot be used."""
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            said = msgspec.json.decode(line)
            told = Told(
                str(said["chain"]),
                str(said.get("kind") or "unknown"),
                bool(said["malicious"]),
                frozenset(map(str, said.get("agents") or ())),
                frozenset(map(str, said.get("sessions") or ())),
                nanoseconds(said.get("first_at")),
                nanoseconds(said.get("last_at")),
                tuple(said.get("events") or ()),
            )
        except (msgspec.MsgspecError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{path}:{number}: no line of a truth file ({error!r}); see bench/fleet/truth.py"
            ) from error
        if not told.sessions and not told.agents:
            raise ValueError(f"{path}:{number}: a chain of no session and no agent; see bench/fleet/truth.py")
        found.append(told)
    return sorted(found, key=lambda told: told.chain)
