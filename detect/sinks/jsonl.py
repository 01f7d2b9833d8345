from __future__ import annotations

import fcntl
import os
from pathlib import Path

from pydantic import Field

from detect.sinks import Alert, SinkSettings, Undelivered, sink
from detect.sinks._bodies import Envelope, Format, encoded
from detect.sinks._network import Network


class JsonlSettings(SinkSettings):
    """`[sinks.jsonl]`: a file that a collector follows."""

    path: Path = Field(description="The file; its folder must be there.")
    format: Format = Field("ocsf", description="'ocsf' or 'custodiet'.")
    envelope: Envelope = Field("none", description="'cloudevents': each line is a CloudEvent.")
    most_bytes: int = Field(50_000_000, ge=100_000, description="Beyond it the file is put aside as PATH.1 and so on.")
    most_files: int = Field(5, ge=1, le=1000, description="How many files put aside are kept.")


def body(alert: Alert, settings: JsonlSettings) -> bytes:
    return encoded(alert, settings.format, settings.envelope)


@sink(settings=JsonlSettings, body=body)
def jsonl(alert: Alert, settings: JsonlSettings, network: Network) -> None:
    """A JSON line a revision, appended durably to a file that several processes may share."""
    try:
        with settings.path.with_name(f".{settings.path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            _put_aside(settings)
            _append(settings.path, body(alert, settings) + b"\n")
    except OSError as error:
        raise Undelivered(f"the file cannot be written ({error.strerror})") from None


def _append(path: Path, line: bytes) -> None:
    """One line, on the disk. What a killed process left of a line is ended first, and stays a line of its own."""
    with open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b", buffering=0) as file:
        if (size := os.fstat(file.fileno()).st_size) and os.pread(file.fileno(), 1, size - 1) != b"\n":
            line = b"\n" + line
        left = memoryview(line)
        while left:
            left = left[os.write(file.fileno(), left) :]
        os.fsync(file.fileno())


def _put_aside(settings: JsonlSettings) -> None:
    """Rename, the oldest first, so that a kill in between loses no more than the file that was to go anyway."""
    path = settings.path
    if not path.exists() or path.stat().st_size < settings.most_bytes:
        return
    for number in range(settings.most_files, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        newer = path if number == 1 else path.with_name(f"{path.name}.{number - 1}")
        if newer.exists():
            newer.replace(older)
