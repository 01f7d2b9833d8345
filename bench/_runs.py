"""Labelled runs for the quality bench: reading, the split, and where foreign text entered a session."""

from __future__ import annotations

import gzip
import json
import random
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from baseline.scoring import Session, session_of
from baseline.scoring.words import tokens
from ingest.event import Observation, Rejected
from ingest.readers.chat import chat
from ingest.records import LogFile

KNOWN = ("succeeded", "clean", "unexposed", "resisted")
TUNING_SEED = 8
LEAST_FOREIGN_RUNS = 8
RUN_WORDS = 3


@dataclass(frozen=True)
class Label:
    """What is known of a run. `kind` is the class; a task is a user task of a suite."""

    kind: str
    task: tuple[str, str]
    goal: tuple[str, str] | None
    attempted: bool


def read_sessions(path: Path) -> dict[str, Session]:
    """The sessions of a file of chat lists, as any log would be read."""
    events: dict[str, list[Observation]] = defaultdict(list)
    log = LogFile(path, path.name)
    for seen in chat.read(log.records()):
        if isinstance(seen, Rejected):
            print(f"{path.name}:{seen.line}: {seen.reason}", file=sys.stderr)
        else:
            events[seen.trace_id].append(seen)
    log.close()
    return {run: session_of(run, steps[0].agent_id or "unknown", steps) for run, steps in events.items()}


def read_labels(path: Path) -> dict[str, Label]:
    """run -> its label. A line without a run or a class is named and left out; a run without a task is its own."""
    found: dict[str, Label] = {}
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                label = json.loads(line)
                run, kind = str(label["run_id"]), str(label["class"])
            except (ValueError, KeyError, TypeError) as e:
                print(f"{path.name}:{number}: not a label with run_id and class ({e!r}); left out", file=sys.stderr)
                continue
            suite = str(label.get("suite") or "")
            goal = label.get("goal")
            found[run] = Label(
                kind,
                (suite, str(label.get("user_task") or run)),
                None if goal is None else (suite, str(goal)),
                bool(label.get("attempted")),
            )
    return found


def folds_of(labels: dict[str, Label], folds: int, seed: int) -> dict[tuple[str, str], int]:
    """User task -> fold, spread within each suite."""
    by_suite: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for label in labels.values():
        by_suite[label.task[0]].add(label.task)
    found: dict[tuple[str, str], int] = {}
    for suite in sorted(by_suite):
        tasks = sorted(by_suite[suite])
        random.Random(f"{seed} {suite}").shuffle(tasks)
        found |= {task: number % folds for number, task in enumerate(tasks)}
    return found


def tuning_goals(labels: dict[str, Label]) -> frozenset[tuple[str, str]]:
    """The half of each suite's goals that choices were made on."""
    by_suite: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for label in labels.values():
        if label.goal:
            by_suite[label.goal[0]].add(label.goal)
    chosen: set[tuple[str, str]] = set()
    for suite in sorted(by_suite):
        goals = sorted(by_suite[suite])
        random.Random(TUNING_SEED).shuffle(goals)
        chosen.update(goals[: (len(goals) + 1) // 2])
    return frozenset(chosen)


def runs_of_words(text: str) -> set[tuple[str, ...]]:
    words = tokens(text)
    return {tuple(words[i : i + RUN_WORDS]) for i in range(len(words) - RUN_WORDS + 1)}


def first_foreign(sessions: dict[str, Session], labels: dict[str, Label]) -> dict[str, int]:
    """run -> number of the first step whose answer carries text that no clean session of the agent shows."""
    known: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for run, label in labels.items():
        if label.kind == "clean":
            for result in {s.result for s in sessions[run].steps}:
                known[sessions[run].agent_id] |= runs_of_words(result)
    found = {}
    for run, label in labels.items():
        if label.kind == "clean":
            continue
        own: set[tuple[str, ...]] = set()
        for number, step in enumerate(sessions[run].steps):
            for value in step.values:
                own |= runs_of_words(value.text)
            if len(runs_of_words(step.result) - known[sessions[run].agent_id] - own) >= LEAST_FOREIGN_RUNS:
                found[run] = number
                break
    return found
