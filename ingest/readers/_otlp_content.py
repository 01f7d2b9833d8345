"""What was said in a step: a call's arguments and result, a model's messages.

Each generation of instrumentation keeps content elsewhere: in attributes, in span events, in numbered keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from ingest.readers._otlp_shape import Event, Span
from ingest.readers._otlp_values import Attributes, decode

_json: Final = msgspec.json.Decoder(msgspec.Raw)
_encode: Final = msgspec.json.Encoder().encode

DETAILS: Final = "gen_ai.client.inference.operation.details"
ROLES: Final = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
"""Events of the first generation, each one message of the model's input."""


def json_text(value: object) -> str | None:
    """JSON text as it stands; any other text as a JSON string; nothing for nothing."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and value[0] in _JSON_STARTS:
        try:
            _json.decode(value)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            pass
        else:
            return value
    try:
        return _encode(value).decode()
    except (msgspec.MsgspecError, UnicodeError, RecursionError, TypeError, OverflowError):
        return None


_JSON_STARTS: Final = frozenset('{["-0123456789tfn')


def tool_content(span: Span) -> tuple[str | None, str | None]:
    """A tool call's arguments and result, wherever this producer keeps them."""
    a = span.attributes
    arguments = _first(a, _ARGUMENTS)
    if arguments is None and not _is_schema(parameters := a.get("tool.parameters")):
        arguments = parameters
    result = _first(a, _RESULTS)
    for event in span.events if arguments is None or result is None else ():
        said = event.attributes
        if event.name == "gen_ai.tool.message":
            arguments = arguments if arguments is not None else said.get("content")
        elif event.name == "gen_ai.choice":
            result = result if result is not None else said.get("message")
        elif event.name == DETAILS:
            if arguments is None:
                arguments = _part(said.get("gen_ai.input.messages"), "tool_call", "arguments")
            if result is None:
                result = _part(said.get("gen_ai.output.messages"), "tool_call_response", "response")
    return json_text(arguments), json_text(result)


_ARGUMENTS: Final = (
    "gen_ai.tool.call.arguments", "input.value", "gcp.vertex.agent.tool_call_args", "traceloop.entity.input",
    "ai.toolCall.args", "gen_ai.tool.input", "tool_input",
)  # fmt: skip
_RESULTS: Final = (
    "gen_ai.tool.call.result", "output.value", "gcp.vertex.agent.tool_response", "traceloop.entity.output",
    "ai.toolCall.result", "gen_ai.tool.output", "tool_output",
)  # fmt: skip


def model_content(span: Span) -> tuple[str | None, str | None]:
    """A model call's input and output messages."""
    a = span.attributes
    given, said = _first(a, _INPUTS), _first(a, _OUTPUTS)
    if span.events and (given is None or said is None):
        from_events = _messages_in(span.events)
        given = given if given is not None else from_events[0]
        said = said if said is not None else from_events[1]
    if given is None:
        given = _numbered(a, "gen_ai.prompt.") or _numbered(a, "llm.input_messages.")
    if said is None:
        said = _numbered(a, "gen_ai.completion.") or _numbered(a, "llm.output_messages.")
    if given is None:
        given = _stated(a.get("gcp.vertex.agent.llm_request"))
    if said is None:
        said = _stated(a.get("gcp.vertex.agent.llm_response"))
    return json_text(given), json_text(said)


_INPUTS: Final = (
    "gen_ai.input.messages", "input.value", "traceloop.entity.input", "ai.prompt.messages", "ai.prompt",
)  # fmt: skip
_OUTPUTS: Final = ("gen_ai.output.messages", "output.value", "traceloop.entity.output", "ai.response.text")


def _messages_in(events: list[Event]) -> tuple[object, object]:
    """Input and output messages from span events: one message each, or whole lists in `details`."""
    given: list[object] = []
    said: list[object] = []
    for event in events:
        if event.name == DETAILS:
            for into, key in ((given, "gen_ai.input.messages"), (said, "gen_ai.output.messages")):
                messages = plain(event.attributes.get(key))
                if isinstance(messages, list):
                    into.extend(messages)
        elif event.name in ROLES or event.name == "gen_ai.choice":
            add_message(event.name, event.attributes, given, said)
    return given or None, said or None


def add_message(event_name: str, content: Attributes, given: list[object], said: list[object]) -> None:
    """One message of the first generation's events, put where it belongs."""
    if event_name == "gen_ai.choice":
        message = content.get("message")
        finish = content.get("finish_reason")
        choice = {"role": "assistant", "content": plain(message)}
        said.append(choice if finish is None else choice | {"finish_reason": finish})
    else:
        rest = {key: plain(value) for key, value in content.items() if key not in ("role", "event.name")}
        given.append({"role": ROLES[event_name], **rest})


def _numbered(a: Attributes, prefix: str) -> object:
    """Messages spread over numbered keys (`gen_ai.prompt.0.role`) as a list of objects."""
    found: dict[int, dict[str, object]] = {}
    for key, value in a.items():
        if key.startswith(prefix):
            number, _, rest = key[len(prefix) :].partition(".")
            if number.isascii() and number.isdigit() and len(number) < 6:
                found.setdefault(int(number), {})[rest.removeprefix("message.")] = value
    return [found[number] for number in sorted(found)] or None


def _stated(value: object) -> object:
    """ADK writes `{}` where content capture is off."""
    return None if value in ("{}", "") else value


def plain(value: object) -> object:
    """Text that is a JSON object or array, decoded; all else as it stands."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        decoded = decode(value)
        return value if decoded is None else decoded
    return value


def _part(messages: object, kind: str, field: str) -> object:
    for part in parts_in(plain(messages)):
        if part.get("type") == kind:
            return part.get(field)
    return None


def parts_in(messages: object) -> Iterator[dict[str, object]]:
    for message in messages if isinstance(messages, list) else ():
        parts = message.get("parts") if isinstance(message, dict) else None
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict):
                yield part


def _is_schema(value: object) -> bool:
    """`tool.parameters` is the tool's JSON schema with some producers, the call's arguments with others."""
    return isinstance(said := plain(value), dict) and isinstance(said.get("properties"), dict)


def _first(a: Attributes, keys: tuple[str, ...]) -> object:
    for key in keys:
        if (value := a.get(key)) is not None and value != "":
            return value
    return None


def tells_failure(result: str | None) -> bool:
    """An MCP result that says so itself: the protocol puts a failed tool's error in the result."""
    if result is None or _IS_ERROR.search(result) is None:
        return False
    decoded = decode(result)
    return isinstance(decoded, dict) and decoded.get("isError") is True


_IS_ERROR: Final = re.compile(r'"isError"\s*:\s*true')
