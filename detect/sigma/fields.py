"""The field taxonomy of `product: ai_agent`: what a Sigma rule may name, as SQL over the table `steps`.

A rule names the columns of `events` (`tool`, `target`, `principal`, ...) and `capability`; OpenTelemetry's names for
them are accepted too. `arguments.a.b` and `result.a.b` reach into the payload, `arguments.a[*].b` into every element
of an array: the rule then holds where it holds for one of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from ingest.event import SCHEMA

TEXT: Final = (
    "event_id", "session_id", "agent_id", "agent_version", "parent_event_id", "trace_id", "kind", "operation", "tool",
    "capability", "arguments", "result", "status", "error", "model", "principal", "credential_id", "on_behalf_of",
    "source_host", "target", "approver", "approval", "gap", "source", "witness", "disagreement",
)  # fmt: skip
NUMBERS: Final = ("sequence", "depth", "input_tokens", "output_tokens", "witnesses")
SEARCHED: Final = ("tool", "operation", "arguments", "result", "error", "target", "principal")
"""Where a keyword without a field is looked for."""

ALIASES: Final = {
    "gen_ai.agent.id": "agent_id",
    "gen_ai.agent.name": "agent_id",
    "gen_ai.agent.version": "agent_version",
    "gen_ai.conversation.id": "session_id",
    "gen_ai.operation.name": "operation",
    "gen_ai.tool.name": "tool",
    "gen_ai.tool.call.arguments": "arguments",
    "gen_ai.tool.call.result": "result",
    "gen_ai.request.model": "model",
    "gen_ai.usage.input_tokens": "input_tokens",
    "gen_ai.usage.output_tokens": "output_tokens",
    "error.type": "error",
    "user.id": "on_behalf_of",
    "host.name": "source_host",
}
_PAYLOAD: Final = re.compile(r"(arguments|result)\.(.+)", re.DOTALL)
_NAME: Final = r'(?:"[^"]+"|[^.\[\]"]+)'
_INDEX: Final = r"\[(?:\d+|\*)\]"
_PART: Final = re.compile(f"{_NAME}|{_INDEX}")
_PATH: Final = re.compile(rf"{_NAME}(?:{_INDEX})*(?:\.{_NAME}(?:{_INDEX})*)*")
assert set(TEXT) - {"capability", "witness_of"} <= set(SCHEMA.names)


class UnknownField(ValueError):
    """A rule names a field that the log source does not have."""


@dataclass(frozen=True)
class Field:
    """A field as SQL; `holds` puts a predicate on it, for one of its values where it has several."""

    sql: str
    is_number: bool = False
    is_list: bool = False

    def holds(self, predicate: Callable[[str], str]) -> str:
        """SQL that is true or false, never null: false where the field is missing."""
        if self.is_list:
            inner = predicate("value")
            return f"coalesce(list_bool_or(list_transform({self.sql}, lambda value: {inner})), false)"
        return f"coalesce({predicate(self.sql)}, false)"

    @property
    def is_there(self) -> str:
        """SQL: whether the event has the field."""
        return f"coalesce(len({self.sql}) > 0, false)" if self.is_list else f"({self.sql} is not null)"


def field_of(name: str) -> Field:
    """The SQL of a rule's field. Raises `UnknownField`, naming the nearest known one."""
    plain = ALIASES.get(name, name)
    if plain in TEXT:
        return Field(f'"{plain}"')
    if plain in NUMBERS:
        return Field(f'"{plain}"', is_number=True)
    for prefix in ("gen_ai.tool.call.arguments.", "gen_ai.tool.call.result."):
        plain = plain.replace(prefix, prefix.split(".")[-2] + ".", 1) if plain.startswith(prefix) else plain
    if inside := _PAYLOAD.fullmatch(plain):
        path, several = _json_path(inside[2], name)
        return Field(f'try(json_extract_string("{inside[1]}", {quoted(path)}))', is_list=several)
    known = [*TEXT, *NUMBERS, *ALIASES, "arguments.<name>", "result.<name>"]
    near = get_close_matches(name, known, 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    raise UnknownField(f"the field {name!r} is not of product ai_agent; {hint}")


def _json_path(text: str, name: str) -> tuple[str, bool]:
    """`a.b[*].c` as DuckDB's JSON path, every name quoted; and whether it leads to several values."""
    if not _PATH.fullmatch(text):
        raise UnknownField(f'{name!r}: write a.b, a[0].b, a[*].b or "a.name with dots".b behind arguments. or result.')
    parts = _PART.findall(text)
    steps = [part if part.startswith("[") else '."' + part.strip('"') + '"' for part in parts]
    return "$" + "".join(steps), "[*]" in parts


def quoted(text: str) -> str:
    """Text as a SQL literal. NUL cannot stand in one, and no field holds it."""
    return "'" + text.replace("\x00", "").replace("'", "''") + "'"
