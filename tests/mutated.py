"""Mutated records for the tests of readers: whatever a log holds, nothing is raised and nothing is lost."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ingest.event import Observation, Rejected
from ingest.load import all_readers
from ingest.readers import Reader
from ingest.records import LogFile, Record, Unread
from ingest.settle import content_key, settle

SAMPLES = Path(__file__).parents[1] / "../shared/samples"
OURS = Path(__file__).parents[1] / "sample_logs"
MUTATIONS = 3_000
STRANGE: list[Any] = [
    None, True, 0, -1, 10**30, 1.5e300, "", "x", [], {}, [[]], {"name": 3}, "\u202e", "9" * 40, [{}], [None],
    {"value": None}, "2026-01-01T00:00:00Z", 1767225600000,
]  # fmt: skip

Outcome = tuple[list[Observation], list[Rejected]]


def read_lines(reader: Reader, *values: object) -> Outcome:
    """What the reader makes of these lines."""
    lines = [Record("f.jsonl", n, json.dumps(value).encode()) for n, value in enumerate(values, 1)]
    return split(list(reader.read(lines)))


def read_file(reader: Reader, path: Path) -> Outcome:
    """What the reader makes of a file that it alone claims."""
    log = LogFile(path, path.name)
    assert [r.name for r in all_readers() if r.claims(log.first)] == [reader.name]
    out = list(reader.read(r for r in log.records() if isinstance(r, Record)))
    log.close()
    return split(out)


def split(out: Sequence[Observation | Rejected]) -> Outcome:
    return [o for o in out if isinstance(o, Observation)], [r for r in out if isinstance(r, Rejected)]


def told(outcome: Outcome) -> int:
    """The records that are accounted for; a further step told of inside one adds none."""
    observations, rejected = outcome
    return sum(o.records for o in observations) + len(rejected)


def only(outcome: Outcome, **wanted: object) -> Observation:
    """The one observation with these values."""
    found = [o for o in outcome[0] if all(getattr(o, name) == value for name, value in wanted.items())]
    assert len(found) == 1, (wanted, outcome)
    return found[0]


def claimed_by(reader: Reader) -> set[str]:
    """The samples, and this project's own logs, that the reader claims."""
    claimed = set()
    for folder in (SAMPLES, OURS):
        for path in folder.rglob("*.json*"):
            try:
                log = LogFile(path, path.name)
            except Unread:
                continue
            if reader.claims(log.first):
                claimed.add(path.relative_to(folder).as_posix())
            log.close()
    return claimed


def withstands(reader: Reader, files: list[list[Any]], units: Callable[[list[Any]], int] = len) -> None:
    """Mutate lines of these files; `units` counts what must be accounted for."""
    rng = random.Random(7)
    texts = [json.dumps(lines) for lines in files]
    for number in range(MUTATIONS):
        lines = json.loads(rng.choice(texts))
        for _ in range(rng.randint(1, 4)):
            mutate(lines, rng)
        lines = lines if isinstance(lines, list) else [lines]
        outcome = read_lines(reader, *lines)
        assert told(outcome) == units(lines), lines
        reader.claims(lines[0] if lines else None)
        for observation in outcome[0]:
            assert observation.event_id
            assert observation.trace_id
            for payload in (observation.arguments, observation.result):
                assert payload is None or json.loads(payload) is not ...
        if number % 10 == 0:
            settle((content_key(o), o) for o in outcome[0])


def mutate(root: Any, rng: random.Random) -> None:
    """Replace, remove, double or swap one node somewhere below the root."""
    node, parent, key = root, None, None
    for _ in range(rng.randint(1, 7)):
        keys = list(node) if isinstance(node, dict) else list(range(len(node))) if isinstance(node, list) else []
        if not keys:
            break
        parent, key = node, rng.choice(keys)
        node = parent[key]
    if parent is None:
        return
    match rng.randint(0, 4):
        case 0:
            del parent[key]
        case 1 if isinstance(parent, list):
            parent.insert(rng.randint(0, len(parent)), json.loads(json.dumps(node)))
        case 2 if isinstance(parent, dict):
            parent[rng.choice(list(parent))] = json.loads(json.dumps(node))
        case _:
            parent[key] = json.loads(json.dumps(rng.choice(STRANGE)))
