"""What the tests of the Microsoft and Strands readers share: reading invented logs, and mutating them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mutated import mutate

from ingest.event import Observation, Rejected
from ingest.load import all_readers
from ingest.readers import Reader
from ingest.records import LogFile, Record

SAMPLES = Path(__file__).parents[1] / "../shared/samples"
NO_SAMPLES = "no ../shared/samples beside this checkout"


def split(out: Iterable[Observation | Rejected]) -> tuple[list[Observation], list[Rejected]]:
    found = list(out)
    return [o for o in found if isinstance(o, Observation)], [r for r in found if isinstance(r, Rejected)]


def read(reader: Reader, *values: Any) -> tuple[list[Observation], list[Rejected]]:
    """Every value is a line."""
    return split(reader.read([Record("m.jsonl", n, json.dumps(v).encode()) for n, v in enumerate(values, 1)]))


def read_document(reader: Reader, value: Any) -> tuple[list[Observation], list[Rejected]]:
    return split(reader.read([Record("m.json", 1, json.dumps(value, indent=1).encode())]))


def read_sample(reader: Reader, path: Path) -> tuple[list[Observation], list[Rejected]]:
    log = LogFile(path, path.name)
    assert [r.name for r in all_readers() if r.claims(log.first)] == [reader.name]
    out = split(reader.read(r for r in log.records() if isinstance(r, Record)))
    log.close()
    return out


def accounted(observations: list[Observation], rejected: list[Rejected]) -> int:
    return sum(max(1, o.records) for o in observations) + len(rejected)


def claimed_by(value: Any) -> list[str]:
    return [r.name for r in all_readers() if r.claims(value)]


def rows_in(document: Any, depth: int = 0) -> int:
    """How many rows lie in lists and envelopes, three deep; an empty list counts as a record that holds none."""
    for key in ("value", "records", "results", "Results"):
        if isinstance(document, dict) and isinstance(document.get(key), list) and depth < 3:
            return rows_in(document[key], depth + 1)
    return sum(rows_in(part, depth + 1) for part in document) or 1 if isinstance(document, list) and depth < 3 else 1


def fuzz(reader: Reader, seeds: list[Any], expected: Callable[[Any], int], times: int = 3_000) -> None:
    """No mutation raises, every record is accounted for, and no two steps have one id without being one step."""
    rng = random.Random(17)
    for _ in range(times):
        document = json.loads(json.dumps(rng.choice(seeds)))
        for _ in range(rng.randint(1, 4)):
            mutate(document, rng)
        reader.claims(document)
        observations, rejected = read(reader, document)
        assert accounted(observations, rejected) == expected(document), document
        for o in observations:
            assert o.trace_id
            for payload in (o.arguments, o.result):
                assert payload is None or json.loads(payload) is not ...
