"""Keep what the producers wrote as sample logs: `python tests/producers/run.py --keep`.

The SDKs' own output, but for what tells of the machine: tracebacks end at their first line, and no path stays.
Times and ids are the run's own, as no SDK lets them be set. Large files are packed.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
KEPT = HERE.parents[1] / "sample_logs" / "producers"
PACKED_FROM_BYTES = 48_000
TRACEBACK = re.compile(r"(Traceback \(most recent call last\):|During task with name).*", re.DOTALL)
PATH = re.compile(r"(?:/[\w.+-]+){2,}/(?=(?:site-packages|tests|lib)/)")
README = """# What real SDKs write

The six SDKs below, each run by its script in `tests/producers/` with a fake model through one story: a call that works,
one that fails, a hand-off, a call that a person approves and one that a person denies. `make producers` runs them again
and checks what is read against what each script did; `make producers KEEP=--keep` also rewrites these files.
They are the SDKs' own output but for tracebacks and paths; files from 48 kB are packed.

| SDK | versions |
|---|---|
"""


def keep(names: list[str], build: Path) -> None:
    """Replace the kept output of these producers, and the README's versions."""
    for name in names:
        shutil.rmtree(KEPT / name, ignore_errors=True)
        (KEPT / name).mkdir(parents=True)
        for file in sorted((build / name / "out").iterdir()):
            content = scrubbed(file.read_text())
            if len(content) < PACKED_FROM_BYTES:
                (KEPT / name / file.name).write_bytes(content)
            else:
                (KEPT / name / f"{file.name}.gz").write_bytes(gzip.compress(content, 9, mtime=0))
    (KEPT / "README.md").write_text(README + "".join(map(versions, sorted(HERE.glob("*/requirements.txt")))))


def versions(requirements: Path) -> str:
    """One line of the README's table."""
    return f"| `{requirements.parent.name}` | {', '.join(requirements.read_text().split())} |\n"


def scrubbed(text: str) -> bytes:
    """A JSON document, or lines of JSON, without what tells of the machine."""
    try:
        values = [json.loads(text)]
    except ValueError:
        values = [json.loads(line) for line in text.splitlines() if line.strip()]
    return "".join(json.dumps(clean(value), separators=(",", ":")) + "\n" for value in values).encode()


def clean(value: Any) -> Any:
    """A JSON value with its texts cleaned."""
    if isinstance(value, str):
        return PATH.sub("/app/", TRACEBACK.sub(r"\1 [left out]", value))
    if isinstance(value, list):
        return [clean(part) for part in value]
    return {key: clean(member) for key, member in value.items()} if isinstance(value, dict) else value
