"""Every table of a data directory, with its columns: the one place to look a name up.

A table is a list of immutable Parquet files; which ones make it up today stands in `published.json`.
Times are UTC without a zone, in nanoseconds. Lists are ordered.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from ingest.event import SCHEMA

_TEXT, _COUNT, _TIME, _SHARE = pa.string(), pa.int64(), pa.timestamp("ns"), pa.float64()
_TEXTS = pa.list_(pa.string())
_BYTES = pa.binary()

TRACES: Final = pa.schema(
    {
        "trace_id": _TEXT,
        "session_id": _TEXT,
        "agent_id": _TEXT,
        "agent_version": _TEXT,
        "rows": _COUNT,
        "steps": _COUNT,
        "tool_calls": _COUNT,
        "errors": _COUNT,
        "input_tokens": _COUNT,
        "output_tokens": _COUNT,
        "approvals": _TEXTS,
        "joins": _TEXTS,
        "first_at": _TIME,
        "last_at": _TIME,
        "segment": _TEXT,
    }
)
"""A row: what one agent did in one trace of one session; with the states of approval that its steps have
(`approved`, `denied`, `automatic`, `pending`, `not_recorded`, `cannot_record`), the ids that it shares or may
share with other traces, and the segment of `events` that holds it."""

FILES: Final = pa.schema(
    {
        "sha256": _TEXT,
        "path": _TEXT,
        "size_bytes": _COUNT,
        "reader": _TEXT,
        "records": _COUNT,
        "events": _COUNT,
        "folded": _COUNT,
        "rejected": _COUNT,
        "duplicates": _COUNT,
    }
)
"""A row: one file's content that was read, under the path it was first seen at."""

REJECTED: Final = pa.schema({"path": _TEXT, "line": _COUNT, "reason": _TEXT, "sha256": _TEXT})
"""A row: one record that could not be read; `sha256` is its file's."""

COUNTS: Final = pa.schema(
    {
        "day": pa.date32(),
        "agent_id": _TEXT,
        "agent_version": _TEXT,
        "aspect": _TEXT,
        "context": _TEXT,
        "value": _TEXT,
        "steps": _COUNT,
        "sessions": _COUNT,
        "segment": _TEXT,
    }
)
"""A row: how often, on one day, an agent showed one value of one aspect in one context. Rows add up."""

PINNED: Final = pa.schema(
    {
        "pin": _TEXT,
        "day": pa.date32(),
        "agent_id": _TEXT,
        "agent_version": _TEXT,
        "aspect": _TEXT,
        "context": _TEXT,
        "value": _TEXT,
        "steps": _COUNT,
        "sessions": _COUNT,
    }
)
"""A row: a row of counts in a baseline that was frozen under the name `pin`."""

REVIEWED: Final = pa.schema({"session_id": _TEXT, "is_benign": pa.bool_()})
"""A row: a session of a case that a person gave a verdict on, as the last run knew it: every case of it was called
benign, or one of them was true."""

FINDINGS: Final = pa.schema(
    {
        "finding_id": _TEXT,
        "case_id": _TEXT,
        "detector": _TEXT,
        "title": _TEXT,
        "session_id": _TEXT,
        "agent_id": _TEXT,
        "event_id": _TEXT,
        "event_ids": _TEXTS,
        "observed": _TEXT,
        "expected": _TEXT,
        "anomaly": _SHARE,
        "impact": _SHARE,
        "techniques": _TEXTS,
        "happened_at": _TIME,
        "is_beyond": pa.bool_(),
    }
)
"""A row: what one detector says of one step; `event_ids` prove it in the order of the path. `is_beyond`: its case has
so many findings that this one is only counted, and no alert tells of it."""

CASES: Final = pa.schema(
    {
        "case_id": _TEXT,
        "title": _TEXT,
        "why": _TEXT,
        "severity": _TEXT,
        "anomaly": _SHARE,
        "impact": _SHARE,
        "agents": _TEXTS,
        "sessions": _TEXTS,
        "detectors": _TEXTS,
        "techniques": _TEXTS,
        "session_id": _TEXT,
        "event_id": _TEXT,
        "path": _TEXTS,
        "findings": _COUNT,
        "first_at": _TIME,
        "last_at": _TIME,
        "is_raised": pa.bool_(),
    }
)
"""A row: the findings of one causal root. `event_id` is the step to look at first, `path` the event ids
of the steps that prove the case, in their causal order; `is_raised` is false where it stays under the bar that
the budget of cases a day sets (null in a store from before there was one: all are raised)."""

SESSION_SCORES: Final = pa.schema(
    {
        "session_id": _TEXT,
        "agent_id": _TEXT,
        "day": pa.date32(),
        "p": _SHARE,
        "voices": _TEXTS,
        "event_id": _TEXT,
        "reasons": _TEXTS,
        "nearest": _TEXT,
        "history": _COUNT,
        "why": _TEXT,
        "rests_on": _TEXT,
    }
)
"""A row: what one agent did in one session, against that agent's earlier weeks. `p` is how likely one so odd is among
them (null where nothing can be said, and `why` says why), `voices` each voice's own, `event_id` the step that weighs
most, `nearest` the benign session whose request is most like this one's (told with the reasons, of a low `p` alone),
`history` how many sessions it rests on, `rests_on` a digest of the session and of all that was learnt from."""

UNMATCHED: Final = pa.schema(
    {"tool": _TEXT, "agent_id": _TEXT, "steps": _COUNT, "classed_as": _TEXT, "shown_by": _TEXT}
)
"""A row: a tool whose name says nothing, an agent that used it how often, and the class that its calls showed, how."""

COULD_FIRE: Final = pa.schema(
    {"detector": _TEXT, "agent_id": _TEXT, "steps": _COUNT, "could_judge": _COUNT, "missing": _TEXT}
)
"""A row: of an agent's privileged steps, how many a detector could judge, and what the others lacked."""

JUDGED: Final = pa.schema({"day": pa.date32(), "version": _TEXT, "flagged": _TEXTS, "found": _BYTES, "judged": _BYTES})
"""A row: a day that was judged, by which code, table and settings, and what came of it (`detect/continuing.py`)."""

MEMORIES: Final = pa.schema({"day": pa.date32(), "memory": _BYTES, "learnt": _BYTES})
"""A row: what the causal pass remembered when a day was over, and of late days how the history stood then."""

SEEN_SEGMENTS: Final = pa.schema({"segment": _TEXT, "day": pa.date32(), "digest": _TEXT})
"""A row: what a segment held, when last judged, of the traces that began on one day."""

FAILED: Final = pa.schema({"plugin": _TEXT, "reason": _TEXT})
"""A row: a plug-in that broke in the last run."""

TABLES: Final[dict[str, pa.Schema]] = {
    "events": SCHEMA,
    "traces": TRACES,
    "files": FILES,
    "rejected": REJECTED,
    "counts": COUNTS,
    "pinned": PINNED,
    "reviewed": REVIEWED,
    "findings": FINDINGS,
    "cases": CASES,
    "session_scores": SESSION_SCORES,
    "unmatched": UNMATCHED,
    "could_fire": COULD_FIRE,
    "failed": FAILED,
    "judged": JUDGED,
    "memories": MEMORIES,
    "seen_segments": SEEN_SEGMENTS,
}
