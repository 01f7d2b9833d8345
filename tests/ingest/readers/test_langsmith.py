"""LangSmith runs: a pause is no error, and an answer is an approval where it decides something."""

from __future__ import annotations

import json
from typing import Any

import pytest
from export_checks import SAMPLES, accounted, line_each, never_raises, read, read_sample, sample_lines

from ingest.event import Observation
from ingest.readers.langsmith import langsmith

SAMPLE = "generated/langgraph.langsmith_runs.jsonl"
INTERRUPT = "0123456789abcdef0123456789abcdef"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="no ../shared/samples beside this checkout")


def run(own: str, kind: str, above: str | None = None, trace: str = "t1", **more: Any) -> dict[str, Any]:
    return {
        "id": own, "trace_id": trace, "parent_run_id": above, "run_type": kind, "name": own,
        "start_time": f"2026-03-01T10:00:0{1 if trace == 't1' else 5}.000001Z", "end_time": "2026-03-01T10:00:06Z",
        "inputs": {}, "outputs": {}, "error": None, "extra": {"metadata": {"thread_id": "th", "user_id": "kim"}}, **more,
    }  # fmt: skip


def paused(**question: Any) -> str:
    return f"GraphInterrupt((Interrupt(value={question!r}, id='{INTERRUPT}'),))Traceback ..."


WAITS = run("wipe", "tool", "n1", inputs={"host": "h1"}, error=paused(tool="wipe"),
            extra={"tool_call_id": "c1", "metadata": {"thread_id": "th"}})  # fmt: skip
PAUSED = [run("LangGraph", "chain"), run("n1", "chain", "LangGraph", error=paused(tool="wipe")), WAITS]


def resumed(answer: Any) -> list[dict[str, Any]]:
    root = run("root2", "chain", trace="t2", name="LangGraph", inputs={"input": {"resume": answer}})
    went_on = run("wipe2", "tool", "root2", "t2", name="wipe", inputs={"host": "h1"},
                  outputs={"output": {"content": "gone", "type": "tool", "tool_call_id": "c1"}})  # fmt: skip
    return [root, went_on]


def asked(*runs: Any) -> list[Observation]:
    observations, rejected = read(langsmith, *runs)
    assert not rejected
    return [o for o in observations if o.operation in ("interrupt", "resume")]


@needs_samples
def test_the_real_runs_hold_the_humans_answer() -> None:
    observations, rejected = read_sample(langsmith, SAMPLE)
    assert not rejected and accounted(observations, rejected) == 17 + 2
    pending, approved = (o for o in observations if o.kind == "approval")
    assert (pending.approval, approved.approval, approved.approver) == ("pending", "approved", "analyst@example.test")
    assert (approved.tool, approved.target) == ("isolate_host", "wks-042")
    calls = {o.event_id: o for o in observations if o.kind == "tool_call"}
    assert calls[approved.parent_event_id or ""].status == "ok"
    assert calls[pending.parent_event_id or ""].status == "pending"
    assert sum(o.input_tokens or 0 for o in observations) == 150
    assert not [o for o in observations if o.status == "error"]


@pytest.mark.parametrize(
    ("answer", "verdict", "approver"),
    [
        ({"approved": True, "by": "ada"}, "approved", "ada"),
        ({"approved": False}, "denied", None),
        (True, "approved", None),
        ("yes", "approved", None),
        ("rejected", "denied", None),
        ({"decisions": [{"type": "approve"}]}, "approved", None),
        ({"decisions": [{"type": "reject", "message": "no"}]}, "denied", None),
        ([{"type": "accept", "args": None}], "approved", None),
        ({INTERRUPT: {"approved": True}}, "approved", None),
        ({"approved": True, "by": "auto-policy"}, "automatic", "auto-policy"),
    ],
)
def test_answers_that_decide_are_approvals_of_the_call(answer: Any, verdict: str, approver: str | None) -> None:
    pending, said = asked(*PAUSED, *resumed(answer))
    assert (said.kind, said.approval, said.approver) == ("approval", verdict, approver)
    assert (said.tool, said.target, said.session_id) == ("wipe", "h1", "th")
    assert pending.approval == "pending"


def test_free_words_are_a_message_and_no_evidence() -> None:
    _, said = asked(*PAUSED, *resumed("please look at the other host first"))
    assert (said.kind, said.approval) == ("message", None)


def test_a_pause_is_told_once_whatever_the_order() -> None:
    one = asked(*PAUSED, *resumed(True))
    two = asked(*reversed([*PAUSED, *resumed(True)]))
    assert {o.event_id for o in one} == {o.event_id for o in two} and len(one) == 2
    assert {o.approval for o in two} == {"pending", "approved"}


def test_an_answer_in_another_thread_binds_nothing() -> None:
    other = [r | {"extra": {"metadata": {"thread_id": "other"}}} for r in resumed(True)]
    _, said = asked(*PAUSED, *other)
    assert said.tool is None


def test_bulk_rows_with_json_in_strings_read_the_same() -> None:
    rows = [{k: json.dumps(v) if k in ("inputs", "outputs", "extra") else v for k, v in r.items()} for r in PAUSED]
    plain, _ = read(langsmith, {"runs": PAUSED})
    bulk, _ = read(langsmith, *rows)
    shown = ("event_id", "tool", "arguments", "session_id", "status", "target")
    assert [[getattr(o, n) for n in shown] for o in plain] == [[getattr(o, n) for n in shown] for o in bulk]


def test_tokens_models_and_names() -> None:
    counts = {"token_usage": {"prompt_tokens": 4, "completion_tokens": 2}}
    model = run("m", "llm", "soc", outputs={"llm_output": counts, "generations": [[{"text": "x"}]]},
                extra={"invocation_params": {"model": "m-1"}})  # fmt: skip
    root = run("soc", "chain", prompt_tokens=4)
    (said, above), _ = read(langsmith, model, root)
    assert (said.input_tokens, said.output_tokens, said.model) == (4, 2, "m-1")
    assert (above.agent_id, above.input_tokens, above.on_behalf_of) == ("soc", None, "kim")
    assert read(langsmith, run("LangGraph", "chain"))[0][0].agent_id is None


def test_a_tool_that_failed_is_an_error() -> None:
    told = run("x", "tool", outputs={"output": {"content": "no such host", "type": "tool", "status": "error"}})
    (raised, failed), _ = read(langsmith, run("y", "tool", error="ValueError('z')"), told)
    assert (raised.status, failed.status, failed.error) == ("error", "error", "no such host")


def test_the_dotted_order_gives_what_is_missing() -> None:
    row = {"id": "b", "run_type": "tool", "name": "t",
           "dotted_order": "20260301T100000000001Za.20260301T100001000002Zb"}  # fmt: skip
    (said,), _ = read(langsmith, row)
    assert said.trace_id == "a" and said.parent_event_id is not None
    assert said.started_at == 1_772_359_201_000_002_000


def test_mutated_runs_never_raise() -> None:
    own = [*PAUSED, *resumed({"approved": True}), *sample_lines(SAMPLE)]
    never_raises(langsmith, own, line_each)
