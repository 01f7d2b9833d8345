"""What a folder of sample logs is: its sessions, and what must be found in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from _calls import Log


@dataclass(frozen=True)
class Case:
    """The one case that an attack must end in."""

    agents: Sequence[str]
    path: Sequence[str]
    detectors: Sequence[str]
    worst_tool: str
    techniques: Sequence[str]


@dataclass(frozen=True)
class Scenario:
    """A folder."""

    name: str
    kind: str
    summary: str
    logs: Sequence[Log]
    cases: Sequence[Case] = field(default=())

    def expect(self) -> str:
        """The folder's expect.toml."""
        beside = [] if self.kind == "history" else ["four_weeks"]
        lines = [f"summary = {_toml(self.summary)}", f"kind = {_toml(self.kind)}", f"with = {_toml(beside)}"]
        for case in self.cases:
            lines += ["", "[[case]]", f"agents = {_toml(case.agents)}", f"path = {_toml(case.path)}",
                      f"detectors = {_toml(case.detectors)}", f"worst_tool = {_toml(case.worst_tool)}",
                      f"techniques = {_toml(case.techniques)}"]  # fmt: skip
        return "\n".join(lines) + "\n"


def _toml(value: str | Sequence[str]) -> str:
    return json.dumps(value if isinstance(value, str) else list(value))
