"""A store of any size, written in bulk: routine sessions, a flagged one of 5,000 steps and one of 100,000.

The rows are seeded and lie on disk as the store's own writer lays them (`Edition.write`); only settling is left
out, for these rows are born settled. Counts come from the baseline's own `fold`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from baseline.capability import Capabilities
from baseline.fold import fold
from ingest.database import write_for_people
from ingest.event import KINDS, SCHEMA
from ingest.published import Edition, editing
from ingest.tables import CASES, FILES, FINDINGS, TRACES

SEGMENT: Final = 100_000
STEPS_A_SESSION: Final = 50
DAYS: Final = 28
FIRST_DAY_NS: Final = 1_790_000_000_000_000_000
DAY_NS: Final = 86_400_000_000_000
AGENTS: Final = [f"agent-{n:02d}" for n in range(40)]
TOOLS: Final = [
    *(f"{system}.{verb}" for system in ("siem", "edr", "jira", "wiki", "crm", "mail", "ticket", "asset")
      for verb in ("search", "get", "list", "comment", "update")),
    "secrets.read", "iam.assume_role", "iam.attach_role_policy", "ec2.authorize_security_group_ingress", "ssh.exec",
    "iam.create_access_key", "kms.decrypt", "edr.isolate_host", "http.post", "s3.delete_object",
]  # fmt: skip
FLAGGED_5K: Final = "sess-flagged-0005k"
FLAGGED_100K: Final = "sess-flagged-0100k"
PAYLOAD: Final = "x0 " * 400_000
"""1.2 million characters: what one result in a thousand of the flagged sessions holds."""

_KIND_RANK: Final = {kind: rank for rank, kind in enumerate(KINDS)}


def build(data: Path, events: int, seed: int = 7) -> None:
    """Write and publish the store, unless it is there already."""
    if (data / "custodiet.duckdb").exists():
        return
    rng = np.random.default_rng(seed)
    with editing(data) as edition:
        routine = (events - 105_000) // SEGMENT
        flagged: dict[str, list[str]] = {}
        for number in range(routine):
            _segment(edition, _routine(rng, number))
        for session, steps in ((FLAGGED_5K, 5_000), (FLAGGED_100K, 100_000)):
            columns = _flagged(rng, session, steps)
            flagged[session] = [
                event for _, event in sorted(zip(columns["sequence"], columns["event_id"], strict=True))
            ]
            _segment(edition, columns)
        edition.replace("findings", *_findings(flagged))
        edition.replace("cases", _cases(flagged))
        edition.replace("files", pa.Table.from_pylist([
            {"sha256": f"{n:064x}", "path": f"logs/{n:04d}.jsonl", "size_bytes": 90_000_000, "reader": "otlp",
             "records": SEGMENT, "events": SEGMENT, "folded": 0, "rejected": 0, "duplicates": 0} for n in range(routine)
        ], schema=FILES))  # fmt: skip
        edition.publish()
    fold(data, Capabilities.load())
    write_for_people(data)


def _hex(rng: np.random.Generator, rows: int) -> list[str]:
    text = rng.bytes(16 * rows).hex()
    return [text[place : place + 32] for place in range(0, len(text), 32)]


def _routine(rng: np.random.Generator, number: int) -> dict[str, Any]:
    sessions = SEGMENT // STEPS_A_SESSION
    agents = np.sort(rng.integers(0, len(AGENTS), sessions))
    step = np.tile(np.arange(STEPS_A_SESSION), sessions)
    session = np.repeat(np.arange(sessions), STEPS_A_SESSION)
    day = FIRST_DAY_NS + (number * DAYS // 100) * DAY_NS
    start = day + rng.integers(0, DAY_NS // 2, sessions)
    agent = agents[session]
    usual = 8 + agent % 7
    tool = (agent * 3 + rng.integers(0, usual)) % (len(TOOLS) - 10)
    names = [f"sess-{number:03d}-{n:05d}" for n in range(sessions)]
    return _rows(
        rng, [names[s] for s in session], step, start[session] + step * 3_000_000_000, agent, tool,
        np.where(step % 5 == 0, 2, 5),
    )  # fmt: skip


def _flagged(rng: np.random.Generator, name: str, steps: int) -> dict[str, Any]:
    step = np.arange(steps)
    agent = np.sort(np.where(rng.random(steps) < 0.7, 3, 11))
    order = rng.permutation(steps)
    step = np.concatenate([np.sort(order[agent == 3]), np.sort(order[agent == 11])])
    tool = np.where(rng.random(steps) < 0.02, len(TOOLS) - 10 + rng.integers(0, 10, steps), rng.integers(0, 24, steps))
    kind = np.where(step % 6 == 0, 2, np.where(step % 97 == 0, 4, 5))
    at = FIRST_DAY_NS + (DAYS - 1) * DAY_NS + step * 400_000_000
    columns = _rows(rng, [name] * steps, step, at, agent, tool, kind)
    for place in np.flatnonzero(step % 1_000 == 500):
        columns["result"][place] = json.dumps({"text": PAYLOAD})
    return columns


def _rows(
    rng: np.random.Generator, session: list[str], step: Any, at: Any, agent: Any, tool: Any, kind: Any
) -> dict[str, Any]:
    rows = len(session)
    kinds = [KINDS[k] for k in kind]
    calls = [k == "tool_call" for k in kinds]
    tools = [TOOLS[t] if call else None for t, call in zip(tool, calls, strict=True)]
    targets = [
        f"host-{t:05d}.corp" if call else None for t, call in zip(rng.integers(0, 4_000, rows), calls, strict=True)
    ]
    chance = rng.random(rows)
    agents = [AGENTS[a] for a in agent]
    result = [
        json.dumps({"hits": n, "items": [f"finding {n + k} on {target}, nothing of note" for k in range(4)]})
        if call
        else None
        for n, target, call in zip(rng.integers(0, 5_000, rows).tolist(), targets, calls, strict=True)
    ]  # fmt: skip
    return {
        "event_id": _hex(rng, rows),
        "trace_id": [f"trace-{name}" for name in session],
        "kind": kinds,
        "operation": [{"model_call": "chat", "approval": "approve"}.get(k, "execute_tool") for k in kinds],
        "session_id": session,
        "agent_id": agents,
        "agent_version": ["v7"] * rows,
        "sequence": (step + 1).tolist(),
        "started_at": at.tolist(),
        "ended_at": (at + 300_000_000).tolist(),
        "tool": tools,
        "arguments": [
            json.dumps({"host": target, "query": f"beacon window {n}", "limit": 50}) if call else None
            for target, n, call in zip(targets, step.tolist(), calls, strict=True)
        ],
        "result": result,
        "status": ["error" if c < 0.01 else "ok" for c in chance],
        "error": ["TimeoutError: no answer after 30 s" if c < 0.01 else None for c in chance],
        "model": ["claude-opus-4" if k == "model_call" else None for k in kinds],
        "principal": [f"role/{name}" for name in agents],
        "credential_id": [f"AKIA{a:02d}{int(c * 3)}EXAMPLE" for a, c in zip(agent, chance, strict=True)],
        "on_behalf_of": ["anna.k"] * rows,
        "target": targets,
        "approver": ["anna.k" if k == "approval" else None for k in kinds],
        "approval": ["approved" if k == "approval" else ("not_recorded" if call else None)
                     for k, call in zip(kinds, calls, strict=True)],
        "input_tokens": [900 if k == "model_call" else None for k in kinds],
        "output_tokens": [70 if k == "model_call" else None for k in kinds],
        "source": [f"logs/{name}.jsonl:{n}" for name, n in zip(session, (step + 1).tolist(), strict=True)],
        "source_sha256": _hex(rng, rows),
        "witness": ["span"] * rows,
        "ordered_at": at.tolist(),
        "depth": [1] * rows,
        "kind_rank": [_KIND_RANK[k] for k in kinds],  # type: ignore[index]
        "witnesses": [1] * rows,
        "content_key": _hex(rng, rows),
    }  # fmt: skip


def _segment(edition: Edition, columns: dict[str, Any]) -> None:
    rows = len(columns["event_id"])
    table = pa.table(
        [pa.array(columns.get(field.name, [None] * rows), type=field.type) for field in SCHEMA], schema=SCHEMA
    )
    segment = edition.write("events", table)
    edition.tables.setdefault("events", []).append(segment)
    found = table.select(["trace_id", "session_id", "agent_id", "agent_version", "status", "kind", "ordered_at",
                          "ended_at", "input_tokens", "output_tokens"])  # fmt: skip
    for name, wanted in (("tool_calls", "tool_call"), ("errors", "error")):
        column = found.column("kind" if name == "tool_calls" else "status")
        found = found.append_column(name, pa.array([v == wanted for v in column.to_pylist()]).cast(pa.int64()))
    grouped = found.group_by(["trace_id", "session_id", "agent_id", "agent_version"]).aggregate(
        [("kind", "count"), ("tool_calls", "sum"), ("errors", "sum"), ("ordered_at", "min"), ("ended_at", "max"),
         ("input_tokens", "sum"), ("output_tokens", "sum")]
    )  # fmt: skip
    names = {"kind_count": "rows", "tool_calls_sum": "tool_calls", "errors_sum": "errors", "ordered_at_min": "first_at",
             "ended_at_max": "last_at",
             "input_tokens_sum": "input_tokens", "output_tokens_sum": "output_tokens"}  # fmt: skip
    grouped = grouped.rename_columns([names.get(name, name) for name in grouped.column_names])
    told = {
        **{name: grouped.column(name) for name in grouped.column_names},
        "steps": grouped.column("rows"),
        "approvals": pa.array([["not_recorded"]] * grouped.num_rows, type=TRACES.field("approvals").type),
        "segment": pa.array([segment] * grouped.num_rows),
    }
    nothing = pa.nulls(grouped.num_rows)
    traces = pa.table([told.get(field.name, nothing) for field in TRACES], names=TRACES.names).cast(TRACES)
    edition.tables.setdefault("traces", []).append(edition.write("traces", traces))


def _findings(flagged: dict[str, list[str]]) -> Iterator[pa.Table]:
    for session, events in flagged.items():
        places = range(250, len(events), max(1, len(events) // 20))
        yield pa.Table.from_pylist([
            {"finding_id": f"f-{session}-{n}", "case_id": f"case-{session}",
             "detector": "credential_switch_then_new_reach",
             "title": "Acted with a credential that it had just read", "session_id": session, "agent_id": AGENTS[3],
             "event_id": events[n], "event_ids": [events[n - 1], events[n]], "observed": f"role/deployer at {n}",
             "expected": "role/agent-03 in 412 of 412 sessions", "anomaly": 0.9, "impact": 0.8,
             "techniques": ["T1078.004"], "happened_at": FIRST_DAY_NS + (DAYS - 1) * DAY_NS} for n in places
        ], schema=FINDINGS)  # fmt: skip


def _cases(flagged: dict[str, list[str]]) -> pa.Table:
    rows = [
        {"case_id": f"case-{session}", "title": "Borrowed credential reached what its root had not",
         "severity": "critical",
         "why": "secrets.read → iam.assume_role → ssh.exec on host-00042.corp", "anomaly": 0.97, "impact": 0.93,
         "agents": [AGENTS[3], AGENTS[11]], "sessions": [session], "detectors": ["credential_switch_then_new_reach"],
         "techniques": ["T1078.004"], "session_id": session, "event_id": events[2_500], "path": events[2_490:2_501:2],
         "findings": 20, "first_at": FIRST_DAY_NS + (DAYS - 1) * DAY_NS, "last_at": FIRST_DAY_NS + DAYS * DAY_NS}
        for session, events in flagged.items()
    ]  # fmt: skip
    rows += [
        {**rows[0], "case_id": f"case-routine-{n:04d}", "severity": ("low", "medium", "high")[n % 3],
         "anomaly": 0.3 + n % 50 / 100, "impact": 0.4} for n in range(298)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=CASES)
