"""The evidence file: hashes that hold, the raw bytes or why not, the same bytes twice, nothing that runs."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import shutil
import zipfile
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

import custodiet
from detect.evidence_export import defused, evidence_file, file_name
from detect.notes import note
from detect.raw_records import Place, raw_records
from detect.verdicts import say
from ingest.database import ask, open_published
from ingest.load import ingest_paths
from ingest.published import editing
from ingest.tables import TABLES

LOGS = Path(__file__).parents[2] / "sample_logs" / "role_chain_to_another_account"
HOSTILE = "<script>alert(1)</script><img src=http://evil.example/i.png onerror=alert(2)>\u202e"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A store over a copy of a sample, with a case made of its first tool calls."""
    logs = Path(shutil.copytree(LOGS, tmp_path / "logs"))
    where = tmp_path / "data"
    ingest_paths([logs], where)
    steps = ask(
        open_published(where), "select * from events where kind = 'tool_call' order by ordered_at, event_id limit 3"
    ).to_dicts()
    path = [step["event_id"] for step in steps]
    session = steps[0]["session_id"]
    case = {
        "case_id": "case-1", "title": HOSTILE, "why": HOSTILE, "severity": "high", "anomaly": 0.9, "impact": 0.8,
        "agents": [HOSTILE], "sessions": [session], "detectors": ["d"], "techniques": ["T1078.004"],
        "session_id": session, "event_id": path[0], "path": path, "findings": 1,
    }  # fmt: skip
    finding = {"finding_id": "f", "case_id": "case-1", "detector": "d", "title": HOSTILE, "agent_id": "a",
               "session_id": session, "event_id": path[0],
               "event_ids": path[:1], "observed": HOSTILE, "expected": HOSTILE, "anomaly": None}  # fmt: skip
    with editing(where) as edition:
        edition.replace("cases", pa.Table.from_pylist([case], schema=TABLES["cases"]))
        edition.replace("findings", pa.Table.from_pylist([finding], schema=TABLES["findings"]))
        edition.publish()
    return where


def exported(data: Path) -> dict[str, bytes]:
    content = evidence_file(open_published(data), data, "case-1", by="anna.k")
    assert content is not None
    archive = zipfile.ZipFile(io.BytesIO(content))
    return {name: archive.read(name) for name in archive.namelist()}


def test_every_hash_can_be_recomputed(data: Path) -> None:
    files = exported(data)
    listed = dict(reversed(line.split("  ")) for line in files["SHA256SUMS"].decode().splitlines())
    assert listed == {name: sha256(files[name]).hexdigest() for name in files if name != "SHA256SUMS"}
    manifest = json.loads(files["manifest.json"])
    for entry in manifest["files"]:
        assert (sha256(files[entry["name"]]).hexdigest(), len(files[entry["name"]])) == (
            entry["sha256"],
            entry["bytes"],
        )
    assert {entry["name"] for entry in manifest["files"]} == files.keys() - {"manifest.json", "SHA256SUMS"}
    assert manifest["analyst"] == "anna.k"


def test_raw_records_are_the_bytes_whose_hash_the_store_holds(data: Path) -> None:
    files = exported(data)
    steps = [json.loads(line) for line in files["steps.jsonl"].splitlines()]
    assert len(steps) == 3
    for step in steps:
        raw = files[f"raw/{step['source_sha256']}.json"]
        assert sha256(raw).hexdigest() == step["source_sha256"]
        assert raw in Path(step["source"].rpartition(":")[0]).read_bytes()


def test_the_same_export_twice_is_the_same_bytes(data: Path) -> None:
    first = evidence_file(open_published(data), data, "case-1", by="anna.k")
    assert first == evidence_file(open_published(data), data, "case-1", by="anna.k")
    say(data, open_published(data), "case-1", "true_positive", by="anna.k", at=1_800_000_000.0, note="=1+1")
    second = evidence_file(open_published(data), data, "case-1", by="anna.k")
    assert second != first
    told = json.loads(zipfile.ZipFile(io.BytesIO(second or b"")).read("case.json"))
    assert [(v["said_at"], v["verdict"]) for v in told["verdicts"]] == [("2027-01-15T08:00:00.000Z", "true_positive")]


