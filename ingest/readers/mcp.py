"""MCP traffic: JSON-RPC messages between an agent and its tool servers, as a proxy or a client wrote them down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from ingest.event import Observation, Rejected
from ingest.readers import reader
from ingest.readers._mcp_connection import Connection
from ingest.readers._mcp_frames import Frame, claims, frames
from ingest.records import Record


@reader(claims=claims)
def mcp(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """MCP captures: JSON-RPC messages, bare or in a proxy's envelope, of both the handshake and the stateless era.

    A request and its answer are one step. A call that the server answers with `input_required` and that is
    sent again with the answers stays one call. An elicitation that asks for consent is an approval of the
    call under way. Ids count per direction, so the direction is taken from the envelope or from the method.
    """
    connections: dict[tuple[str | None, str | None], list[Frame]] = {}
    for frame in frames(records):
        if isinstance(frame, Rejected):
            yield frame
        else:
            connections.setdefault((frame.session, frame.server), []).append(frame)
    for (session, server), inside in list(connections.items()):
        named = [key for key in connections if key[0] is not None and key[1] == server]
        if session is None and len(named) == 1:
            # Over HTTP the server gives the session its id with the first answer: what stood before belongs to it.
            later = connections[named[0]]
            later[:0] = [msgspec.structs.replace(frame, session=named[0][0]) for frame in inside]
            del connections[session, server]
    for inside in connections.values():
        yield from Connection(inside).observations()
