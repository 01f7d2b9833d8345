"""Two agents as OTLP/JSON lines, small enough to be run many times: their days, and a key that one mints and the
other uses where it never was."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

MONDAY_NS = 1_772_442_000_000_000_000
"""2026-03-02 09:00 UTC."""
_DAY_NS, _SECOND_NS = 86_400_000_000_000, 1_000_000_000
SESSIONS_A_DAY = 20
Line = str


def days(first: int, after: int) -> list[Line]:
    """Twenty sessions of each agent a day, three steps each."""
    told = []
    for day in range(first, after):
        for number in range(SESSIONS_A_DAY):
            minute = number * 20
            told += session("rotator", day, minute, "", [
                ("search_logs", {"host": "siem-1"}, None),
                ("create_access_key", {"user": "svc-1"}, None),
                ("create_ticket", {"queue": "keys"}, None),
            ])  # fmt: skip
            told += session("triage", day, minute, "", [
                ("search_logs", {"host": "siem-1"}, None),
                ("run_remote_command", {"host": "host-1", "access_key_id": "AKIATRIAGE00EXAMPLE0"}, None),
                ("create_ticket", {"queue": "triage"}, None),
            ])  # fmt: skip
    return told


def attack(day: int, mark: str) -> list[Line]:
    """The rotator mints a key; with it the triage agent reaches a host, and in the last step one more."""
    key = f"AKIAQ7EXAMPLE0{sha256(f'{day}{mark}'.encode()).hexdigest()[:6].upper()}"
    minted = session("rotator", day, 700, mark, [
        ("create_access_key", {"user": f"svc-{day}{mark}"}, {"AccessKeyId": key}),
    ])  # fmt: skip
    used = session("triage", day, 720, mark, [
        ("search_logs", {"host": "siem-1"}, None),
        ("run_remote_command", {"host": f"db-{day}{mark}", "access_key_id": key}, None),
        ("run_remote_command", {"host": f"vault-{day}{mark}", "access_key_id": key}, None),
    ])  # fmt: skip
    return minted + used


def write(folder: Path, *told: list[Line], name: str = "fleet") -> Path:
    """Write the lines as one file of the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.otlp.jsonl"
    path.write_text("".join(line for lines in told for line in lines))
    return path


def session(
    agent: str, day: int, minute: int, mark: str, calls: list[tuple[str, dict[str, str], dict[str, str] | None]]
) -> list[Line]:
    """One session, a step a second: (tool, arguments, result)."""
    name = f"{agent}-{day}-{mark or minute}"
    trace = sha256(name.encode()).hexdigest()[:32]
    start = MONDAY_NS + day * _DAY_NS + minute * 60 * _SECOND_NS // 10
    lines = []
    for number, (tool, arguments, result) in enumerate(calls):
        span = sha256(f"{name}/{number}".encode()).hexdigest()[:16]
        at = start + number * _SECOND_NS
        said = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": tool,
            "gen_ai.agent.name": agent,
            "gen_ai.conversation.id": name,
            "gen_ai.tool.call.arguments": json.dumps(arguments),
        }
        if result is not None:
            said["gen_ai.tool.call.result"] = json.dumps(result)
        attributes = [{"key": key, "value": {"stringValue": value}} for key, value in said.items()]
        shaped = {"traceId": trace, "spanId": span, "name": f"execute_tool {tool}", "startTimeUnixNano": str(at),
                  "endTimeUnixNano": str(at + _SECOND_NS // 2), "attributes": attributes}  # fmt: skip
        scopes = [{"scope": {"name": "fleet"}, "spans": [shaped]}]
        lines.append(json.dumps({"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": scopes}]}) + "\n")
    return lines
