"""The mapped reader: a TOML file instead of code, and clear words where it is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest.database import ask, open_published
from ingest.errors import Trouble
from ingest.load import ingest_paths
from ingest.mapped import mapped_reader

MAPPING = """
name = "falcon"
[match]
"/vendor" = "falcon"
[fields]
id = "/event/id"
time = "/event/created"
agent = "/agent/name"
session = ["/run", "/conversation"]
tool = "/call/function"
arguments = "/call/input"
status = "/outcome"
[optional]
kind = "/event/type"
approval = "/review/verdict"
approver = "/review/by"
result = "/call/output"
human = "/a~1b"
[kinds]
LLM = "model_call"
[statuses]
allowed = "ok"
[approvals]
granted = "approved"
"""


def record(number: int, **fields: object) -> dict[str, object]:
    return {
        "vendor": "falcon",
        "event": {"id": f"e{number}", "created": f"2026-05-04T10:00:{number:02d}.123456789Z"},
        "agent": {"name": "hunter"},
        "run": "r1",
        "call": {"function": "isolate_host", "input": {"host": f"h{number}"}},
        "outcome": "allowed",
    } | fields


def write(tmp_path: Path, mapping: str, content: object) -> tuple[Path, Path]:
    (tmp_path / "falcon.toml").write_text(mapping)
    log = tmp_path / "log.json"
    text = "\n".join(map(json.dumps, content)) if isinstance(content, list) else json.dumps(content, indent=1)
    log.write_text(text)
    return tmp_path / "falcon.toml", log


def test_a_format_without_a_reader_is_read_by_its_mapping(tmp_path: Path) -> None:
    approved = record(2, review={"verdict": "granted", "by": "ana"}, **{"a/b": "bo"})
    automatic = record(3, review={"verdict": "granted", "by": "auto-policy"})
    model = record(4, event={"id": "e4", "created": 1_777_888_999_000, "type": "LLM"}, call={"function": None})
    mapping, log = write(tmp_path, MAPPING, [record(1), approved, automatic, model])
    report = ingest_paths([log], tmp_path / "data", mappings=[mapping])
    assert [(f.reader, f.records, f.events) for f in report.files] == [("falcon", 4, 4)]
    events = ask(open_published(tmp_path / "data"), "from events order by event_id").to_dicts()
    by_target = {e["target"]: e for e in events}
    first = by_target["h1"]
    assert (first["session_id"], first["agent_id"], first["tool"], first["status"]) == (
        "r1",
        "hunter",
        "isolate_host",
        "ok",
    )
    assert (first["approval"], by_target["h2"]["approval"], by_target["h3"]["approval"]) == (
        "not_recorded",
        "approved",
        "automatic",
    )
    assert by_target["h2"]["on_behalf_of"] == "bo"
    assert by_target[None]["kind"] == "model_call"
    nanoseconds = ask(
        open_published(tmp_path / "data"), "select epoch_ns(started_at) % 1000 as n from events order by 1"
    )
    assert nanoseconds["n"].to_list() == [0, 789, 789, 789]


def test_a_document_that_holds_a_list_of_records(tmp_path: Path) -> None:
    mapping, log = write(tmp_path, 'records = "/items"\n' + MAPPING, {"items": [record(1), record(2)], "next": None})
    assert ingest_paths([log], tmp_path / "data", mappings=[mapping]).files[0].events == 2


def test_a_path_that_no_record_has_is_an_error_that_names_what_is_there(tmp_path: Path) -> None:
    mapping, log = write(tmp_path, MAPPING.replace("/call/function", "/call/fuction"), [record(1)])
    report = ingest_paths([log], tmp_path / "data", mappings=[mapping])
    assert report.files == []
    (unread,) = report.unread
    assert "fields.tool = /call/fuction is in none" in unread.reason
    assert "'vendor'" in unread.reason


def test_other_files_are_left_to_their_readers(tmp_path: Path) -> None:
    mapping, log = write(tmp_path, MAPPING, [record(1, vendor="other")])
    assert "no reader knows" in ingest_paths([log], tmp_path / "data", mappings=[mapping]).unread[0].reason


def test_bad_records_cost_themselves_alone(tmp_path: Path) -> None:
    mapping, log = write(tmp_path, MAPPING, [record(1), record(2)])
    log.write_text(log.read_text() + '\n{"vendor": \n7\n"text"\n' + json.dumps(record(3, event={"created": "soon"})))
    (file,) = ingest_paths([log], tmp_path / "data", mappings=[mapping]).files
    assert (file.records, file.events, file.rejected) == (6, 3, 3)
    gaps = ask(open_published(tmp_path / "data"), "select detail from gaps")["detail"].to_list()
    assert gaps == ["the record has no time that can be read"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("[fields]", "[feilds]"), r"feilds is not known; did you mean fields\?"),
        (("agent = ", "agnet = "), r"fields\.agnet is not known; did you mean agent\?"),
        (('"/agent/name"', '"agent.name"'), r"is no JSON Pointer"),
        (('"model_call"', '"modelcall"'), r"kinds\.LLM = 'modelcall'; one of model_call"),
        (('[match]\n"/vendor" = "falcon"', ""), r"\[match\] is missing"),
        (('time = "/event/created"', ""), r"fields\.time is missing"),
        (("[fields]", "[fields"), r"cannot be read as a mapping"),
    ],
)
def test_a_wrong_mapping_names_its_file_key_and_remedy(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    file = tmp_path / "falcon.toml"
    file.write_text(MAPPING.replace(*change))
    with pytest.raises(Trouble, match=r"falcon\.toml: .*" + words):
        mapped_reader(file)
