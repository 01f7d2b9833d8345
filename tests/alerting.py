"""Alerting in a few words: cases as tables, settings as TOML, a clock that a test moves."""

from __future__ import annotations

import base64
import tomllib
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from detect.settings import Settings, checked
from detect.sinks import Alert
from ingest.event import identify
from ingest.settings import Given
from ingest.tables import CASES, FAILED, FINDINGS

SECRET = "whsec_" + base64.b64encode(b"custodiet-test-secret-of-32-byte").decode()
NOON = 1_772_452_800.0
"""2026-03-02 12:00 UTC, a Monday."""
_EVENTS = pa.schema(
    {name: pa.string() for name in ("event_id", "session_id", "agent_id", "tool", "target", "source", "trace_id")}
    | {"started_at": pa.timestamp("ns"), "ordered_at": pa.timestamp("ns")}
    | {name: pa.int64() for name in ("sequence", "depth", "kind_rank")}
)


def settings(toml: str) -> Settings:
    return checked(Given(tomllib.loads(toml), {}, "custodiet.toml"))


def webhook(url: str, more: str = "", alerts: str = "", name: str = "webhook") -> Settings:
    return settings(
        f'[alerts]\nallow_networks = ["127.0.0.1/32"]\n{alerts}\n'
        f'[sinks.{name}]\nkind = "webhook"\nurl = "{url}"\nsecret = "{SECRET}"\n{more}\n'
    )


@dataclass
class Clock:
    """Time passes when a test, or a delivery that waits, says so."""

    at: float = NOON

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


def case(
    name: str,
    *,
    severity: str = "high",
    agent: str = "triage",
    agents: list[str] | None = None,
    detectors: tuple[str, ...] = ("first_privileged_use",),
    tool: str = "delete_bucket",
    title: str = "A privileged tool that the agent had never used",
    steps: int = 1,
    is_raised: bool | None = True,
    target: str = "b1",
) -> dict[str, Any]:
    """A case with a finding a detector and agent; its path has `steps` steps."""
    return {
        "case_id": identify("case", name), "name": name, "severity": severity, "agents": agents or [agent],
        "detectors": detectors, "tool": tool, "title": title, "steps": steps, "target": target,
        "is_raised": is_raised,
    }  # fmt: skip


def published(*cases: dict[str, Any], failed: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection with the tables that alerting reads."""
    weights = {"critical": 0.9, "high": 0.7, "medium": 0.5, "low": 0.3, "info": 0.1}
    rows, findings, events = [], [], []
    for c in cases:
        path = [identify(c["name"], number) for number in range(c["steps"])]
        for number, event in enumerate(path):
            events.append(
                {
                    "event_id": event, "session_id": f"s-{c['name']}", "agent_id": c["agents"][number % len(c["agents"])],
                    "tool": c["tool"], "target": c["target"], "source": f"log.jsonl:{number + 1}", "trace_id": c["name"],
                    "sequence": number, "depth": 0, "kind_rank": 0, "started_at": 1_772_452_800_000_000_000,
                    "ordered_at": 1_772_452_800_000_000_000 + number,
                }
            )  # fmt: skip
        for detector in c["detectors"]:
            for agent in c["agents"]:
                findings.append(
                    {
                        "finding_id": identify(c["name"], detector, agent), "case_id": c["case_id"], "detector": detector,
                        "title": c["title"], "session_id": f"s-{c['name']}", "agent_id": agent, "event_id": path[-1],
                        "event_ids": path, "observed": f"{c['tool']} on {c['target']}", "expected": "0 of 40 sessions",
                        "anomaly": weights[c["severity"]], "impact": 1.0, "techniques": ["T1485"], "happened_at": None,
                    }
                )  # fmt: skip
        rows.append(
            {
                "case_id": c["case_id"], "title": c["title"], "why": f"{c['tool']} on {c['target']}",
                "severity": c["severity"], "is_raised": c["is_raised"], "anomaly": weights[c["severity"]], "impact": 1.0, "agents": c["agents"],
                "sessions": [f"s-{c['name']}"], "detectors": list(c["detectors"]), "techniques": ["T1485"],
                "session_id": f"s-{c['name']}", "event_id": path[-1], "path": path, "findings": len(c["detectors"]),
                "first_at": 1_772_452_800_000_000_000, "last_at": 1_772_452_800_000_000_000,
            }
        )  # fmt: skip
    connection = duckdb.connect(":memory:")
    broken = [{"plugin": "first_privileged_use", "reason": "broke"}] if failed else []
    for name, schema, content in (
        ("cases", CASES, rows), ("findings", FINDINGS, findings), ("events", _EVENTS, events), ("failed", FAILED, broken),
    ):  # fmt: skip
        connection.register(f"{name}_rows", pa.Table.from_pylist(content, schema=schema))
        connection.execute(f"create table {name} as from {name}_rows")
    return connection


HOSTILE = "<!channel> <https://evil.example|click> & *b* `x` @here https://evil.example [a](https://e) \u202e\x1b[31m"


def alert(kind: str = "created", text: str = "delete_bucket on b1", **more: object) -> Alert:
    content = {
        "case_id": "c1", "title": text, "why": text, "severity": "high", "anomaly": 0.8, "impact": 1.0,
        "agents": ["triage", text], "sessions": ["s1"], "detectors": ["first_privileged_use"],
        "techniques": ["T1098.001", "AML.T0053"], "findings": 1, "steps": 1,
        "first_at": "2026-03-02T12:00:00.000000000Z", "last_at": "2026-03-02T12:00:01.000000000Z",
        "reasons": [{"detector": "first_privileged_use", "agent_id": "triage", "title": text, "observed": text,
                     "expected": "0 of 40 sessions"}] * 3,
        "path": [{"event_id": "e1", "session_id": "s1", "agent_id": "triage", "tool": text, "target": text,
                  "source": "log.jsonl:7", "started_at": "2026-03-02T12:00:00Z"}],
        "link": "https://soc.example/replay?session=s1&event=e1",
    } | more  # fmt: skip
    return Alert(
        alert_id="5f0e9d0c-0001", case_id="c1", revision=2, kind=kind, severity="high", raised_at=NOON, content=content  # type: ignore[arg-type]
    )  # fmt: skip
