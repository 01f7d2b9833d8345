"""OpenAI-shape conversations: one JSON line each, tool arguments as JSON text, no times inside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Any

from _calls import Call, Clock, rfc3339, spaced
from _cast import Agent, uuid


def conversation(
    rng: Random,
    agent: Agent,
    at: datetime,
    system: str,
    asked: str,
    turns: Sequence[Sequence[Call]],
    answer: str,
) -> dict[str, Any]:
    """A whole run as the list of messages that the model saw."""
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": system},
        {"role": "user", "content": asked},
    ]
    for turn in turns:
        ids = [f"call_{rng.getrandbits(96):024x}" for _ in turn]
        functions = [
            {"id": call_id, "type": "function",
             "function": {"name": call.tool, "arguments": spaced(call.arguments)}}
            for call, call_id in zip(turn, ids, strict=True)
        ]  # fmt: skip
        messages.append({"role": "assistant", "content": None, "tool_calls": functions})
        for call, call_id in zip(turn, ids, strict=True):
            content = f"Error: {call.error}" if call.error else spaced(call.result)
            messages.append({"role": "tool", "tool_call_id": call_id, "content": content})
    messages.append({"role": "assistant", "content": answer})
    return {
        "run_id": f"run_{uuid(rng)}", "agent_id": agent.name, "agent_version": agent.version(at),
        "created_at": rfc3339(Clock(rng, at).ns), "model": agent.model, "messages": messages,
    }  # fmt: skip
