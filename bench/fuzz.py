"""Mutated logs through every reader: no exception, and every record accounted for.

    python -m bench.fuzz [--records 100000] [--seed 1] [FOLDER…]

Takes the sample logs (and whatever folders are named), mutates values, structure and bytes, reads each mutant as a
file and settles what comes out. Prints per reader what was read, refused and left unread; leaves with 1 where anything
raised or a record was not accounted for.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path
from typing import Final

import msgspec

from ingest.compressed import open_plain
from ingest.event import Observation, Rejected
from ingest.load import choose_reader
from ingest.records import LogFile, Record, Unread, files_of
from ingest.settle import content_key, settle

_STRANGE: Final[tuple[object, ...]] = (
    None, True, -1, 0, 1 << 63, 1 << 70, 1e308, "", " ", "\0", "\u202e", "{", "[1,", "9" * 400, "2026-13-45T99:99:99Z",
    [], {}, [[]], {"": None}, {"a": {"a": {"a": []}}}, [None, {}], "AKIA" + "A" * 16, "' or 1=1 --", "\U000e0041",
)  # fmt: skip
_BYTES: Final = (b"\\ud83d", b"\xff", b"\0", b"}", b"]", b'"', b",", b"1e999", b'"a":1,"a":2,', b"\n", b"[" * 2_000)
_LARGEST_BYTES: Final = 40_000


def mutated(chance: random.Random, raw: bytes) -> bytes:
    """The file with a few changes: in its values where it is JSON, in its bytes otherwise."""
    if chance.random() < 0.35:
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(raw) + 1)
            raw = raw[:at] + chance.choice(_BYTES) + raw[at + chance.randrange(3) :]
        return raw[: chance.randrange(len(raw))] if chance.random() < 0.1 else raw
    lines = raw.split(b"\n") if _is_lines(raw) else [raw]
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(lines))
        try:
            value = json.loads(lines[at])
        except ValueError:
            continue
        _change(chance, value)
        lines[at] = json.dumps(value, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    if chance.random() < 0.3:
        chance.shuffle(lines)
    return b"\n".join(lines)


def _is_lines(raw: bytes) -> bool:
    try:
        msgspec.json.decode(raw.split(b"\n", 1)[0])
    except msgspec.MsgspecError:
        return False
    return True


def _change(chance: random.Random, value: object) -> None:
    """Walk down at random and replace, remove or double one member."""
    while isinstance(value, dict | list) and value:
        key = chance.choice(list(value)) if isinstance(value, dict) else chance.randrange(len(value))
        inside = value[key]  # type: ignore[call-overload,index]
        if isinstance(inside, dict | list) and inside and chance.random() < 0.8:
            value = inside
            continue
        match chance.randrange(4):
            case 0:
                del value[key]  # type: ignore[arg-type]
            case 1 if isinstance(value, list):
                value.append(inside)
            case 2 if isinstance(value, dict):
                value[str(key).swapcase()] = inside
            case _:
                value[key] = chance.choice(_STRANGE)  # type: ignore[call-overload,index]
        return


def read(path: Path) -> tuple[str, int, int]:
    """(reader, records told of, records refused) of one mutant. Raises whatever a reader or settling raises."""
    log = LogFile(path, path.name)
    try:
        reader = choose_reader(log.first)
        refused: list[Rejected] = []

        def records() -> object:
            for record in log.records():
                if isinstance(record, Record):
                    yield record
                else:
                    refused.append(record)

        told: list[Observation] = []
        for said in reader.read(records()):  # type: ignore[arg-type]
            if isinstance(said, Rejected):
                refused.append(said)
            else:
                told.append(said)
        rows = settle((content_key(o), o) for o in told)
        distinct = {content_key(o) for o in told}
        if {row.content_key for row in rows} != distinct:
            raise AssertionError(f"{len(distinct)} observations, {len(rows)} rows")
        standing = {row.event_id for row in rows if row.witness_of is None}
        if any(row.witness_of not in standing for row in rows if row.witness_of is not None):
            raise AssertionError("a witness of an event that does not stand")
        return reader.name, sum(max(1, o.records) for o in told), len(refused)
    finally:
        log.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, default=[Path(__file__).parents[1] / "sample_logs"])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    originals = []
    for path in (path for path, is_no_log in files_of(options.folders) if not is_no_log):
        with open_plain(path) as file:
            raw = file.read(_LARGEST_BYTES)
        originals.append(raw if len(raw) < _LARGEST_BYTES else raw[: raw.rfind(b"\n") + 1])
    originals = [raw for raw in originals if raw]
    told: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    unread = faults = mutants = 0
    with tempfile.TemporaryDirectory() as folder:
        mutant = Path(folder) / "mutant"
        while sum(told.values()) + sum(refused.values()) < options.records:
            mutants += 1
            mutant.write_bytes(mutated(chance, chance.choice(originals)))
            try:
                name, records, rejected = read(mutant)
                told[name] += records
                refused[name] += rejected
            except Unread:
                unread += 1
            except Exception:  # noqa: BLE001  (what a mutant raises is what the bench looks for)
                faults += 1
                traceback.print_exc()
                if faults >= 5:
                    break
    print(f"{mutants:,} mutants of {len(originals)} files, seed {options.seed}; {unread:,} unread with a reason")
    print(f"{'reader':<24}{'records':>12}{'rejected':>12}")
    for name in sorted(told | refused):
        print(f"{name:<24}{told[name]:>12,}{refused[name]:>12,}")
    print(f"{faults} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
