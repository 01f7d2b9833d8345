"""Steps that several traces tell of: joined by an id that nothing else has, and by nothing less."""

from __future__ import annotations

import json

import pytest

from ingest.event import Observation, Row
from ingest.joins import grouped, joined_by
from ingest.settle import content_key, settle

CALL = joined_by(call="toolu_01AbCdEfGh2345IjKl")


def said(event: str, trace: str, **fields: object) -> Observation:
    defaults: dict[str, object] = {"kind": "tool_call", "operation": "execute_tool", "status": "ok", "joins": CALL}
    return Observation(event_id=event, trace_id=trace, **(defaults | fields))  # type: ignore[arg-type]


def settled(*observations: Observation) -> dict[str, Row]:
    rows = settle((content_key(o), o) for o in observations)
    return {row.event_id: row for row in rows if row.witness_of is None}


@pytest.mark.parametrize(
    "identity", ["call_1", "call-12", "", "0000000000000000", "a b c d e f 1 2 3 4 5 6 7 8 9 0 x y"]
)
def test_an_id_that_may_come_again_joins_nothing(identity: str) -> None:
    assert joined_by(call=identity) is None


def test_ids_of_several_sorts_are_keys_of_one_step() -> None:
    assert joined_by(call="toolu_01AbCdEfGh2345IjKl", adk=None, span=["x", "0af7651916cd43dd8448eb211c80319c/b7"]) == (
        "call:toolu_01AbCdEfGh2345IjKl span:0af7651916cd43dd8448eb211c80319c/b7"
    )
    assert sorted(map(sorted, grouped({"a": ["1"], "b": ["1", "2"], "c": ["2"], "d": [], "e": ["3"]}))) == [
        ["a", "b", "c"], ["d"], ["e"],
    ]  # fmt: skip


def test_a_pause_and_its_resume_are_one_call_that_stands_where_it_was_made() -> None:
    events = settled(
        said("asked", "one", tool="block", status="pending", started_at=10),
        said("made", "two", tool="block", started_at=50, parent_event_id="run"),
        said("run", "two", kind="lifecycle", joins=None, started_at=40),
        said("below", "one", tool="look", joins=None, parent_event_id="asked", started_at=11),
    )
    assert set(events) == {"made", "run", "below"}
    assert (events["made"].witnesses, events["made"].started_at, events["made"].parent_event_id) == (2, 50, "run")
    assert (events["below"].parent_event_id, events["below"].ordered_at) == ("made", 50)


def test_one_id_for_two_tools_is_no_second_telling() -> None:
    assert set(settled(said("a", "one", tool="look"), said("b", "two", tool="block"))) == {"a", "b"}


def test_witnesses_of_several_traces_say_in_what_they_differ() -> None:
    (event,) = settled(
        said("a", "one", tool="block", arguments='{"host": "x"}', started_at=2),
        said("b", "two", tool="block", arguments='{"host": "y"}', started_at=1),
    ).values()
    assert (event.event_id, event.disagreement, event.arguments) == ("a", "arguments", '{"host": "x"}')


def test_an_approval_is_bound_to_its_call_in_another_trace_and_a_no_beside_a_yes_stays_apart() -> None:
    events = settled(
        said("call", "two", tool="block", approval="cannot_record", started_at=5),
        said("asked", "one", kind="approval", approval="pending", status="pending", started_at=1),
        said("no", "one", kind="approval", approval="denied", status="denied", approver="ann", started_at=2),
        said("yes", "three", kind="approval", approval="approved", approver="bo", started_at=3),
    )
    assert set(events) == {"call", "no", "yes"}
    assert (events["no"].tool, events["no"].witnesses, events["yes"].parent_event_id) == ("block", 2, "call")
    assert (events["call"].approval, events["call"].approver, events["call"].status) == ("denied", "ann", "ok")


def test_an_approval_of_other_arguments_says_nothing_of_the_call() -> None:
    events = settled(
        said("call", "two", tool="block", approval="not_recorded", arguments='{"host": "x"}'),
        said("yes", "one", kind="approval", approval="approved", tool="block", arguments='{"host": "y"}'),
    )
    assert (events["call"].approval, events["yes"].parent_event_id) == ("not_recorded", None)


def test_a_call_that_was_denied_and_never_made_is_named_by_the_answer_that_asked_for_it() -> None:
    asked = [{"role": "assistant", "parts": [{"type": "tool_call", "id": "toolu_01AbCdEfGh2345IjKl", "name": "block",
                                             "arguments": {"host": "wks-1"}}]}]  # fmt: skip
    events = settled(
        said("model", "one", kind="model_call", joins=None, result=json.dumps(asked)),
        said("pause", "one", kind="approval", approval="pending", status="pending"),
        said("answer", "two", kind="approval", approval="denied", status="denied", approver="ann"),
    )
    assert set(events) == {"model", "answer"}
    told = events["answer"]
    assert (told.tool, told.target, told.approval, told.approver) == ("block", "wks-1", "denied", "ann")


def test_what_an_untimed_file_tells_takes_its_time_from_the_call_that_spans_tell_too() -> None:
    events = settled(
        said("span", "one", tool="block", started_at=70),
        said("said", "file", tool="block", sequence=3, witness="message"),
        said("before", "file", kind="message", joins=None, sequence=1, witness="message"),
        said("after", "file", kind="message", joins=None, sequence=4, witness="message"),
    )
    assert (events["before"].ordered_at, events["after"].ordered_at) == (None, 70)


def test_tokens_of_a_model_call_in_two_exports_are_counted_once() -> None:
    key = joined_by(adk="f7b7328f-4193-48e5-ad43-485b5e9c9ce7")
    events = settled(
        said("span", "one", kind="model_call", joins=key, input_tokens=50),
        said("session", "two", kind="model_call", joins=key, input_tokens=50, witness="history"),
    )
    assert [event.input_tokens for event in events.values()] == [50]
