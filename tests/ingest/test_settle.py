"""Settling a trace: once, in order, with its agent, from its observations alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.event import Observation, Row, identify
from ingest.settle import content_key, observed, settle


def said(event: str, **fields: object) -> Observation:
    defaults: dict[str, object] = {"kind": "tool_call", "operation": "execute_tool", "status": "ok"}
    return Observation(event_id=event, **({"trace_id": "t"} | defaults | fields))  # type: ignore[arg-type]


def settled(*observations: Observation) -> dict[str, Row]:
    rows = settle((content_key(o), o) for o in observations)
    return {row.event_id: row for row in rows if row.witness_of is None}


def test_an_agent_is_inherited_from_the_nearest_ancestor_that_names_one() -> None:
    events = settled(
        said("run", kind="lifecycle", operation="invoke_agent", agent_id="outer", session_id="s"),
        said("chat", kind="model_call", parent_event_id="run"),
        said("inner", kind="lifecycle", operation="invoke_agent", agent_id="inner", parent_event_id="chat"),
        said("call", tool="look", parent_event_id="inner"),
    )
    assert (events["chat"].agent_id, events["call"].agent_id) == ("outer", "inner")
    assert {e.session_id for e in events.values()} == {"s"}
    assert (events["inner"].kind, events["inner"].agent_id, events["inner"].target) == (
        "handoff",
        "outer",
        "inner",
    )


def test_a_trace_that_names_no_agent_gets_the_service_and_itself_as_session() -> None:
    events = settled(said("call", tool="look", service="svc"))
    assert (events["call"].agent_id, events["call"].session_id) == ("svc", "t")


def test_nested_model_calls_are_one_call_with_its_tokens_once() -> None:
    events = settled(
        said("outer", kind="model_call", input_tokens=100, result='"hi"'),
        said("inner", kind="model_call", input_tokens=100, parent_event_id="outer", model="m"),
        said("http", kind="lifecycle", witness="infrastructure", parent_event_id="inner", target="api.example"),
    )
    assert set(events) == {"outer"}
    assert (events["outer"].input_tokens, events["outer"].model, events["outer"].witnesses) == (100, "m", 3)
    assert events["outer"].target == "api.example"


def test_a_model_call_over_several_is_a_sum_and_carries_no_tokens() -> None:
    events = settled(
        said("outer", kind="model_call", input_tokens=30),
        said("first", kind="model_call", input_tokens=10, parent_event_id="outer"),
        said("second", kind="model_call", input_tokens=20, parent_event_id="outer"),
    )
    assert {e: row.input_tokens for e, row in events.items()} == {"outer": None, "first": 10, "second": 20}


def test_client_and_server_of_one_tool_call_are_one_call_and_another_tool_below_is_not() -> None:
    events = settled(
        said("agent", tool="block"),
        said("client", tool="block", parent_event_id="agent"),
        said("server", tool="block", parent_event_id="client", principal="svc"),
        said("other", tool="look", parent_event_id="server"),
    )
    assert set(events) == {"agent", "other"}
    assert events["agent"].principal == "svc"
    assert events["other"].parent_event_id == "agent"


def test_witnesses_that_differ_say_in_what() -> None:
    events = settled(said("call", tool="look", result='"a"'), said("call", tool="look", result='"b"', witness="log"))
    assert (events["call"].witnesses, events["call"].disagreement, events["call"].result) == (
        2,
        "result",
        '"a"',
    )


def test_a_finished_witness_is_believed_before_a_pending_one() -> None:
    events = settled(said("call", tool="look", status="pending"), said("call", tool="look", status="error", error="no"))
    assert (events["call"].status, events["call"].disagreement) == ("error", None)


def test_the_source_own_sequence_beats_the_clock() -> None:
    events = settled(
        said("a", sequence=1, started_at=100),
        said("b", sequence=2, started_at=50),
        said("c", sequence=3, started_at=200),
    )
    assert [events[e].ordered_at for e in "abc"] == [100, 100, 200]


def test_a_child_is_never_ordered_before_its_parent() -> None:
    events = settled(
        said("parent", started_at=100, kind="lifecycle"),
        said("child", started_at=90, parent_event_id="parent", tool="x"),
    )
    assert events["child"].ordered_at == 100


def test_a_cycle_of_parents_is_cut() -> None:
    events = settled(
        said("a", parent_event_id="b", tool="1"),
        said("b", parent_event_id="a", tool="2"),
        said("c", parent_event_id="c"),
    )
    assert set(events) == {"a", "b", "c"}


OBSERVATIONS = st.lists(
    st.builds(
        said,
        event=st.sampled_from("abcdef"),
        trace_id=st.sampled_from(["t", "u", "v"]),
        kind=st.sampled_from(["tool_call", "model_call", "lifecycle", "handoff", "approval"]),
        approval=st.sampled_from([None, "pending", "approved", "denied", "cannot_record"]),
        approver=st.sampled_from([None, "ann", "bo"]),
        sequence=st.sampled_from([None, None, 1, 2]),
        joins=st.sampled_from([None, None, "call:k1", "call:k2", "call:k1 call:k2", "span:a"]),
        operation=st.sampled_from(["invoke_agent", "execute_tool"]),
        parent_event_id=st.sampled_from(["a", "b", "c", "d", None, "elsewhere"]),
        agent_id=st.sampled_from(["x", "y", None]),
        session_id=st.sampled_from(["s", None]),
        tool=st.sampled_from(["look", "block", None]),
        status=st.sampled_from(["ok", "error", "pending"]),
        result=st.sampled_from(["1", "2", None]),
        input_tokens=st.sampled_from([None, 5, 7]),
        started_at=st.sampled_from([None, 1, 2, 3]),
        witness=st.sampled_from(["span", "log", "infrastructure"]),
    ),
    max_size=9,
    unique_by=content_key,
)


@given(OBSERVATIONS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(observations: list[Observation], random) -> None:
    shuffled = observations[:]
    random.shuffle(shuffled)

    def rows(given: list[Observation]) -> list[Row]:
        return sorted(settle((content_key(o), o) for o in given), key=lambda r: r.content_key)

    assert rows(observations) == rows(shuffled)


@given(OBSERVATIONS)
def test_a_row_gives_back_the_observation_that_it_was_made_of(observations: list[Observation]) -> None:
    rows = settle((content_key(o), o) for o in observations)
    assert {content_key(o) for o in observations} == {content_key(observed(row)) for row in rows}
    assert all(row.content_key == content_key(observed(row)) for row in rows)


def test_ids_tell_missing_from_empty() -> None:
    assert len({identify("a", None), identify("a", ""), identify("a"), identify("", "a")}) == 4


def test_a_hand_off_by_tool_is_not_told_twice_by_the_run_that_it_starts() -> None:
    events = settled(
        said("run", kind="lifecycle", operation="invoke_agent", agent_id="outer"),
        said("transfer", kind="handoff", tool="transfer_to_inner", target="inner", parent_event_id="run"),
        said("inner", kind="lifecycle", operation="invoke_agent", agent_id="inner", parent_event_id="transfer"),
    )
    assert (events["transfer"].agent_id, events["inner"].kind, events["inner"].agent_id) == (
        "outer",
        "lifecycle",
        "inner",
    )


def test_a_model_call_below_another_with_other_tokens_is_a_call_of_its_own() -> None:
    events = settled(
        said("outer", kind="model_call", input_tokens=100),
        said("inner", kind="model_call", input_tokens=40, parent_event_id="outer"),
    )
    assert set(events) == {"outer", "inner"}


def test_a_hand_off_by_tool_beside_the_run_that_it_starts_is_one_hand_off() -> None:
    events = settled(
        said("run", kind="lifecycle", operation="invoke_agent", agent_id="outer", started_at=1),
        said("transfer", kind="handoff", tool="transfer_to_agent", parent_event_id="run", started_at=2),
        said(
            "inner", kind="lifecycle", operation="invoke_agent", agent_id="inner", parent_event_id="run", started_at=3
        ),
        said("call", tool="look", parent_event_id="inner", started_at=4),
    )
    assert [(e, row.agent_id, row.target) for e, row in events.items() if row.kind == "handoff"] == [
        ("transfer", "outer", "inner")
    ]
    assert (events["inner"].kind, events["inner"].agent_id, events["call"].agent_id) == ("lifecycle", "inner", "inner")
