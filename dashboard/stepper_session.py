"""One session opened for replay: what is kept in memory of it, read once per published state."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from baseline.beside import Beside, capability_of
from baseline.capability_table import PRIVILEGED
from dashboard import queries
from dashboard.queries import Record
from dashboard.queries_of_session import files_of, findings_of, results_of, steps_of
from dashboard.state import State, state_of
from dashboard.stepper_approvals import Decisions

MOST_OPEN: Final = 4
"""Sessions kept in memory. One of 100,000 steps takes about 60 MB without its payloads."""


@dataclass
class Opened:
    """A session's steps in their total order without payloads, and what is said of them."""

    session_id: str
    generation: int
    connect: Callable[[], duckdb.DuckDBPyConnection]
    files: list[str]
    steps: pl.DataFrame
    findings: pl.DataFrame
    state: State

    @property
    def last(self) -> int:
        """The number of the last step."""
        return self.steps.height

    def places(self, events: Iterable[str]) -> dict[str, int]:
        """The numbers of those of these events that are steps of the session."""
        found = self.steps.select("event_id", "step").filter(pl.col("event_id").is_in(sorted(set(events))))
        return dict(found.iter_rows())

    @cached_property
    def reasons(self) -> dict[int, list[Record]]:
        """The findings that each step helps to prove."""
        found: dict[int, list[Record]] = {}
        findings = self.findings.to_dicts()
        places = self.places(event for finding in findings for event in finding["event_ids"])
        for finding in findings:
            for event in dict.fromkeys(finding["event_ids"]):
                if event in places:
                    found.setdefault(places[event], []).append(finding)
        return found

    @cached_property
    def decisions(self) -> Decisions:
        """The approval steps, looked up by what they are about."""
        return Decisions(self.steps.filter(pl.col("kind") == "approval"))

    @cached_property
    def beside(self) -> Beside:
        """The baseline of the agents that took part."""
        return Beside(self.connect(), [agent or "" for agent in self.steps["agent_id"].unique()])

    @cached_property
    def before(self) -> dict[int, tuple[str, date | None]]:
        """Of each tool call the tool that its agent called before it in that trace, and the day of the trace."""
        columns = self.steps.select("step", "kind", "tool", "trace_id", "agent_id", "ordered_at")
        calls = columns.with_columns(
            pl.col("ordered_at").min().over("trace_id").dt.date().alias("day"),
        ).filter(pl.col("kind") == "tool_call", pl.col("tool").is_not_null())
        calls = calls.with_columns(pl.col("tool").shift(1).over("trace_id", "agent_id").fill_null("").alias("previous"))
        return {step: (previous, day) for step, previous, day in calls.select("step", "previous", "day").iter_rows()}

    def first_call(self, agent: str, tool: str, after: str) -> int | None:
        """The first call of `tool` by `agent` that came directly after its call of `after` (empty: its first)."""
        named = self.steps.filter(pl.col("tool") == tool, pl.col("agent_id") == agent)["step"]
        return next((step for step in named if self.before.get(step, ("", None))[0] == after), None)

    def marks(self, severities: tuple[str, ...]) -> dict[int, str]:
        """The steps with a finding, and the worst severity of those findings' cases."""
        return {
            step: max((f["severity"] or "info" for f in found), key=severities.index)
            for step, found in sorted(self.reasons.items())
        }


def open_session(data: Path, generation: int, session_id: str) -> Opened | None:
    """Read a session; None where there is none of this id."""

    def connect() -> duckdb.DuckDBPyConnection:
        return queries.connection_of(str(data), generation).cursor()

    connection = connect()
    files = files_of(connection, data, session_id)
    steps = steps_of(connection, files, session_id) if files else pl.DataFrame()
    if not steps.height:
        return None
    tools = {tool: capability_of(tool) for tool in steps["tool"].unique() if tool is not None}
    steps = steps.with_columns(
        pl.col("tool").replace_strict(tools, default=None, return_dtype=pl.String).alias("capability")
    )
    giving = sorted(tool for tool, capability in tools.items() if capability == "credential")
    results = (
        results_of(connection, files, session_id, giving)
        if giving
        else pl.DataFrame(schema={"event_id": pl.String, "result": pl.String})
    )
    return Opened(
        session_id, generation, connect, files, steps, findings_of(connection, session_id),
        state_of(steps, results),
    )  # fmt: skip


def is_privileged(capability: str | None) -> bool:
    """Whether the class stands above `write`."""
    return capability in PRIVILEGED


class _Sessions:
    """The sessions that were opened last. One thread reads a session; others that want it wait for it."""

    def __init__(self) -> None:
        self._opened: OrderedDict[tuple[str, int, str], Opened | None] = OrderedDict()
        self._reading: dict[tuple[str, int, str], threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, data: Path, generation: int, session_id: str) -> Opened | None:
        key = (str(data), generation, session_id)
        with self._lock:
            reading = self._reading.setdefault(key, threading.Lock())
        with reading:
            with self._lock:
                if key in self._opened:
                    self._opened.move_to_end(key)
                    return self._opened[key]
            found = open_session(data, generation, session_id)
            with self._lock:
                if found is not None:
                    self._opened[key] = found
                    while len(self._opened) > MOST_OPEN:
                        self._opened.popitem(last=False)
                self._reading.pop(key, None)
            return found


_sessions: Final = _Sessions()


def opened(session_id: str, generation: int | None = None) -> Opened | None:
    """The session as it is published; None where there is none. Of an older state only while that is still open."""
    current = queries.generation()
    wanted = current if generation is None else generation
    if wanted != current and not queries.is_open(wanted):
        return None
    return _sessions.get(queries.data(), wanted, session_id)
