"""What fitting and scoring sessions cost, and how it grows: calls per CPU second, beside the peer's."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from baseline.scoring import Session, fit
from bench._peer_run import peer_results

GROWTH: Final = (1, 2, 4)


def pace(clean: Sequence[Session], judged: Sequence[Session], peer: str | None) -> None:
    """Prints the table. Copies are sessions of their own: no answer, and no request, is the same as another copy's."""
    model = fit(clean)
    print(f"{'':<34}" + "".join(f"{f'{n}x':>12}" for n in GROWTH) + f"{'4x / 1x':>12}")
    for name, sessions, work in (
        ("fit", clean, lambda s: fit(s)),
        ("score, texts as they recur", judged, model.score_all),
        ("score, every text new", judged, model.score_all),
    ):
        copies = [copied(sessions, n, is_new=not name.endswith("recur")) for n in GROWTH]
        taken = [cpu_s(work, c) for c in copies]
        calls = [sum(len(s.steps) for s in c) for c in copies]
        rates = "".join(f"{n / s:>12,.0f}" for n, s in zip(calls, taken, strict=True))
        print(f"{name + ', calls a CPU second':<34}"[:34] + rates + f"{taken[-1] / taken[0]:>11.1f}x")
    if peer:
        _, per_s = peer_results(peer, [(clean, judged)])
        print(f"{'agentomaly, fit and score':<34}{per_s:>12,.0f}")


def cpu_s(work: Callable[[Sequence[Session]], object], sessions: Sequence[Session]) -> float:
    started = time.process_time()
    work(sessions)
    return time.process_time() - started


def copied(sessions: Sequence[Session], times: int, *, is_new: bool) -> list[Session]:
    """So many copies; `is_new` gives each session a word of its own in its request and in every answer."""
    found: list[Session] = []
    for copy in range(times):
        for number, session in enumerate(sessions):
            mark = f" x{copy}y{number}" if is_new else ""
            steps = tuple(replace(s, result=s.result + mark) for s in session.steps)
            requests = tuple(r + mark for r in session.requests)
            found.append(replace(session, session_id=f"{session.session_id}-{copy}", requests=requests, steps=steps))
    return found
