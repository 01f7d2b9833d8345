"""Files of conversations: lists of messages, and messages that stand alone and are one conversation together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from ingest.event import Observation, Rejected
from ingest.records import Record


class Conversation(Protocol):
    """A conversation that is read whole."""

    def observations(self) -> list[Observation | Rejected]:
        """Its steps."""


M = TypeVar("M")
Talk = Callable[[dict[str, object], list[M]], Conversation]


def steps_of(
    records: Iterable[Record], lists: Callable[[Record], Iterator[Conversation | M | Rejected]], talk: Talk[M]
) -> Iterator[Observation | Rejected]:
    """The steps of every conversation that `lists` finds, then of the loose messages as one."""
    loose: list[M] = []
    for record in records:
        for found in lists(record):
            if isinstance(found, Rejected):
                yield found
            elif hasattr(found, "observations"):
                yield from found.observations()
            else:
                loose.append(found)
    if loose:
        yield from talk({}, loose).observations()


def talks_of(
    header: dict[str, object], parts: list[Record], message: Callable[[Record], M | Rejected], talk: Talk[M]
) -> Iterator[Conversation | Rejected]:
    """One list of messages as a conversation; what is no message stands before it."""
    messages: list[M] = []
    for part in parts:
        said = message(part)
        if isinstance(said, Rejected):
            yield said
        else:
            messages.append(said)
    if messages:
        yield talk(header, messages)
