"""An alert in words for people. Log content is made visible here; a sink then escapes it for its own markup."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from detect.sinks import Alert
from ingest.visible import visible

_KINDS: Final = {"updated": "update: ", "closed": "closed: ", "test": "test: "}
_MOST_STEPS: Final = 5


def headline(alert: Alert, cap: int = 200) -> str:
    """One line: what, how severe, who."""
    agents = ", ".join(alert.content.get("agents", [])[:3])
    whole = f"[{alert.severity}] {_KINDS.get(alert.kind, '')}{alert.content['title']}" + (
        f" ({agents})" if agents else ""
    )
    shown = visible(whole, len(whole))
    return shown if len(shown) <= cap else f"{shown[: cap - 1]}…"


def paragraphs(alert: Alert) -> Iterator[tuple[str, str]]:
    """(label, words): the why, the reasons with what was observed and expected, the path with its lines."""
    content = alert.content
    yield "why", visible(content["why"])
    if "closed_why" in content:
        yield "closed", visible(content["closed_why"])
    for reason in content.get("reasons", []):
        yield "reason", visible(f"{reason['title']}: {reason['observed']}; expected: {reason['expected']}", 600)
    for step in content.get("path", [])[-_MOST_STEPS:]:
        target = f" on {step['target']}" if step["target"] else ""
        yield (
            "step",
            visible(f"{step['started_at'] or ''} {step['agent_id']}: {step['tool']}{target} ({step['source']})", 400),
        )
    for other in content.get("grouped", []):
        yield "also", visible(f"[{other['severity']}] {other['title']} ({other['case_id']})")
    yield "case", visible(f"{alert.case_id}, revision {alert.revision}")
