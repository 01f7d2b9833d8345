"""What Sigma rules say as findings, so that they join the cases of the detectors and are weighed beside them.

A rule has no baseline: its author's level stands for evidence and impact. High and critical ones are movements by their
author's word, medium ones make a case by themselves, the rest only support one. A rule that spoke of the same agent
and tool on earlier days speaks with half the evidence, a third, and so on, as a detector does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

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


def found_by_rules(connection: duckdb.DuckDBPyConnection, rules: Sequence[Rule]) -> list[Found]:
    """A finding for every step at which a rule speaks; the connection must have the table `classed`.

    Steps that no detector sees (model calls) are none: a rule on them is told by `custodiet backtest` alone.
    """
    if not rules:
        return []
    with_capability(connection)
    return [found for rule in rules for found in _of(connection, rule)]


def _of(connection: duckdb.DuckDBPyConnection, rule: Rule) -> list[Found]:
    weight = _WEIGHTS[rule.level]
    told = Detector(
        f"sigma: {rule.title}", rule.description or rule.title, lambda step, facts, history: None,
        needs=(), techniques=rule.techniques, shows=weight.shows,
    )  # fmt: skip
    rows = matches(connection, rule).to_dicts()
    steps = steps_of(connection, sorted({event for row in rows for event in (row["event_id"], *row["evidence"])}))
    days: Counter[tuple[str, str | None]] = Counter()
    on: dict[tuple[str, str | None], date | None] = {}
    found: list[Found] = []
    for row in rows:
        step = steps.get(row["event_id"])
        if step is None:
            continue
        key = (step.agent_id, step.tool)
        if on.setdefault(key, step.day) != step.day:
            on[key] = step.day
            days[key] += 1
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
        found.append(Found(told, step, finding, evidence=weight.evidence / (1 + days[key])))
    return found
