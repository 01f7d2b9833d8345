"""Old files of the spool leave, once all that they hold was read and no stored event leads back to them."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

import duckdb

from ingest.database import ask
from ingest.listen.spool import SUFFIX
from ingest.pieces import registered
from ingest.published import Edition

SPOOL: Final = "spool"
"""The folder of the receiver, in a data directory."""

_NAMED: Final = r"""
select distinct parse_filename(regexp_replace(source, ':\d+$', '')) as name
from stored_events
where source like '%.otlp.jsonl:%'
order by name
"""


def drop_old_files(edition: Edition, connection: duckdb.DuckDBPyConnection, before_ns: int) -> int:
    """Remove what was last written before; returns how many files. The newest stays: the receiver may be writing it.

    The connection shows what stays of the events.
    """
    files = sorted((edition.data / SPOOL).glob(f"*{SUFFIX}"))[:-1]
    old = [(file, stat.st_size) for file in files if (stat := file.stat()).st_mtime_ns < before_ns]
    if not old:
        return 0
    read = {(PurePath(known.path).name, known.size_bytes) for known in registered(edition)}
    named = set(ask(connection, _NAMED).get_column("name"))
    gone = [file for file, size in old if (file.name, size) in read and file.name not in named]
    for file in gone:
        file.unlink(missing_ok=True)
    return len(gone)
