"""What the detectors of novelty share: the change window after an update, and the peers in words."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from baseline.history import History
from detect.step import Step

CHANGE_WINDOW: Final = timedelta(days=1)
"""The day on which a new version is first seen and the next: pure novelty says little then, while credentials, paths
and approvals count fully."""


def in_change_window(step: Step, history: History) -> bool:
    """Whether the agent's version is new: first seen today or yesterday, and not the agent's only one."""
    if not step.agent_version or step.day is None:
        return False
    since = history.version_since(step.agent_id, step.agent_version)
    return since is None or step.day - since <= CHANGE_WINDOW


def peers_say(showed: int, sessions: int) -> str:
    """The peers' share in words."""
    return f"{showed:,} of {sessions:,} sessions of the other agents" if sessions else "no other agent was seen"
