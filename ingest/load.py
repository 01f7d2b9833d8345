"""Paths -> the published event table, with an account of every record of every file."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cache
from hashlib import file_digest
from pathlib import Path
from typing import TypeVar

import ingest.readers
from ingest.agent_key import chosen
from ingest.errors import Trouble
from ingest.event import Rejected
from ingest.mapped import mapped_reader
from ingest.plugins import plugins
from ingest.published import Edition, editing
from ingest.readers import Reader
from ingest.records import LogFile, Record, Unread, files_of
from ingest.retention import drop_what_came_again
from ingest.rows import table_of
from ingest.store import EventWriter, known_files
from ingest.tables import FILES, REJECTED

log = logging.getLogger(__name__)
T = TypeVar("T")


class Broken(Exception):
    """A reader broke; the message says how."""


@dataclass
class FileReport:
    """What became of a file's records: records = events + folded + rejected + duplicates."""

    path: str
    reader: str
    records: int = 0
    events: int = 0
    folded: int = 0
    rejected: int = 0
    duplicates: int = 0


@dataclass(frozen=True)
class UnreadFile:
    """A file that was not read, and why."""

    path: str
    reason: str
    is_no_log: bool = False
    """Whether it was passed over by its name; such files lie beside logs everywhere."""


@dataclass
class Report:
    """One ingest: every file that was named or found, read or not."""

    files: list[FileReport] = field(default_factory=list)
    unread: list[UnreadFile] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    """Readers that broke, each with the place; their file is read again next time."""
    expired: int = 0
    """Of the events: steps of sessions older than what is retained, which were not kept."""

    def as_dict(self) -> dict[str, object]:
        unread = [{"path": u.path, "reason": u.reason} for u in self.unread]
        return {"files": [asdict(f) for f in self.files], "unread": unread}


@cache
def all_readers() -> tuple[Reader, ...]:
    """Every reader in `ingest/readers/`, by name."""
    return tuple(plugins(ingest.readers, Reader))


def choose_reader(first: object, mapped: tuple[Reader, ...] = ()) -> Reader:
    """The one reader that claims a file by its first record. Raises `Unread` for none or several.

    A mapping of the user's own goes before the readers that come with custodiet.
    """
    claiming = [reader for reader in mapped if reader.claims(first)]
    claiming = claiming or [reader for reader in all_readers() if reader.claims(first)]
    if len(claiming) == 1:
        return claiming[0]
    if claiming:
        names = " and ".join(reader.name for reader in claiming)
        raise Unread(f"claimed by {names}; exactly one reader must know a format")
    raise Unread(f"no reader knows this format ({_shape(first)}); `custodiet readers` lists what can be read")


