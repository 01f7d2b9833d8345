"""What real SDKs wrote (`sample_logs/producers/`) is read as the one story that their scripts played."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from ingest.database import ask, open_published
from ingest.load import Report, ingest_paths

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "sample_logs" / "producers"
FOLDERS = sorted(path for path in KEPT.iterdir() if path.is_dir())
CALLS = {
    "lookup_ip": ("ok", None),
    "query_siem": ("error", None),
    "isolate_host": ("ok", "approved"),
    "disable_account": ("denied", "denied"),
}
PLACES = re.compile(rb"/(?:work|root|home|tmp|usr|Users|opt|var)/|[A-Z]:\\\\")


def logs(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def read(files: list[Path], data: Path) -> tuple[list[Report], pl.DataFrame]:
    reports = [ingest_paths([file], data) for file in files]
    order = "order by ordered_at nulls first, trace_id, sequence nulls first, depth, kind_rank, event_id"
    return reports, ask(open_published(data), f"select * exclude (source, source_sha256) from events {order}")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_file_is_read_whole_and_the_order_of_the_files_changes_nothing(folder: Path, tmp_path: Path) -> None:
    reports, forwards = read(logs(folder), tmp_path / "forwards")
    for report in reports:
        (file,) = report.files
        assert file.records == file.events + file.folded + file.duplicates > 0
    _, backwards = read(logs(folder)[::-1], tmp_path / "backwards")
    assert forwards.equals(backwards)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_each_call_is_one_event_with_its_outcome_and_its_decision(folder: Path, tmp_path: Path) -> None:
    _, events = read(logs(folder), tmp_path / "data")
    calls = events.filter(pl.col("kind") == "tool_call")
    told = Counter(calls["tool"].to_list())
    if folder.name == "mcp":  # two eras, two runs; a refusal is the server's own answer there
        assert told == dict.fromkeys(CALLS, 2)
        return
    never_a_span = {"disable_account"} if folder.name == "strands" else set()
    assert told == dict.fromkeys(CALLS.keys() - never_a_span, 1)
    for call in calls.to_dicts():
        status, decided = CALLS[call["tool"]]
        returned = folder.name == "langgraph" and status == "denied"  # the tool itself returns the refusal
        assert call["status"] == ("ok" if returned else status), call["tool"]
        assert decided in (None, call["approval"]), call["tool"]
    approvals = events.filter((pl.col("kind") == "approval") & pl.col("approval").is_in(["approved", "denied"]))
    assert sorted(approvals["tool"].to_list()) == ["disable_account", "isolate_host"]


def test_nothing_in_them_tells_of_the_machine_and_they_are_small() -> None:
    files = [file for folder in FOLDERS for file in logs(folder)]
    for file in files:
        content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        assert PLACES.findall(content) == [], file
    assert sum(file.stat().st_size for file in files) < 400_000


def test_the_versions_that_are_named_are_those_that_the_gate_installs() -> None:
    told = (KEPT / "README.md").read_text()
    for requirements in (ROOT / "tests" / "producers").glob("*/requirements.txt"):
        assert f"| `{requirements.parent.name}` | {', '.join(requirements.read_text().split())} |" in told
