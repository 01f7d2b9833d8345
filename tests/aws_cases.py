"""What the tests of the AWS readers share: reading values and files, counting records, and mutating values."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from ingest.event import Observation, Rejected
from ingest.readers import Reader
from ingest.records import LogFile, Record


def read(
    reader: Reader, value: object, lines: bool = False, indent: int | None = None
) -> tuple[list[Observation], list[Rejected]]:
    values = value if lines and isinstance(value, list) else [value]
    records = [Record("f.json", n, json.dumps(v, indent=indent).encode()) for n, v in enumerate(values, 1)]
    out = list(reader.read(records))
    return [o for o in out if isinstance(o, Observation)], [r for r in out if isinstance(r, Rejected)]


def read_file(reader: Reader, path: Path) -> tuple[list[Observation], list[Rejected]]:
    log = LogFile(path, path.name)
    assert reader.claims(log.first)
    out = list(reader.read(r for r in log.records() if isinstance(r, Record)))
    log.close()
    return [o for o in out if isinstance(o, Observation)], [r for r in out if isinstance(r, Rejected)]


def accounted(out: tuple[list[Observation], list[Rejected]]) -> int:
    return sum(max(1, o.records) for o in out[0]) + len(out[1])


def mutated(value: Any, rng: random.Random) -> Any:
    """The value with one member dropped, renamed or replaced somewhere."""
    odd = [None, 7, -1.5, "", "x", [], {}, True, [[]], {"a": {"b": 1}}, '{"a":', 1 << 70, "\u0000"]
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(sorted(value))
        rest = {k: v for k, v in value.items() if k != key}
        match rng.randrange(8):
            case 0:
                return rest
            case 1:
                return rest | {key + "x": value[key]}
            case 2:
                return rest | {key: rng.choice(odd)}
            case _:
                return rest | {key: mutated(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.9:
        place = rng.randrange(len(value))
        match rng.randrange(6):
            case 0:
                return value[:place] + value[place + 1 :]
            case 1:
                return [*value, value[place]]
            case _:
                return [*value[:place], mutated(value[place], rng), *value[place + 1 :]]
    return rng.choice(odd)
