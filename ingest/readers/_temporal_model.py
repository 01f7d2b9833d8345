"""What a model call's payloads say of the model and its tokens, and what a failure says went wrong."""

from __future__ import annotations

from typing import Final

import msgspec

from ingest.payloads import read, value_of
from ingest.readers._temporal_payload import one_text, texts_of

_LARGEST: Final = (1 << 63) - 1
_NOTHING: Final = msgspec.Raw()
_LONGEST_CAUSE: Final = 8
_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])


class _Model(msgspec.Struct):
    model: object = None
    model_name: object = None
    model_id: object = None
    modelVersion: object = None  # noqa: N815


class _Answer(_Model):
    usage: object = None
    usageMetadata: object = None  # noqa: N815
    usage_metadata: object = None


_MODEL: Final = msgspec.json.Decoder(_Model)
_ANSWER: Final = msgspec.json.Decoder(_Answer)
_INPUT_KEYS: Final = (
    "input_tokens", "prompt_tokens", "request_tokens", "inputTokens", "promptTokenCount",
    "prompt_token_count",
)  # fmt: skip
_OUTPUT_KEYS: Final = (
    "output_tokens", "completion_tokens", "response_tokens", "outputTokens", "candidatesTokenCount",
    "candidates_token_count",
)  # fmt: skip


class Usage(msgspec.Struct, frozen=True):
    """One model call's model and tokens."""

    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


def model_in(texts: list[str]) -> str | None:
    """The model that a call's input names."""
    for text in texts:
        said = read(_MODEL, text) if text[:1] == "{" else None
        if said is not None and (name := _name(said)) is not None:
            return name
    return None


def usage_in(texts: list[str]) -> Usage:
    """Tokens and model of a call's result. A streamed result repeats a running total: its last one counts."""
    answers = [answer for text in texts for answer in _answers(text)]
    for answer in reversed(answers):
        said = read(_ANSWER, answer)
        if said is None:
            continue
        stated = (said.usage, said.usageMetadata, said.usage_metadata)
        usage = next((usage for usage in stated if isinstance(usage, dict)), None)
        if usage is not None:
            return Usage(_name(said), _count(usage, _INPUT_KEYS), _count(usage, _OUTPUT_KEYS))
    return Usage()


def _answers(text: str) -> list[str | bytes]:
    if text[:1] == "{":
        return [text]
    parts = (bytes(part) for part in read(_ELEMENTS, text) or ())
    return [part for part in parts if part[:1] == b"{"]


def _name(said: _Model) -> str | None:
    names = (said.model, said.model_name, said.model_id, said.modelVersion)
    return next((name for name in names if isinstance(name, str) and name), None)


def _count(usage: dict[str, object], keys: tuple[str, ...]) -> int | None:
    for key in keys:
        value = usage.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST:
            return value
    return None


class _Kind(msgspec.Struct, rename="camel"):
    type: str | None = None
    timeout_type: str | None = None


class _Failure(msgspec.Struct, rename="camel"):
    message: str | None = None
    cause: msgspec.Raw = _NOTHING
    application_failure_info: _Kind | None = None
    timeout_failure_info: _Kind | None = None
    encoded_attributes: msgspec.Raw = _NOTHING


_FAILURE: Final = msgspec.json.Decoder(_Failure)


def failure_in(raw: msgspec.Raw | None) -> str | None:
    """A failure and its causes in one line, outermost first: what broke is usually the last."""
    said: list[str] = []
    for _ in range(_LONGEST_CAUSE):
        failure = read(_FAILURE, raw)
        if failure is None:
            break
        message = failure.message or ""
        if (hidden := one_text(texts_of(failure.encoded_attributes))) is not None:
            inside = value_of(hidden)
            stated = inside.get("message") if isinstance(inside, dict) else inside
            message = stated if isinstance(stated, str) else message
        kind = failure.application_failure_info and failure.application_failure_info.type
        late = failure.timeout_failure_info and failure.timeout_failure_info.timeout_type
        note = kind or (late or "").removeprefix("TIMEOUT_TYPE_")
        if note:
            message = f"{message} ({note})" if message else note
        if message and message not in said:
            said.append(message)
        raw = failure.cause
    return ": ".join(said) or None
