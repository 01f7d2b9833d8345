"""What an answer means: the common rules of receivers, which a sink may narrow by its own."""

from __future__ import annotations

import time

from detect.sinks import Gone, Undelivered
from detect.sinks._network import Answer, Forbidden, Network, Unreachable

_ABOUT_ALERT = frozenset({400, 413, 422})
"""Another alert may fare better; every other failure is the receiver's."""


def post(network: Network, url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """The answer, whatever it is. Raises `Undelivered` where there is none."""
    try:
        return network.post(url, body, headers)
    except (Unreachable, Forbidden) as error:
        raise Undelivered(
            f"the receiver was not asked: {error}" if isinstance(error, Forbidden) else str(error)
        ) from None


def taken(answer: Answer) -> None:
    """Any 2xx is success, 410 wants nothing more, all else is tried again; a redirect is not followed."""
    if 200 <= answer.status < 300:
        return
    said = f"the receiver answered {answer.status}"
    if answer.status == 410:
        raise Gone(said)
    raise Undelivered(said, after_s=retry_after(answer), is_about_alert=answer.status in _ABOUT_ALERT)


def retry_after(answer: Answer) -> float | None:
    """What the receiver asked for, in seconds from now."""
    return answer.retry_after_s(time.time())
