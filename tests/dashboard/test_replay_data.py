"""What the browser fetches while it steps: whole steps, the overview, the state, approvals, and bad questions."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from dashboard import queries, stepper_session
from dashboard.keeping import keep, kept
from dashboard.state import state_of
from dashboard.stepper_approvals import agreement
from dashboard.stepper_blocks import BLOCK, CHANGING, DECISION, FAILED, FINDING, PRIVILEGED, block, overview
from dashboard.stepper_routes import PREFIX, ROUTES
from dashboard.stepper_session import Opened, opened
from detect.notes import notes_of
from ingest.published import editing

INCIDENT = "sess-incident-0042"
Client = Callable[..., Any]


@pytest.fixture
def session(filled: Path, monkeypatch: pytest.MonkeyPatch) -> Opened:
    monkeypatch.setenv(queries.DATA, str(filled))
    found = opened(INCIDENT)
    assert found is not None
    return found


@pytest.fixture
def ask() -> Client:
    client = TestClient(Starlette(routes=ROUTES), base_url="http://127.0.0.1")

    def asking(what: str, headers: dict[str, str] | None = None, **parameters: str | int) -> Any:
        return client.get(f"{PREFIX}/{what}", params=parameters, headers=headers)

    return asking


def test_a_block_holds_whole_steps_with_their_reasons(session: Opened) -> None:
    steps = block(session, 0)["steps"]
    assert [step["step"] for step in steps] == list(range(1, 13))
    assert [finding["title"] for finding in steps[7]["reasons"]] == [
        "Opened a network path with a key it had just read"
    ]
    assert [step["step"] for step in steps if step["reasons"]] == [6, 7, 8, 10, 11]
    assert steps[9]["result"]["cut"] is True
    assert steps[9]["result"]["characters"] == 30_037
    assert len(steps[9]["result"]["text"]) == 4_000
    assert "this step is the decision itself" not in json.dumps(steps)
    assert steps[9]["approval"]["said"] == "approved by anna.k"


def test_the_overview_marks_every_step_in_a_byte(session: Opened) -> None:
    told = overview(session)
    marks = list(b64decode(told["marks"]))
    assert len(marks) == 12
    assert [n + 1 for n, mark in enumerate(marks) if mark & FINDING] == [6, 7, 8, 10, 11]
    assert [n + 1 for n, mark in enumerate(marks) if mark & FAILED] == [11]
    assert [n + 1 for n, mark in enumerate(marks) if mark & PRIVILEGED][:3] == [6, 7, 8]
    assert [n + 1 for n, mark in enumerate(marks) if mark & DECISION] == [7, 10]
    assert marks[7] & CHANGING
    assert told["findings"] == [(6, "critical"), (7, "critical"), (8, "critical"), (10, "critical"), (11, "critical")]
    assert told["agents"] == ["soc-triage", "deploy-bot"]


def test_the_state_is_what_the_session_held_and_what_the_step_added(session: Opened) -> None:
    state = session.state
    assert [(m.value, m.how, m.step) for m in state.latest("principal", 12)] == [
        ("role/soc-triage", "acted as", 4),
        ("role/deployer", "acted as", 7),
    ]
    assert state.count("principal", 6) == 1
    assert [(m.aspect, m.value) for m in state.changes(8, 8)] == [
        ("host", "10.2.0.14"),
        ("path", "sg-0db1 (prod-db)"),
        ("target", "sg-0db1 (prod-db)"),
    ]
    assert "https://203.0.113.9/upload" not in [m.value for m in state.latest("target", 12)]
    assert state.count("target", 0) == 0


def test_a_credential_is_held_from_the_step_that_handed_it_out() -> None:
    steps = pl.DataFrame({
        "step": [1, 2, 3], "event_id": ["e1", "e2", "e3"], "kind": ["tool_call"] * 3, "status": ["ok"] * 3,
        "capability": ["credential", "read", "read"], "credential_id": ["own", "own", "AKIAIOSFODNN7EXAMPLE"],
        "principal": ["p"] * 3, "agent_id": ["a"] * 3, "source_host": ["h"] * 3, "target": ["t"] * 3,
    })  # fmt: skip
    results = pl.DataFrame({"event_id": ["e1"], "result": ['{"accessKeyId":"AKIAIOSFODNN7EXAMPLE"}']})
    state = state_of(steps, results)
    assert [(m.step, m.value, m.how) for m in state.latest("credential", 3)] == [
        (1, "AKIAIOSFODNN7EXAMPLE", "was handed"),
        (1, "own", "acted with"),
    ]
    assert state.changes(3, 3) == []


def test_the_state_at_a_step_is_the_same_however_it_is_come_to() -> None:
    steps = pl.DataFrame({
        "step": range(1, 1001), "event_id": [f"e{n}" for n in range(1000)], "kind": ["tool_call"] * 1000,
        "status": ["error" if n % 7 == 0 else "ok" for n in range(1000)], "capability": ["read"] * 1000,
        "credential_id": [f"k{n % 13}" for n in range(1000)], "principal": [None] * 1000, "agent_id": ["a"] * 1000,
        "source_host": [f"h{n // 100}" for n in range(1000)], "target": [f"t{n % 333}" for n in range(1000)],
    }, schema_overrides={"principal": pl.String})  # fmt: skip
    state = state_of(steps, pl.DataFrame(schema={"event_id": pl.String, "result": pl.String}))
    for step in (1, 7, 8, 100, 333, 334, 999, 1000):
        done = steps.head(step).filter(pl.col("status") == "ok")
        assert state.count("target", step) == done["target"].n_unique()
        assert state.count("credential", step) == steps.head(step)["credential_id"].n_unique()
        before = {(m.aspect, m.value) for m in state.changes(1, step - 1)}
        now = {(m.aspect, m.value) for m in state.changes(1, step)}
        assert now - before == {(m.aspect, m.value) for m in state.changes(step, step)}


@pytest.mark.parametrize(
    ("approved", "done", "said"),
    [
        (None, '{"path":"a"}', "the decision holds no arguments to compare"),
        ('{"reason":"x"}', '{"path":"a"}', "the decision names none of the call's arguments"),
        ('{"path":"a","reason":"x"}', '{"path":"a","port":1}', "arguments agree (1 of 2 compared)"),
        ('{"path":"a"}', '{"path":"b"}', "ARGUMENTS DIFFER (path: a approved, b done)"),
    ],
)
def test_an_approval_is_held_against_what_was_done(approved: str | None, done: str, said: str) -> None:
    assert agreement(approved, done) == said


def test_every_answer_is_json_that_nobody_else_keeps_or_reads(session: Opened, ask: Client) -> None:
    assert session.last == 12
    for what, more in (("overview", {}), ("block", {"block": 0}), ("matching", {"text": "DEPLOY"}),
                       ("payload", {"step": 10, "field": "result"}), ("raw", {"step": 8})):  # fmt: skip
        answer = ask(what, session=INCIDENT, **more)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        assert ask(what, {"sec-fetch-site": "cross-site"}, session=INCIDENT, **more).status_code == 403


def test_a_payload_comes_whole_and_a_text_is_found_wherever_it_stands(session: Opened, ask: Client) -> None:
    assert session.last == 12
    assert ask("payload", session=INCIDENT, step=10, field="result").json()["text"].count("x") >= 30_000
    hits = b64decode(ask("matching", session=INCIDENT, text="WEB-17").json()["matches"])
    assert [n + 1 for n, hit in enumerate(hits) if hit] == [2, 4, 5]
    raw = ask("raw", session=INCIDENT, step=8).json()
    assert ["source", "logs/sess-incident-0042.jsonl:8"] in raw["fields"]
    assert "error" in raw["empty"]


@pytest.mark.parametrize("number", ["-5", "0", "999999", "abc", "", "1e3", "9" * 5000, "٣"])
def test_a_bad_number_is_the_nearest_step(number: str, session: Opened, ask: Client) -> None:
    assert session.last == 12
    assert ask("raw", session=INCIDENT, step=number).status_code == 200
    assert len(ask("block", session=INCIDENT, block=number).json()["steps"]) == 12


def test_an_unknown_session_and_a_state_long_gone_are_told(session: Opened, ask: Client) -> None:
    gone = ask("block", session="nobody' or 1=1 --", block=0)
    assert (gone.status_code, "not in the published data" in gone.json()["trouble"]) == (404, True)
    assert ask("overview", session=INCIDENT, generation=session.generation + 7).status_code == 404
    assert ask("overview", session=INCIDENT, generation="9" * 60).status_code == 200


def test_no_answer_holds_a_deceiving_character(
    hostile: Path, hostile_texts: list[str], ask: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(queries.DATA, str(hostile))
    for text in hostile_texts:
        for what in ("overview", "block", "raw", "payload"):
            answer = ask(what, session=f"hostile {text}", step=1)
            assert answer.status_code == 200
            assert not set(answer.json().__repr__()) & set("\u202e\u2066\u2069\u200b\x1b\x07\U000e0041")


def test_a_session_of_many_blocks_is_cut_where_the_blocks_meet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long_store: Path
) -> None:
    monkeypatch.setenv(queries.DATA, str(long_store))
    found = opened("sess-long-0500")
    assert found is not None
    numbers = [step["step"] for part in range(-(-found.last // BLOCK)) for step in block(found, part)["steps"]]
    assert numbers == list(range(1, 501))
    assert block(found, 2)["before"]["target"]["count"] == found.state.count("target", 2 * BLOCK)


def test_a_page_that_stood_open_goes_on_with_its_own_state(
    tmp_path: Path, filled: Path, ask: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    data = tmp_path / "growing"
    shutil.copytree(filled, data)
    monkeypatch.setenv(queries.DATA, str(data))
    before = opened(INCIDENT)
    assert before is not None
    with editing(data) as edition:
        edition.replace("events")
        edition.replace("traces")
        edition.publish()
    assert ask("block", session=INCIDENT, generation=before.generation, block=0).status_code == 200
    assert ask("block", session=INCIDENT, block=0).status_code == 404


def test_no_more_sessions_are_kept_than_memory_is_meant_for(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(queries.DATA, str(filled))
    for session_id in queries.sessions()["session_id"]:
        assert opened(session_id) is not None
    assert len(stepper_session._sessions._opened) <= stepper_session.MOST_OPEN


def test_a_kept_moment_says_who_kept_it_and_a_step_that_is_none_is_not_kept(
    tmp_path: Path, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    data = tmp_path / "noted"
    shutil.copytree(filled, data)
    monkeypatch.setenv(queries.DATA, str(data))
    monkeypatch.setenv("CUSTODIET_ANALYST", "ana")
    assert keep(INCIDENT, 8, " the path was opened ") is True
    assert keep(INCIDENT, 10, "") is True
    assert [keep(INCIDENT, 0, "x"), keep(INCIDENT, 13, "x"), keep("nobody", 1, "x")] == [False, False, False]
    found = opened(INCIDENT)
    assert found is not None
    assert kept(found) == [(8, "the path was opened"), (10, "")]
    assert {said.said_by for said in notes_of(data, session_id=INCIDENT)} == {"ana"}
