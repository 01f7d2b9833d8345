from __future__ import annotations

import time
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec
from pydantic import Field, SecretStr

from detect.sinks import Alert, Refused, SinkSettings, Undelivered, sink
from detect.sinks._answers import post, taken
from detect.sinks._bodies import Format, said
from detect.sinks._network import Answer, Network

_CHANNELS: Final = UUID("3d1a5f0e-6f6c-5f43-9a57-0b1b9b8c2d11")
_BAD_EVENT: Final = frozenset({6, 12, 13, 15})
"""HEC's own codes: invalid data format, event field required, event field blank, error in indexed fields."""
_FIRST_POLL_S: Final = 0.2
_LONGEST_POLL_S: Final = 5.0


class _Reply(msgspec.Struct):
    code: int | None = None
    ackId: int | None = None  # noqa: N815
    acks: dict[str, bool] = {}


class SplunkSettings(SinkSettings):
    """`[sinks.splunk_hec]`."""

    url: str = Field(description="The collector, as 'https://splunk.example:8088'.")
    token: SecretStr = Field(description="The token of the HTTP Event Collector.")
    index: str | None = Field(None, description="The index; else the token's own.")
    sourcetype: str = Field("custodiet:alert", description="The sourcetype.")
    format: Format = Field("custodiet", description="'ocsf': the event is an OCSF Detection Finding.")
    acknowledged: bool = Field(
        False, description="Wait until it is indexed (indexer acknowledgement, Enterprise only)."
    )
    acknowledged_within_s: float = Field(60.0, gt=0, le=600, description="Then it is sent again, under the same id.")


def body(alert: Alert, settings: SplunkSettings) -> bytes:
    event: dict[str, Any] = {
        "time": round(alert.raised_at, 3),
        "source": "custodiet",
        "sourcetype": settings.sourcetype,
        "event": said(alert, settings.format),
    }
    if settings.index is not None:
        event["index"] = settings.index
    return msgspec.json.encode(event, order="sorted")


@sink(settings=SplunkSettings, body=body)
def splunk_hec(alert: Alert, settings: SplunkSettings, network: Network) -> None:
    """Splunk HTTP Event Collector, with indexer acknowledgement where it is switched on.

    A 200 alone says that the event was accepted, not that it is indexed.
    """
    base, token = settings.url.rstrip("/"), settings.token.get_secret_value()
    channel = str(uuid5(_CHANNELS, f"{base} {token}"))
    headers = {
        "authorization": f"Splunk {token}",
        "content-type": "application/json",
        "x-splunk-request-channel": channel,
    }
    answer = post(network, f"{base}/services/collector/event", body(alert, settings), headers)
    reply = _reply(answer)
    if reply.code in _BAD_EVENT:
        raise Refused(f"the collector answered {answer.status}, code {reply.code}")
    taken(answer)
    if not settings.acknowledged:
        return
    if reply.ackId is None:
        raise Undelivered("the collector acknowledges nothing: switch it on for the token, or `acknowledged` off")
    _wait_for(reply.ackId, f"{base}/services/collector/ack?channel={channel}", headers, settings, network)


def _wait_for(ack: int, url: str, headers: dict[str, str], settings: SplunkSettings, network: Network) -> None:
    until, poll_s = time.monotonic() + settings.acknowledged_within_s, _FIRST_POLL_S
    while time.monotonic() < until:
        answer = post(network, url, msgspec.json.encode({"acks": [ack]}), headers)
        taken(answer)
        if _reply(answer).acks.get(str(ack)):
            return
        time.sleep(poll_s)
        poll_s = min(poll_s * 2, _LONGEST_POLL_S)
    raise Undelivered(f"accepted, but not indexed within {settings.acknowledged_within_s:g} s")


def _reply(answer: Answer) -> _Reply:
    try:
        return msgspec.json.decode(answer.body, type=_Reply)
    except msgspec.MsgspecError:
        return _Reply()
