"""What people said decides what is learnt, in profiles as in judgements; and a frozen baseline judges in its stead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fleets import Fleet, call
from typer.testing import CliRunner

from baseline.capability import Capabilities
from baseline.learnt import learnt
from baseline.pins import pin
from custodiet import app
from detect.run import Detected, detect_in
from detect.verdicts import Word, say
from ingest.database import open_published
from ingest.errors import Trouble

CAPABILITIES = Capabilities.load()
LOOK = (call("search_logs", target="siem-1"), call("get_host", target="h1"))


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    fleet = Fleet(tmp_path / "data")
    fleet.habit("triage", *LOOK, days=5, a_day=8)
    fleet.session("triage", 6, *LOOK, call("delete_bucket", target="b1"), name="odd")
    return fleet


def tools_learnt(fleet: Fleet) -> set[str]:
    return set(learnt(open_published(fleet.data), CAPABILITIES, aspects=["tool"]).get_column("value"))


def said(fleet: Fleet, word: Word) -> Detected:
    (case,) = fleet.judge().cases
    expires = 4e9 if word == "benign_expected" else None
    say(fleet.data, open_published(fleet.data), case.case_id, word, by="ana", at=1.0, expires_at=expires)
    return detect_in(fleet.data, CAPABILITIES)


def test_a_session_of_a_case_that_nobody_reviewed_is_not_learnt(fleet: Fleet) -> None:
    fleet.judge()
    assert "delete_bucket" not in tools_learnt(fleet)


@pytest.mark.parametrize("word", ["false_positive", "benign_expected"])
def test_what_a_person_called_benign_is_learnt(fleet: Fleet, word: Word) -> None:
    said(fleet, word)
    assert "delete_bucket" in tools_learnt(fleet)


def test_what_a_person_called_an_attack_is_never_learnt_whatever_became_of_its_case(fleet: Fleet) -> None:
    said(fleet, "true_positive")
    assert "delete_bucket" not in tools_learnt(fleet)
    # A table that no longer calls it privileged: no detector raises the session any more.
    plain = fleet.data.parent / "plain.toml"
    plain.write_text('[exact]\nwrite = ["delete_bucket"]\n')
    done = CliRunner().invoke(app, ["detect", "--data", str(fleet.data), "--capabilities", str(plain), "--json"])
    assert done.exit_code == 0 and not json.loads(done.stdout)["cases"], done.stdout
    assert "delete_bucket" not in tools_learnt(fleet)
    fleet.session("triage", 8, *LOOK, call("delete_bucket", target="b1"), name="again")
    assert "again" in {f.step.session_id for f in fleet.judge().found}


def test_a_frozen_baseline_judges_what_today_s_has_got_used_to(fleet: Fleet) -> None:
    fleet.judge()
    pin(fleet.data, "gold", CAPABILITIES)
    said(fleet, "false_positive")
    fleet.session("triage", 9, *LOOK, call("delete_bucket", target="b1"), name="later")
    assert "later" not in {f.step.session_id for f in fleet.judge().found}
    frozen = detect_in(fleet.data, CAPABILITIES, pin="gold")
    (later,) = (f for f in frozen.found if f.step.session_id == "later")
    assert later.finding.expected.startswith("0 of 40 sessions of this agent used it")
    assert detect_in(fleet.data, CAPABILITIES, pin="gold").days_judged == 0
    assert "later" not in {f.step.session_id for f in detect_in(fleet.data, CAPABILITIES).found}


def test_backtest_and_detect_take_a_pin_and_refuse_one_that_is_not_there(fleet: Fleet) -> None:
    fleet.judge()
    pin(fleet.data, "gold", CAPABILITIES)
    for words in (["detect", "--against", "gold"], ["backtest", "--budget", "2", "--against", "gold"]):
        done = CliRunner().invoke(app, [*words, "--data", str(fleet.data)])
        assert done.exit_code == 0, done.output
    with pytest.raises(Trouble, match="no pin silver"):
        detect_in(fleet.data, CAPABILITIES, pin="silver")


def test_backtest_knows_the_registries_and_the_window_of_the_settings(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fleet.judge()
    registry = tmp_path / "agents.toml"
    registry.write_text('[[agent]]\nid = "triage"\ntools = ["search_*", "get_*"]\n')
    settings = tmp_path / "custodiet.toml"
    settings.write_text(f'[detect]\ncases_per_day = 3\nregistries = ["{registry}"]\n')
    words = ["backtest", "--data", str(fleet.data), "--json"]
    plain = json.loads(CliRunner().invoke(app, [*words, "--budget", "3"]).stdout)
    monkeypatch.setenv("CUSTODIET_CONFIG", str(settings))
    told = json.loads(CliRunner().invoke(app, words).stdout)
    titles = {case["title"] for day in told["days"] for case in day["raised"]}
    assert "outside of the registered authority" in titles
    assert "outside of the registered authority" not in json.dumps(plain)
