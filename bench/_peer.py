"""The package agentomaly on the same split, in an interpreter of its own: one JSON job on stdin, scores on stdout.

It knows nothing of this project, so that it runs where only that package is installed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from datetime import UTC, datetime, timedelta

from spectra import Monitor
from spectra.models import AgentTrace, ResponseAction, Severity, ToolCall
from spectra.profiler import ProfileTrainer

_START = datetime(2026, 1, 1, tzinfo=UTC)


def trace(session: dict) -> AgentTrace:
    """Calls a second apart: the data has an order and no clock."""
    calls = [
        ToolCall(
            tool_name=call["tool"],
            arguments=call["arguments"],
            result_summary=call["result"],
            success=call["ok"],
            timestamp=_START + timedelta(seconds=number),
        )
        for number, call in enumerate(session["calls"])
    ]
    ended = _START + timedelta(seconds=len(calls))
    return AgentTrace(agent_type=session["agent"], tool_calls=calls, started_at=_START, ended_at=ended)


async def scores(fit: list[dict], judged: list[dict]) -> dict[str, float]:
    """The largest score of any event of a session; every response is to log."""
    logging.disable(logging.CRITICAL)
    found: dict[str, float] = {}
    for agent in sorted({s["agent"] for s in judged}):
        traces = [trace(s) for s in fit if s["agent"] == agent]
        profile = ProfileTrainer(min_traces=1).train(agent, traces)
        monitor = Monitor(profile, response_policy=dict.fromkeys(Severity, ResponseAction.LOG))
        monitor.start()
        for session in judged:
            if session["agent"] == agent:
                events = await monitor.analyze(trace(session))
                found[session["id"]] = max((float(e.score) for e in events), default=0.0)
    return found


if __name__ == "__main__":
    job = json.load(sys.stdin)
    started = time.process_time()
    result = asyncio.run(scores(job["fit"], job["judged"]))
    json.dump({"scores": result, "cpu_s": time.process_time() - started}, sys.stdout)
