"""`custodiet export`: a case as an evidence file."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import Annotated

import typer

from ingest.command import DATA, Data, command, inert, note
from ingest.errors import Trouble


@command
def export(
    case: Annotated[str, typer.Argument(help="A case id, or the beginning of one.")],
    data: Data = DATA,
    out: Annotated[Path | None, typer.Option("--out", help="The ZIP to write; else named by the case.")] = None,
    by: Annotated[str | None, typer.Option("--by", help="The analyst; by default the user of this machine.")] = None,
) -> None:
    """Write a case as a ZIP that anyone can check: report, steps, raw records, and a SHA-256 for each file."""
    from detect.evidence_export import evidence_file, file_name
    from detect.explain import cases_like
    from ingest.database import open_published

    connection = open_published(data)
    found = cases_like(connection, case)
    if len(found) != 1:
        note(f"{len(found)} cases begin with {inert(case)}; `custodiet cases` lists them")
        raise typer.Exit(1)
    case_id = str(found[0]["case_id"])
    content = evidence_file(connection, data, case_id, by=by or getpass.getuser())
    assert content is not None
    out = out or Path(file_name(case_id))
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        draft.replace(out)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise Trouble(f"{out}: cannot be written ({error.strerror or error}); name another --out") from error
    typer.echo(f"{inert(str(out))}: {len(content):,} bytes; check it with sha256sum -c SHA256SUMS once unpacked")
