"""Every page over a full, a quiet, an empty and a hostile store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from opening import assert_inert, links, opened, rows_in, said, tables
from streamlit.testing.v1 import AppTest

from baseline.beside import Usual
from dashboard import card, queries
from ingest.published import editing

PAGES = ("cases", "case", "replay", "agent", "movement", "events", "compare", "sessions", "health")
INCIDENT = "sess-incident-0042"


def stepping(at: AppTest) -> dict[str, Any]:
    """What the stepping component was given."""
    return dict(json.loads(at.get("bidi_component")[0].proto.json)[0])


def first(at: AppTest) -> str:
    """The step that the component shows first, as text."""
    return json.dumps(stepping(at)["first"], ensure_ascii=False)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_over_every_store(
    page: str, filled: Path, quiet: Path, hostile: Path, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for data in (filled, quiet, hostile, empty):
        assert said(opened(data, monkeypatch, page))


def test_cases_stand_worst_first_with_severity_in_words(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(filled, monkeypatch, "cases")
    table = tables(at)[0]
    assert table["severity"] == ["critical", "medium", "low"]
    assert list(table)[3:5] == ["anomaly", "impact"]
    assert table["first_at"][0] == "2026-10-21 09:00:42.738"
    assert "3 of 3 cases shown, from 9 sessions of 3 agents" in said(at)


def test_filters_narrow_the_cases_and_say_what_they_hide(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(filled, monkeypatch, "cases", severity="medium")
    assert rows_in(at) == 2
    at.text_input(key="agent").set_value("DEPLOY").run()
    assert rows_in(at) == 1
    at.text_input(key="agent").set_value("nobody' or 1=1 --").run()
    assert "3 cases are hidden" in said(at)


def test_an_empty_directory_says_how_to_begin(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Nothing has been ingested yet" in said(opened(empty, monkeypatch, "cases"))
    assert "No case is open" in said(opened(empty, monkeypatch, "case"))
    assert "Case not found" in said(opened(empty, monkeypatch, "case", case="gone"))
    assert "Session not found" in said(opened(empty, monkeypatch, "replay", session="gone"))
    assert "No file has been read yet." in said(opened(empty, monkeypatch, "health"))


def test_no_case_is_not_called_no_threat(quiet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(quiet, monkeypatch, "cases")
    assert "8 sessions were read, of 2 agents; no case was raised." in said(at)
    assert "What could not have fired" in said(at)
    assert tables(at)[0]["detector"] == ["approval_missing"]
    assert "threat" not in said(at).lower()


def test_a_case_shows_its_path_and_its_findings(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(filled, monkeypatch, "case", case="case-0001")
    text = said(at)
    assert "✖ Critical case" in text
    assert "Borrowed credential opened a path to prod-db" in text
    assert [m.value for m in at.metric] == ["0.97", "0.93"]
    (steps,) = tables(at)
    assert steps["step"] == ["step 6", "step 7", "▶ step 8", "step 10", "step 11"]
    assert steps["source"][-1] == "…ncident-0042.jsonl:11"
    assert links(at, "step")[2] == f"replay?session={INCIDENT}&step=8"
    assert "soc-triage acts as role/soc-triage in 412 of 412 sessions" in text
    labels = [link.proto.label for link in at.get("page_link")]
    assert labels == [
        ":primary[▶ Replay from the worst step]",
        ":primary[Movement: from identity to target]",
        ":primary[Compare with the nearest quiet session]",
        ":primary[Agent: what is normal for it]",
    ]
    assert len(at.get("plotly_chart")) == 1


def test_a_step_that_left_the_store_keeps_its_place_in_the_path(
    tmp_path: Path, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    data = tmp_path / "trimmed"
    shutil.copytree(filled, data)
    with editing(data) as edition:
        edition.replace("events")
        edition.replace("traces")
        edition.publish()
    at = opened(data, monkeypatch, "case", case="case-0001")
    assert tables(at)[0]["tool"] == ["This step is not in the store any more."] * 5


@pytest.mark.parametrize(
    ("asked", "step"),
    [
        ("8", 8),
        ("1", 1),
        ("12", 12),
        ("-5", 1),
        ("0", 1),
        ("999999", 12),
        ("abc", 1),
        ("", 1),
        ("٣", 3),
        ("1e3", 1),
        ("9" * 5000, 1),
    ],
)
def test_a_link_opens_the_nearest_step(asked: str, step: int, filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(filled, monkeypatch, "replay", session=INCIDENT, step=asked)
    assert (stepping(at)["step"], stepping(at)["last"]) == (step, 12)
    assert stepping(at)["first"]["steps"][0]["step"] == step


def test_a_link_to_an_event_opens_its_step(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(queries.DATA, str(filled))
    found = queries.case("case-0001")
    assert found is not None
    event = found["event_id"]
    assert stepping(opened(filled, monkeypatch, "replay", session=INCIDENT, event=event))["step"] == 8
    assert stepping(opened(filled, monkeypatch, "replay", event=event))["step"] == 8
    assert stepping(opened(filled, monkeypatch, "replay", session=INCIDENT, event="gone"))["step"] == 1


def test_a_step_says_who_with_what_key_and_with_whose_leave(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(filled, monkeypatch, "replay", session=INCIDENT, step="8")
    text = first(at).replace('\\"', '"')
    for expected in (
        "ec2.authorize_security_group_ingress", "sg-0db1 (prod-db)", "soc-triage", "role/deployer", "AKIA…DEPLOY",
        "anna.k", "2026-10-21 09:00:56.984", "840 ms", "10.2.0.14", "none recorded, though this source can record it",
        "logs/sess-incident-0042.jsonl:8", '"cidr": "10.2.0.14/32"', '"return": true',
        "Opened a network path with a key it had just read", "network_path", "not enough history: 0 sessions",
    ):  # fmt: skip
        assert expected in text

    def at_step(number: int) -> str:
        return first(opened(filled, monkeypatch, "replay", session=INCIDENT, step=str(number)))

    assert "this source cannot record approvals" in at_step(4)
    assert "automatic policy, not a human: policy/allow-sts" in at_step(7)
    assert '"reasons": []' in at_step(2)
    assert "TimeoutError" in at_step(11)


def test_the_baseline_is_told_in_counts_or_not_at_all() -> None:
    usual = Usual("credential", "secrets.read", 0, 412, 3, 1820, 1, 40)
    assert card.baseline_lines(usual) == [
        "0 of 412 sessions of this agent before that day",
        "peers 3 of 1,820",
        "1 of 40 times directly after secrets.read",
    ]
    young = usual._replace(sessions_total=4, peers_total=0, after_total=0)
    assert card.baseline_lines(young) == [
        "not enough history: 4 sessions, 20 needed",
        "0 of 4 sessions of this agent before that day",
        "peers: none had a session before that day",
    ]


def test_health_adds_up_every_file_and_names_what_broke(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(filled, monkeypatch, "health")
    found = {next(iter(table)): table for table in tables(at)}
    assert found["path"]["adds_up"] == ["yes", "yes", "yes"]
    assert found["place"]["place"][0] == "logs/sess-1.jsonl:7"
    assert found["plugin"]["plugin"][0] == "detectors/broken_one.py"
    assert found["tool"]["tool"][0] == "quantum.entangle"
    assert found["detector"]["share"] == [0.0, 1.0]


def test_sessions_are_listed_with_their_number_and_filtered_by_agent(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = opened(filled, monkeypatch, "sessions")
    assert rows_in(at) == 9
    assert "The newest 9 of 9 sessions." in said(at)
    at.text_input(key="agent").set_value("deploy").run()
    assert tables(at)[0]["session_id"] == [INCIDENT]


def test_a_new_state_appears_without_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filled: Path) -> None:
    import shutil

    data = tmp_path / "growing"
    at = opened(data, monkeypatch, "cases")
    assert "Nothing has been ingested yet" in said(at)
    shutil.copytree(filled, data)
    assert rows_in(at.run()) == 3


def test_a_damaged_pointer_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "published.json").write_text("{not json")
    assert "The published data cannot be read" in said(opened(tmp_path, monkeypatch, "cases"))


def test_hostile_text_reaches_inert_places_only(hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(queries.DATA, str(hostile))
    sessions = queries.sessions()["session_id"].to_list()
    assert len(sessions) == 8
    case = queries.cases()["case_id"][0]
    views = [opened(hostile, monkeypatch, page, case=case) for page in ("cases", "case", "sessions", "health")]
    views += [opened(hostile, monkeypatch, "replay", session=session) for session in sessions]
    views.append(opened(hostile, monkeypatch, "replay", session="![x](http://evil.example/nowhere.png)"))
    for at in views:
        assert_inert(at)


def test_hidden_characters_are_shown_on_every_page(hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(queries.DATA, str(hostile))
    deceiving = [s for s in queries.sessions()["session_id"].to_list() if "\u202e" in s]
    at = opened(hostile, monkeypatch, "replay", session=deceiving[0])
    assert "⟦U+202E⟧gnp.exe" in first(at)
    assert "\u202e" not in first(at)
    assert "⟦U+202E⟧gnp.exe" in stepping(at)["shown"]
    listed = tables(opened(hostile, monkeypatch, "sessions"))[0]
    assert not any("\u202e" in session for session in listed["session_id"])
