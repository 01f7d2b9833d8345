"""What a person or a receiver still looks at: sessions that retention leaves where they are."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

from detect.outbox import content, known
from detect.outbox_raise import is_open
from detect.people import is_there, people
from ingest.database import ask

_CASES_SAID_OF: Final = """
select case_id from verdicts
union select case_id from owners
union select case_id from notes where case_id is not null
order by case_id
"""
_SESSIONS_SAID_OF: Final = """
select session_id from verdicts_cover
union select session_id from notes where session_id is not null
order by session_id
"""
_EVENTS_SAID_OF: Final = "select distinct event_id from notes where event_id is not null order by event_id"
_SESSIONS_OF_CASES: Final = """
select distinct unnest(sessions) as session_id
from cases
where case_id in (select unnest($cases::varchar[]))
"""
_SESSIONS_OF_EVENTS: Final = """
select distinct session_id
from stored_events
where event_id in (select unnest($events::varchar[]))
"""


def sessions_in_evidence(data: Path, connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The sessions of every case with a verdict, an owner, a note or an open alert, and those that notes are about."""
    if not is_there(data):
        return set()
    with people(data) as store:
        cases = {row["case_id"] for row in store.execute(_CASES_SAID_OF)}
        sessions = {row["session_id"] for row in store.execute(_SESSIONS_SAID_OF)}
        events = [row["event_id"] for row in store.execute(_EVENTS_SAID_OF)]
        for sink in [row["sink"] for row in store.execute("select distinct sink from alerts order by sink")]:
            for case_id, revisions in known(store, sink).items():
                if is_open(revisions):
                    cases.add(case_id)
                    sessions.update(content(store, revisions[-1]["alert_id"]).get("sessions") or ())
    sessions |= set(ask(connection, _SESSIONS_OF_CASES, cases=sorted(cases))["session_id"])
    return sessions | set(ask(connection, _SESSIONS_OF_EVENTS, events=events)["session_id"])
