"""Real stores for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.event import Observation
from ingest.published import editing
from ingest.store import EventWriter

Store = Callable[..., dict[str, int]]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Store observations as one ingest of one file, and say what became of them."""

    def add(*observations: Observation, data: Path | None = None) -> dict[str, int]:
        with editing(data or tmp_path / "data") as edition:
            writer = EventWriter(edition)
            for observation in observations:
                writer.add(0, observation)
            writer.finish()
            edition.publish()
        return {outcome: count for (_, outcome), count in sorted(writer.outcomes.items())}

    return add
