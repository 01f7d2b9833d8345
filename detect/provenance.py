"""Where a privileged call's target came from: the request, an earlier tool's output, or nowhere."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from detect.memory import Habits, remember
from detect.step import Step
from ingest.arguments import scalars_in

_COMPOSED: Final = re.compile(r"(?=.{8,200})[A-Za-z][\w.-]*(?:[/_:][\w.-]+)+")
_MOST_SESSIONS = 500
_MOST_OUTPUTS = 12
_SHORTEST = 5
_LONGEST = 2000
_LONGEST_SAID = 1000
REQUEST = "the request"
ORDER = "another agent's order"
"""What a parent told its child, and nobody had told the parent."""


class Origin(msgspec.Struct, frozen=True):
    """The first text that held the target."""

    of: str
    """`the request`, or the name of the tool whose output held it first."""
    step: Step | None
    is_usual: bool
    """Whether this tool's targets, or this agent's privileged ones, came from there before."""
    in_text: bool
    """Whether it stood inside a longer text there, and was no value of its own: who answers a query gives values."""
    cases: int
    """Sessions of the agent whose privileged targets have a known origin."""


class Said(msgspec.Struct, frozen=True):
    """A text in a tool's output, and the step that returned it."""

    step: Step
    text: str


class Provenance(msgspec.Struct):
    """The texts of the sessions that are under way."""

    requests: dict[str, str] = {}
    outputs: dict[str, list[Step]] = {}
    asked: dict[str, tuple[str, str]] = {}
    """Session -> (the agent that was asked first, what it was asked): what a parent tells its child is no request."""

    def take(self, step: Step) -> None:
        """Remember a request, or a tool's output."""
        session = step.session_id
        if step.kind != "tool_call":
            if step.arguments and step.operation not in ("assistant", "tool"):
                remember(
                    self.requests, session, self.requests.get(session, "")[-6000:] + step.arguments, _MOST_SESSIONS
                )
                first, said = self.asked.get(session, (step.agent_id, ""))
                if first == step.agent_id:
                    remember(self.asked, session, (first, said[-6000:] + step.arguments), _MOST_SESSIONS)
        elif step.result and step.tool:
            outputs = self.outputs.get(session, [])
            if len(step.result) > _LONGEST:
                step = msgspec.structs.replace(step, arguments=None, result=step.result[:_LONGEST])
            if len(outputs) < _MOST_OUTPUTS:
                outputs.append(step)
            else:
                outputs[-1] = step
            remember(self.outputs, session, outputs, _MOST_SESSIONS)

    def origin(self, step: Step, habits: Habits) -> Origin | None:
        """Where the target of a privileged step came from, and whether that is usual for it."""
        target, agent = step.target, step.agent_id
        if target is None or len(target) < _SHORTEST:
            return None
        if target in self.requests.get(step.session_id, ""):
            first, asked = self.asked.get(step.session_id, (agent, target))
            of, source, in_text = REQUEST if first == agent or target in asked else ORDER, None, False
        else:
            outputs = self.outputs.get(step.session_id, ())
            source = next((s for s in outputs if s.result and target in s.result), None)
            if source is None or source.event_id == step.event_id:
                return None
            of = source.tool or ""
            in_text = _is_in_text(target, source.result or "")
        does = step.capability or ""
        if in_text:
            of = f"{of}, in a text"
        is_usual = habits.seen("origin", agent, step.tool or "", of) > 0 or habits.seen("origin", agent, does, of) > 1
        cases = habits.seen("origin", agent)
        habits.note(step.session_id, "origin", agent, step.tool or "", of)
        habits.note(step.session_id, "origin", agent, does, of)
        habits.note(step.session_id, "origin", agent)
        return Origin(of, source, is_usual, in_text, cases)

    def request(self, session: str) -> str:
        """What the session's first agent was asked, as far as the log shows it."""
        return self.asked.get(session, ("", ""))[1]

    def text_that_named(self, step: Step) -> Said | None:
        """The first output of the session in whose running text stands what this step takes."""
        outputs = self.outputs.get(step.session_id)
        if not outputs:
            return None
        request = self.requests.get(step.session_id, "")
        names = [v for _, v in scalars_in(step.arguments) if len(v) >= _SHORTEST and " " not in v and _is_a_name(v)]
        for name in names or ([step.target] if step.target is not None else []):
            for output in outputs:
                if output.result and name in output.result and name not in request and _is_in_text(name, output.result):
                    return Said(output.without_payload(), output.result[:_LONGEST_SAID])
        return None


def _is_a_name(value: str) -> bool:
    """Whether it is a name of somebody's own: with a digit, or put together of parts (`team/search/signing`)."""
    if _COMPOSED.fullmatch(value):
        return True
    return any(c.isdigit() for c in value) and any(c.isalpha() for c in value)


def _is_in_text(name: str, result: str) -> bool:
    """Whether the name stands inside a longer text of the result, and nowhere as a value of its own."""
    texts = [text for _, text in scalars_in(result)] or [result]
    return name not in texts and any(name in text and " " in text for text in texts)
