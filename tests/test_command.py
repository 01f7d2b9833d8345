"""The command as people use it: subprocesses, their output and their exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import custodiet

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "sample_logs"


def command(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "custodiet", *map(str, arguments)],
        capture_output=True, text=True, env=os.environ | environment, timeout=120, cwd=ROOT,
    )  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    data = tmp_path_factory.mktemp("data")
    done = command("run", SAMPLES, "--data", data, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told) == {"ingest", "detect", "alerts"}
    assert told["detect"]["cases"]
    return data


def test_ingest_tells_every_file_and_counts_that_add_up(tmp_path: Path) -> None:
    done = command("ingest", SAMPLES / "role_chain_to_another_account", "--data", tmp_path, "--json")
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert set(told) == {"files", "unread"}
    for file in told["files"]:
        assert set(file) == {"path", "reader", "records", "events", "folded", "rejected", "duplicates"}
        assert file["records"] == file["events"] + file["folded"] + file["rejected"] + file["duplicates"] > 0
    again = json.loads(
        command("ingest", SAMPLES / "role_chain_to_another_account", "--data", tmp_path, "--json").stdout
    )
    assert [f["duplicates"] for f in again["files"]] == [f["records"] for f in told["files"]]


@pytest.mark.parametrize("name", ["sessions", "cases", "baseline", "detect", "coverage"])
def test_what_prints_data_prints_json_and_nothing_else_to_stdout(data: Path, name: str) -> None:
    done = command(name, "--data", data, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
    assert done.stderr == ""


@pytest.mark.parametrize("name", ["sessions", "cases", "baseline", "detect"])
def test_people_get_a_table(data: Path, name: str) -> None:
    done = command(name, "--data", data)
    assert done.returncode == 0
    assert "agent" in done.stdout


def test_replay_lists_a_session_in_its_order(data: Path) -> None:
    case = json.loads(command("cases", "--data", data, "--json").stdout)[0]
    steps = json.loads(command("replay", case["session_id"], "--data", data, "--json").stdout)
    assert [step["step"] for step in steps] == list(range(1, len(steps) + 1))
    assert case["event_id"] in {step["event_id"] for step in steps}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", steps[0]["ordered_at"])


def test_explain_tells_the_path_with_files_and_lines(data: Path) -> None:
    case = json.loads(command("cases", "--data", data, "--json").stdout)[0]
    told = command("explain", case["case_id"][:10], "--data", data).stdout.splitlines()
    numbered = [line for line in told if re.match(r"\d+\. ", line)]
    assert len(numbered) == len(case["path"])
    assert sum(bool(re.search(r"sample_logs/.*:\d+$", line)) for line in told) == len(numbered)
    assert any("expected: 0 of" in line for line in told)
    as_data = json.loads(command("explain", case["case_id"], "--data", data, "--json").stdout)
    assert [set(as_data), len(as_data["path"])] == [{"path", "findings"}, len(case["path"])]
    for unknown in ("nothing", "%"):
        assert command("explain", unknown, "--data", data).returncode == 1


def test_an_unknown_session_is_exit_1(data: Path) -> None:
    done = command("replay", "no-such-session", "--data", data)
    assert (done.returncode, done.stdout) == (1, "")
    assert "custodiet sessions" in done.stderr


def test_fail_on_is_exit_10_only_where_a_case_is_that_severe(data: Path, tmp_path: Path) -> None:
    assert command("detect", "--data", data, "--fail-on", "high").returncode == 10
    assert command("run", SAMPLES / "on_call_night", "--data", tmp_path, "--fail-on", "info").returncode == 0
    assert command("detect", "--data", data, "--fail-on", "loud").returncode == 2


def test_trouble_is_one_line_and_its_exit_code(tmp_path: Path) -> None:
    for arguments, code in (
        (("ingest", tmp_path / "nowhere", "--data", tmp_path), 4),
        (("ingest", SAMPLES, "--data", "/proc/nowhere"), 4),
        (("run", SAMPLES / "on_call_night", "--data", tmp_path, "--capabilities", tmp_path / "none.toml"), 4),
    ):
        done = command(*arguments)
        assert done.returncode == code, done.stderr
        assert done.stderr.startswith("custodiet: ")
        assert done.stderr.count("\n") == 1
        assert "Traceback" not in done.stderr
    assert command("run", SAMPLES, "--data", tmp_path, CUSTODIET_ALERT_SEVERITY="loud").returncode == 3


def test_a_second_run_leaves_with_75(tmp_path: Path) -> None:
    from ingest.published import editing

    with editing(tmp_path):
        done = command("ingest", SAMPLES / "on_call_night", "--data", tmp_path)
    assert done.returncode == 75
    assert "another custodiet" in done.stderr


def test_the_data_directory_comes_from_the_environment_too(data: Path) -> None:
    assert json.loads(command("cases", "--json", CUSTODIET_DATA=str(data)).stdout)


def test_what_a_log_says_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    hostile = "\x1b]0;owned\x07\u202e"
    messages = [{"role": "user", "content": "x"}, {"role": "assistant", "content": hostile}]
    (tmp_path / "log.jsonl").write_text(
        json.dumps({"run_id": hostile, "agent_id": f"[bold]{hostile}", "messages": messages})
    )
    assert command("ingest", tmp_path / "log.jsonl", "--data", tmp_path / "data").returncode == 0
    for arguments in (("sessions",), ("replay", hostile), ("baseline",)):
        done = command(*arguments, "--data", tmp_path / "data")
        assert done.returncode == 0, done.stderr
        assert not set(done.stdout) & {"\x1b", "\x07", "\u202e"}


def test_the_demo_check_finds_its_cases_and_serves_nothing(tmp_path: Path) -> None:
    done = command("demo", "--check", "--data", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "5 cases" in done.stdout


def test_help_documents_every_exit_code_and_the_readme_names_every_command() -> None:
    told = re.sub(r"\s+", " ", command("--help").stdout)
    readme = (ROOT / "README.md").read_text()
    for code, meaning in custodiet.EXIT_CODES.items():
        assert meaning.split(" (")[0].split(":")[0] in re.sub(r" [│|] ", " ", told)
        assert f"| {code} |" in readme
    for name in (
        "ingest",
        "baseline",
        "detect",
        "run",
        "sessions",
        "cases",
        "replay",
        "readers",
        "coverage",
        "dashboard",
        "demo",
    ):
        assert f"custodiet {name}" in readme


def test_readers_lists_them_and_tells_all_about_one() -> None:
    listed = json.loads(command("readers", "--json").stdout)
    assert {"reader", "reads", "more"} == set(listed[0])
    assert len(command("readers").stdout.splitlines()) == len(listed)
    assert command("readers", "temporal").stdout.startswith("Temporal workflow histories")
    assert command("readers", "nothing").returncode == 1


def test_the_readme_names_every_reader() -> None:
    from ingest.load import all_readers

    readme = (ROOT / "README.md").read_text()
    assert [reader.name for reader in all_readers() if f"`{reader.name}`" not in readme] == []


def test_the_readme_and_the_gate_use_the_same_commands() -> None:
    gate = (ROOT / ".ci" / "run").read_text()
    readme = (ROOT / "README.md").read_text()
    for line in ("make test", "make lint"):
        assert line in gate
        assert line in readme
    assert "make run" in readme


def test_a_run_that_is_killed_and_started_again_ends_like_one_that_was_not(data: Path, tmp_path: Path) -> None:
    import signal
    import time

    arguments = [sys.executable, "-m", "custodiet", "run", str(SAMPLES), "--data", str(tmp_path), "--json"]
    for after_s in (0.8, 1.6, 2.6, 3.4):
        child = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
        time.sleep(after_s)
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert subprocess.run(arguments, capture_output=True, cwd=ROOT, check=False).returncode == 0
    for name in ("cases", "sessions", "baseline"):
        again = json.loads(command(name, "--data", tmp_path, "--json").stdout)
        assert again == json.loads(command(name, "--data", data, "--json").stdout)
