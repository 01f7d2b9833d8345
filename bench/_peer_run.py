"""The package agentomaly, run by the interpreter that has it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from baseline.scoring import Session


def peer_results(
    python: str, jobs: Sequence[tuple[Sequence[Session], Sequence[Session]]]
) -> tuple[dict[str, float], float]:
    """(session -> the largest event score, calls fitted and judged per CPU second). Any event is its own alert."""
    results: dict[str, float] = {}
    calls, cpu_s = 0, 0.0
    for clean, judged in jobs:
        job = {"fit": [_plain(s) for s in clean], "judged": [_plain(s) for s in judged]}
        script = Path(__file__).with_name("_peer.py")
        done = subprocess.run([python, str(script)], input=json.dumps(job), capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{python} could not run the peer: {done.stderr.strip().splitlines()[-1:]}")
        answer = json.loads(done.stdout)
        calls += sum(len(s.steps) for s in (*clean, *judged))
        cpu_s += answer["cpu_s"]
        results |= answer["scores"]
    return results, calls / cpu_s


def _plain(session: Session) -> dict[str, object]:
    calls = [
        {"tool": s.tool, "arguments": {v.name: v.text for v in s.values}, "result": s.result[:2000], "ok": s.ok}
        for s in session.steps
    ]
    return {"id": session.session_id, "agent": session.agent_id, "calls": calls}
