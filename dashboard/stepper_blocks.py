"""What the browser holds of a session: an overview of all steps, and blocks of whole ones."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, Final

import polars as pl

from dashboard.card import PREVIEW, baseline_lines, card, leave, origin, reason
from dashboard.queries_of_session import matching, whole, witnesses_of
from dashboard.state import ASPECTS
from dashboard.stepper_approvals import told
from dashboard.stepper_session import Opened, is_privileged
from dashboard.words import SEVERITIES, when
from ingest.visible import visible

BLOCK: Final = 100
"""Steps in a block: about 3 s of a held key, and 20 ms of the server."""

FINDING, FAILED, DECISION, PRIVILEGED, CHANGING, DOUBTFUL = 1, 2, 4, 8, 16, 32
"""Marks of a step, one bit each."""

_KINDS: Final = ("lifecycle", "message", "model_call", "handoff", "approval", "tool_call")
_AGENTS: Final = 255
_TIMES: Final = 5


def overview(session: Opened) -> dict[str, Any]:
    """Of every step its kind, agent and marks, a byte each in base64; of the findings their steps and severities."""
    steps = session.steps
    found = session.marks(SEVERITIES)
    changing = session.state.changing()
    privileged = {c: is_privileged(c) for c in steps["capability"].unique()}
    agents = steps["agent_id"].fill_null("").value_counts(sort=True).sort("count", "agent_id", descending=[True, False])
    lanes = agents["agent_id"].head(_AGENTS).to_list()
    marks = (
        pl.col("step").is_in(list(found)).cast(pl.UInt8) * FINDING
        + pl.col("status").is_in(["error", "denied"]).cast(pl.UInt8) * FAILED
        + ((pl.col("kind") == "approval") | pl.col("approval").is_in(["approved", "denied", "automatic", "pending"]))
        .fill_null(False)
        .cast(pl.UInt8)
        * DECISION
        + pl.col("capability").replace_strict(privileged, default=False, return_dtype=pl.Boolean).cast(pl.UInt8)
        * PRIVILEGED
        + pl.col("step").is_in(list(changing)).cast(pl.UInt8) * CHANGING
        + pl.col("is_doubtful").cast(pl.UInt8) * DOUBTFUL
    )
    kinds = {kind: place for place, kind in enumerate(_KINDS)}
    bytes_of = steps.select(
        kind=pl.col("kind").replace_strict(kinds, default=0, return_dtype=pl.UInt8),
        agent=pl.col("agent_id").fill_null("").replace_strict(
            {name: place for place, name in enumerate(lanes)}, default=_AGENTS, return_dtype=pl.UInt8
        ),
        marks=marks.cast(pl.UInt8),
    )  # fmt: skip
    every = max(1, (session.last - 1) // (_TIMES - 1))
    times = steps.select("step", "ordered_at").gather(sorted({*range(0, session.last, every), session.last - 1}))
    return {
        "generation": session.generation,
        "last": session.last,
        "block": BLOCK,
        "agents": [visible(name or None, 40) for name in lanes],
        **{name: b64encode(bytes_of[name].to_numpy().tobytes()).decode() for name in ("kind", "agent", "marks")},
        "findings": list(found.items()),
        "times": [(step, when(at)) for step, at in times.iter_rows()],
    }


def block(session: Opened, number: int) -> dict[str, Any]:
    """The steps `number * BLOCK + 1` to `(number + 1) * BLOCK` whole, with the state that stood before them."""
    return whole_steps(session, number * BLOCK + 1, BLOCK)


def whole_steps(session: Opened, start: int, most: int) -> dict[str, Any]:
    """`most` steps from the step `start` on (fewer at the session's end), whole, with the state before them."""
    steps = session.steps.slice(start - 1, most)
    rows = steps.to_dicts()
    connection = session.connect()
    about = {row["step"]: session.decisions.about(row) for row in rows}
    deciding = sorted({at for found in about.values() for at, _ in found})
    deciders = session.steps[[at - 1 for at in deciding]]
    wanted = pl.concat([steps, deciders]).unique("step", keep="first", maintain_order=True)
    more = whole(connection, session.files, wanted, PREVIEW + 1)
    supported = [row["event_id"] for row in rows if row["witnesses"] > 1]
    witnesses = witnesses_of(connection, session.files, session.session_id, supported)
    decided = {row["step"]: row for row in deciders.to_dicts()}
    first, last = rows[0]["step"], rows[-1]["step"]
    changes: dict[int, list[tuple[str, str, str]]] = {}
    for moment in session.state.changes(first, last):
        changes.setdefault(moment.step, []).append((moment.aspect, visible(moment.value, 120), moment.how))
    out = []
    for row in rows:
        its = more[row["event_id"]]
        lines = [
            told(at, decided[at], more[decided[at]["event_id"]], how, its["arguments"])
            for at, how in about[row["step"]]
        ]
        out.append(
            {
                **card(row, its),
                "approval": leave(row, lines),
                "origin": origin(row, its, witnesses.get(row["event_id"], [])),
                "reasons": [reason(finding) for finding in session.reasons.get(row["step"], [])],
                "baseline": _beside(session, row["step"], row["agent_id"], row["tool"]),
                "changes": changes.get(row["step"], []),
            }
        )
    return {"steps": out, "before": _state(session, first - 1)}


def _beside(session: Opened, step: int, agent: str | None, tool: str | None) -> list[str]:
    if step not in session.before or tool is None:
        return ["A baseline stands beside tool calls only."]
    previous, day = session.before[step]
    return baseline_lines(session.beside.usual(agent or "", tool, previous, day))


def _state(session: Opened, step: int) -> dict[str, Any]:
    return {
        aspect: {
            "count": session.state.count(aspect, step),
            "latest": [(visible(m.value, 120), m.how, m.step) for m in session.state.latest(aspect, step)],
        }
        for aspect in ASPECTS
    }


def matches(session: Opened, text: str) -> str:
    """A byte a step in base64: 1 where the step holds the text anywhere."""
    found = matching(session.connect(), session.files, session.session_id, text)
    hits = session.steps["event_id"].is_in(found).cast(pl.UInt8)
    return b64encode(hits.to_numpy().tobytes()).decode()
