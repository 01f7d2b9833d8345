"""One session held against its agent's history: which transitions are more frequent than usual, and what is new."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from math import log2
from typing import Final

import duckdb
import polars as pl

from baseline.capability import Capabilities
from baseline.fold import classify_tools, counts_of_sessions
from baseline.history import LEAST_SESSIONS
from baseline.learnt import learnt
from baseline.models.markov import next_tool

LINKS: Final = ("principal", "credential", "target", "source_target", "role_role")
"""The kinds of link that can be new; the last two are from a host to a target, and from one identity to another."""
ASPECTS: Final = ("session", "tool", "transition", *LINKS)
"""What is looked at of the agent."""


@dataclass(frozen=True)
class Pair:
    """One tool directly after another: so often of so often in the session, and in the history before its day.

    `ratio` is log2 of the session's share over what the history expects (Witten-Bell, never 0); `bits` is what the
    session's occurrences weigh together: -log2 of the expectation, times how often.
    """

    before: str
    tool: str
    steps: int
    of: int
    usual_steps: int
    usual_of: int
    ratio: float
    bits: float


@dataclass(frozen=True)
class Against:
    """A session beside the days before it. `new` holds the links of each kind that those days did not have."""

    session_id: str
    day: date | None
    sessions: int
    pairs: tuple[Pair, ...]
    new: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def is_enough(self) -> bool:
        """Whether the history carries a judgement."""
        return self.sessions >= LEAST_SESSIONS

    @property
    def bits(self) -> tuple[tuple[str, float], ...]:
        """Tool -> bits of surprise, the most surprising first."""
        summed: dict[str, float] = defaultdict(float)
        for pair in self.pairs:
            summed[pair.tool] += pair.bits
        return tuple(sorted(summed.items(), key=lambda item: (-item[1], item[0])))


def against(
    connection: duckdb.DuckDBPyConnection,
    agent: str,
    session_id: str,
    capabilities: Capabilities | None = None,
    own: pl.DataFrame | None = None,
) -> Against | None:
    """The agent's part in the session beside what was learnt of it before; None where it made no call there.

    `own` is what was learnt of the agent (the aspects `ASPECTS`, and any others), where that was read already.
    """
    capabilities = capabilities or Capabilities.load()
    classify_tools(connection, capabilities)
    mine = counts_of_sessions(connection, [session_id], ASPECTS).filter(pl.col("agent_id") == agent)
    if mine.is_empty():
        return None
    day = mine["day"].drop_nulls().min()
    day = day if isinstance(day, date) else None
    before = learnt(connection, capabilities, agents=[agent], aspects=list(ASPECTS)) if own is None else own
    if day is not None:
        before = before.filter(pl.col("day").is_null() | (pl.col("day") < day))
    sessions = int(before.filter(pl.col("aspect") == "session")["sessions"].sum())
    return Against(session_id, day, sessions, tuple(_pairs(mine, before)), tuple(_new(mine, before)))


def _pairs(mine: pl.DataFrame, before: pl.DataFrame) -> list[Pair]:
    tools = {tool: float(n) for (_, tool), n in _summed(before, "tool").items()}
    usual: dict[str, dict[str, float]] = defaultdict(dict)
    for (previous, tool), n in _summed(before, "transition").items():
        usual[previous][tool] = n
    seen = _summed(mine, "transition")
    total: dict[str, int] = defaultdict(int)
    for (previous, _), n in seen.items():
        total[previous] += n
    found = []
    for (previous, tool), n in seen.items():
        follows = usual.get(previous, {})
        expected = next_tool(tool, [follows], tools).p
        found.append(
            Pair(previous, tool, n, total[previous], int(follows.get(tool, 0)), int(sum(follows.values())),
                 log2(n / total[previous] / expected), -log2(expected) * n)
        )  # fmt: skip
    return sorted(found, key=lambda pair: (-pair.bits, pair.before, pair.tool))


def _new(mine: pl.DataFrame, before: pl.DataFrame) -> list[tuple[str, tuple[str, ...]]]:
    found = []
    for kind in LINKS:
        known, seen = _summed(before, kind), _summed(mine, kind)
        new = sorted(key for key in seen if key not in known)
        if new:
            found.append((kind, tuple(f"{context} → {value}" if context else value for context, value in new)))
    return found


def _summed(counts: pl.DataFrame, aspect: str) -> dict[tuple[str, str], int]:
    """(context, value) -> steps."""
    rows = counts.filter(pl.col("aspect") == aspect).group_by("context", "value").agg(pl.col("steps").sum())
    return {(str(context), str(value)): n for context, value, n in rows.sort("context", "value").iter_rows()}
