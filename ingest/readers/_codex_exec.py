"""What `codex exec --json` prints -> observations. It has no clock: the order is the lines' order."""

from __future__ import annotations

from typing import Final

from ingest.event import Kind, Observation, Rejected, Status, identify
from ingest.payloads import as_text, count, payload, text
from ingest.readers._chat_values import content_of
from ingest.readers._codex_words import AGENT, fill_named
from ingest.readers._members import Members, fingerprint, numbered_step, part
from ingest.records import Record

_STATUSES: Final[dict[object, Status]] = {
    "completed": "ok", "in_progress": "pending", "failed": "error", "declined": "denied",
}  # fmt: skip
_MODEL: Final = {"agent_message", "assistant_message", "reasoning"}
_CALLS: Final = {"command_execution", "file_change", "mcp_tool_call", "web_search", "collab_tool_call"}


class Exec:
    """One thread's lines while they are read."""

    def __init__(self) -> None:
        self.out: list[Observation | Rejected] = []
        self.items: dict[str, Observation] = {}
        self.thread: str | None = None
        self.turns = 0
        self.number = 0
        self.turn: Observation | None = None
        self.has_begun = False

    def add(self, record: Record, line: Members) -> None:
        """Take one line."""
        self.has_begun = True
        kind = text(line.get("type")) or "line"
        item = part(line, "item")
        if kind == "thread.started":
            self.thread = text(line.get("thread_id")) or self.thread
        if kind == "turn.started":
            self.turns += 1
            self.turn = None
        if item:
            self._item(record, kind, item)
            return
        usage = part(line, "usage")
        if kind == "turn.completed" and self.turn is not None and usage:
            self.turn.records += 1
            self.turn.input_tokens, self.turn.output_tokens = (
                count(usage.get("input_tokens")),
                count(usage.get("output_tokens")),
            )
            self.number += 1
            return
        step = self._step(record, "lifecycle", kind, ("line", fingerprint(line), str(self.number)))
        error = line.get("error", line.get("message"))
        if kind in ("turn.failed", "error"):
            step.status, step.error = "error", text(part(error).get("message")) or text(error)

    def finish(self) -> list[Observation | Rejected]:
        """All observations."""
        return self.out

    def _step(self, record: Record, kind: Kind, operation: str, identity: tuple[str, ...]) -> Observation:
        trace = self.thread or identify("codex", record.sha256)
        self.thread = trace
        own = ("codex", trace, *identity)
        self.number += 1
        return numbered_step(record, self.out, trace, AGENT, self.number - 1, kind, operation, own)

    def _item(self, record: Record, event: str, item: Members) -> None:
        kind = text(item.get("type")) or text(item.get("item_type")) or "item"
        number = text(item.get("id"))
        key = f"{self.turns}:{number}" if number else fingerprint(item)
        step = self.items.get(key)
        if step is None:
            made: Kind = "model_call" if kind in _MODEL else "tool_call" if kind in _CALLS else "lifecycle"
            # A resumed thread numbers its items anew: what the item is about tells them apart.
            about = fingerprint(
                [kind, *(item.get(k) for k in ("command", "server", "tool", "arguments", "query", "text"))]
            )
            step = self.items[key] = self._step(record, made, kind, ("item", str(self.turns), number or "", about))
        else:
            step.records += 1
        if step.kind == "model_call":
            step.result = content_of(item.get("text"))
            self.turn = step if kind != "reasoning" or self.turn is None else self.turn
        elif step.kind == "tool_call":
            self._call(step, kind, item, finished=event == "item.completed")
        elif kind == "error":
            step.status, step.error = "error", text(item.get("message"))

    def _call(self, step: Observation, kind: str, item: Members, *, finished: bool) -> None:
        server, tool = text(item.get("server")), text(item.get("tool"))
        step.tool = f"{server}__{tool}" if server and tool else tool or kind
        given = {k: item[k] for k in ("command", "changes", "query", "prompt") if item.get(k) is not None}
        step.arguments = payload(item.get("arguments")) or (as_text(given) if given else None)
        fill_named(step)
        step.result = payload(item.get("result", item.get("aggregated_output")))
        code = item.get("exit_code")
        step.status = _STATUSES.get(text(item.get("status")), "ok" if finished else "pending")
        if step.status == "error" or code not in (None, 0):
            step.status = "denied" if step.status == "denied" else "error"
            error = item.get("error")
            step.error = text(part(error).get("message")) or text(error) or (f"exit code {code}" if code else "failed")
        step.approval = "denied" if step.status == "denied" else "not_recorded"
