"""Sessions of the three agents that export OTLP spans: triage, firewall, and the orchestrator above them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import Any

from _calls import Call, Clock, Log
from _cast import (
    FIREWALL,
    FIREWALLED,
    FIREWALLS,
    ORCHESTRATOR,
    STAFF,
    TRIAGE,
    asking,
    deciding,
    outside_ip,
    some_host,
)  # fmt: skip
from _maf import Question, maf, question
from _otlp import Trace, strands

ALERTS = ("Unusual sign-in", "Malware blocked", "Port scan", "New admin tool", "Beaconing", "Data upload")
COMMANDS = ("ps -eo pid,ppid,user,args", "ss -tnp", "last -n 20", "systemctl list-units --failed")
OUTAGE = "503 Service Unavailable"


def session_id(rng: Random, kind: str, at: datetime) -> str:
    return f"{kind}-{at:%m%d}-{rng.getrandbits(32):08x}"


# --- triage ---------------------------------------------------------------------------------------


def looking(rng: Random, at: datetime, alert: str, host: str) -> list[list[Call]]:
    """What triage always begins with: the alert, the host's logs, and who or what is behind it."""
    ip, person = outside_ip(rng), rng.choice(STAFF)
    logs = Call("search_logs", {"hostname": host, "index": rng.choice(("edr", "auth", "proxy")),
                                "query": f"src_ip={ip}"}, {"matches": rng.randrange(0, 400)})  # fmt: skip
    score = {
        "ip": ip,
        "score": rng.randrange(1, 99),
        "verdict": rng.choice(("clean", "suspicious", "unknown")),
    }
    enrich = Call(
        "enrich_alert",
        {"alert_id": alert},
        {
            "rule": rng.choice(ALERTS),
            "hostname": host,
            "src_ip": ip,
            "severity": rng.choice(("low", "medium", "high")),
        },
    )
    turns = [[enrich], [logs, Call("lookup_ip", {"ip": ip}, score)]]
    if rng.random() < 0.6:
        turns.append([Call("get_user", {"user_name": person}, {"user_name": person, "department": "operations"})])
    if rng.random() < 0.4:
        turns.append([Call("get_host", {"hostname": host}, {"hostname": host, "os": "linux", "owner": person})])
    if "get_owner" in TRIAGE.tools(at) and rng.random() < 0.2:
        turns.append([Call("get_owner", {"hostname": host}, {"hostname": host, "owner": person})])
    return turns


def collect(rng: Random, host: str, key: str | None = None) -> Call:
    return Call("run_remote_command", {"host": host, "command": rng.choice(COMMANDS)},
                {"exit_code": 0, "lines": rng.randrange(4, 90)}, key=key)  # fmt: skip


def ticket(rng: Random, host: str) -> Call:
    return Call("create_ticket", {"summary": f"{rng.choice(ALERTS)} on {host}", "severity": "medium"},
                {"ticket": f"SOC-{rng.randrange(21000, 26000)}"})  # fmt: skip


def stumble(rng: Random, turns: Sequence[Sequence[Call]], chance: float = 0.06) -> list[list[Call]]:
    """Now and then a call fails and is made again in the next turn."""
    stumbled: list[list[Call]] = []
    for turn in turns:
        if rng.random() < chance:
            stumbled.append([replace(turn[0], error=rng.choice((OUTAGE, "timed out after 30 s")), result=None)])
        stumbled.append(list(turn))
    return stumbled


def triage(
    rng: Random, at: datetime, *, host: str | None = None, user: str | None = None, look_closer: float = 0.25,
    chance_of_failure: float = 0.06, steps: Sequence[Sequence[Call]] = (),
) -> Log:  # fmt: skip
    """One alert triaged. In a quarter of them the agent looks at the host itself with a command."""
    host, alert = host or some_host(rng), f"AL-{rng.randrange(40000, 99999)}"
    turns = looking(rng, at, alert, host)
    if steps:
        turns.extend([*turn] for turn in steps)
    elif rng.random() < look_closer:
        turns.append([collect(rng, host)])
    if rng.random() < 0.6:
        turns.append([ticket(rng, host)])
    trace = Trace(rng, at)
    strands(trace, TRIAGE, session_id(rng, "triage", at), user or asking(rng, at), f"Triage alert {alert}",
            stumble(rng, turns, chance_of_failure), "Triaged; findings are in the case.")  # fmt: skip
    return Log("otlp", TRIAGE, at, trace.lines())


# --- firewall -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """A wanted firewall change."""

    firewall: str
    host: str
    port: int
    cidr: str

    def calls(self, rng: Random) -> tuple[list[Call], Call, Call]:
        """Looking first, the change itself, checking it."""
        rule = f"rule-{rng.randrange(100, 999)}"
        look = [Call("list_rules", {"firewall": self.firewall}, {"rules": rng.randrange(20, 60)}),
                Call("check_exposure", {"firewall": self.firewall, "host": self.host},
                     {"host": self.host, "reachable_ports": [22, 443][: rng.randrange(3)]})]  # fmt: skip
        named = {"firewall": self.firewall, "rule": rule, "host": self.host}
        arguments = named | {"cidr": self.cidr, "port": self.port, "action": "allow",
                             "change_ticket": f"CHG-{rng.randrange(7000, 9900)}"}  # fmt: skip
        return (look, Call("modify_firewall_rule", arguments, named | {"status": "applied"}),
                Call("verify_rule", named, named | {"in_force": True}))  # fmt: skip


