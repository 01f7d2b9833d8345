"""What fitting and scoring sessions cost, how it grows, and what memory it takes, beside the peer's.

Each row is a process of its own that knows nothing but the model, and scores a thousand sessions at a time as a run
does. `cold` is its first pass, `again` a second one over the same sessions; with every text new there is no second
pass. CPU seconds are user and system of that process while it scores, memory the most that it ever held.
"""

from __future__ import annotations

import multiprocessing
import pickle
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

from baseline.scoring import Model, Session, fit
from bench._peer_run import peer_results

_AT_ONCE: Final = 1000
_MARK: Final = "VmHWM:"


@dataclass(frozen=True)
class Cost:
    """Of scoring so many calls: CPU seconds at first and again, and the peak memory."""

    calls: int
    cold_s: float
    again_s: float | None
    peak_mb: int


def pace(clean: Sequence[Session], judged: Sequence[Session], peer: str | None, times: Sequence[int]) -> None:
    """Prints the table, for so many copies of what is judged."""
    started = time.process_time()
    model = fit(clean)
    fitted = time.process_time() - started
    calls = sum(len(s.steps) for s in clean)
    print(f"fit: {calls:,} calls in {fitted:.1f} CPU s, {calls / fitted:,.0f} calls a CPU second")
    print(f"{'calls a CPU second':<34}{'calls':>12}{'cold':>10}{'again':>10}{'peak MB':>10}")
    for name, is_new in (("score, texts as they recur", False), ("score, every text new", True)):
        found = [_in_a_process(model, judged, n, is_new) for n in times]
        for cost in found:
            again = "-" if cost.again_s is None else f"{cost.calls / cost.again_s:,.0f}"
            rate = cost.calls / cost.cold_s
            print(f"{name:<34}{cost.calls:>12,}{rate:>10,.0f}{again:>10}{cost.peak_mb:>10,}", flush=True)
        grown = (found[-1].cold_s / found[0].cold_s) / (found[-1].calls / found[0].calls)
        print(f"{'':<34}{found[-1].calls / found[0].calls:,.0f} times the calls cost {grown:.2f} times that much each")
    if peer:
        _, per_s = peer_results(peer, [(clean, judged)])
        print(f"{'agentomaly, fit and score':<34}{sum(len(s.steps) for s in judged):>12,}{per_s:>10,.0f}")


def _in_a_process(model: Model, judged: Sequence[Session], times: int, is_new: bool) -> Cost:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_cost, pickle.dumps((model, list(judged))), times, is_new).result()


def _cost(told: bytes, times: int, is_new: bool) -> Cost:
    model, judged = pickle.loads(told)
    calls = sum(len(s.steps) for s in judged) * times
    cold_s = _score(model, judged, times, is_new)
    again_s = None if is_new else _score(model, judged, times, is_new)
    return Cost(calls, cold_s, again_s, peak_mb())


def _score(model: Model, judged: Sequence[Session], times: int, is_new: bool) -> float:
    taken, waiting = 0.0, copies(judged, times, is_new=is_new)
    while some := list(islice(waiting, _AT_ONCE)):
        started = time.process_time()
        model.score_all(some)
        taken += time.process_time() - started
    return taken


def peak_mb() -> int:
    """The most memory that this process held, by its own mark."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(_MARK)).split()[1]) // 1024


def copies(sessions: Sequence[Session], times: int, *, is_new: bool) -> Iterator[Session]:
    """So many copies; `is_new` gives each session a word of its own in its request and in every answer."""
    for copy in range(times):
        for number, session in enumerate(sessions):
            mark = f" x{copy}y{number}" if is_new else ""
            steps = tuple(replace(s, result=s.result + mark) for s in session.steps)
            requests = tuple(r + mark for r in session.requests)
            yield replace(session, session_id=f"{session.session_id}-{copy}", requests=requests, steps=steps)
