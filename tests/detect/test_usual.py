"""What is usual turned to another end: new commands in old tools, a yes left out, a known key in a new place."""

from __future__ import annotations

import json

import pytest
from fleets import Fleet, approval, call

from baseline.told_to_do import told_to_do
from detect.containment import takes_away
from detect.run import Detected
from detect.step import Step

DAY = 7


def fired(detected: Detected) -> set[str]:
    assert not detected.failed
    return {f.detector.name for f in detected.found}


def run(command: str, host: str = "host-1") -> dict[str, object]:
    return call("ssh_run", target=host, arguments=json.dumps({"host": host, "command": command}))


# usual_tool_does_something_new


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("command", "sudo dnf -y update --security", [("dnf", "dnf update")]),
        ("command", "kubectl -n shop delete networkpolicy deny-all", [("kubectl delete", "kubectl delete networkpolicy")]),
        ("command", "kubectl -n shop exec deploy/web -- id", [("kubectl exec", "kubectl exec"), ("id", "id")]),
        ("command", "echo key >> /root/.ssh/authorized_keys",
         [("echo", "echo"), ("write into", "write into authorized_keys")]),
        ("command", "ls -l 2>/dev/null && id", [("ls", "ls"), ("id", "id")]),
        ("sql", "grant all on shop.orders to app", [("grant", "grant shop.orders")]),
        ("documentname", "Org-RunShell", [("", "documentname Org-RunShell")]),
        ("bundle", "remote-help-1.0", [("", "bundle remote-help-#.#")]),
        ("comment", "rm -rf /", []),
    ],
)  # fmt: skip
def test_what_a_call_tells_to_do(key: str, value: str, expected: list[tuple[str, str]]) -> None:
    assert list(told_to_do([(key, value)])) == expected


@pytest.mark.parametrize(
    ("command", "yes", "is_found"),
    [("curl http://10.1.2.3/x", False, True), ("dnf -y update", False, False), ("curl http://10.1.2.3/x", True, False)],
)
def test_a_usual_tool_that_runs_something_new(fleet: Fleet, command: str, yes: bool, is_found: bool) -> None:
    fleet.habit("patcher", run("dnf -y update"), run("systemctl status web"))
    fleet.session("patcher", DAY, *([approval(target="host-1")] if yes else []), run(command))
    assert ("usual_tool_does_something_new" in fired(fleet.judge())) is is_found


def test_an_agent_that_runs_something_new_every_day_says_nothing(fleet: Fleet) -> None:
    for number in range(40):
        fleet.session(
            "coder", number % 5, run(f"tool-{chr(97 + number % 26)}{chr(97 + number // 26)} now"), minute=number
        )
    fleet.session("coder", DAY, run("curl http://10.1.2.3/x"))
    assert "usual_tool_does_something_new" not in fired(fleet.judge())


# usual_approval_missing


def refund(amount: str) -> dict[str, object]:
    return call("issue_refund", target=None, arguments=json.dumps({"amount": amount}))


@pytest.mark.parametrize(("approved_before", "yes", "is_found"), [(True, False, True), (True, True, False), (False, False, False)])  # fmt: skip
def test_a_yes_that_is_usual_and_left_out(fleet: Fleet, approved_before: bool, yes: bool, is_found: bool) -> None:
    signed = approval(tool="issue_refund", arguments=json.dumps({"amount": "9.00"}))
    fleet.habit("refunds", *([signed] if approved_before else []), refund("9.00"))
    fleet.session("refunds", DAY, *([signed] if yes else []), refund("9.00"))
    assert ("usual_approval_missing" in fired(fleet.judge())) is is_found


# what takes access away


@pytest.mark.parametrize(
    ("tool", "capability", "is_so"),
    [
        ("revoke_security_group_ingress", "network_path", True),
        ("authorize_security_group_ingress", "network_path", False),
        ("disable_user", "permission", True),
        ("unblock_user", "permission", False),
        ("delete_public_access_block", "permission", False),
        ("delete_role_permissions_boundary", "permission", False),
        ("disable_sensor", "defence_impairment", False),
        ("mailgate.message.purge", "destructive", True),
        ("remove_phishing_mail", "destructive", True),
        ("message_broker_purge_queue", "destructive", False),
        ("purge_logs", "destructive", False),
    ],
)
def test_what_takes_access_away(tool: str, capability: str, is_so: bool) -> None:
    fields: dict[str, object] = dict.fromkeys(Step.__struct_fields__)
    step = Step(**(fields | {"tool": tool, "capability": capability, "gives": False, "is_sure": True}))  # type: ignore[arg-type]
    assert takes_away(step) is is_so


def test_an_incident_that_is_answered_is_no_chain_of_phases(fleet: Fleet) -> None:
    fleet.habit("responder", call("search_logs", target="siem-1"), call("search_logs", target="siem-1"))
    moves = [call("get_secret_value", target="db/root"), call("run_command", target="web-1")]
    for agent, last in (("responder", "revoke_security_group_ingress"), ("other", "authorize_security_group_ingress")):
        if agent == "other":
            fleet.habit("other", call("search_logs", target="siem-1"), call("search_logs", target="siem-1"))
        fleet.session(agent, DAY, *moves, call(last, target=f"sg-{agent}"))
    found = [f.step.agent_id for f in fleet.judge().found if f.detector.name == "phases_of_an_attack_in_one_session"]
    assert found == ["other"]
