"""How a span ended, and what stood on the far side of it."""

from __future__ import annotations

from urllib.parse import urlsplit

from ingest.event import Kind, Status
from ingest.readers._otlp_content import tells_failure
from ingest.readers._otlp_shape import Span
from ingest.readers._otlp_values import text_of
from ingest.readers._otlp_words import first_text, text_at


def server_of(span: Span) -> str | None:
    """The far side of a call. What serves a call is itself the near side."""
    if span.side == "SERVER":
        return None
    a = span.attributes
    stated = first_text(a, ("aws.remote.resource.identifier", "server.address"))
    if stated is not None and stated.lower() != "unknown":
        return stated
    for key in ("url.full", "http.url"):
        if isinstance(url := a.get(key), str) and (host := _host(url)):
            return host
    if (peer := first_text(a, ("net.peer.name", "peer.service"))) is not None:
        return peer
    service, method = text_at(a, "rpc.service"), text_at(a, "rpc.method")
    return f"{service}/{method}" if service and method else service


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def outcome_of(span: Span, kind: Kind, result: str | None) -> tuple[Status, str | None]:
    """How a step ended, and why where it failed; three generations say it in five ways."""
    a = span.attributes
    thrown = next((e.attributes for e in span.events if e.name == "exception"), None) if span.events else None
    error_type = text_of(a.get("error.type"))
    message = span.message or None
    why = message or (None if thrown is None else text_of(thrown.get("exception.message")))
    if kind == "handoff" and thrown is None and error_type is None:
        # Two instrumentations mark a normal handoff as failed, saying nothing or that there were several.
        said = message or "Multiple handoffs"
        failed = span.outcome == "ERROR" and not said.startswith("Multiple handoffs")
    else:
        failed = (
            span.outcome == "ERROR"
            or error_type is not None
            or (thrown is not None and span.outcome != "OK")
            or a.get("gen_ai.tool.status") == "error"
            or (kind == "tool_call" and tells_failure(result))
        )
    if failed:
        refused = str(a.get("http.response.status_code") or a.get("http.status_code")) in ("401", "403")
        return "denied" if refused else "error", why or text_of(a.get("error.message")) or error_type
    if kind == "tool_call" and span.side == "CLIENT" and "mcp.method.name" in a and span.outcome != "OK":
        return "unknown", None  # stays unset when the tool fails; only the MCP server's span tells
    return ("ok" if span.ended_at is not None or span.outcome == "OK" else "unknown"), None
