"""Every scenario in `sample_logs/` gives exactly what its `expect.toml` says: no case more and none less."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest

from baseline.capability import Capabilities
from baseline.fold import fold
from detect.run import detect_in
from ingest.database import ask, open_published
from ingest.load import ingest_paths

SAMPLES = Path(__file__).parents[1] / "sample_logs"
SCENARIOS = sorted(path.parent.name for path in SAMPLES.glob("*/expect.toml"))


def expectation(name: str) -> dict:
    return tomllib.loads((SAMPLES / name / "expect.toml").read_text())


@pytest.fixture(scope="session")
def history(tmp_path_factory) -> Path:
    """The data directory after the four benign weeks."""
    data = tmp_path_factory.mktemp("history") / "data"
    report = ingest_paths([SAMPLES / "four_weeks"], data)
    assert all(unread.is_no_log for unread in report.unread)
    assert not report.failed
    assert not any(file.rejected for file in report.files)
    return data


@pytest.fixture(scope="session")
def detected(history: Path, tmp_path_factory):
    """The data directory after the four weeks and one scenario, judged."""

    def judge(name: str) -> Path:
        data = tmp_path_factory.mktemp(name) / "data"
        shutil.copytree(history, data)
        assert expectation(name)["with"] in (["four_weeks"], [])
        report = ingest_paths([SAMPLES / name], data)
        assert all(unread.is_no_log for unread in report.unread)
        fold(data, Capabilities.load())
        assert not detect_in(data, Capabilities.load()).failed
        return data

    return judge


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_gives_exactly_what_it_expects(name: str, detected) -> None:
    connection = open_published(detected(name))
    cases = ask(connection, "from cases order by case_id").to_dicts()
    expected = expectation(name).get("case", [])
    assert len(cases) == len(expected), [case["why"] for case in cases]
    for case, wanted in zip(cases, expected, strict=True):
        steps = ask(
            connection,
            "select event_id, agent_id, tool, source from events where event_id in (select unnest($path))",
            path=case["path"],
        ).to_dicts()
        by_id = {step["event_id"]: step for step in steps}
        path = [by_id[event_id] for event_id in case["path"]]
        assert [step["tool"] for step in path] == wanted["path"]
        assert sorted(case["agents"]) == sorted(wanted["agents"])
        assert set(wanted["detectors"]) <= set(case["detectors"])
        assert by_id[case["event_id"]]["tool"] == wanted["worst_tool"]
        assert all(f"sample_logs/{name}/" in step["source"] for step in path)
        assert case["severity"] in ("high", "critical")


def test_all_scenarios_together_give_all_cases_and_no_other(history: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(history, data)
    ingest_paths([SAMPLES], data)
    fold(data, Capabilities.load())
    cases = detect_in(data, Capabilities.load()).cases
    found = sorted(sorted({Path(s.source.rpartition(":")[0]).parent.name for s in case.path}) for case in cases)
    attacks = sorted([name] for name in SCENARIOS if expectation(name)["kind"] == "attack")
    assert found == attacks


def test_every_path_leads_back_to_a_line_that_holds_its_record(detected) -> None:
    from hashlib import sha256

    import msgspec

    connection = open_published(detected("role_chain_to_another_account"))
    steps = ask(
        connection,
        "select source, source_sha256 from events where source like '%role_chain%' order by source",
    )
    assert steps.height > 10
    for source, digest in steps.iter_rows():
        path, _, line = source.rpartition(":")
        text = Path(path).read_bytes().split(b"\n")[int(line) - 1].strip()
        records = [text]
        if digest != sha256(text).hexdigest():
            records = [bytes(raw) for raw in msgspec.json.decode(text, type=dict[str, list[msgspec.Raw]])["events"]]
        assert digest in {sha256(record).hexdigest() for record in records}


def test_the_same_input_gives_the_same_findings_whatever_the_order_and_the_threads(
    history: Path, tmp_path: Path
) -> None:
    outcomes = []
    folders = [SAMPLES / name for name in SCENARIOS]
    for number, order in enumerate((folders, folders[::-1])):
        data = tmp_path / str(number)
        for folder in order:
            ingest_paths([folder], data)
        fold(data, Capabilities.load())
        detect_in(data, Capabilities.load())
        connection = open_published(data)
        outcomes.append(
            (ask(connection, "from findings").to_dicts(), ask(connection, "from cases").to_dicts(),
             ask(connection, "from counts order by all").drop("segment").group_by(
                 "day", "agent_id", "agent_version", "aspect", "context", "value", maintain_order=True
             ).sum().sort("day", "agent_id", "agent_version", "aspect", "context", "value").to_dicts())
        )  # fmt: skip
    assert outcomes[0] == outcomes[1]


def test_samples_cover_attacks_and_look_alikes() -> None:
    kinds = [expectation(name)["kind"] for name in SCENARIOS]
    assert kinds.count("attack") >= 4
    assert kinds.count("look_alike") >= 3
    assert kinds.count("history") == 1
