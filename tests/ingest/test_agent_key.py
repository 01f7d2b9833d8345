"""What makes an agent one and the same, and that a data directory keeps to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest.agent_key import parsed
from ingest.commands.ingest import read_logs
from ingest.database import ask, open_published
from ingest.errors import Trouble
from ingest.load import ingest_paths


def spans(service: str, trace: str) -> dict:
    def span(number: int, parent: int | None, operation: str, **said: str) -> dict:
        return {
            "traceId": trace * 32, "spanId": f"{number:016x}", "parentSpanId": f"{parent:016x}" if parent else "",
            "name": operation, "startTimeUnixNano": str(10**18 + number), "endTimeUnixNano": str(10**18 + number + 5),
            "attributes": [
                {"key": f"gen_ai.{key.replace('_', '.')}", "value": {"stringValue": value}}
                for key, value in {"operation_name": operation, **said}.items()
            ],
        }  # fmt: skip

    told = [
        span(1, None, "invoke_agent", agent_name="triage"),
        span(2, 1, "execute_tool", tool_name="look"),
        span(3, 1, "invoke_agent", agent_name="responder"),
        span(4, 3, "execute_tool", tool_name="block"),
    ]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": told}]}]}


@pytest.fixture
def logs(tmp_path: Path) -> list[Path]:
    files = [tmp_path / "eu.jsonl", tmp_path / "us.jsonl"]
    for file, trace in zip(files, "ab", strict=True):
        file.write_text(json.dumps(spans(f"soc-{file.stem}", trace)) + "\n")
    return files


def agents(data: Path) -> list[str]:
    return ask(open_published(data), "select distinct agent_id from events order by all")["agent_id"].to_list()


def test_the_name_alone_is_the_default(tmp_path: Path, logs: list[Path]) -> None:
    ingest_paths(logs, tmp_path / "data")
    assert agents(tmp_path / "data") == ["responder", "triage"]


def test_a_key_with_the_service_keeps_deployments_apart_and_hand_offs_follow(tmp_path: Path, logs: list[Path]) -> None:
    ingest_paths(logs, tmp_path / "data", agent_key=parsed("service, agent"))
    assert agents(tmp_path / "data") == ["soc-eu/responder", "soc-eu/triage", "soc-us/responder", "soc-us/triage"]
    handed = ask(
        open_published(tmp_path / "data"), "select agent_id, target from events where kind = 'handoff' order by all"
    )
    assert handed.rows() == [("soc-eu/triage", "soc-eu/responder"), ("soc-us/triage", "soc-us/responder")]


def test_a_later_ingest_keeps_the_key_and_another_one_is_refused(tmp_path: Path, logs: list[Path]) -> None:
    ingest_paths(logs[:1], tmp_path / "data", agent_key=("service", "agent"))
    ingest_paths(logs[1:], tmp_path / "data")
    assert len(agents(tmp_path / "data")) == 4
    report = ingest_paths(logs, tmp_path / "data", agent_key=("service", "agent"))
    assert [file.duplicates for file in report.files] == [4, 4]
    with pytest.raises(Trouble, match="was begun with service,agent"):
        ingest_paths(logs, tmp_path / "data", agent_key=("agent",))


@pytest.mark.parametrize("text", ["", "agent,agent", "agent,pod", "service.name"])
def test_a_part_that_is_not_known_is_refused_with_those_that_are(text: str) -> None:
    with pytest.raises(Trouble, match="agent, service, principal, host"):
        parsed(text)


def test_the_settings_file_may_hold_it_and_the_option_goes_before(
    tmp_path: Path, logs: list[Path], monkeypatch
) -> None:
    file = tmp_path / "custodiet.toml"
    monkeypatch.setenv("CUSTODIET_CONFIG", str(file))
    file.write_text('[ingest]\nagent_key = ["service", "agent"]\n')
    read_logs(logs, tmp_path / "data")
    assert len(agents(tmp_path / "data")) == 4
    read_logs(logs, tmp_path / "other", agent_key="agent")
    assert len(agents(tmp_path / "other")) == 2
    file.write_text('[ingest]\nagent_key = ["pod"]\n')
    with pytest.raises(Trouble, match=r"custodiet.toml:2.*agent, service, principal, host"):
        read_logs(logs, tmp_path / "data")
