"""Each step once, though two ingests run at the same time and files grow while they are read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from ingest.database import ask, open_published
from ingest.load import ingest_paths

BUSY = 75


def conversation(number: int, calls: int = 3) -> bytes:
    messages: list[dict] = [{"role": "user", "content": f"Look at host wks-{number:03}."}]
    for call in range(calls):
        own = f"call_{number:03}{call}aBcDeFgHiJkLmNoPq"
        function = {"name": "look", "arguments": json.dumps({"host": f"wks-{number:03}", "try": call})}
        messages.append({"role": "assistant", "tool_calls": [{"id": own, "type": "function", "function": function}]})
        messages.append({"role": "tool", "tool_call_id": own, "content": "nothing"})
    return json.dumps({"messages": messages}).encode() + b"\n"


def start(*arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "import custodiet; custodiet.main()", *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=os.environ | {"TERM": "dumb"}
    )


def everything(data: Path) -> list[tuple]:
    return ask(open_published(data), "from events order by event_id").rows()


def test_two_ingests_of_the_same_files_at_once_give_each_step_once(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    for number in range(40):
        (logs / f"{number}.jsonl").write_bytes(b"".join(conversation(number * 10 + n) for n in range(10)))
    together = [start("ingest", str(logs), "--data", str(tmp_path / "data")) for _ in range(3)]
    for running in together:
        _, told = running.communicate(timeout=300)
        # One after the other, or told in one line that another is at it; never a traceback.
        assert running.returncode in (0, BUSY), told
        assert b"Traceback" not in told
    assert 0 in [running.returncode for running in together]
    ingest_paths([logs], tmp_path / "alone")
    assert everything(tmp_path / "data") == everything(tmp_path / "alone")
    again = ingest_paths([logs], tmp_path / "data")
    assert sum(file.events + file.folded for file in again.files) == 0


def test_a_file_that_another_process_is_writing_is_read_to_its_end_in_the_end(tmp_path: Path) -> None:
    log, whole = tmp_path / "agent.jsonl", tmp_path / "whole.jsonl"
    lines = [conversation(number) for number in range(60)]
    whole.write_bytes(b"".join(lines))
    writer = (
        "import sys, time; lines = open(sys.argv[1], 'rb').read()\n"
        "with open(sys.argv[2], 'ab', buffering=0) as out:\n"
        "    for at in range(0, len(lines), 997):\n"  # mostly ends inside of a line
        "        out.write(lines[at:at + 997]); time.sleep(0.01)\n"
    )
    log.write_bytes(b"")
    writing = subprocess.Popen([sys.executable, "-c", writer, str(whole), str(log)])
    while writing.poll() is None:
        for file in ingest_paths([log], tmp_path / "data").files:
            assert file.records == file.events + file.folded + file.rejected + file.duplicates
    (last,) = ingest_paths([log], tmp_path / "data").files
    assert last.rejected == 0
    ingest_paths([whole], tmp_path / "alone")
    told = "select event_id, kind, tool, arguments, result, status, witnesses from events order by event_id"
    assert ask(open_published(tmp_path / "data"), told).equals(ask(open_published(tmp_path / "alone"), told))
