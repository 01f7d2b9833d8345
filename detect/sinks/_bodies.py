"""The bodies that several sinks share: our own JSON or OCSF, bare or in a CloudEvents envelope."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from detect.sinks import Alert
from detect.sinks._ocsf import detection_finding

Format = Literal["custodiet", "ocsf"]
Envelope = Literal["none", "cloudevents"]


def encoded(alert: Alert, format: Format, envelope: Envelope = "none") -> bytes:
    """The same bytes for the same alert, at every attempt."""
    body = _enveloped(alert, format) if envelope == "cloudevents" else said(alert, format)
    return msgspec.json.encode(body, order="sorted")


def content_type(envelope: Envelope) -> str:
    """The media type of a body (CloudEvents 1.0.2, structured mode)."""
    return "application/cloudevents+json" if envelope == "cloudevents" else "application/json"


def said(alert: Alert, format: Format) -> dict[str, Any]:
    """The alert as data: as Standard Webhooks recommends (type, timestamp, data), or as OCSF."""
    if format == "ocsf":
        return detection_finding(alert)
    return {
        "type": kind_of(alert),
        "timestamp": at(alert.raised_at),
        "data": {**alert.content, "alert_id": alert.alert_id, "revision": alert.revision},
    }


def kind_of(alert: Alert) -> str:
    """As `case.created`."""
    return f"case.{alert.kind}" if alert.kind in ("created", "updated", "closed") else f"alerts.{alert.kind}"


def at(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _enveloped(alert: Alert, format: Format) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": alert.alert_id,
        "source": "/custodiet",
        "type": f"custodiet.{kind_of(alert)}",
        "subject": alert.case_id,
        "time": at(alert.raised_at),
        "datacontenttype": "application/json",
        "data": said(alert, format),
    }
