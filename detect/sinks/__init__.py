"""One receiver a file. To add one: drop a file here with a function of the file's name, decorated `@sink`.

A sink has its own settings, a body (what it would send, also for a rehearsal) and a way to send it. It says by
which exception it returns what became of the alert; the outbox does the waiting, the retries and the counting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from pydantic import Field, field_validator

from detect.cases import Severity
from detect.quiet import QuietHours
from detect.sinks._network import Network
from ingest.plugins import first_line
from ingest.settings import Section

Kind = Literal["created", "updated", "closed", "summary", "test"]


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """What leaves: the same id and content at every attempt, so that a receiver can drop doubles."""

    alert_id: str
    case_id: str
    """Of one case's alert in all its revisions."""
    revision: int
    kind: Kind
    severity: Severity
    raised_at: float
    content: dict[str, Any]
    """What `detect/alert.py` says of the case."""


class Undelivered(Exception):
    """The receiver did not take it: try again. The message holds no address and no secret."""

    def __init__(self, said: str, *, after_s: float | None = None, is_about_alert: bool = False) -> None:
        super().__init__(said)
        self.after_s = after_s
        """What the receiver asked for."""
        self.is_about_alert = is_about_alert
        """Whether other alerts may fare better; else the sink rests for a while."""


class Refused(Exception):
    """The receiver will never take this one: it goes to the dead letters."""


class Gone(Exception):
    """The receiver wants nothing more: the sink is disabled until a person enables it."""


class SinkSettings(Section):
    """What every sink can be told."""

    severity: Severity | None = Field(None, description="The least severity that is sent; else that of [alerts].")
    group: Literal["case", "agent"] = Field(
        "case", description="'agent': the cases of one agent that a run finds are one alert."
    )
    most_an_hour: int = Field(60, ge=1, description="What is over it is counted in one summary, the worst sent first.")
    quiet: str | None = Field(None, description="Hours in which alerts wait, as '22:00-06:00'.")
    quiet_zone: str = Field("UTC", description="The time zone of the quiet hours, as 'Europe/Berlin'.")
    quiet_except: Severity = Field("high", description="What is at least this severe is sent in quiet hours too.")

    @field_validator("quiet")
    @classmethod
    def _quiet_can_be_read(cls, quiet: str | None) -> str | None:
        if quiet is not None:
            QuietHours.read(quiet, "UTC")
        return quiet

    @field_validator("quiet_zone")
    @classmethod
    def _zone_is_known(cls, zone: str) -> str:
        QuietHours.read("00:00-00:00", zone)
        return zone


Body = Callable[[Alert, Any], bytes]
Send = Callable[[Alert, Any, Network], None]


@dataclass(frozen=True)
class Sink:
    """A kind of receiver."""

    name: str
    summary: str
    settings: type[SinkSettings]
    body: Body
    """What would be sent, without secrets."""
    send: Send
    """Returns when the receiver has taken the alert; raises `Undelivered`, `Refused` or `Gone`."""


def sink(*, settings: type[SinkSettings], body: Body) -> Callable[[Send], Sink]:
    """Declare a sink."""

    def declare(send: Send) -> Sink:
        return Sink(send.__name__, first_line(send.__doc__), settings, body, send)

    return declare


@dataclass(frozen=True)
class Target:
    """A sink as the settings name it: two Slack channels are two targets of one kind."""

    name: str
    sink: Sink
    settings: SinkSettings
