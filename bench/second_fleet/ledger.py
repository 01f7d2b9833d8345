"""What is true of each chain, gathered while its steps are written; the form is that of `bench/fleet/truth.py`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.second_fleet.settings import SECOND_NS


@dataclass
class Chain:
    """An attack or a look-alike."""

    name: str
    kind: str
    is_malicious: bool
    variant: str = ""
    pace: str = ""
    why: str = ""
    agents: set[str] = field(default_factory=set)
    sessions: set[str] = field(default_factory=set)
    events: list[tuple[int, dict[str, Any]]] = field(default_factory=list)


@dataclass
class Ledger:
    """All chains, by name."""

    chains: dict[str, Chain] = field(default_factory=dict)

    def note(self, chain: str, session: str, agent: str, at_ns: int, reference: dict[str, Any]) -> None:
        """A chain's step was written, in this session and at this time."""
        if chain:
            told = self.chains[chain]
            told.agents.add(agent)
            told.sessions.add(session)
            told.events.append((at_ns, reference))

    def write(self, path: Path) -> None:
        """One line a chain."""
        lines = []
        for chain in sorted(self.chains.values(), key=lambda chain: chain.name):
            events = sorted(chain.events, key=lambda event: (event[0], json.dumps(event[1])))
            said = {
                "chain": chain.name,
                "kind": chain.kind,
                "malicious": chain.is_malicious,
                "agents": sorted(chain.agents),
                "sessions": sorted(chain.sessions),
                "first_at": moment(events[0][0]),
                "last_at": moment(events[-1][0]),
                "variant": chain.variant,
                "pace": chain.pace,
                "why": chain.why,
                "events": [reference for _, reference in events],
            }
            lines.append(json.dumps(said, ensure_ascii=False))
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def moment(at_ns: int) -> str:
    """RFC 3339 with nanoseconds."""
    whole = datetime.fromtimestamp(at_ns // SECOND_NS, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{at_ns % SECOND_NS:09d}Z"
