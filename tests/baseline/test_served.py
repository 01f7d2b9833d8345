from __future__ import annotations

from pathlib import Path

from baseline.capability import Capabilities
from baseline.fold import classify_tools, counts_of_sessions, fold
from baseline.history import SERVED
from baseline.served import ServedCounts
from ingest.database import ask, open_published
from ingest.load import ingest_paths

SAMPLES = Path(__file__).parents[2] / "sample_logs"


def test_what_a_session_adds_to_the_history_is_its_part_of_the_counts(tmp_path: Path) -> None:
    capabilities = Capabilities.load()
    ingest_paths([SAMPLES / "four_weeks", SAMPLES / "firewall_opened_then_crossed"], tmp_path)
    fold(tmp_path, capabilities)
    connection = open_published(tmp_path)
    classify_tools(connection, capabilities)
    sessions = ask(connection, "select distinct session_id from events order by 1").get_column("session_id").to_list()
    served = ServedCounts(connection)
    told: set[str] = set()
    for some in (sessions[:1], sessions[-7:], sessions):
        counted = counts_of_sessions(connection, some).drop("session_id").rows()
        rows = served.of(some)
        assert sorted(rows) == sorted(row for row in counted if row[3] in SERVED)
        told |= {row[3] for row in rows}
    assert told > {"session", "tool", "transition", "target"}


def test_counts_of_some_aspects_are_those_rows_of_all_counts(tmp_path: Path) -> None:
    capabilities = Capabilities.load()
    ingest_paths([SAMPLES / "four_weeks", SAMPLES / "firewall_opened_then_crossed"], tmp_path)
    connection = open_published(tmp_path)
    classify_tools(connection, capabilities)
    sessions = ask(connection, "select distinct session_id from events order by 1").get_column("session_id").to_list()
    everything = counts_of_sessions(connection, sessions).rows()
    by_aspect = {row[4]: [other for other in everything if other[4] == row[4]] for row in everything}
    for aspect in (*sorted(by_aspect), "session"):
        assert sorted(counts_of_sessions(connection, sessions, [aspect]).rows(), key=repr) == sorted(
            by_aspect[aspect], key=repr
        )
    assert len(by_aspect) > 15
    assert counts_of_sessions(connection, sessions, ["no such aspect"]).is_empty()
