"""Small segments become few, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

from otlp_lines import line

from baseline.capability import Capabilities
from baseline.fold import fold
from ingest.compaction import compact
from ingest.database import ask, open_published
from ingest.load import ingest_paths
from ingest.published import editing, published

EVENTS = "select * from stored_events order by event_id, content_key"
COUNTS = "select * exclude (segment) from counts order by all"


def many_segments(data: Path, logs: Path, segments: int = 40) -> None:
    logs.mkdir()
    for number in range(segments):
        file = logs / f"{number}.jsonl"
        file.write_text("".join(line(number * 5 + n, agent=f"a{n}") for n in range(5)))
        ingest_paths([file], data)
    fold(data, Capabilities.load())


def test_events_index_and_counts_stay_what_they_are(tmp_path: Path) -> None:
    data = tmp_path / "data"
    many_segments(data, tmp_path / "logs")
    before = open_published(data)
    told = [
        ask(before, sql.replace("*", "* exclude (filename)") if "stored" in sql else sql) for sql in (EVENTS, COUNTS)
    ]
    with editing(data) as edition:
        assert compact(edition) == 40
        edition.publish()
    fold(data, Capabilities.load())
    after = open_published(data)
    assert len(published(data).files("events")) == len(published(data).files("traces")) < 8
    assert ask(after, EVENTS.replace("*", "* exclude (filename)")).equals(told[0])
    summed = "select day, agent_id, aspect, context, value, sum(steps) from counts group by all order by all"
    assert ask(after, summed).equals(ask(before, summed))
    index = "select trace_id, segment from stored_traces order by trace_id"
    assert set(ask(after, index).get_column("segment")) <= set(published(data).files("events"))
    assert ask(after, index).height == 200


def test_a_known_record_is_known_after_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    many_segments(data, tmp_path / "logs", 20)
    with editing(data) as edition:
        compact(edition)
        edition.publish()
    copy = tmp_path / "copy.jsonl"
    copy.write_text(line(7, agent="a2") + line(1000))
    (file,) = ingest_paths([copy], data).files
    assert (file.events, file.duplicates) == (1, 1)


def test_a_run_that_is_killed_within_it_leaves_what_was_published(tmp_path: Path) -> None:
    data = tmp_path / "data"
    many_segments(data, tmp_path / "logs", 20)
    before = published(data)
    with editing(data) as edition:
        compact(edition)  # and no publish
    assert published(data) == before
    assert ask(open_published(data), "select count(*) from events").item() == 100


def test_few_segments_are_left_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    many_segments(data, tmp_path / "logs", 7)
    with editing(data) as edition:
        assert compact(edition) == 0
