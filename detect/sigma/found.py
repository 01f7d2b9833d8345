"""What Sigma rules say as findings, so that they join the cases of the detectors and are weighed beside them.

A rule has no baseline: its author's level stands for evidence and impact. High and critical ones are movements by their
author's word, medium ones make a case by themselves, the rest only support one. A rule that spoke of the same agent
and tool on earlier days speaks with half the evidence, a third, and so on, as a detector does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, Final, NamedTuple

import duckdb

from detect.cases import Found
from detect.detectors import Detector, Finding, Shows
from detect.sigma.matches import matches, with_capability
from detect.sigma.rules import Rule
from detect.step import steps_of


class _Weight(NamedTuple):
    evidence: float
    """In powers of ten."""
    impact: float
    shows: Shows


_WEIGHTS: Final = {
    "informational": _Weight(0.5, 0.2, "support"),
    "low": _Weight(1.0, 0.4, "support"),
    "medium": _Weight(2.0, 0.65, "novelty"),
    "high": _Weight(4.0, 0.75, "movement"),
    "critical": _Weight(6.0, 0.9, "movement"),
}
"""So that a case of one rule alone has the rule's own level as its severity."""
_SUREST: Final = 0.999


Spoken = defaultdict[tuple[str, str, str | None], set[date | None]]
"""(what the rule is called as a detector, agent, tool) -> the days on which it spoke."""


def found_by_rules(
    connection: duckdb.DuckDBPyConnection,
    rules: Sequence[Rule],
    *,
    since: datetime | None = None,
    spoken: Spoken | None = None,
) -> list[Found]:
    """A finding for every step (since then) at which a rule speaks; the connection must have the table `classed`.

    `spoken` says when the rules spoke before, and is told of when they speak now. Steps that no detector sees (model
    calls) are none: a rule on them is told by `custodiet backtest` alone.
    """
    if not rules:
        return []
    before: Spoken = defaultdict(set) if spoken is None else spoken
    found: list[Found] = []
    for span_s, of_span in groupby(sorted(rules, key=_span), key=_span):
        # Twice the span: what was true a span ago is not told again.
        with_capability(connection, None if since is None else since - timedelta(seconds=2 * span_s))
        found += [f for rule in of_span for f in _of(connection, rule, since, before)]
    return sorted(found, key=lambda f: (f.detector.name, f.step.at_ns or 0, f.step.event_id))


def _span(rule: Rule) -> int:
    return rule.span_s or 0


def _of(connection: duckdb.DuckDBPyConnection, rule: Rule, since: datetime | None, spoken: Spoken) -> Iterator[Found]:
    weight = _WEIGHTS[rule.level]
    told = Detector(
        f"sigma: {rule.title}", rule.description or rule.title, lambda step, facts, history: None,
        needs=(), techniques=rule.techniques, shows=weight.shows,
    )  # fmt: skip
    rows = [row for row in matches(connection, rule).to_dicts() if since is None or _is_since(row, since)]
    if not rows:
        return
    steps = steps_of(connection, sorted({event for row in rows for event in (row["event_id"], *row["evidence"])}))
    for row in rows:
        step = steps.get(row["event_id"])
        if step is None:
            continue
        days = spoken[told.name, step.agent_id, step.tool]
        earlier = sum(step.day is not None and (day is None or day < step.day) for day in days)
        days.add(step.day)
        what = f"{step.tool or step.kind} on {step.target}" if step.target else step.tool or step.kind
        path = tuple(steps[event] for event in row["evidence"] if event in steps)
        finding = Finding(
            title=rule.title,
            observed=f"{what} is what the rule describes",
            expected="; ".join(rule.false_positives) or "nothing of the kind",
            anomaly=min(_SUREST, 1 - 10**-weight.evidence),
            path=path or (step,),
            impact=weight.impact,
        )
        yield Found(told, step, finding, evidence=weight.evidence / (1 + earlier))


def _is_since(row: Mapping[str, Any], since: datetime) -> bool:
    return row["happened_at"] is not None and row["happened_at"] >= since
