from __future__ import annotations

from typing import Any, Final

import msgspec
from pydantic import Field, SecretStr

from detect.sinks import Alert, Refused, SinkSettings, sink
from detect.sinks._answers import post, taken
from detect.sinks._network import Network
from detect.sinks._text import headline, paragraphs

_MOST_HEADER: Final = 150
_MOST_SECTION: Final = 3000
_MOST_PARAGRAPHS: Final = 20


class SlackSettings(SinkSettings):
    """`[sinks.slack]`. Whoever knows the address can post: it is never shown."""

    url: SecretStr = Field(description="The incoming webhook's address.")


def body(alert: Alert, settings: SlackSettings) -> bytes:
    head = headline(alert, _MOST_HEADER)
    lines = [f"*{label}* {_code(words)}" for label, words in list(paragraphs(alert))[:_MOST_PARAGRAPHS]]
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": head, "emoji": False}}]
    blocks += [_section(line) for line in lines]
    if link := alert.content.get("link"):
        blocks.append(_section(f"<{_escaped(link)}|The step in the investigator>"))
    message: dict[str, Any] = {
        "text": _escaped(head), "blocks": blocks, "unfurl_links": False, "unfurl_media": False,
    }  # fmt: skip
    return msgspec.json.encode(message, order="sorted")


@sink(settings=SlackSettings, body=body)
def slack(alert: Alert, settings: SlackSettings, network: Network) -> None:
    """Slack incoming webhook: what log content says is shown as code, so that it mentions nobody and links nowhere."""
    content = body(alert, settings)
    answer = post(network, settings.url.get_secret_value(), content, {"content-type": "application/json"})
    if answer.status == 400:
        raise Refused("the receiver answered 400: Slack does not take this message")
    taken(answer)


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _code(words: str) -> str:
    """As inline code, where Slack reads no formatting; a backtick could end it."""
    escaped = _escaped(words.replace("`", "'"))
    if len(escaped) > _MOST_SECTION - 100:
        escaped = escaped[: _MOST_SECTION - 100].rpartition("&")[0] + "…"
    return f"`{escaped}`"


def _escaped(text: str) -> str:
    """The three characters that make Slack's links and mentions."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
