"""`alerts`, `silence`, `config` and `run --dry-run` as people use them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from alerting import SECRET
from fleets import Fleet, call
from receivers import Receiver, Reply

ROOT = Path(__file__).parents[2]


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    fleet = Fleet(tmp_path / "data")
    fleet.habit("triage", call("search_logs", target="siem-1"))
    fleet.session("triage", 7, call("delete_bucket", target="b1"))
    fleet.store()
    return fleet


class Shell:
    def __init__(self, folder: Path, config: str) -> None:
        self.data = folder / "data"
        self.file = folder / "custodiet.toml"
        self.file.write_text(config)

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("CUSTODIET_")}
        return subprocess.run(
            [sys.executable, "-m", "custodiet", *arguments], capture_output=True, text=True, timeout=120, cwd=ROOT,
            env=clean | {"CUSTODIET_DATA": str(self.data), "CUSTODIET_CONFIG": str(self.file)},
        )  # fmt: skip


def config(receiver: Receiver) -> str:
    return (
        f'[alerts]\nallow_networks = ["127.0.0.1/32"]\n[sinks.soc]\nkind = "webhook"\nurl = "{receiver.url}/tok"\n'
        f'secret = "{SECRET}"\n'
    )


def test_from_a_case_to_its_alert_its_dead_letter_and_its_retry(fleet: Fleet, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with Receiver(script=[Reply(410)]) as receiver:
        custodiet = Shell(tmp_path, config(receiver))
        assert "no alert was raised yet" in custodiet("alerts", "list").stdout
        assert custodiet("alerts", "retry", "--all").returncode == 1

        dry = custodiet("run", str(empty), "--dry-run")
        assert (dry.returncode, receiver.got) == (0, [])
        assert "soc: created medium" in dry.stdout
        assert '"type":"case.created"' in dry.stdout

        assert custodiet("detect").returncode == 0
        listed = json.loads(custodiet("alerts", "list", "--json").stdout)
        assert listed["account"] == {"raised": 1, "delivered": 0, "pending": 1, "dead": 0, "suppressed": 0}

        refused = custodiet("run", str(empty))
        assert refused.returncode == 5
        assert "soc: disabled, the receiver answered 410" in refused.stderr
        assert "tok" not in refused.stderr + refused.stdout
        assert "1 raised = 0 delivered + 0 pending + 1 dead + 0 suppressed" in custodiet("alerts", "dead").stdout

        assert custodiet("alerts", "retry").returncode == 2
        assert "1 alerts are pending again" in custodiet("alerts", "retry", "--sink", "soc").stdout
        preview = json.loads(custodiet("alerts", "preview", "--json").stdout)
        assert [told["state"] for told in preview] == ["pending"]
        sent = custodiet("alerts", "send", "--json")
        assert (sent.returncode, json.loads(sent.stdout)["delivered"]) == (0, 1)
        again = custodiet("run", str(empty), "--json")
        assert json.loads(again.stdout)["alerts"] == {"delivered": 0, "pending": 0, "dead": 0, "errors": []}
    assert len(receiver.got) == 2


def test_a_test_alert_goes_past_the_outbox(tmp_path: Path) -> None:
    with Receiver() as receiver:
        custodiet = Shell(tmp_path, config(receiver))
        assert custodiet("alerts", "test", "soc").stdout == "soc took the test alert\n"
        assert receiver.taken[0].json["type"] == "alerts.test"
        receiver.script.append(Reply(401))
        assert custodiet("alerts", "test", "soc").returncode == 5
        unknown = custodiet("alerts", "test", "other")
        assert (unknown.returncode, "there is soc" in unknown.stderr) == (1, True)
    assert not (tmp_path / "data").exists()


def test_a_silence_is_added_listed_and_removed(fleet: Fleet, tmp_path: Path) -> None:
    with Receiver() as receiver:
        custodiet = Shell(tmp_path, config(receiver))
        assert custodiet("silence", "list").stdout == "nothing is silenced\n"
        for wrong in (("--agent", "a", "--why", "x"), ("--expires", "8h", "--why", "x")):
            assert custodiet("silence", "add", *wrong).returncode == 2
        added = custodiet("silence", "add", "--agent", "triage", "--expires", "8h", "--why", "drill", "--by", "ana")
        assert added.stdout.startswith("silence 1 until 20")
        (tmp_path / "empty").mkdir()
        assert custodiet("run", str(tmp_path / "empty")).returncode == 0
        (row,) = json.loads(custodiet("alerts", "list", "--json").stdout)["alerts"]
        assert (row["state"], row["why"]) == ("suppressed", "silence 1 of ana: drill")
        assert "drill" in custodiet("silence", "list").stdout
        assert custodiet("silence", "remove", "1", "--by", "ben").returncode == 0
        assert custodiet("silence", "remove", "1").returncode == 1
        assert json.loads(custodiet("silence", "list", "--json").stdout) == []
        (ended,) = json.loads(custodiet("silence", "list", "--all", "--json").stdout)
        assert (ended["said_by"], ended["ended_by"]) == ("ana", "ben")


def test_config_says_what_is_wrong_and_shows_what_is_in_force(tmp_path: Path) -> None:
    with Receiver() as receiver:
        custodiet = Shell(tmp_path, config(receiver))
    checked = custodiet("config", "check")
    assert (checked.returncode, checked.stdout) == (0, f"{custodiet.file}: nothing wrong; sinks: soc (webhook)\n")
    assert "keeps it out of the file" in checked.stderr
    shown = custodiet("config", "show")
    assert SECRET not in shown.stdout and "/tok" not in shown.stdout
    rows = {row["key"]: row for row in json.loads(custodiet("config", "show", "--json").stdout)}
    assert rows["sinks.soc.url"] == {"key": "sinks.soc.url", "value": "••••••", "origin": f"{custodiet.file}:5"}
    custodiet.file.write_text('[alerts]\nsevrity = "low"\n')
    wrong = custodiet("config", "check")
    assert (wrong.returncode, wrong.stdout) == (3, "")
    assert f"{custodiet.file}:2: alerts.sevrity: is not known; did you mean severity?" in wrong.stderr