def ingest_paths(
    paths: Iterable[Path],
    data: Path,
    *,
    mappings: Iterable[Path] = (),
    agent_key: tuple[str, ...] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """Read logs into the data directory and publish. A file or a record that is known changes nothing."""
    paths = list(paths)
    for path in paths:
        if not path.exists():
            raise Trouble(f"{path}: no such file or folder; name logs, or folders of logs")
    mapped = tuple(mapped_reader(file) for file in mappings)
    with editing(data) as edition:
        edition.agent_key = chosen(agent_key, edition.agent_key, is_new=not edition.tables.get("events"))
        run = _Run(edition, mapped)
        for path, is_no_log in files_of(paths):
            progress(str(path))
            if is_no_log:
                why = f"no log by its name ({path.suffix}); name the file itself to have it read all the same"
                run.report.unread.append(UnreadFile(path.as_posix(), why, is_no_log=True))
            else:
                run.take(path)
        return run.publish()


class _Run:
    """One ingest while it runs."""

    def __init__(self, edition: Edition, mapped: tuple[Reader, ...]) -> None:
        self.edition = edition
        self.mapped = mapped
        self.writer = EventWriter(edition)
        self.known = known_files(edition)
        self.report = Report()
        self.register: list[tuple[str, int, FileReport]] = []
        self.rejected: list[dict[str, object]] = []

    def take(self, path: Path) -> None:
        name = path.as_posix()
        try:
            with path.open("rb") as file:
                sha256 = file_digest(file, "sha256").hexdigest()
            size = path.stat().st_size
        except OSError as error:
            self.report.unread.append(UnreadFile(name, f"cannot be opened ({error.strerror}); check its permissions"))
            return
        if sha256 in self.known:
            reader_name, records = self.known[sha256]
            self.report.files.append(FileReport(name, reader_name, records=records, duplicates=records))
            return
        try:
            log_file = LogFile(path, name)
        except Unread as reason:
            self.report.unread.append(UnreadFile(name, str(reason)))
            return
        try:
            self._read(log_file, path, sha256, size)
        finally:
            log_file.close()

    def _read(self, log_file: LogFile, path: Path, sha256: str, size: int) -> None:
        """Read all of a file. What breaks in a reader costs this file alone, which is then read again next time."""
        file = FileReport(log_file.name, "")
        refused: list[Rejected] = []

        def read() -> bool:
            reader = choose_reader(log_file.first, self.mapped)
            file.reader = reader.name
            number = len(self.report.files)
            self.report.files.append(file)
            for said in reader.read(readable(log_file.records(), refused)):
                if isinstance(said, Rejected):
                    refused.append(said)
                else:
                    file.records += max(1, said.records)
                    self.writer.add(number, said)
            # A file that grew meanwhile is no content to remember: it is read again, and only its rest is new.
            return path.stat().st_size == size

        try:
            is_whole = guarded(read)
        except Unread as reason:
            self.report.unread.append(UnreadFile(file.path, str(reason)))
            if file.reader:
                self.report.files.pop()
            return
        except Broken as told:
            is_whole = False
            log.exception("reader %s broke on %s", file.reader or "(choosing one)", file.path)
            self.report.failed.append(f"{file.reader or 'choosing a reader'}: {file.path}: {told}")
            if not file.reader:
                self.report.unread.append(
                    UnreadFile(file.path, f"a reader broke on its first record ({told}); report it")
                )
                return
            refused.append(Rejected(0, f"the reader {file.reader} broke here ({told}); report it"))
        file.records += len(refused)
        file.rejected = len(refused)
        self.rejected += [{"path": file.path, "line": r.line, "reason": r.reason, "sha256": sha256} for r in refused]
        if is_whole:
            self.known[sha256] = (file.reader, file.records)
            self.register.append((sha256, size, file))

    def publish(self) -> Report:
        self.writer.finish()
        for (number, outcome), records in self.writer.outcomes.items():
            file = self.report.files[number]
            setattr(file, outcome, getattr(file, outcome) + records)
        for file in self.report.files:
            told = file.events + file.folded + file.rejected + file.duplicates
            if told != file.records:
                raise AssertionError(f"{file.path}: {file.records} records, but {told} accounted for")
        if self.register or self.rejected or self.writer.outcomes:
            self.report.expired = drop_what_came_again(self.edition)
            self._publish_register()
        return self.report

    def _publish_register(self) -> None:
        rows = [{**asdict(file), "sha256": sha256, "size_bytes": size} for sha256, size, file in self.register]
        for table, schema, new in (("files", FILES, rows), ("rejected", REJECTED, self.rejected)):
            if new:
                written = self.edition.write(table, table_of(new, schema))
                self.edition.tables.setdefault(table, []).append(written)
        self.edition.publish()


def guarded(read: Callable[[], T]) -> T:
    """What a plug-in of ours or of the user's answers. Whatever else it raises becomes `Broken`."""
    try:
        return read()
    except (Trouble, Unread):
        raise
    except Exception as error:  # the boundary: a broken reader costs its file, not the run
        raise Broken(f"{type(error).__name__}: {error}") from error


def readable(records: Iterator[Record | Rejected], refused: list[Rejected]) -> Iterator[Record]:
    """The records that a reader is given; the others go to `refused`."""
    for record in records:
        if isinstance(record, Rejected):
            refused.append(record)
        else:
            yield record


def _shape(first: object) -> str:
    """The first record in a few words, its keys cut short: it is shown to people."""
    match first:
        case dict():
            keys = ", ".join(repr(str(key)[:40]) for key in list(first)[:8])
            return f"an object with {keys or 'no keys'}"
        case list():
            return f"an array whose first element is {_shape(first[0])}" if first else "an empty array"
        case _:
            return f"a bare {type(first).__name__}"
