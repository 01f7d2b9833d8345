"""Live has what a batch has: the budget, the rules, the scores, the account of who could judge, and retention."""

from __future__ import annotations

import os
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from alerting import settings

from baseline.capability import Capabilities
from baseline.fold import fold
from bench._small_fleet import attack, days, session, write
from detect.live.service import live
from detect.run import detect_in
from detect.sigma.rules import rules_of
from ingest.database import ask, open_published
from ingest.load import ingest_paths
from ingest.published import editing
from ingest.tables import SESSION_SCORES

CAPABILITIES = Capabilities.load()
CASES = "select case_id, severity, findings, is_raised from cases order by case_id"
FINDINGS = "select finding_id, case_id, detector, event_ids, is_beyond from findings order by finding_id"
COULD = "from could_fire order by all"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch) -> None:
    monkeypatch.setenv("CUSTODIET_CONFIG", os.devnull)


def asked(data: Path, sql: str) -> list[tuple[object, ...]]:
    return ask(open_published(data), sql).rows()


def run_live(data: Path, logs: Path, toml: str, *, today: date, then: Path | None = None) -> list[str]:
    """Begin with what lies in the folder, then `then` comes; what was told of at once."""
    at_once: list[str] = []
    with live(
        data,
        [logs],
        CAPABILITIES,
        settings(toml),
        told=lambda case_id, case: at_once.append(case_id),
        publish_every_s=0.2,
        today=lambda: datetime.combine(today, datetime.min.time(), UTC) + timedelta(hours=12),
    ) as started:
        if then is not None:
            then.rename(logs / then.name)
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            started.pipeline.tick()
            time.sleep(0.02)
        told = list(at_once)
        started.pipeline.finish()
    return told


def as_batch(data: Path, logs: Path, toml: str) -> None:
    wanted = settings(toml).detect
    ingest_paths([logs], data)
    fold(data, CAPABILITIES)
    detect_in(data, CAPABILITIES, cases_per_day=wanted.cases_per_day, rules=rules_of(wanted.rules))


def logs_of(folder: Path) -> tuple[Path, Path]:
    """(eight days with two attacks, a ninth with one more)."""
    logs = folder / "logs"
    write(logs, days(0, 8), attack(2, "old"), attack(7, "mid"), name="weeks")
    (coming := folder / "coming").mkdir()
    hidden = [("create_access_key", {"user": "svc-9"}, None), ("stop_logging", {"trail": "main"}, None)]
    write(coming, days(8, 9), attack(8, "new"), session("rotator", 8, 650, "hides", hidden), name="today")
    (log,) = coming.iterdir()
    return logs, log


TODAY = date(2026, 3, 10)


@pytest.mark.parametrize("budget", ["", "cases_per_day = 0.5", "cases_per_day = 0"])
def test_the_budget_the_rules_and_the_account_are_those_of_a_batch(tmp_path: Path, budget: str) -> None:
    toml = f'[detect]\nrules = ["shipped"]\n{budget}\n'
    logs, coming = logs_of(tmp_path)
    run_live(tmp_path / "live", logs, toml, today=TODAY, then=coming)
    as_batch(tmp_path / "batch", logs, toml)
    for sql in (CASES, FINDINGS, COULD):
        assert asked(tmp_path / "live", sql) == asked(tmp_path / "batch", sql)
    (rules,) = asked(tmp_path / "batch", "select count(distinct detector) from findings where detector like 'sigma: %'")
    assert rules[0] > 1, "a rule of one step, and a correlation"
    assert asked(tmp_path / "batch", COULD)


def test_what_stays_under_the_bar_is_no_alert(tmp_path: Path) -> None:
    sink = tmp_path / "alerts.jsonl"
    logs, coming = logs_of(tmp_path)
    toml = f'[alerts]\nseverity = "info"\n[detect]\ncases_per_day = 0\n[sinks.jsonl]\npath = "{sink}"\n'
    run_live(tmp_path / "live", logs, toml, today=TODAY, then=coming)
    held = {case_id for case_id, _, _, is_raised in asked(tmp_path / "live", CASES) if not is_raised}
    told = sink.read_text() if sink.exists() else ""
    assert held
    assert not any(str(case_id) in told for case_id in held)


def test_a_score_of_a_session_stands_live_too(tmp_path: Path) -> None:
    logs, coming = logs_of(tmp_path)
    data = tmp_path / "live"
    as_batch(data, logs, "")
    quiet = ask(open_published(data), "select session_id, min(event_id) as event_id from events where kind = 'tool_call'"
                " and session_id not in (select session_id from findings) group by all order by all limit 1").row(0)  # fmt: skip
    with editing(data) as edition:
        edition.replace("session_scores", scored(*quiet))
        edition.publish()
    run_live(data, logs, "", today=TODAY, then=coming)
    assert asked(data, "select session_id from findings where detector = 'unlike_its_history'") == [(quiet[0],)]
    assert asked(data, "select count(*) from cases where list_contains(detectors, 'unlike_its_history')") == [(1,)]


def scored(session_id: str, event_id: str) -> pa.Table:
    told = {"session_id": session_id, "agent_id": "a", "day": date(2026, 3, 3), "p": 0.001, "event_id": event_id,
            "reasons": ["odd: not odd"], "voices": [], "history": 40, "why": None, "rests_on": ""}  # fmt: skip
    return pa.Table.from_pylist([told], schema=SESSION_SCORES)


def test_what_is_old_leaves_while_it_runs_and_a_case_of_it_is_none_any_more(tmp_path: Path) -> None:
    logs, coming = logs_of(tmp_path)
    data = tmp_path / "live"
    run_live(data, logs, "[store]\nretain_days = 4\n", today=TODAY, then=coming)
    first = asked(data, "select min(ordered_at) from events")[0][0]
    assert isinstance(first, datetime) and first >= datetime(2026, 3, 6)
    sessions = asked(data, "select sessions from cases")
    assert sessions and not any("old" in session for (told,) in sessions for session in told)
    as_batch(tmp_path / "batch", logs, "")
    young = "select event_id from events where ordered_at >= timestamp '2026-03-06' order by event_id"
    assert asked(data, young) == asked(tmp_path / "batch", young)
