"""One file a format. To add one: drop a file here with a function of the file's name, decorated `@reader`.

@reader(claims=lambda first: isinstance(first, dict) and "acme_run" in first)
def acme(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    \"\"\"Acme agent runs, one JSON object a line.\"\"\"
    for record in records:
        ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from inspect import cleandoc

from ingest.event import Observation, Rejected
from ingest.plugins import first_line
from ingest.records import Record

Read = Callable[[Iterable[Record]], Iterator[Observation | Rejected]]


@dataclass(frozen=True)
class Reader:
    """A format: how its first record is recognised, and how its records become observations."""

    name: str
    summary: str
    """The first line of its docstring."""
    claims: Callable[[object], bool]
    read: Read
    doc: str = ""
    """The whole docstring: what it needs, what it finds, what it leaves."""
    by_line: bool = False
    """Whether each line says by itself what it says, so that a file that grows is read on from where it ended."""


def reader(*, claims: Callable[[object], bool], by_line: bool = False) -> Callable[[Read], Reader]:
    """Declare a reader. `claims` gets the decoded first record and answers for the whole file.

    Exactly one reader must claim a file: claim by what only this format has. Say `by_line` where no line needs
    another one; the others' files are read from the start again whenever they have grown.
    """

    def declare(read: Read) -> Reader:
        return Reader(read.__name__, first_line(read.__doc__), claims, read, cleandoc(read.__doc__ or ""), by_line)

    return declare
