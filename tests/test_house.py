"""The rules of the house: who may import whom, one way into the database, one broad except a room."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ["ingest", "baseline", "detect", "dashboard"]
FILES = sorted(p for room in ROOMS for p in (ROOT / room).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_imports_only_rooms_to_its_left(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    to_the_right = {*ROOMS[ROOMS.index(room) + 1 :], "custodiet", "sample_logs", "tests", "bench"}
    wrong = [name for name in imported(path) if name.split(".")[0] in to_the_right]
    assert not wrong


def test_only_one_module_opens_duckdb_and_only_one_opens_sqlite() -> None:
    opens_duckdb = {p.relative_to(ROOT).as_posix() for p in FILES if "duckdb.connect(" in p.read_text()}
    opens_sqlite = {p.relative_to(ROOT).as_posix() for p in FILES if "sqlite3.connect(" in p.read_text()}
    assert opens_duckdb == {"ingest/database.py"}
    assert opens_sqlite == {"detect/people.py"}


def test_heavy_packages_stay_in_their_place() -> None:
    places = {
        "streamlit": "dashboard/",
        "plotly": "dashboard/charts",
        "httpcore2": "detect/sinks/_network.py",
        "apprise": "detect/sinks/apprise.py",
    }
    for path in FILES:
        name = path.relative_to(ROOT).as_posix()
        for package in {i.split(".")[0] for i in imported(path)} & set(places):
            assert name.startswith(places[package]), f"{name} imports {package}"


def test_each_room_has_at_most_one_broad_except_and_says_that_it_is_the_boundary() -> None:
    for room in ROOMS:
        broad = []
        for path in (ROOT / room).rglob("*.py"):
            lines = path.read_text().splitlines()
            for node in ast.walk(ast.parse("\n".join(lines))):
                if isinstance(node, ast.ExceptHandler) and (
                    node.type is None or getattr(node.type, "id", "") in ("Exception", "BaseException")
                ):
                    broad.append(f"{path.relative_to(ROOT)}:{node.lineno}")
                    assert "boundary" in lines[node.lineno - 1], f"{broad[-1]}: a broad except without its reason"
        assert len(broad) <= 1, broad


def test_tests_hold_no_init_file() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))
