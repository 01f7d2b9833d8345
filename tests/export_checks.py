"""What the tests of export readers share: reading values, counting records, and mutating what is read."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mutated import mutate

from ingest.event import Observation, Rejected
from ingest.load import all_readers
from ingest.readers import Reader
from ingest.records import LogFile, Record

SAMPLES = Path(__file__).parents[1] / "../shared/samples"
MUTATIONS = 3_000


def read(reader: Reader, *values: object) -> tuple[list[Observation], list[Rejected]]:
    lines = [Record("x.jsonl", n, json.dumps(value).encode()) for n, value in enumerate(values, 1)]
    return split(list(reader.read(lines)))


def split(out: list[Observation | Rejected]) -> tuple[list[Observation], list[Rejected]]:
    return [o for o in out if isinstance(o, Observation)], [r for r in out if isinstance(r, Rejected)]


def read_sample(reader: Reader, name: str) -> tuple[list[Observation], list[Rejected]]:
    """The sample's observations, and that no other reader claims it."""
    log = LogFile(SAMPLES / name, name)
    assert [r.name for r in all_readers() if r.claims(log.first)] == [reader.name]
    out = list(reader.read(r for r in log.records() if isinstance(r, Record)))
    log.close()
    return split(out)


def accounted(observations: list[Observation], rejected: list[Rejected]) -> int:
    return sum(max(1, o.records) for o in observations) + len(rejected)


def never_raises(
    reader: Reader,
    values: list[Any],
    expected: Callable[[Any], int],
    told_inside: tuple[str, ...] = (),
) -> None:
    """Three thousand mutations: no exception, and every record accounted for.

    What is told within another record counts beside it: steps of no record, and operations `told_inside`.
    """
    rng = random.Random(11)
    texts = [json.dumps(value) for value in values]
    for _ in range(MUTATIONS):
        chosen = [json.loads(rng.choice(texts)) for _ in range(rng.randint(1, 3))]
        for _ in range(rng.randint(1, 4)):
            mutate(rng.choice(chosen), rng)
        observations, rejected = read(reader, *chosen)
        apart = [o for o in observations if o.records and o.operation not in told_inside]
        assert accounted(apart, rejected) == sum(expected(value) for value in chosen)
        for o in observations:
            for payload in (o.arguments, o.result):
                if payload is not None:
                    json.loads(payload)


def line_each(_: Any) -> int:
    return 1


def sample_lines(name: str) -> list[Any]:
    """The lines of a sample, or nothing where there are no samples."""
    path = SAMPLES / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
