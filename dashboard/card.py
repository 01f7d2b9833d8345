"""One step as the browser shows it: what was done, by whom, with whose leave; why it was flagged; what is usual.

Every string of a log passes `visible` here, on the server; the browser only ever gets text to put into text nodes.
"""

from __future__ import annotations

from typing import Any, Final

from baseline.beside import Usual
from baseline.history import LEAST_SESSIONS
from dashboard.queries import Record
from dashboard.words import KINDS, approval, count, share, took, when
from ingest.visible import payload, visible

PREVIEW: Final = 4_000
"""Characters of arguments or a result that come with a step; the rest is one click away and its size is said."""
ALL: Final = 5_000_000
"""What "show all" shows at most, so that one result cannot stop the browser."""
SOURCES: Final = 6


def card(step: Record, more: Record) -> dict[str, Any]:
    """The facts of a step: `step` as `steps_of` gives it, `more` as `whole` does."""
    return {
        "step": step["step"],
        "kind": KINDS.get(step["kind"], "step"),
        "what": visible(step["tool"] or step["operation"]),
        "target": visible(step["target"]) if step["target"] else "",
        "agent": visible(step["agent_id"], 60),
        "status": visible(step["status"]),
        "at": when(step["ordered_at"]),
        "facts": [
            ("Agent", visible(step["agent_id"])),
            ("Principal", visible(step["principal"])),
            ("Credential", visible(step["credential_id"])),
            ("Acting for", visible(more["on_behalf_of"])),
            ("Capability", visible(step["capability"] or ("not known" if step["tool"] else None))),
            ("Status", visible(step["status"])),
            ("Started (UTC)", when(more["started_at"])),
            ("Took", took(more["started_at"], more["ended_at"])),
            ("From host", visible(step["source_host"])),
            ("Operation", visible(step["operation"])),
            *_of_model(more),
            ("Agent version", visible(more["agent_version"])),
        ],
        "error": visible(more["error"], PREVIEW, lines=True) if more["error"] else "",
        "arguments": shortened(more["arguments"], more["arguments_characters"]),
        "result": shortened(more["result"], more["result_characters"]),
    }


def _of_model(more: Record) -> list[tuple[str, str]]:
    if more["model"] is None and more["input_tokens"] is None and more["output_tokens"] is None:
        return []
    tokens = " / ".join("–" if n is None else f"{n:,}" for n in (more["input_tokens"], more["output_tokens"]))
    return [("Model", visible(more["model"])), ("Tokens in / out", tokens)]


def shortened(text: str | None, characters: int | None) -> dict[str, Any] | None:
    """A payload laid out where it came whole, else its beginning as it was written; with its whole length."""
    if not text or characters is None:
        return None
    if characters > len(text) or characters > PREVIEW:
        return {"text": visible(text[:PREVIEW], PREVIEW, lines=True), "characters": characters, "cut": True}
    return {"text": payload(text, ALL), "characters": characters, "cut": False}


def origin(step: Record, more: Record, witnesses: list[Record]) -> dict[str, Any]:
    """Where it is written: the raw record's place and hash, and every other record that tells of the step."""
    told = [
        f"{visible(row['source'])}   {visible(row['witness'])}, {visible(row['operation'])}, "
        f"status {visible(row['status'])}"
        for row in witnesses
    ]
    notes = [f"… and {len(told) - SOURCES:,} more records"] if len(told) > SOURCES else []
    if more["gap"]:
        notes.append(f"Left out by the source: {visible(more['gap'])}")
    if more["disagreement"]:
        notes.append(f"These records disagree on: {visible(more['disagreement'])}")
    return {
        "said": f"{count(step['witnesses'], 'record tells', 'records tell')} of this step",
        "lines": [visible(more["source"]), f"sha-256 {visible(more['source_sha256'])}", *told[:SOURCES], *notes],
    }


def leave(step: Record, decisions: list[str]) -> dict[str, Any] | None:
    """Whose leave the step had: its own record's word, then the approval steps that are about it."""
    if step["approval"] is None and not decisions:
        return None
    own = approval(step["approval"], step["approver"]) if step["approval"] else "nothing in the step's own record"
    lines = list(decisions)
    if not decisions and step["kind"] == "approval":
        lines.append("this step is the decision itself")
    elif not decisions and step["approval"] in ("approved", "denied", "automatic", "pending"):
        lines.append(
            "known from the call's own record; no approval step of its own, so no time or arguments of its own"
        )
    return {"state": visible(step["approval"]) if step["approval"] else "", "said": own, "lines": lines}


def reason(finding: Record) -> dict[str, Any]:
    """A finding that the step helps to prove."""
    return {
        "title": visible(finding["title"]),
        "severity": finding["severity"] or "info",
        "observed": visible(finding["observed"], 1_000),
        "expected": visible(finding["expected"], 1_000),
        "said": f"anomaly {share(finding['anomaly'])} · impact {share(finding['impact'])} · "
        + visible(f"{finding['detector']} · {', '.join(finding['techniques'] or []) or 'no technique'}"),
        "case": finding["case_id"],
    }


def baseline_lines(usual: Usual) -> list[str]:
    """The baseline of one tool call in words."""
    lines = []
    if not usual.is_enough:
        lines.append(f"not enough history: {usual.sessions_total:,} sessions, {LEAST_SESSIONS:,} needed")
    if usual.sessions_total:
        lines.append(f"{_of(usual.sessions_seen, usual.sessions_total)} sessions of this agent before that day")
    if usual.peers_total:
        lines.append(f"peers {_of(usual.peers_seen, usual.peers_total)}")
    else:
        lines.append("peers: none had a session before that day")
    if usual.previous_tool and usual.after_total:
        after = _of(usual.after_seen, usual.after_total)
        lines.append(f"{after} times directly after {visible(usual.previous_tool, 80)}")
    return lines


def _of(seen: int, total: int) -> str:
    return f"{seen:,} of {total:,}"
