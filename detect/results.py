"""Findings and cases as the tables that are published."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set

import pyarrow as pa

from detect.cases import Case, Found
from ingest.rows import table_of
from ingest.tables import CASES, COULD_FIRE, FAILED, FINDINGS


def findings_table(found: Iterable[Found], case_of: Mapping[str, str], beyond: Set[str] = frozenset()) -> pa.Table:
    """A row a finding, the heaviest first; `beyond` are those that their case only counts."""
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
            "impact": f.impact,
            "techniques": list(f.detector.techniques),
            "happened_at": f.step.at_ns,
            "is_beyond": f.finding_id in beyond,
        }
        for f in sorted(found, key=lambda f: (-f.weight, f.finding_id))
    ]
    return table_of(rows, FINDINGS)


def cases_table(cases: Sequence[Case], held: Set[str] = frozenset()) -> pa.Table:
    """A row a case, the heaviest first; those `held` stay under the bar of the budget."""
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
                "findings": case.findings,
                "first_at": min(times, default=None),
                "last_at": max(times, default=None),
                "is_raised": case.case_id not in held,
            }
        )
    return table_of(rows, CASES)


def could_fire_table(judged: Counter[tuple[str, str, str]]) -> pa.Table:
    """A row a detector and agent: how many steps it could judge, and what the others lacked."""
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
    return table_of(rows, COULD_FIRE)


def failed_table(failed: Mapping[str, str]) -> pa.Table:
    """A row a detector that broke: its name and why."""
    rows = [{"plugin": name, "reason": reason} for name, reason in sorted(failed.items())]
    return table_of(rows, FAILED)
