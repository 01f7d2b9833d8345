"""A receiver as a process of its own, on a free port of loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ingest.listen.app import Limits
from ingest.listen.child import Child

Start = Callable[..., Child]


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def start(token: str | None = None, **limits: object) -> Child:
            child = Child(tmp_path / "spool", "127.0.0.1", 0, token, Limits(**limits))  # type: ignore[arg-type]
            return stack.enter_context(child)

        yield start
