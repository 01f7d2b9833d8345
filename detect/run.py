"""Events and counts -> findings and cases: the fleet's steps in time, a day judged by the days before it."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

import detect.detectors
from baseline.capability import Capabilities
from baseline.fold import classify_tools, counts_of_sessions, counts_of_undated
from baseline.history import CountRow, History
from detect.cases import Case, Found, build_cases
from detect.causal import CausalPass, Facts
from detect.detectors import Detector
from detect.step import Step, steps_in_time
from ingest.database import ask, open_published
from ingest.plugins import plugins
from ingest.published import editing
from ingest.tables import CASES, COULD_FIRE, FAILED, FINDINGS, UNMATCHED

log = logging.getLogger(__name__)

_COUNT_FIELDS: Final = ("day", "agent_id", "agent_version", "aspect", "context", "value", "steps", "sessions")

_COUNTS: Final = """
select day, agent_id, agent_version, aspect, context, value, sum(steps)::bigint, sum(sessions)::bigint
from counts
group by all
order by day nulls first, agent_id, agent_version, aspect, context, value
"""

_UNMATCHED: Final = """
select tool, agent_id, count(*) as steps
from events
left join classed using (tool)
where kind = 'tool_call' and tool is not null and capability is null
group by all
order by steps desc, tool, agent_id
"""


@dataclass
class Detected:
    """One detection run."""

    cases: list[Case]
    found: list[Found]
    failed: dict[str, str] = field(default_factory=dict)
    """Detector -> why it broke; the others ran on."""
    judged: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """(detector, agent, what was missing or "") -> privileged steps."""
    unmatched: int = 0


@cache
def all_detectors() -> tuple[Detector, ...]:
    """Every detector in `detect/detectors/`, by name."""
    return tuple(plugins(detect.detectors, Detector))


def detect_in(data: Path, capabilities: Capabilities) -> Detected:
    """Judge everything that is published, and publish the findings and cases."""
    with editing(data) as edition:
        connection = open_published(data)
        classify_tools(connection, capabilities)
        detected = _Run(connection).detected()
        unmatched = ask(connection, _UNMATCHED)
        detected.unmatched = unmatched.height
        case_of = {f.finding_id: case.case_id for case in detected.cases for f in case.found}
        edition.replace("findings", findings_table(detected.found, case_of))
        edition.replace("cases", cases_table(detected.cases))
        edition.replace("could_fire", _could_fire(detected.judged))
        edition.replace("unmatched", unmatched.to_arrow().cast(UNMATCHED))
        failed = [{"plugin": name, "reason": reason} for name, reason in sorted(detected.failed.items())]
        edition.replace("failed", pa.Table.from_pylist(failed, schema=FAILED))
        connection.close()
        edition.publish()
        return detected


class _Run:
    """One pass over the fleet's days."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._history = History()
        self._causal = CausalPass(self._history)
        self._found: list[Found] = []
        self._result = Detected([], self._found)
        self._counts = self._counts_by_day()
        self._next_counts = next(self._counts, None)
        self._unlearnt: set[str] = set()

    def detected(self) -> Detected:
        for day, steps in groupby(steps_in_time(self._connection), key=lambda step: step.day):
            before = len(self._found)
            if day is None:
                self._judge_undated(steps)
            else:
                self._learn_before(day)
                self._judge_all(steps)
            self._unlearn(self._found[before:])
        self._result.cases = build_cases(self._found)
        return self._result

    def _judge_all(self, steps: Iterable[Step]) -> None:
        for step in steps:
            facts = self._causal.take(step)
            if facts is not None:
                self._found += judge(step, facts, self._history, self._result)

    def _judge_undated(self, steps: Iterable[Step]) -> None:
        """Sessions without a time have no days before them: each is judged by all the others."""
        self._learn_before(None)
        counts = counts_of_undated(self._connection).select("session_id", *_COUNT_FIELDS)
        own = {key: list(rows) for key, rows in groupby(counts.iter_rows(), key=lambda row: row[0])}
        for session_id, of_session in groupby(steps, key=lambda step: step.session_id):
            mine = [row[1:] for row in own.get(session_id, [])]
            self._history.add(mine, sign=-1)
            self._judge_all(of_session)
            self._history.add(mine)

    def _counts_by_day(self) -> Iterator[tuple[date | None, list[CountRow]]]:
        rows = ask(self._connection, _COUNTS).iter_rows()
        for day, group in groupby(rows, key=lambda row: row[0]):
            yield day, list(group)

    def _learn_before(self, day: date | None) -> None:
        """Add the counts of every day before this one; the undated ones come first."""
        while self._next_counts is not None:
            counted, rows = self._next_counts
            if counted is not None and (day is None or counted >= day):
                return
            self._history.add(rows)
            self._next_counts = next(self._counts, None)

    def _unlearn(self, found: list[Found]) -> None:
        """Nothing is learnt from the sessions of a case: their counts are taken off before the day is added."""
        sessions = {s.session_id for f in found if f.detector.raises_case for s in f.finding.path} - self._unlearnt
        if sessions:
            self._unlearnt |= sessions
            counts = counts_of_sessions(self._connection, sorted(sessions))
            self._history.add(counts.select(_COUNT_FIELDS).iter_rows(), sign=-1)


