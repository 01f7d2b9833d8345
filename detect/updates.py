"""An update is not an attack: for a day after one, what is only new counts less.

Credentials, paths and approvals count fully: an update is no reason to act as somebody else.
"""

from __future__ import annotations

import msgspec

from baseline.history import CHANGE_WINDOW, History
from baseline.models.levels import INHERITED
from detect.detectors import Detector, Finding
from detect.step import Step


def after_update(detector: Detector, finding: Finding, step: Step, history: History) -> Finding:
    """A finding of pure novelty in a change window keeps what a session of another version is worth, and says so."""
    if not detector.is_pure_novelty or not in_change_window(step, history):
        return finding
    since = history.version_since(step.agent_id, step.agent_version) or step.day
    return msgspec.structs.replace(
        finding,
        title=f"{finding.title}, after an update",
        expected=f"{finding.expected}; version {step.agent_version} is new since {since}: what is only new counts "
        f"{INHERITED:.0%}, and raises no case",
        share_after_update=INHERITED,
    )


def in_change_window(step: Step, history: History) -> bool:
    """Whether the agent's version is new: first seen today or yesterday, and not the agent's only one."""
    if not step.agent_version or step.day is None or not history.sessions(step.agent_id):
        return False
    since = history.version_since(step.agent_id, step.agent_version)
    return since is None or (step.day - since <= CHANGE_WINDOW and history.values_in(step.agent_id, "version") > 1)
