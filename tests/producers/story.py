"""The story that every producer plays, and the record of what happened in it.

Two agents. The first makes a call that works and one that fails, and hands over. The second asks for approval
twice: once it is given, once it is denied. Standard library only: it runs in each SDK's own environment.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

SESSION, PERSON, PROMPT, MODEL = "session-42", "analyst@example.test", "Triage alert 42.", "fake-model-1"
FIRST, SECOND = "triage", "responder"
HAND_OVER = "hand over"
PLOT: dict[str, list[tuple[str, dict[str, Any]] | str]] = {
    FIRST: [("lookup_ip", {"ip": "203.0.113.9"}), ("query_siem", {"query": "host=wks-042"}), HAND_OVER],
    SECOND: [("isolate_host", {"hostname": "wks-042"}), ("disable_account", {"account": "j.doe"}), "Host isolated."],
}


def call_id(number: int | str) -> str:
    """An id as models give them to their calls: no other run has it."""
    return "call_" + sha256(f"{SESSION} {number}".encode()).hexdigest()[:24]


@dataclass
class Call:
    """One tool call as the script knows it: what was asked, and what came of it."""

    id: str
    agent: str
    tool: str
    arguments: dict[str, Any]
    outcome: str = "pending"
    result: object = None
    approval: str | None = None


@dataclass
class Story:
    """What one run did, in order."""

    out: Path = field(default_factory=lambda: Path(sys.argv[1]))
    calls: list[Call] = field(default_factory=list)
    handoffs: list[dict[str, str]] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    input_tokens: int = 0
    output_tokens: int = 0
    _told: dict[str, int] = field(default_factory=dict)

    def next(self, agent: str) -> Call | str:
        """What the fake model of this agent says now: a call, `HAND_OVER`, or its last words."""
        if agent not in self.agents:
            self.agents.append(agent)
        at = self._told.get(agent, 0)
        self._told[agent] = at + 1
        self.output_tokens += self.tokens()[1]
        self.input_tokens += self.tokens()[0]
        said = PLOT[agent][at] if at < len(PLOT[agent]) else "Done."
        if isinstance(said, str):
            if said == HAND_OVER:
                self.handoffs.append({"from": FIRST, "to": SECOND})
            return said
        self.calls.append(Call(call_id(len(self.calls) + 1), agent, *said))
        return self.calls[-1]

    def tokens(self) -> tuple[int, int]:
        """What every model call costs; the sum tells whether one was counted twice."""
        return 50, 10

    def _ran(self, tool: str, outcome: str, result: object) -> Any:
        call = next(c for c in self.calls if c.tool == tool)
        call.outcome, call.result = outcome, result
        if outcome == "error":
            raise RuntimeError(result)
        return result

    def lookup_ip(self, ip: str) -> dict[str, Any]:
        """Look up the reputation of an IP address."""
        return self._ran("lookup_ip", "ok", {"ip": ip, "verdict": "suspicious"})

    def query_siem(self, query: str) -> str:
        """Search the SIEM."""
        return self._ran("query_siem", "error", "backend timeout")

    def isolate_host(self, hostname: str) -> str:
        """Cut a host off from the network."""
        return self._ran("isolate_host", "ok", f"{hostname} isolated")

    def disable_account(self, account: str) -> str:
        """Disable an account."""
        return self._ran("disable_account", "ok", f"{account} disabled")

    def decide(self, tool: str) -> bool:
        """The person's decision on a call: the host may be isolated, the account stays."""
        call = next(c for c in self.calls if c.tool == tool)
        call.approval = "approved" if tool == "isolate_host" else "denied"
        if call.approval == "denied":
            call.outcome = "denied"
        return call.approval == "approved"

    def write(self) -> None:
        """Write `truth.json` beside the exports' folder, so that no reader is shown it."""
        truth = {k: v for k, v in asdict(self).items() if k not in ("out", "_told")}
        (self.out.parent / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")
