from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx2
import stamina
from standardwebhooks.webhooks import Webhook

from detect.settings import Settings, SettingsTrouble
from detect.sinks import Alert, Undelivered, sink

_ATTEMPTS: Final = 3
_TIMEOUT_S: Final = 20.0
_LONGEST_WAIT_S: Final = 20.0
_TRANSIENT: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class _Later(Exception):
    """Worth another attempt; `after_s` is what the receiver asked for."""

    def __init__(self, said: str, after_s: float | None = None) -> None:
        super().__init__(said)
        self.after_s = after_s


@sink(is_set=lambda settings: settings.webhook_url is not None)
def webhook(alert: Alert, settings: Settings) -> None:
    """Standard Webhooks 1.0: signed, with an id that does not change on a retry.

    Three attempts in one run, with `Retry-After` heeded up to 20 seconds; what is still undelivered stays
    in the outbox for the next run. Redirects are not followed.
    """
    if settings.webhook_url is None or settings.webhook_secret is None:
        raise SettingsTrouble("the webhook needs CUSTODIET_WEBHOOK_URL and CUSTODIET_WEBHOOK_SECRET")
    url, secret = settings.webhook_url.get_secret_value(), settings.webhook_secret.get_secret_value()
    try:
        signer = Webhook(secret)
    except (ValueError, RuntimeError):
        raise SettingsTrouble("CUSTODIET_WEBHOOK_SECRET: not `whsec_` and base64; copy it again") from None
    try:
        for attempt in _attempts():
            with attempt:
                _post(url, alert, signer)
    except _Later as error:
        raise Undelivered(str(error)) from None


def _attempts() -> Iterator[stamina.Attempt]:
    def wait(error: Exception) -> bool | timedelta:
        if not isinstance(error, _Later):
            return False
        return True if error.after_s is None else timedelta(seconds=min(error.after_s, _LONGEST_WAIT_S))

    return iter(stamina.retry_context(on=wait, attempts=_ATTEMPTS, timeout=60.0, wait_initial=0.2, wait_max=5.0))


def _post(url: str, alert: Alert, signer: Webhook) -> None:
    now = datetime.now(UTC)  # the library signs the clock as it is given, and only UTC verifies
    headers = {
        "content-type": "application/json",
        "webhook-id": alert.alert_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signer.sign(alert.alert_id, now, alert.body.decode()),
    }
    try:
        response = httpx2.post(url, content=alert.body, headers=headers, timeout=_TIMEOUT_S, follow_redirects=False)
    except httpx2.InvalidURL:
        raise SettingsTrouble("CUSTODIET_WEBHOOK_URL: not an http or https address") from None
    except httpx2.HTTPError as error:
        raise _Later(f"the receiver cannot be reached ({type(error).__name__})") from None
    if response.is_success:
        return
    said = f"the receiver answered {response.status_code}"
    if response.status_code in _TRANSIENT:
        raise _Later(said, _seconds(response.headers.get("retry-after")))
    raise Undelivered(said)


def _seconds(retry_after: str | None) -> float | None:
    """`Retry-After` in seconds; a date is left to the ordinary back-off."""
    return float(retry_after) if retry_after is not None and retry_after.isdecimal() else None
