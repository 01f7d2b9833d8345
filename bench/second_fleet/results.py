"""What tools answer, in brief."""

from __future__ import annotations

from random import Random
from typing import Any, Final

from bench.second_fleet.model import hexes

_READS: Final = (
    "get", "list", "search", "show", "describe", "read", "query", "lookup", "find", "trace", "tail", "logs", "fetch",
)  # fmt: skip
_MESSAGES: Final = (
    "Hi, my last delivery arrived with a broken pallet. What can you do?",
    "Could you tell me where shipment 5521 is? The portal shows nothing since Tuesday.",
    "Please change our contact person to the one in copy.",
    "The invoice is twice the usual sum, can somebody check?",
    "Thanks for the quick help last time. One more question on customs forms.",
    "Since the update the scanner app closes itself after login.",
)
_ERRORS: Final = (
    "timeout after 30s", "HTTP 503 from upstream", "rate limit exceeded, retry in 20s", "not found",
    "connection reset by peer", "validation failed: field missing", "lock is held by another run",
)  # fmt: skip
_DENIALS: Final = ("permission denied", "HTTP 403 Forbidden", "not allowed for this scope")


def answer(tool: str, rng: Random) -> Any:
    """A small result that fits the tool's verb."""
    lowered = tool.lower()
    if any(word in lowered for word in ("ticket", "message", "inbox", "case", "get_issue", "resume")):
        return {"id": rng.randrange(10_000, 99_999), "status": "open", "body": rng.choice(_MESSAGES)}
    if any(word in lowered for word in ("shell", "ssh", "kubectl", "live_response")):
        return {"exit_code": 0, "stdout": rng.choice(("", "ok", "3 passed", "nothing to do", "active (running)"))}
    if any(word in lowered for word in _READS):
        return {"count": rng.randrange(0, 60), "etag": hexes(str(rng.random()), 8)}
    return {"ok": True, "id": hexes(str(rng.random()), 10)}


def failure(rng: Random) -> str:
    """Why a call failed, as things fail on any day."""
    return rng.choice(_DENIALS) if rng.random() < 0.12 else rng.choice(_ERRORS)
