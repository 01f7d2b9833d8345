from __future__ import annotations

import threading
import time
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec
from pydantic import Field, SecretStr

from detect.sinks import Alert, SinkSettings, Undelivered, sink
from detect.sinks._answers import post, retry_after, taken
from detect.sinks._bodies import at
from detect.sinks._network import Network

_API: Final = "2023-01-01"
_RENEWED_BEFORE_S: Final = 300
_tokens: dict[tuple[str, str, str, str], tuple[str, float]] = {}
_tokens_lock = threading.Lock()


class SentinelSettings(SinkSettings):
    """`[sinks.sentinel]`: a data collection rule and an app registration that may write to it."""

    endpoint: str = Field(description="The logs ingestion endpoint, as 'https://….ingest.monitor.azure.com'.")
    rule: str = Field(description="The immutable id of the data collection rule, as 'dcr-…'.")
    stream: str = Field(description="The stream of the rule, as 'Custom-Custodiet_CL'.")
    tenant: str = Field(description="The Entra tenant.")
    client_id: str = Field(description="The app registration.")
    client_secret: SecretStr = Field(description="Its secret.")
    login_url: str = Field("https://login.microsoftonline.com", description="Other clouds have their own.")
    scope: str = Field("https://monitor.azure.com/.default", description="Other clouds have their own.")


class _Token(msgspec.Struct):
    access_token: str
    expires_in: int


def body(alert: Alert, settings: SentinelSettings) -> bytes:
    content = alert.content
    record: dict[str, Any] = {
        "TimeGenerated": at(alert.raised_at),
        "AlertId": alert.alert_id,
        "CaseId": alert.case_id,
        "Revision": alert.revision,
        "Kind": alert.kind,
        "Severity": alert.severity,
        "Title": content["title"],
        "Why": content["why"],
        "Agents": content.get("agents", []),
        "Sessions": content.get("sessions", []),
        "Techniques": content.get("techniques", []),
        "Reasons": content.get("reasons", []),
        "Path": content.get("path", []),
        "Link": content.get("link"),
        "Content": content,
    }
    return msgspec.json.encode([record], order="sorted")


@sink(settings=SentinelSettings, body=body)
def sentinel(alert: Alert, settings: SentinelSettings, network: Network) -> None:
    """Microsoft Sentinel through the Logs Ingestion API: one row a revision in a table of your own."""
    url = (
        f"{settings.endpoint.rstrip('/')}/dataCollectionRules/{quote(settings.rule, safe='')}"
        f"/streams/{quote(settings.stream, safe='')}?api-version={_API}"
    )
    headers = {
        "authorization": f"Bearer {_token(settings, network)}",
        "content-type": "application/json",
        "x-ms-client-request-id": alert.alert_id,
    }
    answer = post(network, url, body(alert, settings), headers)
    if answer.status == 401:
        with _tokens_lock:
            _tokens.pop(_key(settings), None)  # the next attempt asks for a new one
    taken(answer)


def _token(settings: SentinelSettings, network: Network) -> str:
    """An access token (OAuth 2.0 client credentials), kept in memory until shortly before it ends."""
    with _tokens_lock:
        kept = _tokens.get(_key(settings))
    if kept is not None and kept[1] > time.monotonic():
        return kept[0]
    form = {
        "grant_type": "client_credentials",
        "client_id": settings.client_id,
        "client_secret": settings.client_secret.get_secret_value(),
        "scope": settings.scope,
    }
    url = f"{settings.login_url.rstrip('/')}/{quote(settings.tenant, safe='')}/oauth2/v2.0/token"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = post(network, url, urlencode(form).encode(), headers)
    if answer.status != 200:
        raise Undelivered(f"Entra gave no token ({answer.status})", after_s=retry_after(answer))
    try:
        token = msgspec.json.decode(answer.body, type=_Token)
    except msgspec.MsgspecError:
        raise Undelivered("Entra gave no token that can be read") from None
    with _tokens_lock:
        _tokens[_key(settings)] = (token.access_token, time.monotonic() + token.expires_in - _RENEWED_BEFORE_S)
    return token.access_token


def _key(settings: SentinelSettings) -> tuple[str, str, str, str]:
    return settings.login_url, settings.tenant, settings.client_id, settings.scope
