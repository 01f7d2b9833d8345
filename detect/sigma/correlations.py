"""A correlation over rules -> SQL that yields the steps at which it comes true, with the steps that made it so.

Source: Sigma correlation rules specification 2.1.0 (2025-08-02). The window is a span of time that ends at the step;
`temporal_ordered` carries the latest start of the chain forward, so that order and span both hold. Steps without a
time take no part. Once true, a correlation is told again for the same group only after a time span without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sigma.correlations import SigmaCorrelationCondition, SigmaCorrelationRule, SigmaCorrelationType

from detect.sigma.conditions import Unsupported
from detect.sigma.fields import field_of

_OPERATORS: Final = {"LT": "<", "LTE": "<=", "GT": ">", "GTE": ">=", "EQ": "=", "NEQ": "<>"}
_ORDER: Final = "ordered_at, trace_id, sequence nulls first, depth, kind_rank, event_id"


def correlation_sql(rule: SigmaCorrelationRule, conditions: Mapping[str, str]) -> str:
    """SQL over `steps` with the columns event_id, evidence (event ids in order).

    `conditions` holds the SQL of each referenced rule by the name that the correlation calls it.
    """
    names = [reference.reference for reference in rule.rules or []]
    if not names:
        raise Unsupported("a correlation with a condition over rule names is not supported; list them under `rules`")
    matched = "\nunion all\n".join(
        _matched(rule, number, name, conditions[name]) for number, name in enumerate(names, 1)
    )
    span = f"interval '{rule.timespan.seconds} seconds'"
    groups = ", ".join(f"g{n}" for n in range(len(rule.group_by or [])))
    partition = f"partition by {groups} " if groups else ""
    match rule.type:
        case SigmaCorrelationType.EVENT_COUNT:
            true_at = _counted(rule, "count(distinct event_id)", partition, span)
        case SigmaCorrelationType.VALUE_COUNT:
            true_at = _counted(rule, "count(distinct counted)", partition, span)
        case SigmaCorrelationType.TEMPORAL:
            true_at = _together(len(names), partition, span)
        case SigmaCorrelationType.TEMPORAL_ORDERED:
            true_at = _in_order(len(names), partition, span)
        case other:
            raise Unsupported(
                f"the correlation type {other.name.lower()} is not supported; "
                "known are event_count, value_count, temporal and temporal_ordered"
            )
    return f"""
with matched as (
{matched}
),
true_at as (
{true_at}
),
told as (
    select *
    from true_at
    qualify lag(ordered_at) over ({partition}order by {_ORDER}) is null
        or ordered_at - lag(ordered_at) over ({partition}order by {_ORDER}) > {span}
)
select event_id, evidence
from told
"""


def _matched(rule: SigmaCorrelationRule, number: int, name: str, condition: str) -> str:
    """The steps that one rule matches, with what they are grouped by under that rule's own names."""
    groups = [field_of(_aliased(rule, name, group)).sql for group in rule.group_by or []]
    columns = [f"{sql}::varchar as g{n}" for n, sql in enumerate(groups)]
    counted = "null::varchar"
    if rule.type is SigmaCorrelationType.VALUE_COUNT:
        counted = f"{field_of(_aliased(rule, name, _counted_field(rule))).sql}::varchar"
    there = " and ".join(["ordered_at is not null", *(f"{sql} is not null" for sql in groups)])
    return (
        f"select {number} as rule, event_id, {', '.join([*columns, f'{counted} as counted'])}, "
        f"ordered_at, trace_id, sequence, depth, kind_rank from steps where {condition} and {there}"
    )


def _aliased(rule: SigmaCorrelationRule, name: str, field: str) -> str:
    for alias in rule.aliases:
        if alias.alias == field:
            for reference, own in alias.mapping.items():
                if reference.reference == name:
                    return own
            raise Unsupported(f"the alias {field!r} says nothing of the rule {name!r}")
    return field


def _condition(rule: SigmaCorrelationRule) -> SigmaCorrelationCondition:
    if not isinstance(rule.condition, SigmaCorrelationCondition):
        raise Unsupported("an extended correlation condition is not supported; list the rules under `rules`")
    return rule.condition


def _counted_field(rule: SigmaCorrelationRule) -> str:
    field = _condition(rule).fieldref
    if not isinstance(field, str):
        raise Unsupported("value_count counts the values of one field; name one under condition.field")
    return field


def _counted(rule: SigmaCorrelationRule, aggregate: str, partition: str, span: str) -> str:
    condition = _condition(rule)
    frame = f"({partition}order by ordered_at range between {span} preceding and current row)"
    return (
        f"select *, {_evidence(frame)} as evidence from matched "
        f"qualify {aggregate} over {frame} {_OPERATORS[condition.op.name]} {condition.count}"
    )


def _together(rules: int, partition: str, span: str) -> str:
    frame = f"({partition}order by ordered_at range between {span} preceding and current row)"
    every = " and ".join(f"max((rule = {n})::int) over {frame} = 1" for n in range(1, rules + 1))
    return f"select *, {_evidence(frame)} as evidence from matched qualify {every}"


def _evidence(frame: str) -> str:
    """The events of a window in one order, each once."""
    told = f"list_sort(list_distinct(array_agg({{happened: ordered_at, step: event_id}}) over {frame}))"
    return f"list_transform({told}, lambda one: one.step)"


def _in_order(rules: int, partition: str, span: str) -> str:
    """Each step of rule n takes over the latest start of a chain that has reached rule n - 1 before it."""
    before = f"({partition}order by {_ORDER} groups between unbounded preceding and 1 preceding)"
    chain = "select *, case when rule = 1 then {ordered_at: ordered_at, ids: [event_id]} end as c1 from matched"
    for n in range(2, rules + 1):
        latest = f"arg_max(c{n - 1}.ids, c{n - 1}) over {before}"
        start = f"max(c{n - 1}.ordered_at) over {before}"
        chain = (
            f"select *, case when rule = {n} and {start} is not null "
            f"then {{ordered_at: {start}, ids: list_append({latest}, event_id)}} end as c{n} from ({chain})"
        )
    return (
        f"select * exclude ({', '.join(f'c{n}' for n in range(1, rules + 1))}), c{rules}.ids as evidence "
        f"from ({chain}) where c{rules} is not null and ordered_at - c{rules}.ordered_at <= {span}"
    )
