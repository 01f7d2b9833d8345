"""A finding whose sessions were dropped: what is left of it counts how seldom its detector speaks, and nothing else."""

from __future__ import annotations

from collections.abc import Set

import msgspec

from detect.cases import Found
from detect.detectors import Finding
from detect.step import Step


def is_forgotten(found: Found) -> bool:
    """Whether only the count of it is left; a finding always has a path."""
    return not found.finding.path


def forgotten(found: Found) -> Found:
    """The finding without anything that a log said but the agent, the tool and the day."""
    step = Step(
        event_id="", session_id="", trace_id="", parent_event_id=None, kind=found.step.kind, operation="",
        tool=found.step.tool, capability=found.step.capability, agent_id=found.step.agent_id, agent_version="",
        at_ns=None, day=found.step.day, principal=None, credential_id=None, on_behalf_of=None, source_host=None,
        target=None, status="", approval=None, approver=None, source="", arguments=None, result=None, gives=False,
    )  # fmt: skip
    finding = Finding(title=found.finding.title, observed="", expected="", anomaly=found.finding.anomaly, path=())
    return msgspec.structs.replace(found, step=step, finding=finding)


def touches(found: Found, sessions: Set[str]) -> bool:
    """Whether a step of its proof belongs to one of these sessions."""
    return any(step.session_id in sessions for step in (found.step, *found.finding.path))
