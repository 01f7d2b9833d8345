"""The evidence file's page for people: one HTML file by itself, every text escaped, no script, no link, no request."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any, Final

from detect.approvals import WORDS_OF_STATE
from detect.frameworks import techniques
from ingest.visible import payload, visible

_STYLE: Final = """
body { font: 14px/1.45 sans-serif; color: #1b222b; background: #fff;
margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem; border-bottom: 1px solid #d5dbe2 }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; vertical-align: top;
padding: .3rem .5rem;
border-bottom: 1px solid #d5dbe2; overflow-wrap: anywhere } th { color: #55616d; font-weight: 600 }
pre { background: #f3f5f8; padding: .6rem; white-space: pre-wrap; overflow-wrap: anywhere; margin: .3rem 0 }
.worst { background: #fdf3d8 }
"""
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def report(told: dict[str, Any], steps: list[dict[str, Any]], manifest: dict[str, Any]) -> str:
    """The page: what was found, what people said of it, the steps with their payloads, and how to check it all."""
    case = told["case"]
    parts = [
        "<!doctype html><html lang=en><head><meta charset=utf-8>",
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="referrer" content="no-referrer"><meta name="viewport" content="width=device-width">',
        f"<title>custodiet evidence {_text(case['case_id'])}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{_text(case['severity'])} case: {_text(case['title'])}</h1><p>{_text(case['why'], 2_000)}</p>",
        _table(("what", "value"), _facts(told, manifest)),
        "<h2>What people said</h2>",
        _table(("when (UTC)", "who", "verdict", "until", "why"), (
            (v["said_at"], v["said_by"], v["verdict"], v["expires_at"], v["note"]) for v in told["verdicts"]
        )),
        "<h2>Notes and evidence</h2>",
        _table(("when (UTC)", "who", "kept as evidence", "step", "words"), (
            (n["said_at"], n["said_by"], "yes" if n["is_evidence"] else "no", n["event_id"], n["words"])
            for n in told["notes"]
        )),
        "<h2>Findings</h2>",
        _table(("detector", "title", "observed", "expected", "anomaly", "impact"), (
            (f["detector"], f["title"], f["observed"], f["expected"], f["anomaly"], f["impact"])
            for f in told["findings"]
        )),
        "<h2>Steps</h2>",
        *(_step(number, step, case) for number, step in enumerate(steps, 1)),
        "<h2>Raw records</h2>",
        _table(("place", "SHA-256", "in this file"), (
            (r["source"], r["sha256"], r["file"] or f"no: {r['why']}") for r in manifest["raw_records"]
        )),
        "<h2>How to check it</h2><p>Unpack the ZIP and run <code>sha256sum -c SHA256SUMS</code> in its folder. A raw "
        "record is the bytes that were read; its name is their SHA-256, the one that the store holds for the step. "
        "The same case of the same published state, with the same verdicts and notes, gives the same bytes again.</p>",
        "</body></html>\n",
    ]  # fmt: skip
    return "\n".join(parts)


def _facts(told: dict[str, Any], manifest: dict[str, Any]) -> list[tuple[str, object]]:
    case, made = told["case"], manifest["versions"]
    known = techniques()
    named = [f"{id} {known[id].name}" if id in known else id for id in case["techniques"] or []]
    return [
        ("case", case["case_id"]),
        ("agents", ", ".join(case["agents"] or [])),
        ("sessions", ", ".join(case["sessions"] or [])),
        ("techniques", ", ".join(named) or None),
        ("first seen (UTC)", case["first_at"]),
        ("last seen (UTC)", case["last_at"]),
        ("owner", told["owner"]),
        ("exported by", manifest["analyst"]),
        ("holds", manifest["selection"]["steps"]),
        ("tool", made["tool"]),
        ("rules", f"{made['rules']['judged_by']}, judged up to {made['rules']['judged_up_to']}"),
        ("baseline", f"{made['baseline']['counts_sha256']}, counted up to {made['baseline']['counted_up_to']}"),
        ("published state", f"generation {made['state']['generation']}, {made['state']['published_at']}"),
    ]


def _step(number: int, step: dict[str, Any], case: dict[str, Any]) -> str:
    is_worst = step["event_id"] == case["event_id"]
    rows: list[tuple[str, object]] = [
        ("when (UTC)", step["started_at"]), ("agent", step["agent_id"]), ("principal", step["principal"]),
        ("credential", step["credential_id"]), ("on behalf of", step["on_behalf_of"]), ("target", step["target"]),
        ("approval", WORDS_OF_STATE.get(step["approval"] or "", step["approval"])), ("approver", step["approver"]),
        ("status", step["status"]), ("error", step["error"]), ("place", step["source"]), ("event", step["event_id"]),
    ]  # fmt: skip
    payloads = "".join(
        f"<p>{name}</p><pre>{escape(payload(step[name]))}</pre>" for name in ("arguments", "result") if step[name]
    )
    heading = f"{number}. {_text(step['tool'] or step['operation'])}{' (look here first)' if is_worst else ''}"
    mark = " class=worst" if is_worst else ""
    return f"<section{mark}><h3>{heading}</h3>{_table(('what', 'value'), rows)}{payloads}</section>"


def _table(headings: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    body = "".join("<tr>" + "".join(f"<td>{_text(cell, 2_000)}</td>" for cell in row) + "</tr>" for row in rows)
    if not body:
        return "<p>None.</p>"
    return "<table><tr>" + "".join(f"<th>{escape(heading)}</th>" for heading in headings) + f"</tr>{body}</table>"


def _text(value: object, cap: int = 300) -> str:
    return escape(visible(value, cap))
