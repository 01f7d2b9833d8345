"""The mapped reader: a small TOML file says where a format keeps what, for logs that have no reader of their own.

name = "acme"                            # the reader's name in reports
records = "/items"                       # where a document holds its records; left out for one a line
[match]                                  # a record is ours where all of these hold
"/vendor" = "acme"                       # this value; `true` means that it is there
[fields]                                 # JSON Pointers (RFC 6901); of several, the first that is there
time = "/created"
agent = "/bot/name"
session = ["/run/id", "/conversation"]
tool = "/call/function"
[optional]                               # the same, for what only some records have
target = "/call/input/host"
[kinds]                                  # the source's words for ours; without it everything is a tool call
"LLM" = "model_call"
[statuses]
"200" = "ok"
[approvals]
"granted" = "approved"
"""

from __future__ import annotations

import difflib
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Final, TypeVar, get_args

import msgspec

from ingest.errors import Trouble
from ingest.event import Approval, Kind, Observation, Rejected, Status
from ingest.layout import Layout, Pointer, at
from ingest.readers import Reader
from ingest.records import Record, Unread

FIELDS: Final = (
    "id", "parent", "trace", "session", "agent", "version", "sequence", "time", "end", "kind", "operation", "tool",
    "arguments", "result", "status", "error", "model", "principal", "credential", "human", "host", "target", "approver",
    "approval", "input_tokens", "output_tokens",
)  # fmt: skip
"""What a mapping may place."""

LOOKED_AT: Final = 1_000
"""A path under [fields] that none of a file's first thousand records has is an error, not an empty column."""

_SECTIONS: Final = (
    "name",
    "records",
    "match",
    "fields",
    "optional",
    "kinds",
    "statuses",
    "approvals",
    "approvals_recorded",
)
_ANY: Final = msgspec.json.Decoder()
_RAWS: Final = msgspec.json.Decoder(list[msgspec.Raw])

W = TypeVar("W")


def mapped_reader(file: Path) -> Reader:
    """A reader made of a mapping file.

    Raises `Trouble` naming the file and the key: for a key that is not known (with the nearest one), a value of
    another type, a path that is no JSON Pointer, or a word of ours that does not exist.
    """
    layout = _checked(file)

    def read(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
        return _read(layout, records)

    summary = f"What {layout.file} maps: {', '.join(sorted(layout.fields))}."
    return Reader(layout.name, summary, lambda first: _claims(layout, first), read)


def _checked(file: Path) -> Layout:
    try:
        said = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Trouble(f"{file}: cannot be read as a mapping ({error})") from None
    _known(file, said, _SECTIONS, "")
    placed: dict[str, tuple[Pointer, ...]] = {}
    for section in ("fields", "optional"):
        table = said.get(section, {})
        _known(file, table, FIELDS, f"{section}.")
        for name, paths in table.items():
            listed = paths if isinstance(paths, list) else [paths]
            placed[name] = tuple(_pointer(file, f"{section}.{name}", path) for path in listed)
    for needed in ("agent", "time"):
        if needed not in placed:
            raise Trouble(f"{file}: fields.{needed} is missing; without it nothing can be judged")
    match = said.get("match", {})
    if not isinstance(match, dict) or not match:
        raise Trouble(f"{file}: [match] is missing; say by what a record of this format is recognised")
    return Layout(
        name=str(said.get("name") or file.stem),
        file=file.name,
        records=_pointer(file, "records", said["records"]) if "records" in said else None,
        match=tuple((_pointer(file, "match", path), value) for path, value in match.items()),
        fields=placed,
        needed=frozenset(said.get("fields", {})),
        kinds=_words(file, said, "kinds", get_args(Kind)),
        statuses=_words(file, said, "statuses", get_args(Status)),
        approvals=_words(file, said, "approvals", get_args(Approval)),
        records_approvals=bool(said.get("approvals_recorded", "approval" in placed)),
    )


def _known(file: Path, table: object, names: tuple[str, ...], prefix: str) -> None:
    if not isinstance(table, dict):
        raise Trouble(f"{file}: {prefix.rstrip('.')} must be a table")
    for key in table:
        if key not in names:
            near = difflib.get_close_matches(key, names, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}"
            raise Trouble(f"{file}: {prefix}{key} is not known; {hint}")


def _pointer(file: Path, key: str, path: object) -> Pointer:
    if not isinstance(path, str) or (path and not path.startswith("/")):
        raise Trouble(f"{file}: {key} = {path!r} is no JSON Pointer; write /a/b/0 for member b's first element in a")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:])


def _words(file: Path, said: Mapping[str, object], section: str, ours: tuple[W, ...]) -> dict[str, W]:
    table = said.get(section, {})
    if not isinstance(table, dict):
        raise Trouble(f"{file}: {section} must be a table")
    for theirs, word in table.items():
        if word not in ours:
            raise Trouble(f"{file}: {section}.{theirs} = {word!r}; one of {', '.join(map(str, ours))}")
    return {str(theirs): word for theirs, word in table.items()}


def _claims(layout: Layout, first: object) -> bool:
    if layout.records is not None:
        inside = at(first, layout.records)
        first = inside[0] if isinstance(inside, list) and inside else None
    elif isinstance(first, list):
        first = first[0] if first else None
    return isinstance(first, dict) and all(_holds(at(first, path), wanted) for path, wanted in layout.match)


def _holds(found: object, wanted: object) -> bool:
    return found is not None if wanted is True else found == wanted or (found is not None and str(found) == wanted)


def _read(layout: Layout, records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    parsed = chain.from_iterable(_parsed(layout, record) for record in records)
    ahead = list(islice(parsed, LOOKED_AT))
    _refuse_unknown_paths(layout, [value for _, value in ahead if isinstance(value, dict)])
    for record, value in chain(ahead, parsed):
        if isinstance(value, Rejected):
            yield value
        elif not isinstance(value, dict):
            yield Rejected(record.line, "not an object; this mapping reads objects")
        else:
            yield layout.observation(record, value)


def _parsed(layout: Layout, record: Record) -> Iterator[tuple[Record, object]]:
    value = record.decode(_ANY)
    if isinstance(value, Rejected):
        yield record, value
    elif layout.records is not None and isinstance(value, dict):
        inside = at(value, layout.records)
        if not isinstance(inside, list):
            where = "/" + "/".join(layout.records)
            yield record, Rejected(record.line, f"no list of records at {where}; mend `records` in {layout.file}")
        else:
            for element in inside:
                yield Record(record.path, record.line, msgspec.json.encode(element)), element
    elif isinstance(value, list):
        for part in record.elements(_RAWS.decode(record.raw)):
            yield part, part.decode(_ANY)
    else:
        yield record, value


def _refuse_unknown_paths(layout: Layout, values: list[dict[str, object]]) -> None:
    if not values:
        return
    for name in sorted(layout.needed):
        paths = layout.fields[name]
        if not any(at(value, path) is not None for value in values for path in paths):
            wanted = " or ".join("/" + "/".join(path) for path in paths)
            keys = Counter(key for value in values for key in value)
            there = ", ".join(repr(key[:40]) for key, _ in keys.most_common(12))
            raise Unread(
                f"{layout.file}: fields.{name} = {wanted} is in none of the first {len(values):,} records, "
                f"which have {there}; mend the path, or move it to [optional]"
            )
