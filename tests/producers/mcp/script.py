"""MCP: two clients, one server, both eras of the protocol; what passes on the wire, and the SDK's spans.

MCP knows neither models nor hand-offs: the two agents are two connections with a name each.
"""

from __future__ import annotations

import json
import os
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated

from story import FIRST, HAND_OVER, SECOND, Call, Story

os.environ["OTEL_SERVICE_NAME"] = "soc-mcp"

import anyio
from mcp import Client, types
from mcp.client._memory import InMemoryTransport
from mcp.server.mcpserver import AcceptedElicitation, Elicit, ElicitationResult, MCPServer
from mcp.server.mcpserver.resolve import Resolve
from opentelemetry import trace
from opentelemetry.exporter.otlp.json.file import FileSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from pydantic import BaseModel

server = MCPServer("soc-tools")


class Approval(BaseModel):
    approve: bool


async def ask_host(hostname: str) -> Elicit[Approval]:
    return Elicit(f"Isolate {hostname}?", Approval)


async def ask_account(account: str) -> Elicit[Approval]:
    return Elicit(f"Disable {account}?", Approval)


def given(answer: ElicitationResult[Approval]) -> bool:
    return isinstance(answer, AcceptedElicitation) and answer.data.approve


@server.tool()
def lookup_ip(ip: str) -> dict:
    """Look up the reputation of an IP address."""
    return story.lookup_ip(ip)


@server.tool()
def query_siem(query: str) -> str:
    """Search the SIEM."""
    return story.query_siem(query)


@server.tool()
def isolate_host(hostname: str, answer: Annotated[ElicitationResult[Approval], Resolve(ask_host)]) -> str:
    """Cut a host off from the network."""
    return story.isolate_host(hostname) if given(answer) else "not approved"


@server.tool()
def disable_account(account: str, answer: Annotated[ElicitationResult[Approval], Resolve(ask_account)]) -> str:
    """Disable an account."""
    return story.disable_account(account) if given(answer) else "not approved"


@asynccontextmanager
async def tapped(path):
    """The in-memory transport with every message written down as it passes."""
    file = path.open("w")

    def note(direction: str, message) -> None:
        sent = message.message.model_dump(by_alias=True, exclude_none=True, mode="json")
        line = {"ts": datetime.now(UTC).isoformat(), "dir": direction, "msg": sent}
        file.write(json.dumps(line) + "\n")

    class Write:
        def __init__(self, inner) -> None:
            self.inner = inner

        async def send(self, message) -> None:
            note("client->server", message)
            await self.inner.send(message)

        async def aclose(self) -> None:
            await self.inner.aclose()

        async def __aenter__(self):
            return self

        async def __aexit__(self, *_) -> None:
            await self.aclose()

    class Read(Write):
        async def receive(self):
            message = await self.inner.receive()
            note("server->client", message)
            return message

        def __aiter__(self):
            return self

        async def __anext__(self):
            try:
                return await self.receive()
            except anyio.EndOfStream:
                raise StopAsyncIteration from None

    async with InMemoryTransport(server) as (read, write):
        yield Read(read), Write(write)
    file.close()


async def play(era: str) -> None:
    for agent in (FIRST, SECOND):

        async def answer(context, params) -> types.ElicitResult:
            if story.decide(story.calls[-1].tool):
                return types.ElicitResult(action="accept", content={"approve": True})
            return types.ElicitResult(action="decline")

        name = types.Implementation(name=agent, version="1.0")
        transport = tapped(story.out / f"wire.{era}.{agent}.jsonl")
        mode = "auto" if era == "modern" else "legacy"
        async with Client(transport, client_info=name, elicitation_callback=answer, mode=mode) as client:
            while isinstance(said := story.next(agent), Call):
                await client.call_tool(said.tool, said.arguments)
            if said == HAND_OVER:
                story.handoffs.clear()


provider = TracerProvider()
trace.set_tracer_provider(provider)
for era in ("modern", "legacy"):
    story = Story()
    processor = BatchSpanProcessor(FileSpanExporter(story.out / f"spans.{era}.otlp.jsonl"))
    provider.add_span_processor(processor)
    anyio.run(play, era)
    processor.shutdown()
story.input_tokens = story.output_tokens = 0
story.write()
