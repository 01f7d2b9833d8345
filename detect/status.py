"""How things stand: what is there, how old it is, what is late, what failed, what could not have fired."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from detect.outbox import account
from detect.people import is_there, people
from detect.ran import Ran, remembered
from detect.settings import load_settings
from ingest.at_work import LOCK as RUN_LOCK
from ingest.at_work import is_held, last_at_work
from ingest.database import ask, open_published
from ingest.published import POINTER, published
from ingest.settings import SettingsTrouble

Told = dict[str, Any]

_LOCKS: Final = {"writing": ".lock", "live": ".live.lock", "delivering": ".delivering"}
"""What a process does while it holds which lock, beside the run's own."""

_STORED: Final = """
select
    (select count(*) from sessions) as sessions,
    coalesce(sum(steps), 0)::bigint as events,
    count(distinct agent_id) as agents,
    count(distinct cast(first_at as date)) as days,
    min(first_at) as first_at,
    max(last_at) as last_at,
    count(*) filter (first_at is null) as undated_traces
from stored_traces
"""

_COULD_NOT_FIRE: Final = r"""
select detector, sum(steps)::bigint as steps, string_agg(distinct lacked, ', ' order by lacked) as missing
from (select *, regexp_replace(missing, ' \(\d+\)', '', 'g') as lacked from could_fire)
group by detector
having sum(could_judge) = 0
order by detector
"""

_CASES: Final = """
with days as (select cast(min(first_at) as date) as first, cast(max(first_at) as date) as last from stored_traces)

select
    (select count(*) from cases) as cases,
    (select count(*) from cases where is_raised is not false) as raised,
    (select count(*) from cases where is_raised is not false and cast(first_at as date) > last - 14) as raised_lately,
    last - first + 1 as days
from days
"""

_REJECTED: Final = (
    "select path, count(*) as records, min(reason) as reason from rejected group by path order by records desc, path"
)
_SINKS: Final = "select sink, failures, rests_until, disabled_why from sinks order by sink"


def status(data: Path, now: float) -> Told:
    """Everything, as data. `now` is in seconds since 1970, UTC."""
    connection = open_published(data)
    stored = ask(connection, _STORED).row(0, named=True)
    runs = remembered(data)
    told: Told = {
        "data": str(data),
        "is_at_work": _at_work(data),
        "stored": {name: stored[name] for name in ("sessions", "events", "agents", "days", "undated_traces")},
        "disk": _disk(data),
        "age": {
            "first_event_at": _iso_of(stored["first_at"]),
            "last_event_at": _iso_of(stored["last_at"]),
            "last_run_at": _iso(max((r.began_at for r in runs), default=None)),
            "last_done_run_at": _iso(max((r.began_at for r in runs if r.outcome == "done"), default=None)),
            "published_at": _iso(_modified(data / POINTER)),
            "now": _iso(now),
        },
        "late": [{"day": day.day.isoformat(), "steps": day.steps} for day in (runs[-1].late if runs else ())],
        "runs": _runs(runs),
        "failed": {
            "plugins": ask(connection, "from failed order by all").to_dicts(),
            "broken_in_the_last_run": list(runs[-1].broken) if runs else [],
            "unread_in_the_last_run": runs[-1].unread if runs else 0,
            "rejected": ask(connection, _REJECTED).to_dicts(),
        },
        "could_not_fire": ask(connection, _COULD_NOT_FIRE).to_dicts(),
    }
    cases = ask(connection, _CASES).row(0, named=True)
    connection.close()
    return told | {"alerts": _alerts(data, now), "budget": _budget(cases)}


def _at_work(data: Path) -> Told:
    last = last_at_work(data)
    is_running = is_held(data / RUN_LOCK)
    return {
        "run": is_running,
        "pid": last.pid if is_running and last is not None else None,
        "step": last.step if last is not None else None,
        "ended_within": last.step if last is not None and not is_running and last.step != "done" else None,
        **{name: is_held(data / lock) for name, lock in _LOCKS.items()},
    }


def _disk(data: Path) -> Told:
    state = published(data)
    tables = {
        name: {"files": len(files), "bytes": sum(_size(data / file) for file in files)}
        for name, files in sorted(state.tables.items())
        if files
    }
    everything = [path for path in data.rglob("*") if path.is_file()] if data.exists() else []
    return {
        "generation": state.generation,
        "segments": len(state.files("events")),
        "tables": tables,
        "published_bytes": sum(table["bytes"] for table in tables.values()),
        "all_files": len(everything),
        "all_bytes": sum(_size(path) for path in everything),
    }


def _runs(runs: list[Ran]) -> Told:
    bad = next((r for r in reversed(runs) if r.outcome == "failed"), None)
    outcomes = Counter(r.outcome for r in runs)
    since = 0
    for ran in reversed(runs):
        if ran.outcome != "failed":
            break
        since += 1
    return {
        "remembered": len(runs),
        **{name: outcomes[name] for name in ("done", "stopped", "failed", "overlapped")},
        "failed_in_a_row": since,
        "last_failure": None if bad is None else {"at": _iso(bad.began_at), "why": bad.why},
    }


def _alerts(data: Path, now: float) -> Told:
    if not is_there(data):
        return {"account": None, "sinks": []}
    with people(data) as outbox:
        told = account(outbox)
        sinks = [
            {"sink": row["sink"], "failures": row["failures"], "disabled": row["disabled_why"],
             "rests_until": _iso(row["rests_until"]) if row["rests_until"] > now else None}
            for row in outbox.execute(_SINKS)
        ]  # fmt: skip
    return {"account": vars(told) | {"adds_up": told.adds_up}, "sinks": sinks}


def _budget(cases: Mapping[str, Any]) -> Told:
    try:
        said: float | None = load_settings().detect.cases_per_day
        trouble = None
    except SettingsTrouble as wrong:
        said, trouble = None, str(wrong)
    days = cases["days"] or 0
    return {
        "cases_per_day": said,
        "settings": trouble,
        "cases": cases["cases"],
        "raised": cases["raised"],
        "days": days,
        "raised_a_day": round(cases["raised"] / days, 3) if days else None,
        "raised_a_day_lately": round(cases["raised_lately"] / min(days, 14), 3) if days else None,
    }


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # swept meanwhile
        return 0


def _modified(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return None


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _iso_of(at: datetime | None) -> str | None:
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")
