"""A fleet in a few words: agents that work for some days, and one thing that happens."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from baseline.capability import Capabilities
from baseline.fold import fold
from detect.registry import NO_REGISTRY, Registry
from detect.run import Detected, detect_in
from ingest.arguments import named_in
from ingest.event import Observation, identify
from ingest.published import editing
from ingest.store import EventWriter

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass
class Fleet:
    """Collects steps; `judge` stores them in a real store and detects."""

    data: Path
    steps: list[Observation] = field(default_factory=list)

    def session(
        self,
        agent: str,
        day: int,
        *calls: dict[str, object],
        minute: int = 0,
        name: str = "",
        **every: object,
    ) -> str:
        """One session: the calls one second apart, from 09:00 plus `minute` on the given day."""
        start = MONDAY + timedelta(days=day, minutes=minute)
        session_id = name or f"{agent}-{day}-{minute}"
        for number, call in enumerate(calls):
            at = start + timedelta(seconds=number)
            arguments = call.get("arguments")
            named = named_in(arguments if isinstance(arguments, str) else None)
            said: dict[str, object] = {
                "kind": "tool_call",
                "operation": "execute_tool",
                "status": "ok",
                "approval": "not_recorded",
                "agent_id": agent,
                "agent_version": "1",
                "target": named.target,
                "credential_id": named.credential_id,
            }
            said |= every | call
            if said["kind"] == "approval":
                said |= {"operation": "approval"}
            self.steps.append(
                Observation(
                    event_id=identify(session_id, number),
                    trace_id=session_id,
                    session_id=session_id,
                    sequence=number,
                    started_at=int(at.timestamp()) * 1_000_000_000,
                    source=f"fleet.jsonl:{len(self.steps) + 1}",
                    source_sha256=identify("raw", session_id, number),
                    **said,  # type: ignore[arg-type]
                )
            )
        return session_id

    def habit(self, agent: str, *calls: dict[str, object], days: int = 5, a_day: int = 8, **every: object) -> None:
        """The same session again and again: enough history for a judgement."""
        for day in range(days):
            for number in range(a_day):
                self.session(agent, day, *calls, minute=number * 30, **every)

    def store(self) -> None:
        with editing(self.data) as edition:
            writer = EventWriter(edition)
            for step in self.steps:
                writer.add(0, step)
            writer.finish()
            edition.publish()

    def judge(self, registry: Registry = NO_REGISTRY) -> Detected:
        self.store()
        fold(self.data, Capabilities.load())
        return detect_in(self.data, Capabilities.load(), registry=registry)


def call(tool: str, **fields: object) -> dict[str, object]:
    """A tool call."""
    return {"tool": tool, **fields}


def approval(by: str | None = "ana", **fields: object) -> dict[str, object]:
    """A person's yes."""
    return {"kind": "approval", "tool": None, "approval": "approved", "approver": by, **fields}
