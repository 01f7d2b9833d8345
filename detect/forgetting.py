"""A finding whose sessions were dropped: what is left of it counts how seldom its detector speaks, and nothing else."""

from __future__ import annotations

from collections.abc import Set

import msgspec

from detect.cases import Found
from detect.detectors import Finding
from detect.step import Step


def is_forgotten(found: Found) -> bool:
    """Whether only the count of it is left: its step is no event any more."""
    return not found.step.event_id


def forgotten(found: Found) -> Found:
    """The finding without anything that a log said but the agents, the tools and the day (what `Rates` count by)."""
    path = tuple(_bare(step) for step in found.finding.path)
    finding = Finding(title=found.finding.title, observed="", expected="", anomaly=found.finding.anomaly, path=path)
    return msgspec.structs.replace(found, step=_bare(found.step), finding=finding)


def _bare(step: Step) -> Step:
    return Step(
        event_id="", session_id="", trace_id="", parent_event_id=None, kind=step.kind, operation="", tool=step.tool,
        capability=step.capability, agent_id=step.agent_id, agent_version="", at_ns=None, day=step.day, principal=None,
        credential_id=None, on_behalf_of=None, source_host=None, target=None, status="", approval=None, approver=None,
        source="", arguments=None, result=None, gives=False,
    )  # fmt: skip


def touches(found: Found, sessions: Set[str]) -> bool:
    """Whether a step of its proof belongs to one of these sessions."""
    return any(step.session_id in sessions for step in (found.step, *found.finding.path))
