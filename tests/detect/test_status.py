"""`custodiet status`: what it says is what is there, whatever state that is in."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from receivers import ALLOW, Receiver, Reply
from typer.testing import CliRunner

import custodiet
from bench._small_fleet import attack, days, write
from detect.ran import Ran, remember
from detect.scheduled import Wanted, scheduled
from detect.status import status
from ingest.at_work import at_work
from ingest.database import ask, open_published
from ingest.published import editing

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch) -> Path:
    file = tmp_path / "custodiet.toml"
    monkeypatch.setenv("CUSTODIET_CONFIG", str(file))
    file.write_text("")
    return file


def said(data: Path, *more: str) -> str:
    done = CliRunner().invoke(custodiet.app, ["status", "--data", str(data), *more])
    assert done.exit_code == 0, done.output
    return done.output


def test_where_nothing_is_it_says_so(tmp_path: Path, settings: Path) -> None:
    told = said(tmp_path / "data")
    assert "0 sessions, 0 events" in told
    assert "last event never" in told
    assert "none was raised yet" in told
    assert not (tmp_path / "data").exists()


def test_it_counts_what_is_there_and_every_file(tmp_path: Path, settings: Path) -> None:
    logs, data = tmp_path / "logs", tmp_path / "data"
    write(logs, days(0, 6), attack(6, "a"), ["nonsense\n"])
    settings.write_text("[detect]\ncases_per_day = 3\n")
    assert scheduled(Wanted([logs], data)).trouble is None
    told = status(data, time.time())
    connection = open_published(data)
    assert told["stored"]["events"] == ask(connection, "select count(*) from events").item() == 724
    assert told["stored"]["sessions"] == ask(connection, "select count(*) from sessions").item()
    assert (told["stored"]["agents"], told["stored"]["days"]) == (2, 7)
    assert told["age"]["last_event_at"].startswith("2026-03-08T10:12:0")
    on_disk = sum(f.stat().st_size for f in data.rglob("*.parquet"))
    assert told["disk"]["published_bytes"] <= on_disk
    assert told["disk"]["all_bytes"] == sum(f.stat().st_size for f in data.rglob("*") if f.is_file())
    assert told["disk"]["tables"]["events"]["files"] == told["disk"]["segments"] == 1
    cases = ask(connection, "select count(*) from cases").item()
    assert (told["budget"]["cases"], told["budget"]["cases_per_day"], told["budget"]["days"]) == (cases, 3.0, 7)
    assert told["budget"]["raised_a_day"] == round(told["budget"]["raised"] / 7, 3)
    assert [(row["path"].endswith("fleet.otlp.jsonl"), row["records"]) for row in told["failed"]["rejected"]] == [
        (True, 1)
    ]
    assert {row["detector"] for row in told["could_not_fire"]} == set(
        ask(connection, "select detector from could_fire group by all having sum(could_judge) = 0")["detector"]
    )
    assert "3 cases a day" in said(data)
    assert json.loads(said(data, "--json"))["stored"] == told["stored"]


def test_late_days_failures_and_runs_that_gave_way_are_said(tmp_path: Path, settings: Path) -> None:
    logs, data = tmp_path / "logs", tmp_path / "data"
    write(logs, days(0, 1), days(2, 3), name="first")
    scheduled(Wanted([logs], data))
    scheduled(Wanted([tmp_path / "nowhere"], data))
    with at_work(data):
        scheduled(Wanted([logs], data))
    told = status(data, time.time())
    assert {name: told["runs"][name] for name in ("done", "failed", "overlapped")} == {
        "done": 1, "failed": 1, "overlapped": 1,
    }  # fmt: skip
    assert "nowhere" in told["runs"]["last_failure"]["why"]
    assert told["late"] == []
    write(logs, days(0, 2), name="second")
    scheduled(Wanted([logs], data))
    assert status(data, time.time())["late"] == [{"day": "2026-03-03", "steps": 120}]
    assert "120 steps of 2026-03-03" in said(data)


def test_who_works_is_said_and_what_a_killed_run_left(tmp_path: Path, settings: Path) -> None:
    with at_work(tmp_path) as say, editing(tmp_path):
        say("judging")
        told = said(tmp_path)
        assert "a run (process " in told
        assert ", judging), writing" in told
    assert "at work    nobody" in said(tmp_path)

    def breaks() -> None:
        with at_work(tmp_path) as say:
            say("counting")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        breaks()
    assert "ended within its step counting" in said(tmp_path)


def test_the_outbox_and_its_sinks_are_accounted_for(tmp_path: Path, settings: Path) -> None:
    logs, data = tmp_path / "logs", tmp_path / "data"
    write(logs, days(0, 6), attack(6, "a"))
    with Receiver(rule=lambda request: Reply(410)) as receiver:
        settings.write_text(
            f'[alerts]\nseverity = "low"\n{ALLOW}\n[sinks.webhook]\nurl = "{receiver.url}"\nsecret = "{SECRET}"\n'
        )
        scheduled(Wanted([logs], data))
    told = status(data, time.time())["alerts"]
    assert told["account"]["adds_up"]
    assert told["account"]["raised"] == told["account"]["dead"] > 0
    assert [(row["sink"], bool(row["disabled"])) for row in told["sinks"]] == [("webhook", True)]
    assert "webhook: disabled" in said(data)


def test_settings_that_cannot_be_used_are_said_and_cost_nothing_else(tmp_path: Path, settings: Path) -> None:
    remember(tmp_path, Ran(1.0, 1.0, "failed", why="\x1b[31mred"))
    settings.write_text("[detect]\ncases_per_day = 'many'\n")
    told = said(tmp_path)
    assert "cases_per_day" in told
    assert "\x1b" not in told