def some_change(rng: Random, host: str | None = None) -> Change:
    host = host or some_host(rng, FIREWALLED, new=0.08)
    cidr = rng.choice(("10.20.0.0/16", "10.30.4.0/24", "10.40.8.0/24", f"{outside_ip(rng)}/32"))
    return Change(rng.choice(FIREWALLS), host, rng.choice((22, 443, 8443, 5432, 9100)), cidr)


@dataclass(frozen=True)
class Inside:
    """Where a delegated run stands: in the caller's trace, below the call that handed it over."""

    trace: Trace
    parent: str
    session: str
    user: str


def firewall(
    rng: Random, at: datetime, *, change: Change | None = None, approver: str | None = None,
    approved: bool = True,
    asks: bool = True, failures: int = 0, inside: Inside | None = None,
) -> Log:  # fmt: skip
    """A change: look, ask, wait for a person, change, verify. A failed change is asked for again.

    With `asks=False` the agent changes without asking. With `inside`, the first run is part of the
    caller's trace, and the log holds only the runs after the approvals.
    """
    change = change or some_change(rng)
    trace = inside.trace if inside else Trace(rng, at)
    conversation = inside.session if inside else session_id(rng, "firewall", at)
    user = inside.user if inside else asking(rng, at)
    look, act, verify = change.calls(rng)
    prompt = [{"type": "text", "content": f"Allow {change.cidr} to {change.host} port {change.port}"}]
    parent = inside.parent if inside else None
    if not asks:
        maf(
            trace,
            FIREWALL,
            conversation,
            user,
            prompt,
            [*look, act, verify],
            "Rule is in force.",
            parent=parent,
        )
        return Log("otlp", FIREWALL, at, trace.lines())
    asked = question(trace, act)
    maf(trace, FIREWALL, conversation, user, prompt, look, "", ask=asked, parent=parent)
    records: list[dict[str, Any]] = [] if inside else trace.lines()
    clock = Clock(rng, trace.clock.at)
    for left in range(failures, -1, -1):
        clock.wait(50, 1300)
        approver = approver or deciding(rng, clock.at, user)
        resumed = Trace(rng, clock.at)
        answer = [asked.response(approved, approver)]
        if not approved:
            maf(resumed, FIREWALL, conversation, approver, answer, [], "Not approved, so nothing was changed.")
        elif left:
            again = question(resumed, act)
            failed = Question(replace(act, error=OUTAGE), asked.call_id, asked.content_id)
            maf(resumed, FIREWALL, conversation, approver, answer, [failed], "", ask=again)
            asked = again
        else:
            maf(resumed, FIREWALL, conversation, approver, answer, [asked, verify], "Rule is in force.")
        records += resumed.lines()
        clock.ns = resumed.clock.ns
    return Log("otlp", FIREWALL, at, records)


# --- orchestrator ---------------------------------------------------------------------------------


def orchestrator(rng: Random, at: datetime, *, user: str | None = None, widened: Sequence[Sequence[Call]] = ()) -> Log:
    """A case worked by others: triage is asked to look, and sometimes the firewall agent to change.

    `widened` are turns that the triage agent adds although it was asked only to read.
    """
    user, session, host = user or asking(rng, at), session_id(rng, "case", at), some_host(rng, new=0.03)
    case, alert = f"CASE-{rng.randrange(3000, 4900)}", f"AL-{rng.randrange(40000, 99999)}"
    trace, later = Trace(rng, at), list[dict[str, Any]]()
    writes = not widened and rng.random() < 0.35

    def to_triage(span_id: str) -> None:
        turns = (
            looking(rng, at, alert, host) + [list(turn) for turn in widened] + ([[ticket(rng, host)]] if writes else [])
        )
        strands(trace, TRIAGE, session, user, f"Look into {alert}", stumble(rng, turns), "Done.", parent=span_id)

    def to_firewall(span_id: str) -> None:
        change = some_change(rng, host if host in FIREWALLED else None)
        inside = Inside(trace, span_id, session, user)
        later.extend(firewall(rng, at, change=change, approved=rng.random() > 0.05, inside=inside).records)

    scope = ["read", "write"] if writes else ["read"]
    turns = [[Call("list_cases", {"queue": "open"}, {"cases": [case]})],
             [Call("transfer_to_triage_agent", {"agent": "triage-agent", "case_id": case, "scope": scope,
                                                "task": f"Look into {alert}"}, {"status": "done"},
                   delegate=to_triage)]]  # fmt: skip
    if not widened and rng.random() < 0.3:
        turns.append([Call("transfer_to_firewall_agent", {
            "agent": "firewall-agent", "case_id": case, "scope": ["read", "network_path"],
            "task": "Adjust the rule that the case names"}, {"status": "waits for approval"},
            delegate=to_firewall)])  # fmt: skip
    turns.append([Call("update_case", {"case_id": case, "note": "Worked by the agents."}, {"case_id": case})])
    strands(trace, ORCHESTRATOR, session, user, f"Work case {case}", turns, "The case is up to date.")
    return Log("otlp", ORCHESTRATOR, at, trace.lines() + later)
