from __future__ import annotations

import logging

from pydantic import Field, SecretStr

from detect.sinks import Alert, SinkSettings, Undelivered, sink
from detect.sinks._network import Network
from detect.sinks._text import headline, paragraphs

_MOST_TEXT = 4000


class AppriseSettings(SinkSettings):
    """`[sinks.apprise]`: a chat or paging service out of the 170 that Apprise knows."""

    url: SecretStr = Field(description="Apprise's address of the service, as 'msteams://…'; it holds secrets.")


def body(alert: Alert, settings: AppriseSettings) -> bytes:
    return f"{_plain(headline(alert))}\n\n{_text(alert)}".encode()


@sink(settings=AppriseSettings, body=body)
def apprise(alert: Alert, settings: AppriseSettings, network: Network) -> None:
    """Any service that Apprise knows (the extra `notify`), in plain words.

    Apprise makes its own requests: `allow_networks` and `ca_file` do not reach them.
    """
    try:
        import apprise as library
    except ImportError:
        raise Undelivered("Apprise is not installed: install custodiet[notify]") from None
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # what it logs may hold the address
    service = library.Apprise()
    if not service.add(settings.url.get_secret_value()):
        raise Undelivered("Apprise does not know this address")
    if not service.notify(title=_plain(headline(alert)), body=_text(alert), body_format=library.NotifyFormat.TEXT):
        raise Undelivered("the service did not take it")


def _text(alert: Alert) -> str:
    text = "\n".join(f"{label}: {_plain(words)}" for label, words in paragraphs(alert))
    link = alert.content.get("link")
    return text[:_MOST_TEXT] + (f"\n{link}" if link else "")


def _plain(text: str) -> str:
    """Inert in Markdown, HTML and chat alike: nobody is mentioned, nothing is a link."""
    for character, instead in (
        ("<", "‹"),
        (">", "›"),
        ("@", "＠"),
        ("`", "'"),
        ("[", "("),
        ("]", ")"),
        ("://", "[:]//"),
    ):
        text = text.replace(character, instead)
    return text
