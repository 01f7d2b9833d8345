"""Detectors on a registry: each fires where it says, and is quiet where it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fleets import Fleet, approval, call

from baseline.capability import Capabilities
from detect.registry import Registry, load
from detect.run import Detected, detect_in
from ingest.errors import Trouble

DAY = 7
USUAL = call("modify_firewall_rule", target="prod-fw-1")


def registry(fleet: Fleet, content: str) -> Registry:
    file = fleet.data.parent / "agents.toml"
    file.write_text(content)
    return load([file])


def of(detected: Detected, name: str) -> list:
    assert not detected.failed
    return [f for f in detected.found if f.detector.name == name]


OUTSIDE = "agent_acts_outside_its_registration"


@pytest.mark.parametrize(
    ("said", "step", "is_found"),
    [
        ('tools = ["siem_*"]', USUAL, True),
        ('tools = ["MODIFY_firewall_*"]', USUAL, False),
        ('targets = ["staging-*"]', USUAL, True),
        ('targets = ["prod-*"]', USUAL, False),
        ('targets = ["prod-*"]', call("modify_firewall_rule"), False),
        ('capabilities = ["credential"]', USUAL, True),
        ('principals = ["svc-fixer"]', USUAL | {"principal": "svc-admin"}, True),
        ('principals = ["svc-fixer"]', USUAL | {"principal": "svc-fixer"}, False),
        ('principals = ["svc-fixer"]', USUAL, False),
        ('principals = ["arn:aws:iam::123456789012:role/fixer"]',
         USUAL | {"principal": "arn:aws:sts::123456789012:assumed-role/fixer/run-1"}, False),
        ('tools = ["siem_*"]', USUAL | {"status": "denied"}, False),
        ('tools = ["siem_*"]', call("search_logs", target="siem-1"), False),
        ("", USUAL, False),
    ],
)  # fmt: skip
def test_a_privileged_step_is_held_against_what_its_agent_is_registered_for(
    fleet: Fleet, said: str, step: dict, is_found: bool
) -> None:
    fleet.session("fixer", DAY, step)
    found = of(fleet.judge(registry(fleet, f'[[agent]]\nid = "fixer"\n{said}\n')), OUTSIDE)
    assert bool(found) is is_found


def test_a_persons_yes_covers_a_tool_but_not_a_borrowed_principal(fleet: Fleet) -> None:
    known = registry(fleet, '[[agent]]\nid = "fixer"\ntools = ["siem_*"]\nprincipals = ["svc-fixer"]\n')
    fleet.session("fixer", DAY, approval(target="prod-fw-1"), USUAL | {"principal": "svc-fixer"})
    assert not of(fleet.judge(known), OUTSIDE)
    fleet.session("fixer", DAY + 1, approval(target="prod-fw-1"), USUAL | {"principal": "svc-admin"})
    (found,) = of(fleet.judge(known), OUTSIDE)
    assert "svc-admin is none of the principals" in found.finding.observed


def test_what_is_delegated_is_no_more_than_the_parent_and_the_human_may(fleet: Fleet) -> None:
    told = '[[agent]]\nid = "lead"\n{lead}\n[[agent]]\nid = "fixer"\ntargets = ["*"]\n[[human]]\nid = "ana"\n{ana}\n'
    handed = {"kind": "handoff", "operation": "handoff", "tool": None, "agent_id": "lead", "target": "fixer"}
    fleet.session("fixer", DAY, handed | {"on_behalf_of": "ana"}, USUAL)
    wide = registry(fleet, told.format(lead='targets = ["prod-*"]\ntools = ["delegate"]', ana='tools = ["modify_*"]'))
    assert not of(fleet.judge(wide), OUTSIDE)
    of_parent = registry(fleet, told.format(lead='targets = ["staging-*"]', ana=""))
    (found,) = of(detect_in(fleet.data, Capabilities.load(), registry=of_parent), OUTSIDE)
    assert "the targets of lead, an agent" in found.finding.expected
    assert [s.kind for s in found.finding.path] == ["handoff", "tool_call"]
    of_human = registry(fleet, told.format(lead="", ana='capabilities = ["read"]'))
    (found,) = of(detect_in(fleet.data, Capabilities.load(), registry=of_human), OUTSIDE)
    assert "the capabilities of ana, a person" in found.finding.expected


UNKNOWN = "agent_that_no_registry_knows"


@pytest.mark.parametrize(
    ("ids", "is_found"), [("abcd", True), ("a", False), ("abx", False)], ids=["covers", "one only", "another's"]
)
def test_an_unregistered_agent_is_found_where_the_registry_covers_its_log(
    fleet: Fleet, ids: str, is_found: bool
) -> None:
    for agent in "abcd":
        fleet.session(agent, 0, USUAL)
    fleet.session("shadow", DAY, USUAL)
    known = registry(fleet, "".join(f'[[agent]]\nid = "{id}"\n' for id in ids))
    assert [f.step.agent_id for f in of(fleet.judge(known), UNKNOWN)] == (["shadow"] if is_found else [])


def test_an_unregistered_agent_that_only_reads_is_quiet(fleet: Fleet) -> None:
    for agent in "abcd":
        fleet.session(agent, 0, USUAL)
    fleet.session("shadow", DAY, call("search_logs", target="siem-1"))
    assert not of(fleet.judge(registry(fleet, "".join(f'[[agent]]\nid = "{id}"\n' for id in "abcd"))), UNKNOWN)


OVER = "retired_identity_still_works"


@pytest.mark.parametrize(
    ("expires", "is_found"),
    [("2026-03-08", True), ("2026-03-09", False), ("2026-03-09T09:00:00", False), ("2026-03-09T08:59:59Z", True)],
)
def test_an_agent_whose_registration_is_over_and_still_acts_is_found(
    fleet: Fleet, expires: str, is_found: bool
) -> None:
    fleet.session("fixer", DAY, USUAL)
    found = of(fleet.judge(registry(fleet, f'[[agent]]\nid = "fixer"\nexpires = "{expires}"\n')), OVER)
    assert bool(found) is is_found
    assert all("fixer expired on 2026-03-0" in f.finding.expected for f in found)


HUMAN = "acts_for_another_human"


@pytest.mark.parametrize(
    ("person", "is_found"), [("eve@example.com", True), ("ANA@example.com", False), ("team-net", False), (None, False)]
)
def test_an_agent_that_acts_for_another_human_is_found(fleet: Fleet, person: str | None, is_found: bool) -> None:
    fleet.session("fixer", DAY, USUAL | {"on_behalf_of": person})
    known = registry(fleet, '[[agent]]\nid = "fixer"\nhuman = ["ana@example.com"]\nowner = "team-net"\n')
    assert bool(of(fleet.judge(known), HUMAN)) is is_found


def test_without_a_registry_none_of_them_speaks_and_another_registry_judges_anew(fleet: Fleet, tmp_path: Path) -> None:
    fleet.session("fixer", DAY, USUAL | {"on_behalf_of": "eve"})
    assert not fleet.judge().found
    content = '[[agent]]\nid = "fixer"\ntools = ["siem_*"]\nhuman = "ana"\nexpires = 2026-01-01\n'
    told = detect_in(fleet.data, Capabilities.load(), registry=registry(fleet, content))
    assert {f.detector.name for f in told.found} == {OUTSIDE, OVER, HUMAN}
    assert told.days_judged == 1
    assert detect_in(fleet.data, Capabilities.load(), registry=registry(fleet, content)).days_judged == 0


def test_the_settings_name_registries_and_a_run_uses_them(fleet: Fleet, monkeypatch, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from custodiet import app

    fleet.session("fixer", DAY, USUAL)
    fleet.judge()
    registry(fleet, '[[agent]]\nid = "fixer"\ntools = ["siem_*"]\n')
    settings = tmp_path / "custodiet.toml"
    settings.write_text(f'[detect]\nregistries = ["{tmp_path / "agents.toml"}"]\n')
    monkeypatch.setenv("CUSTODIET_CONFIG", str(settings))
    told = CliRunner().invoke(app, ["detect", "--data", str(fleet.data), "--json"])
    assert told.exit_code == 0, told.output
    assert OUTSIDE in {f["detector"] for f in json.loads(told.stdout)["findings"]}
    (tmp_path / "agents.toml").write_text('[[agent]]\nid = "fixer"\ntool = "x"\n')
    told = CliRunner().invoke(app, ["detect", "--data", str(fleet.data)])
    assert isinstance(told.exception, Trouble) and "did you mean 'tools'?" in str(told.exception)
