"""A case as an evidence file: one ZIP that anyone can check, the same bytes every time.

Nothing in it is of the moment of the export: its times are those of the logs, of the published state and of what
people said. Entries are stored, not compressed, so that the bytes do not depend on a version of zlib.
"""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec

from detect.continuing import code_version
from detect.evidence_report import report
from detect.notes import Note, notes_of, owners_now
from detect.raw_records import Found, Place, raw_records
from detect.verdicts import history
from ingest.command import jsonable
from ingest.database import ask
from ingest.published import POINTER, published

FORMAT: Final = 1
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "|", "%")
"""What a spreadsheet takes a cell for a formula by."""

_CASE: Final = "select * from cases where case_id = $case_id order by case_id limit 1"
_FINDINGS: Final = """
select *
from findings
where case_id = $case_id
order by happened_at nulls last, detector, finding_id
"""
_STEPS: Final = """
select *
from events
where event_id in (select unnest($events::varchar[]))
order by ordered_at nulls first, trace_id, sequence nulls first, depth, kind_rank, event_id
"""
_FILES: Final = "select distinct path from files order by path"
_BASELINE: Final = """
select
    (select max(version) from judged where day = (select max(day) from judged)) as judged_by,
    (select max(day)::varchar from judged) as judged_up_to,
    (select max(day)::varchar from counts) as counted_up_to
"""


def evidence_file(connection: duckdb.DuckDBPyConnection, data: Path, case_id: str, *, by: str) -> bytes | None:
    """The ZIP for a case, made for the analyst `by`; None where there is no such case."""
    cases = ask(connection, _CASE, case_id=case_id)
    if cases.is_empty():
        return None
    case = jsonable(cases)[0]
    findings = jsonable(ask(connection, _FINDINGS, case_id=case_id))
    notes = _notes(data, case)
    proving = [id for row in (case, *findings) for id in (row.get("path") or row.get("event_ids") or ())]
    events = {*proving, *(note.event_id for note in notes if note.event_id)}
    steps = jsonable(ask(connection, _STEPS, events=sorted(events)))
    places = [Place(step["source"], step["source_sha256"]) for step in steps if step["source"]]
    raw = raw_records(places, set(ask(connection, _FILES)["path"]))
    told: dict[str, Any] = {
        "case": case,
        "findings": findings,
        "verdicts": [_said(asdict(verdict), "said_at", "expires_at") for verdict in history(data, case_id)],
        "owner": owners_now(data).get(case_id),
        "notes": [_said(asdict(note), "said_at") for note in notes],
    }
    manifest = {
        "format": FORMAT,
        "analyst": by,
        "selection": {
            "case_id": case_id,
            "steps": "the path of the case, the steps of its findings, and the steps that people noted",
        },
        "versions": _versions(connection, data),
        "raw_records": [_place(found) for found in raw],
    }
    files = {
        "case.json": _json(told),
        "steps.jsonl": b"".join(msgspec.json.encode(step) + b"\n" for step in steps),
        "steps.csv": _csv(steps),
        "report.html": report(told, steps, manifest).encode(),
    }
    files |= {_name(found): found.raw for found in raw if found.raw is not None}
    manifest["files"] = [
        {"name": name, "bytes": len(content), "sha256": sha256(content).hexdigest()}
        for name, content in sorted(files.items())
    ]
    files["manifest.json"] = _json(manifest)
    files["SHA256SUMS"] = b"".join(
        f"{sha256(content).hexdigest()}  {name}\n".encode() for name, content in sorted(files.items())
    )
    return _zip(files)


def file_name(case_id: str) -> str:
    """A name for the file that holds nothing but letters and digits of the id."""
    plain = "".join(c for c in case_id if c.isascii() and (c.isalnum() or c in "-_"))[:24]
    return f"custodiet-case-{plain or 'unnamed'}.zip"


def _notes(data: Path, case: dict[str, Any]) -> list[Note]:
    """What was written of the case, its sessions and their steps, in the order in which it was."""
    found = {note.note_id: note for note in notes_of(data, case_id=case["case_id"])}
    for session in case["sessions"] or []:
        found |= {note.note_id: note for note in notes_of(data, session_id=session)}
    return [found[number] for number in sorted(found)]


def _versions(connection: duckdb.DuckDBPyConnection, data: Path) -> dict[str, Any]:
    """What made the case: the tool, the rules and table that judged, the counts that they judged by, and the state."""
    state, pointer = published(data), data / POINTER
    baseline = ask(connection, _BASELINE).row(0, named=True)
    counts = "\n".join(state.files("counts")).encode()
    return {
        "tool": f"custodiet {version('custodiet')}",
        "rules": {"judged_by": baseline["judged_by"], "judged_up_to": baseline["judged_up_to"], "now": code_version()},
        "baseline": {"counts_sha256": sha256(counts).hexdigest(), "counted_up_to": baseline["counted_up_to"]},
        "state": {
            "generation": state.generation,
            "sha256": sha256(pointer.read_bytes()).hexdigest(),
            "published_at": _utc(pointer.stat().st_mtime),
        },
    }


def _place(found: Found) -> dict[str, Any]:
    told = {"source": found.place.source, "sha256": found.place.sha256, "file": _name(found) if found.raw else None}
    return told if found.raw is not None else told | {"why": found.why}


def _name(found: Found) -> str:
    return f"raw/{sha256(found.raw or b'').hexdigest()}.json"


def _said(row: dict[str, Any], *times: str) -> dict[str, Any]:
    return row | {name: None if row[name] is None else _utc(row[name]) for name in times}


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _csv(steps: list[dict[str, Any]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    if steps:
        writer.writerow(steps[0])
    writer.writerows([defused(value) for value in step.values()] for step in steps)
    return out.getvalue().encode("utf-8")


def defused(value: object) -> str:
    """A cell that no spreadsheet takes for a formula: what would start one gets an apostrophe before it."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" \u00a0").startswith(_FORMULA) else text


def _zip(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _NO_TIME)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, content)
    return out.getvalue()
