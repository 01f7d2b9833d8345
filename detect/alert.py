"""What an alert says of a case: what, why, the path, ids and a link to the exact step. Bounded, and without a clock."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import duckdb
import msgspec

from ingest.database import ask
from ingest.event import identify

MOST_CONTENT_BYTES: Final = 8_000
"""So that every body stays under the 20 kB that Standard Webhooks recommends, wrapped as OCSF too."""
_MOST_REASONS: Final = 3
_MOST_LINK: Final = 2_000
"""Ids are the source's own and may be long; what browsers and receivers take for certain is not."""
_SIZES: Final = ((300, 20), (160, 12), (80, 8), (40, 5), (20, 2))
"""(characters of a text, entries of a list), tried in turn until the content fits; the link leads to the whole."""

_CASES: Final = """
select *
from cases
order by anomaly * impact desc, case_id
"""

_FINDINGS: Final = """
select case_id, finding_id, detector, agent_id, event_id, title, observed, expected
from findings
where case_id is not null and is_beyond is not true
order by case_id, anomaly * impact desc, finding_id
"""

_STEPS: Final = """
select event_id, session_id, agent_id, tool, target, source, started_at
from events
where event_id in (select unnest($events::varchar[]))
order by ordered_at nulls first, trace_id, sequence nulls first, depth, kind_rank, event_id
"""


@dataclass(frozen=True)
class Told:
    """A case as the tables have it: its row, its findings (the heaviest first), and what makes a new revision."""

    case: dict[str, Any]
    findings: list[dict[str, Any]]

    @property
    def case_id(self) -> str:
        return str(self.case["case_id"])

    @property
    def severity(self) -> str:
        return str(self.case["severity"])

    @property
    def fingerprint(self) -> str:
        """Of what a person would want to hear again: not of a score's third decimal."""
        named = ("severity", "title", "why", "agents", "sessions", "detectors", "techniques", "path")
        return identify(
            *(msgspec.json.encode(self.case[name]).decode() for name in named),
            *(f["finding_id"] for f in self.findings),
        )


def told_cases(connection: duckdb.DuckDBPyConnection) -> list[Told]:
    """Every published case, the heaviest first."""
    findings = defaultdict(list)
    for row in ask(connection, _FINDINGS).iter_rows(named=True):
        findings[row["case_id"]].append(row)
    return [Told(case, findings[case["case_id"]]) for case in ask(connection, _CASES).iter_rows(named=True)]


def contents(connection: duckdb.DuckDBPyConnection, told: list[Told], dashboard_url: str) -> dict[str, dict[str, Any]]:
    """What is said of each case, by its id."""
    events = sorted({event for t in told for event in t.case["path"]})
    steps = ask(connection, _STEPS, events=events).to_dicts() if events else []
    place = {step["event_id"]: number for number, step in enumerate(steps)}
    said = {}
    for t in told:
        path = sorted(place[event] for event in set(t.case["path"]) if event in place)
        said[t.case_id] = _content(t, [steps[number] for number in path], dashboard_url)
    return said


def link_to_step(dashboard_url: str, session_id: str, event_id: str) -> str:
    """Where the dashboard opens this step."""
    return f"{dashboard_url.rstrip('/')}/replay?session={quote(session_id, safe='')}&event={quote(event_id, safe='')}"


def _content(told: Told, steps: list[dict[str, Any]], dashboard_url: str) -> dict[str, Any]:
    case = told.case
    whole = {
        "case_id": case["case_id"],
        "title": case["title"],
        "why": case["why"],
        "severity": case["severity"],
        "anomaly": round(case["anomaly"], 4),
        "impact": round(case["impact"], 4),
        "agents": case["agents"],
        "sessions": case["sessions"],
        "detectors": case["detectors"],
        "techniques": case["techniques"],
        "findings": case["findings"],
        "steps": len(case["path"]),
        "first_at": iso(case["first_at"]),
        "last_at": iso(case["last_at"]),
        "reasons": [
            {name: finding[name] for name in ("detector", "agent_id", "title", "observed", "expected")}
            for finding in told.findings[:_MOST_REASONS]
        ],
        "path": [{**step, "started_at": iso(step["started_at"])} for step in steps],
    }
    link = link_to_step(dashboard_url, case["session_id"], case["event_id"])
    if len(link) > _MOST_LINK:
        link = f"{dashboard_url.rstrip('/')}/case?case={quote(case['case_id'], safe='')}"
    return {**fitted(whole), "link": link}


def fitted(content: dict[str, Any]) -> dict[str, Any]:
    """The content cut to `MOST_CONTENT_BYTES`: texts and lists get shorter, and `is_shortened` says so."""
    for characters, entries in _SIZES:
        shorter = {key: _cut(value, characters, entries) for key, value in content.items()}
        if shorter != content:
            shorter["is_shortened"] = True
        if len(msgspec.json.encode(shorter)) <= MOST_CONTENT_BYTES:
            break
    return shorter


def iso(value: object) -> str | None:
    """A time of the tables as ISO 8601."""
    return None if value is None else f"{str(value).replace(' ', 'T')}Z"


def _cut(value: Any, characters: int, entries: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= characters else f"{value[:characters]}…"
    if isinstance(value, list):
        return [_cut(each, characters, entries) for each in value[:entries]]
    if isinstance(value, dict):
        return {key: _cut(each, characters, entries) for key, each in value.items()}
    return value
