"""Tool spans of a trace -> calls: paused and resumed spans are one, and calls get the id that the model gave."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import msgspec

from ingest.event import Observation
from ingest.joins import joined_by
from ingest.readers._export_fields import Fields, compact, fields_in
from ingest.readers._openai_agents_span import call_event, model_event


class _Held(msgspec.Struct):
    said: Observation
    span_id: str
    parent: str | None


class Calls:
    """The tool spans of a file, held until every span around them is known."""

    def __init__(self) -> None:
        self._held: list[_Held] = []
        self._above: dict[tuple[str, str], tuple[str | None, str | None]] = {}
        """(trace, span) -> its parent and the agent that it names."""
        self._made: dict[tuple[str, str | None, str], list[tuple[int, str]]] = defaultdict(list)
        """(trace, turn's span, tool and arguments) -> when and under which ids a model asked for it."""

    def takes(self, said: Observation, trace_id: str, span_id: str, parent: str | None, data: Fields) -> bool:
        """Remember what calls need of a span; True where the span is a call and comes back when all are read."""
        self._above[trace_id, span_id] = (parent, said.agent_id)
        if said.operation == "generation":
            self._generation(said, trace_id, parent, data)
            return False
        if said.operation not in ("function", "handoff"):
            return False
        self._held.append(_Held(said, span_id, parent))
        return True

    def settled(self) -> Iterator[Observation]:
        """The calls, in the order of their records."""
        waiting: dict[tuple[str, ...], list[_Held]] = defaultdict(list)
        for held in sorted(self._held, key=lambda h: (h.said.started_at or 0, h.span_id)):
            said = held.said
            if said.operation == "handoff":
                self._name(held, _transfer_tool(said.target))
                continue
            wanted = (said.tool or "") + "\x1f" + (said.arguments or "")
            same = (said.trace_id, self._agent(said.trace_id, held.parent) or "", wanted)
            paused = waiting[same]
            if said.status != "pending" and paused and paused[0].parent != held.parent:
                opened = paused.pop(0).said
                opened.gap = None
                said.event_id, said.parent_event_id = opened.event_id, opened.parent_event_id
                continue
            self._name(held, wanted)
            if said.status == "pending":
                paused.append(held)
        yield from (held.said for held in self._held)

    def _generation(self, said: Observation, trace_id: str, parent: str | None, data: Fields) -> None:
        first: str | None = None
        for raw in data.list_of("output"):
            item = fields_in(raw)
            listed = [fields_in(part) for part in item.list_of("tool_calls")]
            for call in listed or [item]:
                call_id = call.text("call_id") or (call.text("id") if listed else None)
                function = call.inside("function") if listed else call
                name, arguments = function.text("name"), function.first("arguments")
                if call_id is None or name is None:
                    continue
                first = first or call_id
                at = said.started_at or 0
                wanted = name + "\x1f" + (compact(arguments) if arguments else "")
                self._made[trace_id, parent, wanted].append((at, call_id))
                self._made[trace_id, parent, name].append((at, call_id))
        if first is not None:
            said.event_id = model_event(trace_id, first)

    def _name(self, held: _Held, wanted: str) -> None:
        """Give the call the id under which the model, in the same turn, asked for it."""
        asked = self._made.get((held.said.trace_id, held.parent, wanted))
        if asked:
            asked.sort()
            call_id = asked.pop(0)[1]
            held.said.event_id, held.said.joins = call_event(held.said.trace_id, call_id), joined_by(call=call_id)

    def _agent(self, trace_id: str, span_id: str | None) -> str | None:
        seen: set[str] = set()
        while span_id is not None and span_id not in seen:
            seen.add(span_id)
            parent, agent = self._above.get((trace_id, span_id), (None, None))
            if agent:
                return agent
            span_id = parent
        return None


def _transfer_tool(agent: str | None) -> str:
    """The name that the SDK gives the tool which hands over to an agent."""
    return "transfer_to_" + "".join(c if c.isalnum() else "_" for c in (agent or "")).lower()
