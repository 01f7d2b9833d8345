"""The event: one row is one step of one agent.

A reader yields `Observation`s: what one record of a log says about one step. The store settles
observations into events (see `ingest/settle.py`), which have the same fields and a few more.
The names here are the names in Parquet, in SQL and on every chart.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final, Literal

import msgspec
import pyarrow as pa

Kind = Literal["model_call", "tool_call", "approval", "message", "handoff", "lifecycle"]
Status = Literal["ok", "error", "denied", "pending", "unknown"]
Approval = Literal["approved", "denied", "automatic", "pending", "not_recorded", "cannot_record"]
Witness = Literal["span", "log", "history", "message", "infrastructure"]

KINDS: Final[tuple[Kind, ...]] = ("lifecycle", "message", "model_call", "handoff", "approval", "tool_call")
"""In the order that breaks a tie: what opens a step stands before what it causes."""


class Observation(msgspec.Struct, kw_only=True, gc=False):
    """What one record (or several that the reader already joined) says about one step.

    Times are nanoseconds since 1970 UTC. Payloads (`arguments`, `result`) are JSON text. What the
    source does not say stays None; nothing is guessed.
    """

    event_id: str
    """From the source's own ids (`identify`); every record that tells of this step has the same."""
    trace_id: str
    """The group of records inside which parent links hold: an OTLP trace, a workflow run, a conversation."""
    kind: Kind
    operation: str
    """The source's own word for the step: `execute_tool`, `ActivityTaskScheduled`, `assistant`."""
    session_id: str | None = None
    agent_id: str | None = None
    agent_version: str | None = None
    service: str | None = None
    """The program that wrote the record; names the agent where nothing better does."""
    parent_event_id: str | None = None
    sequence: int | None = None
    """The source's own gapless order within the trace; beats every clock."""
    started_at: int | None = None
    ended_at: int | None = None
    tool: str | None = None
    arguments: str | None = None
    result: str | None = None
    status: Status = "unknown"
    error: str | None = None
    model: str | None = None
    principal: str | None = None
    credential_id: str | None = None
    on_behalf_of: str | None = None
    source_host: str | None = None
    target: str | None = None
    approver: str | None = None
    approval: Approval | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    gap: str | None = None
    """What the source itself left out here, in words: `result truncated at 100 kB`, `arguments encrypted`,
    `2 events missing before this one`."""
    joins: str | None = None
    """Ids under which other traces and exports tell of the same step, or (an approval) of the call that is decided:
    `call:toolu_01A…`, several apart by a space; see `ingest/joins.py`."""
    source: str = ""
    """`file:line` of the record that opened the step."""
    source_sha256: str = ""
    """Of the raw record: the line in a file of lines, the element in a JSON document."""
    witness: Witness = "span"
    """What sort of record told of it; `infrastructure` supports the agent's step above it."""
    records: int = 1
    """How many of the file's records this observation accounts for; 0 for a further step that a record told
    of beside its own (an approval inside a call), which is then counted as a record too."""


class Rejected(msgspec.Struct, frozen=True):
    """A record that could not be read: where it stands, why, and what to do about it."""

    line: int
    reason: str


def identify(*parts: str | int | None) -> str:
    """A stable 128-bit id in hex of the source's own ids; None and "" are told apart."""
    text = "\x1f".join(["\x00" if p is None else str(p) for p in parts])
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


OBSERVED: Final[tuple[str, ...]] = tuple(f for f in Observation.__struct_fields__ if f != "records")
"""The fields that a reader fills."""

_TIMES = {"started_at", "ended_at", "ordered_at"}
_COUNTS = {"sequence": pa.int64(), "input_tokens": pa.int64(), "output_tokens": pa.int64()}
_SETTLED: Final[dict[str, pa.DataType]] = {
    "ordered_at": pa.timestamp("ns"),
    "depth": pa.int32(),
    "kind_rank": pa.int8(),
    "witness_of": pa.string(),
    "witnesses": pa.int32(),
    "disagreement": pa.string(),
    "own": pa.string(),
    "content_key": pa.string(),
}


def _column_type(name: str) -> pa.DataType:
    if name in _TIMES:
        return pa.timestamp("ns")
    return _COUNTS.get(name, pa.string())


SCHEMA: Final[pa.Schema] = pa.schema(
    [(name, _column_type(name)) for name in OBSERVED] + list(_SETTLED.items()),
)
"""The Parquet file's columns. Times are UTC without a zone, so that nanoseconds survive in DuckDB.

Settled columns: `ordered_at` (the trace's own clock made monotonic: never before the parent nor before
an earlier sequence number), `depth` below the trace's root, `kind_rank`; `witness_of` (this row only
supports that event), `witnesses` (how many records told of the event), `disagreement` (in which fields
they differ), `own` (JSON: the record's own values where settling changed them), `content_key`.
"""


class Row(Observation, kw_only=True, gc=False):
    """An observation after settling: the columns of the store."""

    ordered_at: int | None = None
    depth: int = 0
    kind_rank: int = 0
    witness_of: str | None = None
    witnesses: int = 1
    disagreement: str | None = None
    own: str | None = None
    content_key: str = ""
