"""One receiver a file. To add one: drop a file here with a function of the file's name, decorated `@sink`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from detect.settings import Settings
from ingest.plugins import first_line


class Alert(msgspec.Struct, frozen=True):
    """What leaves: the same id and body at every attempt, so that a receiver can drop doubles."""

    alert_id: str
    body: bytes


class Undelivered(Exception):
    """The receiver did not take it. The message holds no address and no secret."""


Send = Callable[[Alert, Settings], None]


@dataclass(frozen=True)
class Sink:
    """A receiver: whether the settings name it, and how an alert is sent."""

    name: str
    summary: str
    is_set: Callable[[Settings], bool]
    send: Send
    """Returns when the receiver has taken the alert; raises `Undelivered`."""


def sink(*, is_set: Callable[[Settings], bool]) -> Callable[[Send], Sink]:
    """Declare a sink."""

    def declare(send: Send) -> Sink:
        return Sink(send.__name__, first_line(send.__doc__), is_set, send)

    return declare
