"""Chat message lists: OpenAI chat-completions and Responses bodies, and transcripts of the same shape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ingest.event import Observation, Rejected
from ingest.readers import reader
from ingest.readers._chat_conversation import Talk
from ingest.readers._chat_shape import claims, conversations
from ingest.records import Record


@reader(claims=claims)
def chat(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """Chat message lists of the OpenAI shape, bare or inside request, response and export objects.

    An assistant message is a model call, each tool call in it a step of its own, joined with the tool's
    answer. Order is the list's order: most such logs have no clock. A chat list cannot record approvals,
    unless it holds messages of role `approval`.
    """
    for conversation in conversations(records):
        if isinstance(conversation, Rejected):
            yield conversation
        else:
            yield from Talk(conversation).observations()
