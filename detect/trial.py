"""The alert that a test sends: it says that it is one."""

from __future__ import annotations

from uuid import uuid4

from detect.clock import WALL, Clock
from detect.settings import Settings
from detect.sinks import Alert


def trial(settings: Settings, clock: Clock = WALL) -> Alert:
    """A test alert of severity info under an id of its own."""
    test_id = str(uuid4())
    return Alert(
        alert_id=test_id,
        case_id=f"test-{test_id}",
        revision=1,
        kind="test",
        severity="info",
        raised_at=clock.now(),
        content={
            "title": "A test alert of custodiet",
            "why": "somebody ran `custodiet alerts test`; nothing happened",
            "severity": "info",
            "agents": [],
            "link": settings.alerts.dashboard_url,
        },
    )