def test_a_step_kept_as_evidence_comes_with_its_record(data: Path) -> None:
    events = ask(
        open_published(data), "select event_id, session_id from events where kind = 'tool_call' order by ordered_at desc"
    ).to_dicts()  # fmt: skip
    case = ask(open_published(data), "from cases").to_dicts()[0]
    other = next(e for e in events if e["event_id"] not in case["path"] and e["session_id"] in case["sessions"])
    note(data, by="bert", at=1.0, is_evidence=True, words="look", **other)
    steps = [json.loads(line)["event_id"] for line in exported(data)["steps.jsonl"].splitlines()]
    assert other["event_id"] in steps
    assert len(steps) == 4


def test_a_record_that_changed_or_went_away_is_said(data: Path) -> None:
    logs = sorted(data.parent.joinpath("logs").rglob("*.jsonl"))
    for log in logs:
        log.write_bytes(log.read_bytes().replace(b"a", b"b"))
    said = json.loads(exported(data)["manifest.json"])["raw_records"]
    assert {r["why"] for r in said} == {"the bytes at this place are not the ones that were read"}
    assert {r["file"] for r in said} == {None}
    for log in logs:
        log.unlink()
    assert all("cannot be read now" in r["why"] for r in json.loads(exported(data)["manifest.json"])["raw_records"])


def test_the_report_runs_nothing_fetches_nothing_and_links_nowhere(data: Path) -> None:
    page = exported(data)["report.html"].decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    tags = set(re.findall(r"<([a-z0-9]+)", page))
    assert not tags & {"script", "img", "a", "link", "iframe", "svg", "object", "form", "base"}
    assert not re.findall(r"<[^>]*\son\w+=", page)
    assert "default-src 'none'" in page
    assert "\u202e" not in page
    assert "⟦U+202E⟧" in page


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "  =1", "＝1", "|calc", "%0A"])
def test_a_cell_that_starts_a_formula_is_defused(text: str) -> None:
    assert defused(text) == f"'{text}"
    assert (defused("a=1"), defused(None), defused(7)) == ("a=1", "", "7")


def test_the_table_holds_every_step(data: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(exported(data)["steps.csv"].decode(), newline="")))
    steps = [json.loads(line) for line in exported(data)["steps.jsonl"].splitlines()]
    assert [row["event_id"] for row in rows] == [step["event_id"] for step in steps]


def test_only_files_that_were_read_are_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret.jsonl"
    secret.write_bytes(b'{"a":1}\n')
    place = Place(f"{secret}:1", sha256(b'{"a":1}').hexdigest())
    assert raw_records([place], set())[0].why == "its source names no file that was ingested"
    assert raw_records([place], {str(secret)})[0].raw == b'{"a":1}'
    assert raw_records([Place(f"{secret}:9", place.sha256)], {str(secret)})[0].raw is None
    assert raw_records([Place("no place", "x")], {str(secret)})[0].raw is None


def test_a_record_inside_a_document_and_in_a_compressed_file_is_found(tmp_path: Path) -> None:
    document = b'{"spans": [\n {"id": 1},\n {"id": [2, {"x": 3}]}\n]}'
    plain, packed = tmp_path / "d.json", tmp_path / "l.jsonl.gz"
    plain.write_bytes(document)
    packed.write_bytes(gzip.compress(b'{"n": 1}\n{"n": 2}\n'))
    wanted = [Place(f"{plain}:3", sha256(b'{"id": [2, {"x": 3}]}').hexdigest()),
              Place(f"{packed}:2", sha256(b'{"n": 2}').hexdigest())]  # fmt: skip
    found = raw_records(wanted, {str(plain), str(packed)})
    assert [each.raw for each in found] == [b'{"id": [2, {"x": 3}]}', b'{"n": 2}']


def test_a_case_that_is_not_there_and_a_name_that_is_safe(data: Path) -> None:
    assert evidence_file(open_published(data), data, "nobody", by="x") is None
    assert file_name("../../etc/passwd") == "custodiet-case-etcpasswd.zip"
    assert file_name("![x](") == "custodiet-case-x.zip"


def test_the_command_writes_the_file(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "e.zip"
    app = custodiet.app
    run = CliRunner().invoke(app, ["export", "case-1", "--data", str(data), "--out", str(out), "--by", "anna.k"])
    assert run.exit_code == 0, run.output
    assert out.read_bytes() == evidence_file(open_published(data), data, "case-1", by="anna.k")
    assert CliRunner().invoke(app, ["export", "zzz", "--data", str(data)]).exit_code == 1
