"""What the names of activities say: which one calls a model, which one carries any tool."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from ingest.decisions import words
from ingest.payloads import value_of

MODEL_ACTIVITIES: Final = re.compile(
    r"((invoke|call|query|prompt|ask|run)_)?((chat|language|large_language|openai|anthropic|gemini|bedrock)_)*"
    r"((?<=_)model|llm|model_request|model_call|llm_call|llm_request|chat_completions?|generate_(content|completion))"
    r"(_(activity|stream|streaming|async|v_?\d+))*"
)
"""Whole activity names, as words joined by `_`, that call a language model.

`invoke_model_activity` is temporalio.contrib.openai_agents, `invoke_model` its google_adk_agents sibling,
`agent__<name>__model_request(_stream)` is Pydantic AI. Whole names, because `update_device_model` is a tool.
"""

WRAPPER_ACTIVITIES: Final = re.compile(
    r"(.*_)?(call|execute|run|invoke|use|dispatch)_(mcp_)?tool(_stateless|_stateful)?(_v_?\d+)?(_activity)?"
    r"|(.*_)?(dynamic|mcp)_(tool_)?activity|(.*_)?tool_activity"
)
"""Activity names that carry any tool: the tool's own name is in the payload."""

_NAMED_TOOL_KEYS: Final = ("toolname", "tool", "functionname", "name")


@lru_cache(maxsize=4096)
def is_model_call(activity: str) -> bool:
    """Whether an activity of this name calls a language model."""
    tail = activity.rsplit("__", 1)[-1]
    return MODEL_ACTIVITIES.fullmatch("_".join(words(tail))) is not None


@lru_cache(maxsize=4096)
def is_wrapper(activity: str) -> bool:
    """Whether an activity of this name carries some tool that its payload names."""
    return WRAPPER_ACTIVITIES.fullmatch("_".join(words(activity))) is not None


def wrapped_tool(texts: Iterable[str]) -> str | None:
    """The tool that a wrapper's payloads name: a telling key, or a first payload that is one word."""
    for position, text in enumerate(texts):
        value = value_of(text)
        if position == 0 and isinstance(value, str) and re.fullmatch(r"[\w.:/-]{1,200}", value):
            return value
        if isinstance(value, dict):
            said = {_normal(key): member for key, member in value.items()}
            for key in _NAMED_TOOL_KEYS:
                member = said.get(key)
                if isinstance(member, dict):
                    member = member.get("name")
                if isinstance(member, str) and member:
                    return member
    return None


def _normal(key: object) -> str:
    return str(key).lower().replace("_", "").replace("-", "")
