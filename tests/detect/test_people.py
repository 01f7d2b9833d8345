"""The file of people and deliveries: brought up to date once, all or nothing, safe for many writers."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from detect import people as module
from detect.people import FILE, migrations, people, transaction
from ingest.errors import Trouble

APPEND_ONLY = """
create table said (what text not null);
create trigger said_is_append_only before update on said
begin
    select raise(abort, 'append-only');
end;
insert into said values ('a; b');
"""


def version(data: Path) -> int:
    with people(data) as connection:
        return connection.execute("pragma user_version").fetchone()[0]


def test_the_files_of_the_schema_are_numbered_without_gap() -> None:
    assert [number for number, _ in migrations()] == list(range(1, len(migrations()) + 1))


def test_a_new_file_has_every_table_and_keeps_the_rules(tmp_path: Path) -> None:
    with people(tmp_path) as connection:
        assert connection.execute("pragma journal_mode").fetchone()[0] == "wal"
        assert connection.execute("pragma foreign_keys").fetchone()[0] == 1
        assert "alerts" in {row["name"] for row in connection.execute("select name from sqlite_master")}
    assert version(tmp_path) == len(migrations())


def test_a_file_of_an_older_version_is_brought_up_to_date_and_keeps_its_rows(tmp_path: Path, monkeypatch) -> None:
    known = migrations()
    with people(tmp_path) as connection:
        tables = connection.execute("select count(*) from sqlite_master").fetchone()[0]
    monkeypatch.setattr(module, "migrations", lambda: [*known, (len(known) + 1, APPEND_ONLY)])
    with people(tmp_path) as connection:
        assert connection.execute("select what from said").fetchone()["what"] == "a; b"
        assert connection.execute("select count(*) from sqlite_master").fetchone()[0] == tables + 2
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute("update said set what = 'other'")
    assert version(tmp_path) == len(known) + 1


def test_a_migration_that_breaks_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch) -> None:
    known = migrations()
    before = version(tmp_path)
    broken = "create table half (a text);\ncreate table half (a text);\n"
    monkeypatch.setattr(module, "migrations", lambda: [*known, (len(known) + 1, broken)])
    with pytest.raises(Trouble, match="half"), people(tmp_path):
        pass
    monkeypatch.undo()
    with people(tmp_path) as connection:
        assert not connection.execute("select * from sqlite_master where name = 'half'").fetchall()
    assert version(tmp_path) == before


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    with people(tmp_path) as connection:
        connection.execute("pragma user_version = 999")
    with pytest.raises(Trouble, match="newer custodiet"), people(tmp_path):
        pass


def test_a_damaged_file_and_a_missing_directory_are_trouble_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database" * 100)
    for data in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(Trouble, match="restore the file"), people(data):
            pass


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    def write_then(connection: sqlite3.Connection, error: BaseException) -> None:
        with transaction(connection):
            connection.execute("create table t (n integer)")
            raise error

    with people(tmp_path) as connection:
        for error in (RuntimeError(), KeyboardInterrupt()):
            with pytest.raises(type(error)):
                write_then(connection, error)
        assert not connection.execute("select * from sqlite_master where name = 't'").fetchall()


def test_many_threads_open_a_new_file_and_write_at_once(tmp_path: Path) -> None:
    failed: list[Trouble] = []

    def work(number: int) -> None:
        try:
            with people(tmp_path) as connection:
                for turn in range(20):
                    with transaction(connection):
                        connection.execute("create table if not exists n (n integer primary key)")
                        connection.execute("insert into n values (?)", (number * 100 + turn,))
        except Trouble as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with people(tmp_path) as connection:
        assert connection.execute("select count(*) from n").fetchone()[0] == 160


def test_a_writer_killed_inside_a_transaction_leaves_nothing_of_it(tmp_path: Path) -> None:
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom detect.people import people, transaction\n"
        f"with people(Path({str(tmp_path)!r})) as c, transaction(c):\n"
        "    c.execute('create table half (n integer)')\n    print('in', flush=True)\n    time.sleep(60)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert child.stdout is not None and child.stdout.readline() == b"in\n"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with people(tmp_path) as connection:
        assert not connection.execute("select * from sqlite_master where name = 'half'").fetchall()
