"""Each rule that comes along: a session at which it speaks, and the one beside it at which it does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fleets import Fleet, call

from baseline.capability import Capabilities
from detect.frameworks import techniques
from detect.sigma.matches import matches, prepare
from detect.sigma.rules import LEVELS, SHIPPED, load_rules
from ingest.database import open_published

RULES = {Path(rule.file).stem: rule for rule in load_rules([SHIPPED])}
OPEN = json.dumps({"group": "sg-1", "cidr": "0.0.0.0/0"})
ADMIN = json.dumps({"role": "r", "policy": "arn:aws:iam::aws:policy/AdministratorAccess"})

SPEAKS = {
    "audit_log_switched_off": [call("stop_logging")],
    "network_opened_to_the_world": [call("authorize_security_group_ingress", arguments=OPEN)],
    "denied_then_done": [call("assume_role", status="denied"), call("assume_role")],
    "many_secrets_read": [call("get_secret_value", target=f"s{n}") for n in range(10)],
    "burst_of_denied_calls": [call("list_hosts", status="denied")] * 20,
    "administrator_granted": [call("attach_role_policy", arguments=ADMIN)],
    "metadata_service_asked": [call("http_get", arguments='{"url":"http://169.254.169.254/latest/"}')],
    "own_rules_changed": [call("write_file", target="/srv/agent/.mcp.json")],
    "approval_by_the_agent_itself": [call("assume_role", approval="approved", approver="a")],
    "key_made_then_log_off": [call("create_access_key"), call("stop_logging")],
}
QUIET = {
    "audit_log_switched_off": [call("stop_logging", status="denied"), call("stop_logging", approval="approved")],
    "network_opened_to_the_world": [
        call("revoke_security_group_ingress", arguments=OPEN),
        call("authorize_security_group_ingress", arguments='{"cidr":"10.0.0.0/8"}'),
    ],
    "denied_then_done": [call("assume_role"), call("assume_role", status="denied"), call("get_host")],
    "many_secrets_read": [call("get_secret_value", target="s1")] * 30,
    "burst_of_denied_calls": [call("list_hosts", status="denied")] * 19,
    "administrator_granted": [
        call("detach_role_policy", arguments=ADMIN),
        call("attach_role_policy", arguments=ADMIN, approval="approved"),
    ],
    "metadata_service_asked": [call("http_get", arguments='{"url":"http://169.254.169.254/"}', status="denied")],
    "own_rules_changed": [
        call("read_file", target="/srv/agent/.mcp.json"),
        call("write_file", target="/srv/notes.json"),
    ],
    "approval_by_the_agent_itself": [call("assume_role", approval="approved", approver="ana")],
    "key_made_then_log_off": [call("stop_logging", status="error"), call("create_access_key")],
}


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_rule_speaks_of_what_it_is_for_and_of_nothing_beside_it(tmp_path: Path, name: str) -> None:
    for number, calls in enumerate((SPEAKS[name], QUIET[name])):
        fleet = Fleet(tmp_path / str(number))
        fleet.session("a", 0, *calls)
        fleet.store()
        connection = open_published(fleet.data)
        prepare(connection, Capabilities.load())
        assert matches(connection, RULES[name]).height == 1 - number, calls


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: Path(rule.file).stem)
def test_a_rule_says_what_a_reader_needs(rule) -> None:
    assert rule.description
    assert rule.level in LEVELS
    assert rule.techniques
    assert set(rule.techniques) <= set(techniques())


def test_every_rule_has_an_id_of_its_own() -> None:
    assert len({rule.id for rule in RULES.values()}) == len(RULES)
