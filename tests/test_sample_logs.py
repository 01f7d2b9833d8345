"""The sample logs are what their generator writes, and say what they promise."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SAMPLE_LOGS = Path(__file__).resolve().parents[1] / "sample_logs"
FOLDERS = sorted(path.parent for path in SAMPLE_LOGS.glob("*/expect.toml"))
FIRST, LAST = datetime(2026, 10, 5, tzinfo=UTC), datetime(2026, 10, 31, tzinfo=UTC)
LAST_TWO_WEEKS = datetime(2026, 10, 19, tzinfo=UTC)
DETECTORS = {
    "first_privileged_use",
    "unlikely_transition_into_privileged_call",
    "credential_switch_then_new_reach",
    "network_path_opened_then_crossed",
    "delegation_widens_authority",
}


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two fresh runs of the generator, under different hash seeds."""
    runs = []
    for seed in ("1", "2"):
        where = tmp_path_factory.mktemp(f"run{seed}")
        subprocess.run(
            [sys.executable, str(SAMPLE_LOGS / "generate.py"), str(where)],
            check=True,
            env={"PYTHONHASHSEED": seed, "TZ": "Pacific/Auckland"},
        )
        runs.append(where)
    return runs[0], runs[1]


def files_in(root: Path) -> dict[str, Path]:
    folders = sorted(path.parent for path in root.glob("*/expect.toml"))
    return {str(path.relative_to(root)): path for folder in folders for path in sorted(folder.iterdir())}


def plain(path: Path) -> bytes:
    """The content without its packing: another zlib packs the same content into other bytes."""
    content = path.read_bytes()
    if path.suffix == ".gz":
        return gzip.decompress(content)
    return zstd.decompress(content) if path.suffix == ".zst" else content


def documents(path: Path) -> list[dict]:
    text = plain(path).decode("ascii")
    return [json.loads(text)] if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]


def logs_of(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.iterdir() if ".json" in path.name)


def spans_of(folder: Path) -> Iterator[dict]:
    for path in logs_of(folder):
        for document in documents(path):
            for batch in document.get("resourceSpans", ()):
                for scope in batch["scopeSpans"]:
                    yield from scope["spans"]


def moments_of(folder: Path) -> Iterator[datetime]:
    for path in logs_of(folder):
        text = plain(path).decode("ascii")
        for nanoseconds in re.findall(r'"\w*TimeUnixNano": ?"(\d+)"', text):
            yield datetime.fromtimestamp(int(nanoseconds) / 1e9, UTC)
        for written in re.findall(r'"(?:eventTime|created_at)": ?"([^"]+)"', text):
            yield datetime.fromisoformat(written.replace("Z", "+00:00"))


def test_two_runs_write_the_same_bytes(twice: tuple[Path, Path]) -> None:
    one, two = (files_in(where) for where in twice)
    assert one.keys() == two.keys()
    assert [name for name in one if one[name].read_bytes() != two[name].read_bytes()] == []


def test_the_folders_in_git_are_what_the_generator_writes(twice: tuple[Path, Path]) -> None:
    fresh, kept = files_in(twice[0]), files_in(SAMPLE_LOGS)
    assert fresh.keys() == kept.keys()
    assert [name for name in fresh if plain(fresh[name]) != plain(kept[name])] == []


def test_they_are_small_enough_for_git() -> None:
    assert sum(path.stat().st_size for path in files_in(SAMPLE_LOGS).values()) < 4_000_000


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_is_expected_is_said_in_full(folder: Path) -> None:
    expect = tomllib.loads((folder / "expect.toml").read_text())
    cases = expect.pop("case", [])
    assert expect.keys() == {"summary", "kind", "with"}
    assert len(cases) == (1 if expect["kind"] == "attack" else 0)
    assert expect["with"] == ([] if expect["kind"] == "history" else ["four_weeks"])
    for case in cases:
        assert case.keys() == {"agents", "path", "detectors", "worst_tool", "techniques"}
        assert case["worst_tool"] in case["path"]
        assert set(case["detectors"]) <= DETECTORS
        assert not [technique for technique in case["techniques"] if technique.startswith("T1562")]
        text = b"".join(plain(path) for path in logs_of(folder)).decode()
        assert [name for name in (*case["agents"], *case["path"]) if f'"{name}"' not in text] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_time_lies_in_the_window(folder: Path) -> None:
    moments = list(moments_of(folder))
    assert moments
    assert (FIRST if folder.name == "four_weeks" else LAST_TWO_WEEKS) <= min(moments)
    assert max(moments) < LAST


def test_span_ids_are_hex_and_parents_lie_in_the_same_trace() -> None:
    for folder in FOLDERS:
        spans = list(spans_of(folder))
        known = {(span["traceId"], span["spanId"]) for span in spans}
        assert len(known) == len(spans)
        for span in spans:
            assert re.fullmatch(r"[0-9a-f]{32}", span["traceId"])
            assert re.fullmatch(r"[0-9a-f]{16}", span["spanId"])
            assert span.get("parentSpanId") is None or (span["traceId"], span["parentSpanId"]) in known
            assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])


def test_workflow_event_ids_have_no_gaps() -> None:
    for folder in FOLDERS:
        for path in logs_of(folder):
            for document in documents(path):
                numbers = [int(event["eventId"]) for event in document.get("events", ())]
                assert numbers == list(range(1, len(numbers) + 1))
