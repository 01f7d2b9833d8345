"""Events -> a session as scoring sees it: what was asked, and each call with its values and its answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from baseline.capability import Capabilities
from baseline.scoring.words import tokens, told
from ingest.event import Observation
from ingest.payloads import value_of

LONGEST_TEXT: Final = 40_000
"""Characters of one result or value that are looked at: a log that repeats itself must not cost without end."""
MOST_VALUES: Final = 200
_ASKING: Final = frozenset(("user", "human", "request", "user_message", "input"))


@dataclass(frozen=True)
class Value:
    """One leaf of a call's arguments; `name` is its path without list positions."""

    name: str
    text: str

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        return tuple(tokens(self.text))


@dataclass(frozen=True)
class Step:
    """One tool call."""

    event_id: str
    tool: str
    changes: bool
    """Whether the call has a side effect: anything but a read, and what nobody can class."""
    values: tuple[Value, ...]
    result: str
    ok: bool

    @cached_property
    def result_tokens(self) -> tuple[str, ...]:
        return tuple(tokens(self.result))


@dataclass(frozen=True)
class Session:
    """What one agent was asked in a session, and what it did."""

    session_id: str
    agent_id: str
    requests: tuple[str, ...]
    steps: tuple[Step, ...]

    @cached_property
    def asked(self) -> frozenset[str]:
        """The stems of the request."""
        return frozenset().union(*(told(r) for r in self.requests))

    @cached_property
    def asked_tokens(self) -> frozenset[str]:
        return frozenset(t for r in self.requests for t in tokens(r))

    @cached_property
    def group(self) -> str:
        """Sessions that were asked the same are one task: they are fitted, and held out, together."""
        return self.agent_id + "|" + " ".join(sorted(self.asked))


@lru_cache(maxsize=1)
def _capabilities() -> Capabilities:
    return Capabilities.load()


@lru_cache(maxsize=1 << 14)
def changes(tool: str) -> bool:
    """Whether a tool of this name has a side effect."""
    return _capabilities().classify(tool).capability != "read"


def leaves(value: object, name: str = "") -> Iterator[Value]:
    """The texts, numbers and switches inside arguments, in their order."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, name)
    elif value is not None:
        yield Value(name, str(value)[:LONGEST_TEXT])


def _text_of(payload: str | None) -> str:
    value = value_of(payload)
    if isinstance(value, str):
        return value[:LONGEST_TEXT]
    return (payload or "")[:LONGEST_TEXT].replace("\\n", " ")


def session_of(session_id: str, agent_id: str, events: Iterable[Observation]) -> Session:
    """The session of these events, which come in their order. A request that is repeated counts once."""
    requests: dict[str, None] = {}
    steps: list[Step] = []
    for event in events:
        if event.kind == "message" and event.operation in _ASKING:
            requests[_text_of(event.arguments)] = None
        elif event.kind in ("tool_call", "handoff") and event.tool:
            arguments = tuple(leaves(value_of(event.arguments)))[:MOST_VALUES]
            is_ok = event.status not in ("error", "denied") and not event.error
            result = _text_of(event.result)
            steps.append(Step(event.event_id, event.tool, changes(event.tool), arguments, result, is_ok))
    return Session(session_id, agent_id, tuple(requests), tuple(steps))
