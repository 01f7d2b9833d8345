from __future__ import annotations

from typing import Any, Final

import msgspec
from pydantic import Field, SecretStr

from detect.sinks import Alert, Refused, SinkSettings, sink
from detect.sinks._answers import post, taken
from detect.sinks._bodies import at
from detect.sinks._network import Network
from detect.sinks._text import headline

_SEVERITIES: Final = {"info": "info", "low": "info", "medium": "warning", "high": "error", "critical": "critical"}
_MOST_SUMMARY: Final = 1024


class PagerDutySettings(SinkSettings):
    """`[sinks.pagerduty]`."""

    routing_key: SecretStr = Field(description="The integration key of the service (Events API v2).")
    url: str = Field(
        "https://events.pagerduty.com/v2/enqueue", description="EU accounts: https://events.eu.pagerduty.com/v2/enqueue"
    )


def body(alert: Alert, settings: PagerDutySettings) -> bytes:
    return msgspec.json.encode(_event(alert), order="sorted")


@sink(settings=PagerDutySettings, body=body)
def pagerduty(alert: Alert, settings: PagerDutySettings, network: Network) -> None:
    """PagerDuty Events API v2: one incident a case, resolved when the case ends."""
    event = {**_event(alert), "routing_key": settings.routing_key.get_secret_value()}
    content = msgspec.json.encode(event, order="sorted")
    answer = post(network, settings.url, content, {"content-type": "application/json"})
    if answer.status == 400:
        raise Refused("the receiver answered 400: the event or the routing key is not valid")
    taken(answer)


def _event(alert: Alert) -> dict[str, Any]:
    event: dict[str, Any] = {
        "event_action": "resolve" if alert.kind == "closed" else "trigger",
        "dedup_key": f"custodiet-{alert.case_id}",
        "client": "custodiet",
        "payload": {
            "summary": headline(alert, _MOST_SUMMARY),
            "source": (alert.content.get("agents") or ["custodiet"])[0],
            "severity": _SEVERITIES[alert.severity],
            "timestamp": at(alert.raised_at),
            "component": "ai_agent",
            "class": alert.kind,
            "custom_details": {**alert.content, "alert_id": alert.alert_id, "revision": alert.revision},
        },
    }
    if link := alert.content.get("link"):
        event |= {"client_url": link, "links": [{"href": link, "text": "The step in the investigator"}]}
    return event
