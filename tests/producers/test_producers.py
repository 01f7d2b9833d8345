"""What real agent SDKs export is read as what their scripts did.

Each script in this folder writes `truth.json`, its own record of the run. An `Export` says what that export can tell
at all; within that, the events must agree with the truth. `KNOWN` lists where they do not yet, and why.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest

from ingest.database import ask, open_published
from ingest.load import Report, ingest_paths

BUILD = Path(__file__).resolve().parents[2] / "build" / "producers"
PRODUCERS = sorted(path.parent.name for path in Path(__file__).parent.glob("*/script.py"))
ORDER = "order by ordered_at nulls first, trace_id, sequence nulls first, depth, kind_rank, event_id"
ALL = ("lookup_ip", "query_siem", "isolate_host", "disable_account")


@dataclass(frozen=True)
class Export:
    """One export of one SDK: its files, and what they can tell of the story."""

    name: str
    files: tuple[str, ...]
    reader: str
    tools: tuple[str, ...] = ALL
    """The calls that it holds."""
    asked_and_made: tuple[str, ...] = ()
    """The calls that it tells of twice, asked and made, with nothing to join the two by."""
    arguments: bool = True
    """Whether it holds arguments and results."""
    agents: bool = True
    decisions: dict[str, str | None] = field(default_factory=dict)
    """What it tells of the approval of a call where that is not what was decided; None for nothing."""
    outcomes: dict[str, str] = field(default_factory=dict)
    """What it tells of the outcome of a call where that is not what happened."""
    handoff: bool = True
    tokens: bool = True

    @property
    def producer(self) -> str:
        return self.name.split("-")[0]

    def paths(self) -> list[Path]:
        return [BUILD / self.producer / "out" / file for file in self.files]


NO_DECISIONS = {"isolate_host": "cannot_record", "disable_account": "cannot_record"}
EXPORTS = [
    # A call that was denied never becomes a span. The answer stands in the input of the `invoke_swarm` that resumes.
    Export("strands-spans", ("spans.otlp.jsonl",), "otlp", tools=ALL[:3]),
    # Spans without content; a refused call ends as an error like any other.
    Export(
        "adk-spans", ("spans.otlp.jsonl",), "otlp", arguments=False,
        decisions=NO_DECISIONS, outcomes={"disable_account": "error"},
    ),
    Export("adk-session", ("session.json",), "adk"),
    # A call that was denied never becomes a span; the answer stands in the input of the next `invoke_agent`.
    Export("agent_framework-spans", ("spans.otlp.jsonl",), "otlp", tools=ALL[:3]),
    # The second agent's session holds the first's messages too. Neither holds usage, nor that there was a hand-off.
    Export("agent_framework-session", ("session.responder.json",), "agent_framework", handoff=False, tokens=False),
    # A function span without output is all that a trace tells of a call that waited and was then denied.
    Export(
        "openai_agents-trace", ("trace.jsonl",), "openai_agents",
        decisions=NO_DECISIONS, outcomes={"disable_account": "pending"},
    ),
    Export(
        "openai_agents-state_asked", ("run_state.1.asked.json",), "openai_run_state", tools=ALL[:3],
        decisions={"isolate_host": "pending", "disable_account": None}, outcomes={"isolate_host": "pending"}, tokens=False,
    ),
    Export(
        "openai_agents-state_approved", ("run_state.1.decided.json",), "openai_run_state", tools=ALL[:3],
        decisions={"disable_account": None}, outcomes={"isolate_host": "pending"}, tokens=False,
    ),
    Export(
        "openai_agents-state_denied", ("run_state.2.decided.json",), "openai_run_state", tokens=False,
    ),
    Export("openai_agents-state_end", ("run_state.end.json",), "openai_run_state"),
    # The server is told of the refusal and answers in its own words, so the call itself is `ok`.
    *(
        Export(
            f"mcp-wire_{era}", (f"wire.{era}.triage.jsonl", f"wire.{era}.responder.jsonl"), "mcp",
            outcomes={"disable_account": "ok"}, handoff=False, tokens=False,
        )
        for era in ("modern", "legacy")
    ),
    # Spans name neither client nor arguments. In the newer era a call that asks is sent again with the answer.
    *(
        Export(
            f"mcp-spans_{era}", (f"spans.{era}.otlp.jsonl",), "otlp", arguments=False, agents=False,
            asked_and_made=ALL[2:] if era == "modern" else (),
            decisions=NO_DECISIONS, outcomes={"disable_account": "ok"}, handoff=False, tokens=False,
        )
        for era in ("modern", "legacy")
    ),
    # `interrupt()` stands inside the tool, which returns the refusal as its result.
    Export("langgraph-runs", ("runs.langsmith.jsonl",), "langsmith", outcomes={"disable_account": "ok"}),
    # Only the last question of a step is kept, and no answer.
    Export(
        "langgraph-history", ("state_history.json",), "langgraph_state",
        decisions={"isolate_host": "not_recorded", "disable_account": "pending"}, outcomes={"disable_account": "ok"},
    ),
]  # fmt: skip

KNOWN: dict[tuple[str, str], str] = {}
"""(test, export) -> what a reader gets wrong today. The test fails when it no longer does: take the line out."""


def exports(test: str) -> list:
    """Every export, the ones that a reader is known to get wrong marked as such."""
    return [
        pytest.param(e, id=e.name, marks=[pytest.mark.xfail(strict=True, reason=KNOWN[test, e.name])])
        if (test, e.name) in KNOWN
        else pytest.param(e, id=e.name)
        for e in EXPORTS
    ]


@cache
def read(paths: tuple[Path, ...]) -> tuple[Report, pl.DataFrame]:
    """The report of reading these files into a store of their own, and its events in total order."""
    if not all(path.exists() for path in paths):
        pytest.skip("run `make producers` first")
    with TemporaryDirectory(prefix="custodiet-producers-") as folder:
        data = Path(folder) / "data"
        report = ingest_paths(list(paths), data)
        return report, ask(open_published(data), f"from events {ORDER}")


def events(export: Export) -> list[dict]:
    return read(tuple(export.paths()))[1].to_dicts()


def truth(export: Export) -> dict:
    written = BUILD / export.producer / "truth.json"
    if not written.exists():
        pytest.skip("run `make producers` first")
    return json.loads(written.read_text())


def calls_of(export: Export) -> list[tuple[dict, dict]]:
    """What was called beside what is told of it: by tool, as each tool is called once."""
    told = {event["tool"]: event for event in events(export) if event["kind"] == "tool_call"}
    made = [call for call in truth(export)["calls"] if call["tool"] in export.tools]
    return [(call, told[call["tool"]]) for call in made]


def leaves(value: object) -> list[str]:
    if isinstance(value, dict):
        return [leaf for member in value.values() for leaf in leaves(member)]
    return [str(value)]


@pytest.mark.parametrize("producer", PRODUCERS)
def test_the_script_played_the_whole_story(producer: str) -> None:
    played = truth(Export(producer, (), ""))
    happened = [(call["tool"], call["outcome"], call["approval"]) for call in played["calls"]]
    assert happened == list(zip(ALL, ("ok", "error", "ok", "denied"), (None, None, "approved", "denied"), strict=True))
    assert played["agents"] == ["triage", "responder"]


@pytest.mark.parametrize("producer", PRODUCERS)
def test_every_file_is_read_by_exactly_one_reader(producer: str) -> None:
    report, _ = read((BUILD / producer / "out",))
    expected = {p.name: e.reader for e in EXPORTS if e.producer == producer for p in e.paths()}
    found = {Path(file.path).name: file.reader for file in report.files}
    assert not report.unread
    assert not report.failed
    assert not [file for file in report.files if file.rejected]
    assert expected.items() <= found.items()
    for file in report.files:
        assert file.records == file.events + file.folded + file.rejected + file.duplicates > 0


@pytest.mark.parametrize("export", exports("once"))
def test_each_call_is_exactly_one_event_in_the_order_made(export: Export) -> None:
    told = [event["tool"] for event in events(export) if event["kind"] == "tool_call"]
    made = [call["tool"] for call in truth(export)["calls"] if call["tool"] in export.tools]
    assert told == [tool for tool in made for _ in range(2 if tool in export.asked_and_made else 1)]


@pytest.mark.parametrize("export", exports("content"))
def test_arguments_and_results_are_those_of_the_script(export: Export) -> None:
    for made, told in calls_of(export):
        if not export.arguments:
            assert told["arguments"] is None
            continue
        assert json.loads(told["arguments"]) == made["arguments"]
        if made["outcome"] == told["status"] == "ok":
            assert [leaf for leaf in leaves(made["result"]) if leaf not in told["result"]] == []


@pytest.mark.parametrize("export", exports("outcome"))
def test_each_call_ends_as_it_did(export: Export) -> None:
    for made, told in calls_of(export):
        wanted = export.outcomes.get(made["tool"], made["outcome"])
        assert (made["tool"], told["status"]) == (made["tool"], wanted)


@pytest.mark.parametrize("export", exports("approval"))
def test_what_was_decided_is_known_as_far_as_it_is_recorded(export: Export) -> None:
    for made in truth(export)["calls"]:
        told = [event for event in events(export) if event["tool"] == made["tool"]]
        known = {event["approval"] for event in told if event["kind"] in ("tool_call", "approval")}
        wanted = export.decisions.get(made["tool"], made["approval"])
        if wanted is None:
            assert not known & {"approved", "denied", "pending", "automatic"}
        else:
            assert wanted in known
            assert wanted == made["approval"] or made["approval"] not in known


@pytest.mark.parametrize("export", exports("handoff"))
def test_the_hand_off_is_told_once_with_both_agents(export: Export) -> None:
    told = [{"from": e["agent_id"], "to": e["target"]} for e in events(export) if e["kind"] == "handoff"]
    assert told == (truth(export)["handoffs"] if export.handoff else [])


@pytest.mark.parametrize("export", exports("agent"))
def test_each_call_is_its_agents(export: Export) -> None:
    for made, told in calls_of(export):
        if export.agents:
            assert (made["tool"], told["agent_id"]) == (made["tool"], made["agent"])
        else:
            assert told["agent_id"] not in truth(export)["agents"]


@pytest.mark.parametrize("export", exports("tokens"))
def test_tokens_are_counted_once(export: Export) -> None:
    if not export.tokens:
        pytest.skip("this export holds no usage, or that of a part of the run only")
    told = [(e["input_tokens"] or 0, e["output_tokens"] or 0) for e in events(export)]
    spent = truth(export)
    assert (sum(i for i, _ in told), sum(o for _, o in told)) == (spent["input_tokens"], spent["output_tokens"])


TWO_EXPORTS = {
    "adk": ("session.json", "spans.otlp.jsonl"),
    "agent_framework": ("session.responder.json", "spans.otlp.jsonl"),
    "langgraph": ("runs.langsmith.jsonl", "state_history.json"),
    "mcp": ("wire.legacy.triage.jsonl", "wire.legacy.responder.jsonl", "spans.legacy.otlp.jsonl"),
    "openai_agents": ("trace.jsonl", "run_state.2.decided.json"),
}


@pytest.mark.parametrize("producer", TWO_EXPORTS)
def test_two_exports_of_one_run_tell_of_each_call_once(producer: str) -> None:
    export = Export(producer, TWO_EXPORTS[producer], "")
    told = {event["tool"]: event for event in events(export) if event["kind"] == "tool_call"}
    assert sorted(event["tool"] for event in events(export) if event["kind"] == "tool_call") == sorted(ALL)
    assert (told["isolate_host"]["approval"], told["disable_account"]["approval"]) == ("approved", "denied")


@pytest.mark.parametrize("producer", PRODUCERS)
def test_all_exports_of_one_run_give_the_same_events_in_whatever_order_they_arrive(producer: str) -> None:
    files = sorted((BUILD / producer / "out").iterdir()) if (BUILD / producer / "out").is_dir() else []
    if not files:
        pytest.skip("run `make producers` first")
    told = []
    for order in (files, files[::-1], files[1::2] + files[::2]):
        with TemporaryDirectory(prefix="custodiet-producers-") as folder:
            data = Path(folder) / "data"
            for file in order:
                ingest_paths([file], data)
            told.append(ask(open_published(data), f"select * exclude (source, source_sha256) from events {ORDER}"))
    assert told[0].equals(told[1])
    assert told[0].equals(told[2])
    calls = [tool for tool, kind in told[0].select("tool", "kind").iter_rows() if kind == "tool_call"]
    if producer != "mcp":  # its two eras are two runs
        # A call that was denied is in no span of Strands.
        assert sorted(calls) == sorted(ALL[:3] if producer == "strands" else ALL)
