"""Events -> a session as scoring sees it: what was asked, and each call with its values and its answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

from baseline.capability import Capabilities
from baseline.scoring.words import LONGEST_REMEMBERED, is_identifier, tokens, told
from ingest.payloads import value_of

if TYPE_CHECKING:
    import polars as pl

    from ingest.event import Observation

LONGEST_TEXT: Final = 40_000
"""Characters of one result or value that are looked at: a log that repeats itself must not cost without end."""
MOST_VALUES: Final = 200
_ASKING: Final = frozenset(("user", "human", "request", "user_message", "input"))


PROSE_WORDS: Final = 8
MOST_WORDS: Final = 80
"""Of one value: where a long text came from, its first words show."""


@dataclass(frozen=True)
class Read:
    """A value's first words, each once, and its kind: `identifier`, `name` (a few words) or `prose`."""

    words: frozenset[str]
    kind: str


def _read(text: str) -> Read:
    words = tokens(text)
    kind = "identifier" if is_identifier(text) else "name" if len(words) <= PROSE_WORDS else "prose"
    return Read(frozenset(words[:MOST_WORDS]), kind)


_read_again = lru_cache(maxsize=1 << 15)(_read)


@dataclass(frozen=True)
class Value:
    """One leaf of a call's arguments; `name` is its path without list positions."""

    name: str
    text: str

    @property
    def tokens(self) -> tuple[str, ...]:
        return tuple(tokens(self.text))

    @property
    def read(self) -> Read:
        return _read_again(self.text) if len(self.text) <= LONGEST_REMEMBERED else _read(self.text)


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

    @property
    def result_tokens(self) -> tuple[str, ...]:
        return tuple(tokens(self.result))


@dataclass(frozen=True)
class Asked:
    """A request, read once."""

    stems: frozenset[str]
    """The stems that say what it is about."""
    words: frozenset[str]


@lru_cache(maxsize=1 << 12)
def asked_of(requests: tuple[str, ...]) -> Asked:
    return Asked(frozenset().union(*(told(r) for r in requests)), frozenset(t for r in requests for t in tokens(r)))


@dataclass(frozen=True)
class Session:
    """What one agent was asked in a session, and what it did."""

    session_id: str
    agent_id: str
    requests: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def asked(self) -> frozenset[str]:
        """The stems of the request."""
        return asked_of(self.requests).stems

    @property
    def asked_tokens(self) -> frozenset[str]:
        return asked_of(self.requests).words

    @cached_property
    def asked_key(self) -> str:
        """The same for sessions of one agent whose requests say the same."""
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


@dataclass(frozen=True, slots=True)
class Event:
    """What scoring reads of a row of the store."""

    event_id: str
    kind: str
    operation: str
    tool: str | None
    arguments: str | None
    result: str | None
    status: str
    error: str | None


def session_of(session_id: str, agent_id: str, events: Iterable[Observation | Event]) -> Session:
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


COLUMNS: Final = tuple(Event.__dataclass_fields__)
ORDER: Final = ("ordered_at", "trace_id", "sequence", "depth", "kind_rank", "event_id")
"""The total order of the store's events; nulls come first."""


def sessions_of(events: pl.DataFrame) -> list[Session]:
    """The sessions of the store's events, in the order of agent and session; events without either are left out.

    `events` has `session_id`, `agent_id`, `COLUMNS`, and what it has of `ORDER`.
    """
    present = [c for c in ORDER if c in events.columns]
    known = events.drop_nulls(("agent_id", "session_id")).sort("agent_id", "session_id", *present, nulls_last=False)
    found: dict[tuple[str, str], list[Event]] = {}
    for agent, session, *rest in known.select("agent_id", "session_id", *COLUMNS).iter_rows():
        found.setdefault((agent, session), []).append(Event(*rest))
    return [session_of(session, agent, rows) for (agent, session), rows in found.items()]
