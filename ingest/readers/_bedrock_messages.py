"""Message bodies of the models on Bedrock, in the Converse, Anthropic and OpenAI shapes, as one shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ingest.payloads import as_text, value_of


@dataclass(frozen=True)
class Use:
    """A model asks for a tool."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Answer:
    """A tool's answer, as the next request tells it to the model."""

    id: str
    result: str
    is_error: bool


def messages_in(body: object) -> list[dict[str, object]]:
    """The messages of a request body."""
    messages = body.get("messages") if isinstance(body, dict) else None
    return [m for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []


def reply_in(body: object) -> dict[str, object] | None:
    """The assistant's message in a response body; a stream's pieces are put together."""
    if isinstance(body, list):
        return _assembled(body)
    if not isinstance(body, dict):
        return None
    output = body.get("output")
    message = output.get("message") if isinstance(output, dict) else None
    choices = body.get("choices")
    if message is None and isinstance(choices, list) and choices and isinstance(choices[0], dict):
        message = choices[0].get("message")
    if message is None and isinstance(body.get("content"), list):
        message = body
    return message if isinstance(message, dict) else None


def usage_in(body: object) -> tuple[int | None, int | None]:
    """Input and output tokens, as far as the response body counts them."""
    taken: int | None = None
    given: int | None = None
    for piece in body if isinstance(body, list) else [body]:
        for usage in _usages(piece):
            first = next((usage[k] for k in ("inputTokens", "input_tokens", "prompt_tokens") if k in usage), None)
            last = next((usage[k] for k in ("outputTokens", "output_tokens", "completion_tokens") if k in usage), None)
            taken, given = _count(first, taken), _count(last, given)
    return taken, given


def _usages(piece: object) -> Iterator[dict[str, object]]:
    if isinstance(piece, dict):
        for holder in (piece, piece.get("message"), piece.get("metadata")):
            usage = holder.get("usage") if isinstance(holder, dict) else None
            if isinstance(usage, dict):
                yield usage


def _count(value: object, before: int | None) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63
    return value if is_count and isinstance(value, int) else before


def uses_in(message: dict[str, object] | None) -> list[Use]:
    return list(_uses(message)) if message is not None else []


def _uses(message: dict[str, object]) -> Iterator[Use]:
    for block in _blocks(message):
        use = block.get("toolUse") if isinstance(block.get("toolUse"), dict) else None
        if isinstance(use, dict):
            yield from _use(use.get("toolUseId"), use.get("name"), use.get("input"))
        elif block.get("type") == "tool_use":
            yield from _use(block.get("id"), block.get("name"), block.get("input"))
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(call, dict) and isinstance(function, dict):
            yield from _use(call.get("id"), function.get("name"), function.get("arguments"))


def _use(identity: object, name: object, given: object) -> Iterator[Use]:
    if isinstance(identity, str) and identity and isinstance(name, str) and name:
        value = value_of(given) if isinstance(given, str) else None
        yield Use(identity, name, as_text(given if value is None else value))


def answers_in(message: dict[str, object]) -> Iterator[Answer]:
    for block in _blocks(message):
        answer = block.get("toolResult")
        if isinstance(answer, dict) and isinstance(answer.get("toolUseId"), str):
            yield Answer(str(answer["toolUseId"]), as_text(answer.get("content")), answer.get("status") == "error")
        elif block.get("type") == "tool_result" and isinstance(block.get("tool_use_id"), str):
            failed = block.get("is_error") is True
            yield Answer(str(block["tool_use_id"]), as_text(block.get("content")), failed)
    if message.get("role") == "tool" and isinstance(message.get("tool_call_id"), str):
        yield Answer(str(message["tool_call_id"]), as_text(message.get("content")), False)


def gist(message: dict[str, object] | None) -> str:
    """What tells a message from others however it is sent again: the ids of its calls, else its words."""
    if message is None:
        return ""
    ids = [use.id for use in uses_in(message)]
    if ids:
        return " ".join(ids)
    content = message.get("content")
    if isinstance(content, str):
        return content.strip()
    texts = (block.get("text") for block in _blocks(message))
    return " ".join(text.strip() for text in texts if isinstance(text, str))


def _blocks(message: dict[str, object]) -> list[dict[str, object]]:
    content = message.get("content")
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def _assembled(pieces: list[object]) -> dict[str, object] | None:
    """A stream's events as the message that they add up to."""
    blocks: dict[object, dict[str, object]] = {}
    inputs: dict[object, list[str]] = {}
    for piece in pieces:
        if not isinstance(piece, dict):
            continue
        start, delta, index = _stream_event(piece)
        if not isinstance(index, int | None):
            continue
        block = blocks.setdefault(index, {}) if start or delta else {}
        block.update(start)
        text = delta.get("text")
        if isinstance(text, str):
            block["text"] = f"{block.get('text', '')}{text}"
        use = delta.get("toolUse")
        more = delta.get("partial_json", use.get("input") if isinstance(use, dict) else None)
        if isinstance(more, str):
            inputs.setdefault(index, []).append(more)
    for index, texts in inputs.items():
        holder = blocks[index].get("toolUse", blocks[index])
        if isinstance(holder, dict):
            joined = "".join(texts)
            value = value_of(joined)
            holder["input"] = joined if value is None else value
    return {"role": "assistant", "content": list(blocks.values())} if blocks else None


def _stream_event(piece: dict[str, object]) -> tuple[dict[str, object], dict[str, object], object]:
    """(what a block starts with, what is added to it, its index) of a Converse or an Anthropic event."""
    started, added = piece.get("contentBlockStart"), piece.get("contentBlockDelta")
    if isinstance(started, dict):
        return _copied(started.get("start")), {}, started.get("contentBlockIndex")
    if isinstance(added, dict):
        return {}, _copied(added.get("delta")), added.get("contentBlockIndex")
    if piece.get("type") == "content_block_start":
        return _copied(piece.get("content_block")), {}, piece.get("index")
    if piece.get("type") == "content_block_delta":
        return {}, _copied(piece.get("delta")), piece.get("index")
    return {}, {}, None


def _copied(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        return {}
    return {str(key): dict(member) if isinstance(member, dict) else member for key, member in value.items()}
