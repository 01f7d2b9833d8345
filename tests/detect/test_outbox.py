"""The outbox: one alert a case, revisions and closings under its id, silences, caps, groups; nothing ever lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alerting import NOON, Clock, case, published, settings, webhook
from hypothesis import given as examples
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from receivers import Receiver, Reply

from detect import silences
from detect.outbox import Account, account, listed, retry
from detect.outbox_raise import raise_alerts
from detect.outbox_send import deliver
from detect.people import people
from detect.preview import previews
from detect.settings import Settings
from detect.verdicts import say
from ingest.errors import Trouble

NOWHERE = webhook("https://192.0.2.1/hook")


def rows(data: Path, **which: str) -> list[dict[str, Any]]:
    with people(data) as outbox:
        return listed(outbox, **which)


def told(data: Path) -> Account:
    with people(data) as outbox:
        return account(outbox)


def silence(data: Path, clock: Clock, hours: float = 1, **of: str) -> int:
    with people(data) as connection:
        return silences.add(
            connection,
            said_at=clock.now(),
            said_by="ana",
            why="maintenance",
            expires_at=clock.now() + hours * 3600,
            **of,
        )


def test_raising_twice_writes_once_and_says_how_much(tmp_path: Path) -> None:
    cases = published(case("a"), case("b", severity="low"))
    assert raise_alerts(tmp_path, cases, NOWHERE, Clock()) == 1
    assert raise_alerts(tmp_path, cases, NOWHERE, Clock()) == 0
    assert told(tmp_path) == Account(1, 0, 1, 0, 0)
    (row,) = rows(tmp_path)
    assert (row["kind"], row["revision"], row["state"]) == ("created", 1, "pending")


def test_a_score_that_moves_a_little_is_no_news_and_a_new_step_is(tmp_path: Path) -> None:
    with Receiver() as receiver:
        target = webhook(receiver.url)
        for version in (case("a"), case("a"), case("a", steps=2)):
            raise_alerts(tmp_path, published(version), target, Clock())
            deliver(tmp_path, target, Clock())
    assert [r.json["type"] for r in receiver.taken] == ["case.created", "case.updated"]
    assert len({r.json["data"]["case_id"] for r in receiver.taken}) == 1


def test_a_case_that_is_gone_is_closed_once_and_may_come_back(tmp_path: Path) -> None:
    with Receiver() as receiver:
        target = webhook(receiver.url)
        for connection in (published(case("a")), published(), published(), published(case("a"))):
            raise_alerts(tmp_path, connection, target, Clock())
            deliver(tmp_path, target, Clock())
    assert [r.json["type"] for r in receiver.taken] == ["case.created", "case.closed", "case.created"]
    assert [r.json["data"]["revision"] for r in receiver.taken] == [1, 2, 3]
    assert receiver.taken[1].json["data"]["closed_why"] == "the logs no longer show it"


def test_a_case_that_became_part_of_another_says_of_which(tmp_path: Path) -> None:
    with Receiver() as receiver:
        target = webhook(receiver.url)
        alone, whole = case("a"), case("a") | {"case_id": "the-whole"}
        for version in (alone, whole):
            raise_alerts(tmp_path, published(version), target, Clock())
            deliver(tmp_path, target, Clock())
    closed = next(r.json for r in receiver.taken if r.json["type"] == "case.closed")
    assert closed["data"]["closed_why"] == "its steps are now part of case the-whole"


def test_a_case_that_a_person_closed_says_who_and_as_what(tmp_path: Path) -> None:
    with Receiver() as receiver:
        target, found = webhook(receiver.url), published(case("a"))
        raise_alerts(tmp_path, found, target, Clock())
        deliver(tmp_path, target, Clock())
        say(tmp_path, found, case("a")["case_id"], "false_positive", by="ana", at=NOON)
        raise_alerts(tmp_path, published(), target, Clock())
        deliver(tmp_path, target, Clock())
    assert receiver.taken[1].json["data"]["closed_why"] == "ana closed it as false_positive"


def test_nothing_is_closed_while_a_detector_is_broken(tmp_path: Path) -> None:
    raise_alerts(tmp_path, published(case("a")), NOWHERE, Clock())
    assert raise_alerts(tmp_path, published(failed=True), NOWHERE, Clock()) == 0
    assert raise_alerts(tmp_path, published(), NOWHERE, Clock()) == 1


def test_what_no_receiver_saw_yet_is_superseded_and_a_case_that_ended_unsent_is_never_sent(tmp_path: Path) -> None:
    raise_alerts(tmp_path, published(case("a"), case("b")), NOWHERE, Clock())
    raise_alerts(tmp_path, published(case("a", steps=2)), NOWHERE, Clock())
    with Receiver() as receiver:
        deliver(tmp_path, webhook(receiver.url), Clock())
    (request,) = receiver.taken
    assert (request.json["type"], request.json["data"]["revision"]) == ("case.created", 2)
    assert told(tmp_path) == Account(4, 1, 0, 0, 3)
    whys = {row["why"] for row in rows(tmp_path, state="suppressed")}
    assert whys == {"superseded by revision 2", "the case ended before it was sent"}


def test_a_case_under_the_bar_of_the_budget_is_not_raised_until_it_is_over_it(tmp_path: Path) -> None:
    held = published(case("a", is_raised=False), case("b", is_raised=None))
    assert raise_alerts(tmp_path, held, NOWHERE, Clock()) == 1
    both = published(case("a"), case("b", is_raised=False))
    assert raise_alerts(tmp_path, both, NOWHERE, Clock()) == 1
    assert {row["case_id"] for row in rows(tmp_path, state="pending")} == {case("a")["case_id"], case("b")["case_id"]}


def test_each_sink_has_its_own_least_severity_and_hears_of_a_case_that_it_knows(tmp_path: Path) -> None:
    routed = settings(
        '[alerts]\nallow_networks = ["127.0.0.1/32"]\nseverity = "low"\n'
        '[sinks.all]\nkind = "jsonl"\npath = "all.jsonl"\n'
        '[sinks.page]\nkind = "jsonl"\npath = "page.jsonl"\nseverity = "critical"\n'
    )
    raise_alerts(tmp_path, published(case("a", severity="critical"), case("b", severity="low")), routed, Clock())
    assert sorted((row["sink"], row["severity"]) for row in rows(tmp_path)) == [
        ("all", "critical"), ("all", "low"), ("page", "critical"),
    ]  # fmt: skip
    raise_alerts(tmp_path, published(case("a"), case("b", severity="low")), routed, Clock())
    assert [(row["revision"], row["severity"]) for row in rows(tmp_path, sink="page", state="pending")] == [(2, "high")]


@pytest.mark.parametrize(
    ("of", "is_silent"),
    [
        ({"agent": "triage"}, True),
        ({"agent": "other"}, False),
        ({"detector": "first_privileged_use"}, True),
        ({"detector": "delegation_widens_authority"}, False),
        ({"tool": "delete_bucket"}, True),
        ({"tool": "delete_bucket", "agent": "other"}, False),
        ({"case_id": case("a")["case_id"]}, True),
    ],
)
def test_a_silence_covers_what_has_all_that_it_names_until_it_ends(
    tmp_path: Path, of: dict[str, str], is_silent: bool
) -> None:
    clock = Clock()
    silence(tmp_path, clock, **of)
    raise_alerts(tmp_path, published(case("a")), NOWHERE, clock)
    (row,) = rows(tmp_path)
    assert (row["state"] == "suppressed") is is_silent
    if is_silent:
        assert row["why"] == "silence 1 of ana: maintenance"
    clock.sleep(3601)
    raise_alerts(tmp_path, published(case("a", steps=2)), NOWHERE, clock)
    assert [(row["kind"], row["revision"]) for row in rows(tmp_path, state="pending")] == [("created", 2)]
    assert told(tmp_path).raised == 2


def test_a_silence_of_one_agent_does_not_hide_a_case_in_which_another_took_part(tmp_path: Path) -> None:
    clock = Clock()
    silence(tmp_path, clock, agent="triage")
    both = published(case("a", agents=["triage", "deploy"]))
    raise_alerts(tmp_path, both, NOWHERE, clock)
    assert rows(tmp_path)[0]["state"] == "pending"
    silence(tmp_path, clock, agent="deploy")
    raise_alerts(tmp_path, published(case("a", agents=["triage", "deploy"], steps=2)), NOWHERE, clock)
    assert (
        rows(tmp_path, state="suppressed")[0]["why"] == "silence 1 of ana: maintenance; silence 2 of ana: maintenance"
    )
    assert len(rows(tmp_path, state="pending")) == 1, "what was raised before the silence still goes"


def test_silences_are_ended_early_and_stay_on_record(tmp_path: Path) -> None:
    clock = Clock()
    number = silence(tmp_path, clock, agent="triage")
    with people(tmp_path) as connection:
        assert silences.end(connection, number, said_at=clock.now(), said_by="ben")
        assert not silences.end(connection, number, said_at=clock.now(), said_by="ben")
        assert not silences.end(connection, 99, said_at=clock.now(), said_by="ben")
        assert silences.in_force(connection, clock.now()) == []
        assert silences.all_silences(connection)[0]["ended_by"] == "ben"
        for change in ("delete from silences", "update silences set why = 'x'", "delete from silences_ended"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(change)
        with pytest.raises(Trouble, match="everything"):
            silences.add(connection, said_at=NOON, said_by="ana", why="x", expires_at=NOON + 1)
        with pytest.raises(Trouble, match="future"):
            silences.add(connection, said_at=NOON, said_by="ana", why="x", expires_at=NOON, agent="a")


def test_what_is_over_the_cap_is_one_summary_and_the_worst_go_first(tmp_path: Path) -> None:
    capped = webhook("https://192.0.2.1/hook", more="most_an_hour = 2")
    many = [case(str(n), severity="critical" if n == 7 else "high") for n in range(10)]
    clock = Clock()
    raise_alerts(tmp_path, published(*many), capped, clock)
    pending = rows(tmp_path, state="pending")
    assert sorted(row["kind"] for row in pending) == ["created", "created", "summary"]
    assert "critical" in {row["severity"] for row in pending if row["kind"] == "created"}
    assert next(row["title"] for row in pending if row["kind"] == "summary").startswith("8 more cases")
    assert told(tmp_path) == Account(11, 0, 3, 0, 8)
    raise_alerts(tmp_path, published(*many, case("next")), capped, clock)
    assert told(tmp_path) == Account(12, 0, 3, 0, 9), "one summary an hour"
    clock.sleep(3601)
    raise_alerts(tmp_path, published(*many, case("next"), case("later")), capped, clock)
    assert told(tmp_path) == Account(13, 0, 4, 0, 9)


def test_the_cases_of_one_agent_in_one_run_are_one_alert_where_it_is_asked_for(tmp_path: Path) -> None:
    with Receiver() as receiver:
        target = webhook(receiver.url, more='group = "agent"')
        found = [case("a"), case("b", severity="critical"), case("c"), case("d", agent="deploy")]
        raise_alerts(tmp_path, published(*found), target, Clock())
        deliver(tmp_path, target, Clock())
    worst, other = (r.json["data"] for r in receiver.taken)
    assert (worst["severity"], worst["cases"]) == ("critical", 3)
    assert {g["case_id"] for g in worst["grouped"]} == {case("a")["case_id"], case("c")["case_id"]}
    assert other["agents"] == ["deploy"]
    assert told(tmp_path) == Account(4, 2, 0, 0, 2)


def test_in_quiet_hours_alerts_wait_and_the_severe_go(tmp_path: Path) -> None:
    clock = Clock()  # 12:00 UTC is 13:00 in Berlin
    with Receiver() as receiver:
        target = webhook(receiver.url, more='quiet = "12:30-14:00"\nquiet_zone = "Europe/Berlin"')
        raise_alerts(tmp_path, published(case("a", severity="medium"), case("b")), target, clock)
        assert (deliver(tmp_path, target, clock).delivered, told(tmp_path).pending) == (1, 1)
        assert receiver.taken[0].json["data"]["severity"] == "high"
        assert deliver(tmp_path, target, clock).untaken == 0
        assert deliver(tmp_path, target, clock, patience_s=3599).delivered == 0
        clock.at = NOON
        assert deliver(tmp_path, target, clock, patience_s=3600).delivered == 1
        assert clock.at == NOON + 3600


def test_a_preview_has_the_bodies_and_writes_nothing(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("detect.preview.open_published", lambda data: published(case("a"), case("b")))
    silence(tmp_path, Clock(), case_id=case("b")["case_id"])
    shown = previews(tmp_path, NOWHERE, Clock())
    assert [(s["sink"], s["kind"], s["state"]) for s in shown] == [
        ("webhook", "created", "pending"), ("webhook", "created", "suppressed"),
    ]  # fmt: skip
    assert '"type":"case.created"' in shown[0]["body"]
    assert told(tmp_path).raised == 0


def test_an_account_that_does_not_add_up_is_trouble_and_no_row_can_be_deleted(tmp_path: Path) -> None:
    raise_alerts(tmp_path, published(case("a")), NOWHERE, Clock())
    with people(tmp_path) as outbox:
        for table in ("alerts", "raisings"):
            with pytest.raises(sqlite3.IntegrityError, match="never deleted"):
                outbox.execute(f"delete from {table}")
        outbox.execute("drop trigger alerts_are_kept")
        outbox.execute("delete from alerts")
        with pytest.raises(Trouble, match="do not add up"):
            account(outbox)


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("cases"), st.lists(st.tuples(st.integers(0, 4), st.integers(1, 3)), max_size=4)),
        st.tuples(st.just("deliver"), st.lists(st.sampled_from([200, 500, 429, 400, 410]), max_size=4)),
        st.tuples(st.just("wait"), st.integers(1, 200_000)),
        st.tuples(st.just("silence"), st.integers(0, 4)),
        st.tuples(st.just("retry"), st.booleans()),
    ),
    max_size=12,
)


@examples(ACTIONS)
@hypothesis(max_examples=25)
def test_whatever_happens_every_alert_is_accounted_for_and_none_arrives_twice(tmp_path_factory, actions: list) -> None:
    data, clock = tmp_path_factory.mktemp("outbox"), Clock()
    with Receiver() as receiver:
        target = webhook(receiver.url, more="most_an_hour = 3")
        raised = 0
        for action, what in actions:
            if action == "cases":
                cases = {name: case(str(name), steps=steps) for name, steps in what}
                raised += raise_alerts(data, published(*cases.values()), target, clock)
            elif action == "deliver":
                receiver.script[:] = [Reply(status) for status in what]
                deliver(data, target, clock)
            elif action == "wait":
                clock.sleep(what)
            elif action == "silence":
                silence(data, clock, case_id=case(str(what))["case_id"])
            else:
                with people(data) as outbox:
                    retry(outbox, clock.now(), ids=[], sink=None, all_dead=what)
            standing = told(data)  # itself raises where it does not add up
            assert standing.raised == raised
            assert standing.delivered == len(receiver.taken)
        ids = [request.headers["webhook-id"] for request in receiver.taken]
        assert len(ids) == len(set(ids))
        by_case: dict[str, list[int]] = {}
        for request in receiver.taken:
            by_case.setdefault(request.json["data"].get("case_id", ""), []).append(request.json["data"]["revision"])
        assert all(revisions == sorted(revisions) for name, revisions in by_case.items() if name)


def test_a_dead_alert_that_a_newer_one_overtook_is_not_sent_again(tmp_path: Path) -> None:
    clock = Clock()
    with Receiver(script=[Reply(410)]) as receiver:
        target = webhook(receiver.url)
        raise_alerts(tmp_path, published(case("a")), target, clock)
        deliver(tmp_path, target, clock)
        with people(tmp_path) as outbox:
            assert retry(outbox, clock.now(), ids=[], sink="webhook") == 1
            deliver(tmp_path, target, clock)
            outbox.execute("update alerts set state = 'dead'")
        raise_alerts(tmp_path, published(case("a", steps=2)), target, clock)
        deliver(tmp_path, target, clock)
        with people(tmp_path) as outbox:
            assert retry(outbox, clock.now(), ids=[], sink=None, all_dead=True) == 0
        assert deliver(tmp_path, target, clock).delivered == 0
    assert rows(tmp_path, state="suppressed")[0]["why"] == "superseded by revision 2"


def test_no_settings_no_raising(tmp_path: Path) -> None:
    none: Settings = settings("")
    assert raise_alerts(tmp_path, published(case("a")), none, Clock()) == 0
