"""What Codex's items and events say of a call: its tool, its arguments, its outcome, a person's refusal."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from ingest.arguments import named_in
from ingest.event import Observation, Status
from ingest.payloads import as_text, payload, text, value_of
from ingest.readers._chat_values import content_of
from ingest.readers._members import Members, at_path, fingerprint, part, texts_of

AGENT: Final = "codex"
HANDOFFS: Final = {"spawn_agent"}
_REFUSED: Final = re.compile(
    r"\s*(?:exec_command failed: .{0,40})?(?:(?:exec command|command|patch|MCP tool call) (?:was )?)?"
    r"(?:rejected|declined|denied) by (?:the )?user"
    r"|\s*(?:the )?user (?:rejected|declined|cancelled) (?:the )?(?:MCP )?(?:tool call|command|patch)",
    re.IGNORECASE,
)
_EXIT: Final = re.compile(r"(?:Process exited with code|Exit code:) (-?\d+)")
_FAILED: Final = re.compile(
    r"\s*(?:execution error|failed to parse function arguments|unsupported call|err:|error:|tool call error"
    r"|execution denied)",
    re.I,
)


def tool_of(item: Members, kind: str) -> tuple[str | None, str | None]:
    """(tool, arguments as JSON text) of a call item."""
    if kind == "local_shell_call":
        return "local_shell", as_text(item["action"]) if "action" in item else None
    if kind in ("web_search_call", "image_generation_call", "tool_search_call"):
        given = item.get("action", item.get("arguments"))
        return kind.removesuffix("_call"), payload(given)
    name, space = text(item.get("name")), text(item.get("namespace"))
    given = item.get("arguments") if "arguments" in item else item.get("input")
    return (f"{space}{name}" if space and name and space.endswith("__") else name), payload(given)


def command_of(event: Members) -> tuple[str | None, str | None]:
    """(tool, arguments) of an event about a call."""
    invocation = part(event, "invocation")
    if invocation:
        server, tool = text(invocation.get("server")), text(invocation.get("tool"))
        return (f"{server}__{tool}" if server and tool else tool), as_text(invocation.get("arguments"))
    said = {key: event[key] for key in ("command", "cwd", "changes", "query", "path") if event.get(key) is not None}
    kind = str(event.get("type"))
    tool = (
        "apply_patch"
        if "patch" in kind
        else "web_search"
        if "search" in kind
        else "shell"
        if "command" in said
        else None
    )
    return tool, as_text(said) if said else None


def fill_named(call: Observation) -> None:
    """What the call's own arguments name."""
    named = named_in(call.arguments)
    call.target, call.credential_id, call.principal = named.target, named.credential_id, named.principal
    call.on_behalf_of = named.on_behalf_of


def outcome_of(output: object) -> tuple[Status, str | None]:
    """(status, error) of a call's output: text, an object with metadata, or content parts."""
    inside = value_of(output) if isinstance(output, str) and output.lstrip()[:1] == "{" else output
    success = at_path(inside, "success")
    code = at_path(inside, "metadata", "exit_code")
    words = texts_of(at_path(inside, "content")) or texts_of(at_path(inside, "output")) or texts_of(output) or ""
    if code is None and (found := _EXIT.search(words[:500])) is not None:
        code = int(found[1]) if len(found[1]) < 12 else 1
    if success is False or (code is not None and code != 0) or _FAILED.match(words) is not None:
        return "error", words[:2000] or f"exit code {code}"
    return "ok", None


def is_refused_by_person(output: object) -> bool:
    """Whether the output is the program's sentence that the user said no."""
    inside = value_of(output) if isinstance(output, str) and output.lstrip()[:1] == "{" else output
    words = texts_of(at_path(inside, "content")) or texts_of(at_path(inside, "output")) or texts_of(output) or ""
    return _REFUSED.match(words) is not None


def end_of(call: Observation, event: Members, at: int | None) -> None:
    """What the program's own event says of how a call ended."""
    call.ended_at = at
    if call.result is None:
        shown = event.get("result", event.get("aggregated_output", event.get("stdout")))
        call.result = payload(shown)
    failed = event.get("success") is False or event.get("exit_code") not in (None, 0) or "Err" in part(event, "result")
    failed = failed or event.get("status") == "failed"
    call.status = "error" if failed else "ok"
    if failed:
        call.error = text(event.get("stderr")) or text(at_path(event, "result", "Err")) or "failed"
    if event.get("status") == "declined":
        call.status = "denied"
        call.approval = "denied" if call.kind == "tool_call" else None


def spoken(said: list[object]) -> str | None:
    """What the model put out in a row: its words alone, or words and calls together."""
    words = "\n".join(s for s in said if isinstance(s, str)) or None
    calls = [s for s in said if not isinstance(s, str)]
    return as_text({"content": words, "tool_calls": calls}) if calls else content_of(words)


class Twice:
    """What a rollout holds twice, as the model's item and as the program's event, whichever comes first."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str, str], list[Observation]] = {}
        self._lines: Counter[str] = Counter()

    def number(self, line: Members) -> str:
        """How often this very line stood before: two equal lines of one session are two steps."""
        self._lines[fingerprint(line)] += 1
        return str(self._lines[fingerprint(line)])

    def other(self, role: str, words: str, channel: str) -> Observation | None:
        """The step that already holds these words, told through the other channel."""
        waiting = self._waiting.get(("event" if channel == "item" else "item", role, words))
        return waiting.pop(0) if waiting else None

    def remember(self, role: str, words: str, channel: str, step: Observation) -> None:
        """Words that the other channel may repeat."""
        self._waiting.setdefault((channel, role, words), []).append(step)