def judge(step: Step, facts: Facts, history: History, result: Detected) -> Iterator[Found]:
    """What the detectors say of one step. Who could judge it, and who broke on it, is noted in `result`."""
    for detector in all_detectors():
        if detector.name in result.failed:
            continue
        missing = next((need for need in detector.needs if not getattr(step, need)), "")
        if not missing and not facts.has_history:
            missing = "enough history"
        result.judged[detector.name, step.agent_id, missing] += 1
        if missing and missing != "enough history":
            continue
        try:
            finding = detector.judge(step, facts, history)
        except Exception as error:  # the boundary: a broken detector costs itself, not the run
            log.exception("detector %s broke on %s", detector.name, step.source)
            result.failed[detector.name] = f"{type(error).__name__}: {error} (on {step.source})"
            continue
        if finding is not None:
            yield Found(detector, step, finding)


def findings_table(found: Iterable[Found], case_of: Mapping[str, str]) -> pa.Table:
    """The table `findings`."""
    rows = [
        {
            "finding_id": f.finding_id,
            "case_id": case_of.get(f.finding_id),
            "detector": f.detector.name,
            "title": f.finding.title,
            "session_id": f.step.session_id,
            "agent_id": f.step.agent_id,
            "event_id": f.step.event_id,
            "event_ids": [step.event_id for step in f.finding.path],
            "observed": f.finding.observed,
            "expected": f.finding.expected,
            "anomaly": f.finding.anomaly,
            "impact": f.step.impact,
            "techniques": list(f.detector.techniques),
            "happened_at": f.step.at_ns,
        }
        for f in sorted(found, key=lambda f: (-f.weight, f.finding_id))
    ]
    return pa.Table.from_pylist(rows, schema=FINDINGS)


def cases_table(cases: Iterable[Case]) -> pa.Table:
    """The table `cases`."""
    rows = []
    for case in cases:
        path = case.path
        times = [step.at_ns for step in path if step.at_ns is not None]
        rows.append(
            {
                "case_id": case.case_id,
                "title": case.worst.finding.title,
                "why": case.why,
                "severity": case.severity,
                "anomaly": case.anomaly,
                "impact": case.impact,
                "agents": list(dict.fromkeys(step.agent_id for step in path)),
                "sessions": list(dict.fromkeys(step.session_id for step in path)),
                "detectors": list(dict.fromkeys(f.detector.name for f in case.found)),
                "techniques": sorted({t for f in case.found for t in f.detector.techniques}),
                "session_id": case.worst.step.session_id,
                "event_id": case.worst.step.event_id,
                "path": [step.event_id for step in path],
                "findings": len(case.found),
                "first_at": min(times, default=None),
                "last_at": max(times, default=None),
            }
        )
    return pa.Table.from_pylist(rows, schema=CASES)


def _could_fire(judged: Counter[tuple[str, str, str]]) -> pa.Table:
    steps: dict[tuple[str, str], int] = defaultdict(int)
    lacked: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for (name, agent, missing), count in judged.items():
        steps[name, agent] += count
        if missing:
            lacked[name, agent][missing] = count
    rows = [
        {
            "detector": name,
            "agent_id": agent,
            "steps": count,
            "could_judge": count - sum(lacked[name, agent].values()),
            "missing": ", ".join(f"{what} ({n:,})" for what, n in sorted(lacked[name, agent].items())) or None,
        }
        for (name, agent), count in sorted(steps.items())
    ]
    return pa.Table.from_pylist(rows, schema=COULD_FIRE)
