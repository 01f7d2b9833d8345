"""The names that three generations of instrumentation use, and the look-up of values under them."""

from __future__ import annotations

from typing import Final

from ingest.event import Kind
from ingest.readers._otlp_values import Attributes, text_of

OPERATIONS: Final[dict[str, Kind]] = {
    "chat": "model_call", "generate_content": "model_call", "text_completion": "model_call",
    "embeddings": "model_call", "completion": "model_call", "inference": "model_call",
    "execute_tool": "tool_call", "retrieval": "tool_call", "tools/call": "tool_call",
    "agent_handoff": "handoff", "handoff": "handoff", "transfer": "handoff",
    "invoke_agent": "lifecycle", "invoke_workflow": "lifecycle", "create_agent": "lifecycle",
}  # fmt: skip
OPENINFERENCE: Final[dict[str, tuple[Kind, str]]] = {
    "LLM": ("model_call", "llm"), "EMBEDDING": ("model_call", "embedding"),
    "RERANKER": ("model_call", "reranker"),
    "DECISION": ("model_call", "decision"),  # a decision model's answer, not a person's
    "TOOL": ("tool_call", "tool"), "RETRIEVER": ("tool_call", "retriever"),
    "AGENT": ("lifecycle", "invoke_agent"),
}  # fmt: skip
TRACELOOP: Final[dict[str, tuple[Kind, str]]] = {
    "tool": ("tool_call", "tool"), "agent": ("lifecycle", "invoke_agent"), "handoff": ("handoff", "handoff"),
}  # fmt: skip
VOCABULARY: Final = (
    "gen_ai.", "openinference.", "llm.", "traceloop.", "mcp.", "gcp.vertex.agent.", "agent_framework.", "ai.",
    "event_loop.", "tool.", "graph.node.", "agent.",
)  # fmt: skip
AGENT_SCOPES: Final = (
    "strands", "gcp.vertex.agent", "agent_framework", "autogen", "openinference.", "mcp-", "claude", "codex",
    "opentelemetry.instrumentation.openai_agents", "opentelemetry.instrumentation.langchain", "pydantic-ai",
)  # fmt: skip
RUNS: Final = {"invoke_agent", "invoke_workflow", "create_agent"}
TRANSFERS: Final = ("transfer_to_", "handoff_to_")
NAMELESS: Final = {"agent", "openai agent", "unknown", "none"}
"""What SDKs write where nobody named the agent. Taken as a name, it would hold all such agents together."""

SESSIONS: Final = (
    "gen_ai.conversation.id", "session.id", "microsoft.session.id", "gcp.vertex.agent.session_id",
    "conversation.id", "langfuse.session.id", "traceloop.association.properties.session_id",
)  # fmt: skip
"""The conversation stands first: it is the run toward one goal by definition, while `session.id` may be a
browser's, over many conversations. Where no conversation is named, the framework's session id is that run."""
HUMANS: Final = ("user.id", "enduser.id", "user.email", "langfuse.user.id")
TOOLS: Final = ("gen_ai.tool.name", "tool.name", "tool_name", "traceloop.entity.name", "ai.toolCall.name")
CALL_IDS: Final = (
    "gen_ai.tool.call.id", "tool.id", "tool_call.id", "tool_call_id", "ai.toolCall.id", "tool_use_id", "call_id",
)  # fmt: skip
CALLERS: Final = ("microsoft.a365.caller.agent.name", "microsoft.a365.caller.agent.id")
MODELS: Final = ("gen_ai.response.model", "gen_ai.request.model", "llm.model_name", "decision.model_name")
INPUT_TOKENS: Final = (
    "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt",
    "decision.token_count.prompt",
)  # fmt: skip
OUTPUT_TOKENS: Final = (
    "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion",
    "decision.token_count.completion",
)  # fmt: skip


def count(a: Attributes, keys: tuple[str, ...]) -> int | None:
    """The first of the keys that holds a count. Some backends take every value as text."""
    for key in keys:
        value = a.get(key)
        if value is None or isinstance(value, bool):
            continue
        if isinstance(value, str):
            value = int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None
        if isinstance(value, int | float) and 0 <= value < 1 << 62:
            return int(value)
    return None


def text_at(a: Attributes, key: str) -> str | None:
    """The text under a key."""
    return text_of(a.get(key))


def first_text(a: Attributes, keys: tuple[str, ...]) -> str | None:
    """The text under the first of the keys that has one."""
    for key in keys:
        if (value := a.get(key)) is not None and (text := text_of(value)) is not None:
            return text
    return None
