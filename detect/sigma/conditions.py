"""A rule's parsed condition -> one SQL expression that is true or false for every step, never null.

Source: Sigma rules specification 2.1.0 (2025-08-02) and its modifiers appendix.
"""

from __future__ import annotations

from functools import reduce
from ipaddress import IPv4Network
from typing import Final

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.types import (
    CompareOperators,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SpecialChars,
)

from detect.sigma.fields import SEARCHED, Field, field_of, quoted

_OPERATORS: Final = {
    CompareOperators.LT: "<",
    CompareOperators.LTE: "<=",
    CompareOperators.GT: ">",
    CompareOperators.GTE: ">=",
    CompareOperators.NEQ: "<>",
}
_FLAGS: Final = {"IGNORECASE": "i", "MULTILINE": "m", "DOTALL": "s"}


class Unsupported(ValueError):
    """A rule asks for what cannot be said of an agent's steps."""


def condition_sql(node: object) -> str:
    """The SQL of a parsed condition. Raises `Unsupported` or `UnknownField` with the reason in words."""
    match node:
        case ConditionAND():
            return "(" + " and ".join(map(condition_sql, node.args)) + ")"
        case ConditionOR():
            return "(" + " or ".join(map(condition_sql, node.args)) + ")"
        case ConditionNOT():
            return f"(not {condition_sql(node.args[0])})"
        case ConditionFieldEqualsValueExpression():
            return _holds(field_of(node.field), node.value)
        case ConditionValueExpression():
            return "(" + " or ".join(_holds(field_of(name), _anywhere(node.value)) for name in SEARCHED) + ")"
    raise Unsupported(f"a condition of the kind {type(node).__name__} is not supported")


def _anywhere(value: object) -> object:
    """A keyword is looked for inside a field; a regular expression, and a text with wildcards, says itself where."""
    if isinstance(value, SigmaNumber):
        value = SigmaString(str(value))
    if isinstance(value, SigmaString) and not value.contains_special():
        inside = type(value)("**")
        inside.s = [SpecialChars.WILDCARD_MULTI, *value.s, SpecialChars.WILDCARD_MULTI]
        return inside
    return value


def _holds(field: Field, value: object) -> str:
    match value:
        case SigmaExpansion():
            return "(" + " or ".join(_holds(field, one) for one in value.values) + ")"
        case SigmaNull():
            return f"(not {field.is_there})"
        case SigmaExists():
            return field.is_there if value.exists else f"(not {field.is_there})"
        case SigmaString():
            return _text(field, value)
        case SigmaNumber():
            return _number(field, "=", value)
        case SigmaBool():
            wanted = "true" if value.boolean else "false"
            return field.holds(lambda sql: f"lower({sql}::varchar) = '{wanted}'")
        case SigmaCompareExpression():
            return _number(field, _OPERATORS[value.op], value.number)
        case SigmaRegularExpression():
            return _regular(field, value)
        case SigmaCIDRExpression():
            return _in_network(field, value)
        case SigmaFieldReference():
            return _same(field, value)
    raise Unsupported(f"a value of the kind {type(value).__name__} is not supported")


def _text(field: Field, value: SigmaString) -> str:
    operator = "like" if isinstance(value, SigmaCasedString) else "ilike"
    pattern = "".join(
        {SpecialChars.WILDCARD_MULTI: "%", SpecialChars.WILDCARD_SINGLE: "_"}[part]
        if isinstance(part, SpecialChars)
        else _plain(part)
        for part in value.s
    )
    return field.holds(lambda sql: f"{sql}::varchar {operator} {quoted(pattern)} escape '!'")


def _plain(part: object) -> str:
    if not isinstance(part, str):
        raise Unsupported(f"the placeholder {part} stands for nothing here; write the value")
    return part.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _number(field: Field, operator: str, number: SigmaNumber) -> str:
    if field.is_number:
        return field.holds(lambda sql: f"{sql} {operator} {number.number}")
    return field.holds(lambda sql: f"try_cast({sql} as double) {operator} {number.number}")


def _regular(field: Field, value: SigmaRegularExpression) -> str:
    """RE2 in pySigma's check and in DuckDB alike: what the one accepts, the other runs."""
    flags = "".join(sorted(_FLAGS[flag.name] for flag in value.flags))
    flagged = f"(?{flags})" if flags else ""
    return field.holds(lambda sql: f"regexp_matches({sql}::varchar, {quoted(flagged + value.regexp.to_plain())})")


def _in_network(field: Field, value: SigmaCIDRExpression) -> str:
    if not isinstance(value.network, IPv4Network):
        likes = [_plain(pattern.rstrip("*")) + ("%" if pattern.endswith("*") else "") for pattern in value.expand()]
        return field.holds(lambda sql: "(" + " or ".join(f"{sql} ilike {quoted(p)} escape '!'" for p in likes) + ")")
    first, last = int(value.network.network_address), int(value.network.broadcast_address)

    def inside(sql: str) -> str:
        octets = [f"try_cast(split_part({sql}, '.', {n}) as utinyint)::ubigint" for n in range(1, 5)]
        address = reduce(lambda high, low: f"({high} * 256 + {low})", octets)
        dots = r"'\d{1,3}(\.\d{1,3}){3}'"
        return f"case when regexp_full_match({sql}, {dots}) then {address} between {first} and {last} else false end"

    return field.holds(inside)


def _same(field: Field, value: SigmaFieldReference) -> str:
    other = field_of(value.field)
    if other.is_list:
        raise Unsupported(f"{value.field} has several values; compare with a field that has one")
    function = "starts_with" if value.starts_with else "ends_with" if value.ends_with else ""
    lowered = f"lower({other.sql}::varchar)"
    if function:
        return field.holds(lambda sql: f"{function}(lower({sql}::varchar), {lowered})")
    return field.holds(lambda sql: f"lower({sql}::varchar) = {lowered}")
