"""One MCP connection -> observations: a request and its answer are one step, round trips for input included."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Final

from ingest.arguments import named_in
from ingest.decisions import APPROVAL_WORDS, approver_in, decision, is_policy, normalised, words
from ingest.event import Approval, Kind, Observation, Status, identify
from ingest.joins import joined_by, keys_in
from ingest.payloads import as_text, text, value_of
from ingest.readers._chat_values import Members
from ingest.readers._mcp_frames import Frame, Side, meta_of, opening

_ELICIT: Final = "elicitation/create"
_SAMPLE: Final = "sampling/createMessage"
_CALL: Final = "tools/call"
_READ: Final = "resources/read"
_CLIENT_INFO: Final = "io.modelcontextprotocol/clientInfo"
_TASK: Final = "io.modelcontextprotocol/related-task"
_STATUS: Final[dict[str | None, Status]] = {"approved": "ok", "automatic": "ok", "denied": "denied"}
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}.*")
_KINDS: Final[dict[str, Kind]] = {_CALL: "tool_call", _READ: "tool_call", _SAMPLE: "model_call", _ELICIT: "approval"}


class Connection:
    """One connection while it is read."""

    def __init__(self, inside: list[Frame]) -> None:
        self.inside = inside
        self.session = inside[0].session
        self.trace = identify("mcp", self.session, inside[0].server, *([] if self.session else opening(inside)))
        self.timed = all(frame.at is not None for frame in inside)
        self.out: list[Observation] = []
        self.open: dict[tuple[Side, str], Observation] = {}
        self.times_used: dict[tuple[Side, str], int] = defaultdict(int)
        self.resumable: dict[str, Observation] = {}
        self.inputs: dict[str, dict[str, Observation]] = {}
        self.tasks: dict[str, Observation] = {}
        self.progress: dict[str, Observation] = {}
        self.hello: Observation | None = None
        self.agent: str | None = None
        self.version: str | None = None
        self.named: tuple[str | None, str | None] = (None, None)
        self.words: dict[str, Side] = {}
        for frame in inside:
            if frame.word is not None and frame.side is not None and frame.method is not None:
                self.words.setdefault(frame.word, frame.side)

    def observations(self) -> list[Observation]:
        """The connection's steps in the order in which they were opened."""
        for index, frame in enumerate(self.inside):
            self._introduce(frame)
            if frame.method is None:
                self._answer(index, frame)
            elif frame.id is None:
                self._notice(index, frame)
            else:
                self._request(index, frame)
        for step in self.out:
            if step.agent_id is None:
                step.agent_id, step.agent_version = self.agent, self.version
        return self.out

    def _introduce(self, frame: Frame) -> None:
        """The client's name for itself: once at the start, or with every request since 2026-07-28."""
        info = frame.params.get("clientInfo") or meta_of(frame.params).get(_CLIENT_INFO)
        self.named = (text(info.get("name")), text(info.get("version"))) if isinstance(info, dict) else (None, None)
        if self.agent is None:
            self.agent, self.version = self.named

    def _side(self, frame: Frame, otherwise: Side = "client") -> Side:
        return frame.side or self.words.get(frame.word or "") or otherwise

    def _step(self, index: int, frame: Frame, kind: Kind, operation: str, *own: str | int) -> Observation:
        step = Observation(
            event_id=identify("mcp", self.trace, *own),
            trace_id=self.trace,
            kind=kind,
            operation=operation,
            session_id=self.session or self.trace,
            sequence=None if self.timed else index,
            started_at=frame.at,
            on_behalf_of=frame.user,
            source_host=frame.host,
            source=frame.record.source,
            source_sha256=frame.record.sha256,
            witness="message",
        )
        self.out.append(step)
        return step

    def _request(self, index: int, frame: Frame) -> None:
        method, params, side = frame.method or "", frame.params, self._side(frame)
        key = (side, frame.id or "")
        if (step := self._continued(frame)) is not None:
            step.records += 1
            step.joins = joined_by(span=[*_spans_in(step.joins), *_span_of(params)])
            self.open[key] = step
            return
        self.times_used[key] += 1
        step = self._step(index, frame, _KINDS.get(method, "lifecycle"), method, side, key[1], self.times_used[key])
        step.status = "pending"
        step.agent_id, step.agent_version = self.named
        above = self._only_open() if method in (_ELICIT, _SAMPLE) else None
        step.parent_event_id = above.event_id if above is not None else None
        self.open[key] = step
        if isinstance(token := meta_of(params).get("progressToken"), str | int):
            self.progress[repr(token)] = step
        if method == _CALL:
            self._call(step, params)
            step.joins = joined_by(span=_span_of(params))
        elif method == _READ:
            step.tool, step.approval, step.target = _READ, "not_recorded", text(params.get("uri"))
            step.arguments = as_text({"uri": params.get("uri")})
        elif method == _ELICIT:
            self._ask(step, params, above)
        elif params:
            step.arguments = as_text({k: v for k, v in params.items() if k != "_meta"} or {})
        if method in ("initialize", "server/discover") and self.hello is None:
            self.hello = step

    @staticmethod
    def _call(step: Observation, params: Members) -> None:
        step.tool, step.approval = text(params.get("name")) or _CALL, "not_recorded"
        step.arguments = as_text(params["arguments"]) if params.get("arguments") is not None else None
        named = named_in(step.arguments)
        step.target, step.credential_id, step.principal = named.target, named.credential_id, named.principal
        step.on_behalf_of = named.on_behalf_of or step.on_behalf_of

    def _continued(self, frame: Frame) -> Observation | None:
        """The step that a repeated request goes on with: the one whose state it hands back, or whose task it asks."""
        params, method = frame.params, frame.method or ""
        if method.startswith("tasks/"):
            return self.tasks.get(str(params.get("taskId")))
        given, state = params.get("inputResponses"), text(params.get("requestState"))
        if given is None and state is None:
            return None
        step = self.resumable.pop(state, None) if state else None
        if step is None and state is None:
            same = [
                s for s in self.out if s.event_id in self.inputs and s.operation == method and s.status == "pending"
            ]
            same = [s for s in same if method != _CALL or s.tool == params.get("name")]
            step = same[-1] if same else None
        if step is None:
            return None
        asked = self.inputs.get(step.event_id, {})
        for name, answer in given.items() if isinstance(given, dict) else ():
            if (inner := asked.get(str(name))) is not None and isinstance(answer, dict):
                self._conclude(inner, frame, answer)
        return step

    def _only_open(self) -> Observation | None:
        """The one call that the server can be asking for; None where several are under way."""
        running = {s.event_id: s for s in self.open.values() if s.kind == "tool_call"}
        return next(iter(running.values())) if len(running) == 1 else None

    def _ask(self, step: Observation, params: Members, above: Observation | None) -> None:
        step.approval = "pending"
        if not _wants_consent(params):
            # A form that asks for a name or a number is no decision.
            step.kind, step.approval = "message", None
        said: Members = {"message": params.get("message")}
        if params.get("url") is not None:
            said["url"] = params["url"]
        if above is not None:
            step.tool, step.target = above.tool, above.target
            said["arguments"] = value_of(above.arguments)
            if step.kind == "approval" and above.approval == "not_recorded":
                above.approval = "pending"
        step.arguments = as_text(said)

    def _answer(self, index: int, frame: Frame) -> None:
        step = self._asked_by(frame)
        if step is None:
            lost = self._step(index, frame, "message", "response", "lost", frame.record.sha256, index)
            lost.status, lost.gap = "ok", "the request that this answers is missing"
            lost.result = as_text({k: v for k, v in frame.message.items() if k in ("result", "error")})
            return
        step.records += 1
        error = frame.message.get("error")
        if error is not None:
            said = error if isinstance(error, dict) else {"message": error}
            step.error = text(said.get("message")) or as_text(said)
            step.status, step.ended_at = "error", frame.at
            if step.kind == "approval":
                step.approval, step.status = "denied", "denied"
            return
        self._conclude(step, frame, frame.result if frame.result is not None else {}, index)

    def _asked_by(self, frame: Frame) -> Observation | None:
        """The open request with this id that the other side sent."""
        number = frame.id
        if number is None:
            return None
        sender = frame.side or self.words.get(frame.word or "")
        if sender is None:
            both = [side for side in ("client", "server") if (side, number) in self.open]
            if len(both) == 2:
                # Only an elicitation is answered with an action, only a sampling with a role.
                result = frame.result or {}
                is_clients = "action" in result or "role" in result or "roots" in result
                return self.open.pop(("server" if is_clients else "client", number))
            sides: list[Side] = ["client", "server"]
        else:
            sides = ["client" if sender == "server" else "server"]
        return next((found for side in sides if (found := self.open.pop((side, number), None)) is not None), None)

    def _conclude(self, step: Observation, frame: Frame, result: Members, index: int | None = None) -> None:
        step.ended_at = frame.at
        if result.get("resultType") == "input_required":
            self._needs_input(step, frame, result, index or 0)
            return
        if isinstance(task := result.get("task"), dict) and isinstance(task.get("taskId"), str):
            self.tasks[task["taskId"]] = step
            return
        if (
            step.event_id in {s.event_id for s in self.tasks.values()}
            and "status" in result
            and "content" not in result
        ):
            if result.get("status") in ("failed", "cancelled"):
                step.status, step.error = "error", text(result.get("statusMessage")) or str(result["status"])
            return
        if step.operation == _ELICIT:
            self._decide(step, result)
            return
        said = {k: v for k, v in result.items() if k not in ("_meta", "resultType")}
        step.result = as_text(said)
        step.status = "ok"
        if step.operation == _SAMPLE:
            step.model = text(result.get("model"))
        if result.get("isError") is True:
            step.status, step.error = "error", _words_of(result.get("content"))

    def _needs_input(self, step: Observation, frame: Frame, result: Members, index: int) -> None:
        """The call is not over: it waits for what the server asks, and is sent again with the answers."""
        step.status = "pending"
        if (state := text(result.get("requestState"))) is not None:
            self.resumable[state] = step
        asked = self.inputs.setdefault(step.event_id, {})
        requests = result.get("inputRequests")
        for number, (name, request) in enumerate(requests.items() if isinstance(requests, dict) else ()):
            if not isinstance(request, dict) or (method := text(request.get("method"))) is None:
                continue
            params = request.get("params")
            kind = _KINDS.get(method, "lifecycle")
            inner = self._step(index, frame, kind, method, step.event_id, str(name), number, len(asked))
            inner.records, inner.status, inner.parent_event_id = 0, "pending", step.event_id
            if method == _ELICIT:
                self._ask(inner, params if isinstance(params, dict) else {}, step)
            asked[str(name)] = inner

    def _decide(self, step: Observation, result: Members) -> None:
        action, content = result.get("action"), result.get("content")
        step.result = as_text({k: v for k, v in result.items() if k in ("action", "content")})
        verdict: Approval = (
            "approved" if action == "accept" else "denied" if action in ("decline", "cancel") else "pending"
        )
        if step.kind != "approval":
            step.status = "ok" if action == "accept" else "unknown"
            return
        if isinstance(content, dict) and verdict == "approved":
            # A form can be sent in with "no" in it.
            stated = decision("", [as_text(content)], None)
            verdict = "denied" if stated.approval == "denied" else verdict
            step.approver = approver_in(normalised(dict(content)))
            if verdict == "approved" and (stated.approval == "automatic" or is_policy(step.approver)):
                verdict = "automatic"
        step.approval, step.status = verdict, _STATUS.get(verdict, "pending")
        call = next((s for s in self.out if s.event_id == step.parent_event_id), None)
        if call is not None and call.approval in ("not_recorded", "pending"):
            call.approval, call.approver = verdict, step.approver

    def _notice(self, index: int, frame: Frame) -> None:
        """A notification: part of the step that it is about, else a step of its own."""
        method, params, side = frame.method or "", frame.params, self._side(frame)
        about: Observation | None = None
        if method == "notifications/cancelled":
            number = params.get("requestId")
            about = self.open.get((side, repr(number)))
            if about is not None:
                reason = text(params.get("reason"))
                about.status, about.error = "error", f"cancelled: {reason}" if reason else "cancelled"
                about.ended_at = frame.at
        elif method == "notifications/progress":
            about = self.progress.get(repr(params.get("progressToken")))
        elif method == "notifications/initialized":
            about = self.hello
        elif method.startswith("notifications/tasks/"):
            task = meta_of(params).get(_TASK)
            named = task.get("taskId") if isinstance(task, dict) else params.get("taskId")
            about = self.tasks.get(str(named))
        if about is not None:
            about.records += 1
            return
        step = self._step(index, frame, "lifecycle", method, "notice", frame.record.sha256, index)
        step.status = "ok"
        step.arguments = as_text({k: v for k, v in params.items() if k != "_meta"}) if params else None


def _span_of(params: Members) -> list[str]:
    """The client's span, which it names to the server in W3C's `traceparent`."""
    found = _TRACEPARENT.fullmatch(text(meta_of(params).get("traceparent")) or "")
    return [f"{found[1]}/{found[2]}"] if found else []


def _spans_in(joins: str | None) -> list[str]:
    return [key.partition(":")[2] for key in keys_in(joins)]


def _words_of(content: object) -> str:
    """The texts of a result's content."""
    parts = content if isinstance(content, list) else []
    texts = [str(part["text"]) for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
    return "\n".join(texts) or "error"


def _wants_consent(params: Members) -> bool:
    """Whether an elicitation asks for a yes: by its words, a yes-or-no field, or by asking for nothing else."""
    schema = params.get("requestedSchema")
    fields = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(fields, dict) or not fields or params.get("mode") == "url":
        return True
    if any(isinstance(field, dict) and field.get("type") == "boolean" for field in fields.values()):
        return True
    named = [*fields, *(v for v in (params.get("message"),) if isinstance(v, str))]
    return any(APPROVAL_WORDS.fullmatch(word) for name in named for word in words(str(name)))
