"""A rehearsal: what would be sent where, with nothing written and nothing sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from detect.clock import WALL, Clock
from detect.outbox import alert_of
from detect.outbox_raise import plan
from detect.people import people
from detect.settings import Settings
from detect.sinks import Alert, Target
from ingest.database import open_published

_PENDING = """
select *
from alerts
where sink = ? and state = 'pending'
order by rank desc, raised_at, alert_id
"""


def previews(data: Path, settings: Settings, clock: Clock = WALL) -> list[dict[str, Any]]:
    """Every alert that waits or would be raised now, with the body that its sink would send (without secrets)."""
    if not settings.targets:
        return []
    with people(data) as outbox:
        told = [
            _preview(target, alert_of(row), "pending", row["why"])
            for target in settings.targets
            for row in outbox.execute(_PENDING, (target.name,))
        ]
        planned = plan(outbox, open_published(data), settings, clock.now())
    return told + [_preview(target, row.alert, row.state, row.why) for target, row in planned]


def _preview(target: Target, alert: Alert, state: str, why: str | None) -> dict[str, Any]:
    return {
        "sink": target.name,
        "kind": alert.kind,
        "case_id": alert.case_id,
        "revision": alert.revision,
        "severity": alert.severity,
        "state": state,
        "why": why,
        "body": target.sink.body(alert, target.settings).decode(),
    }
