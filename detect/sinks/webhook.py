from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Final

from pydantic import Field, SecretStr, field_validator
from standardwebhooks.webhooks import Webhook

from detect.sinks import Alert, SinkSettings, sink
from detect.sinks._answers import post, taken
from detect.sinks._bodies import Envelope, Format, content_type, encoded
from detect.sinks._network import Network

_NOT_A_SECRET: Final = "not `whsec_` and base64; copy it again"
_LEAST_KEY_BYTES: Final = 24
_MOST_KEY_BYTES: Final = 64


class WebhookSettings(SinkSettings):
    """`[sinks.webhook]`. The address may hold a token, so it is never shown."""

    url: SecretStr = Field(description="Where alerts go.")
    secret: SecretStr = Field(description="`whsec_` and base64, as the receiver has it.")
    old_secret: SecretStr | None = Field(None, description="While a secret is being replaced: signed with both.")
    format: Format = Field("custodiet", description="'ocsf': the body is an OCSF Detection Finding.")
    envelope: Envelope = Field("none", description="'cloudevents': the body is a CloudEvent in structured mode.")

    @field_validator("secret", "old_secret")
    @classmethod
    def _can_sign(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            _signer(secret)
        return secret


def body(alert: Alert, settings: WebhookSettings) -> bytes:
    return encoded(alert, settings.format, settings.envelope)


@sink(settings=WebhookSettings, body=body)
def webhook(alert: Alert, settings: WebhookSettings, network: Network) -> None:
    """Standard Webhooks 1.0: signed, with an id that does not change on a retry."""
    content = body(alert, settings)
    now = datetime.now(UTC)  # the library signs the clock as it is given, and only UTC verifies
    secrets = [secret for secret in (settings.secret, settings.old_secret) if secret is not None]
    headers = {
        "content-type": content_type(settings.envelope),
        "user-agent": "custodiet",
        "webhook-id": alert.alert_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(_signer(s).sign(alert.alert_id, now, content.decode()) for s in secrets),
    }
    taken(post(network, settings.url.get_secret_value(), content, headers))


def _signer(secret: SecretStr) -> Webhook:
    said = secret.get_secret_value()
    try:
        key = base64.b64decode(said.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise ValueError(_NOT_A_SECRET) from None
    if not _LEAST_KEY_BYTES <= len(key) <= _MOST_KEY_BYTES:
        raise ValueError(f"{len(key)} bytes; Standard Webhooks asks for {_LEAST_KEY_BYTES} to {_MOST_KEY_BYTES}")
    return Webhook(said)
