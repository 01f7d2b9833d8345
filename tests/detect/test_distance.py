"""The distance to the most privileged identities, before and after: shown, and used as impact alone."""

from __future__ import annotations

import json

import pytest
from fleets import Fleet, call

from detect.distance import Distances, Drop, nearest
from detect.memory import Habits
from detect.run import Detected
from detect.step import Step

LOOK = call("search_logs", target="siem-1")
ADMIN = "arn:aws:iam::123456789012:role/OrgAdmin"


def step(tool: str, capability: str, event: str = "e", **said: object) -> Step:
    empty = dict.fromkeys(Step.__struct_fields__, None) | {"previous_tool": "", "gives": False, "status": "ok"}
    named = {"event_id": event, "session_id": "s", "agent_id": "bot", "tool": tool, "capability": capability}
    arguments = said.pop("arguments", None)
    return Step(**(empty | named | said | {"arguments": json.dumps(arguments) if arguments else None}))  # type: ignore[arg-type]


def drops(*steps: Step, habits: Habits | None = None) -> list[tuple[str, int | None, int, str]]:
    distances, habits = Distances(), habits or Habits()
    for one in steps:
        distances.take(one, None, habits)
    return [(event, d.before, d.after, d.to) for event, d in distances.drops.items()]


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (step("assume_role", "credential", target=ADMIN), [("e", None, 1, "OrgAdmin")]),
        (step("get_secret_value", "credential", target="prod/admin/password"), [("e", None, 1, "prod/admin/password")]),
        (step("run", "remote_execution", principal="arn:aws:sts::123456789012:assumed-role/OrgAdmin/x"),
         [("e", None, 1, "OrgAdmin")]),
        (step("attach_user_policy", "permission", arguments={"user_name": "bot", "policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
         [("e", None, 1, "AdministratorAccess")]),
        (step("add_user_to_group", "permission", arguments={"user": "bot", "group": "Domain Admins"}), [("e", None, 1, "Domain Admins")]),
        (step("add_user_to_group", "permission", arguments={"user": "eve", "group": "Domain Admins"}), []),
        (step("assume_role", "credential", target="arn:aws:iam::123456789012:role/reader"), []),
        (step("assume_role", "credential", target="arn:aws:iam::123456789012:role/AdminViewer"), []),
        (step("delete_access_key", "credential", target="admin"), []),
        (step("detach_user_policy", "permission", arguments={"user": "bot", "policy": "AdministratorAccess"}), []),
        (step("assume_role", "credential", target="root-cause-analysis"), []),
    ],
)  # fmt: skip
def test_what_brings_an_agent_to_an_administrator_and_what_does_not(one: Step, told: list) -> None:
    assert drops(one) == told


def test_a_way_over_others_is_counted_and_a_shorter_one_shortens_it() -> None:
    assert drops(
        step("attach_role_policy", "permission", "a", agent_id="iam", arguments={"role": "deploy", "policy": "admin"}),
        step("assume_role", "credential", "b", target="arn:aws:iam::123456789012:role/build"),
        step("add_member", "permission", "c", agent_id="iam", arguments={"member": "build", "role": "deploy"}),
        step("assume_role", "credential", "d", target="arn:aws:iam::123456789012:role/deploy"),
        step("assume_role", "credential", "e", target="arn:aws:iam::123456789012:role/deploy"),
        step("issue_token", "credential", "f", target="admin"),
    ) == [("d", 3, 2, "admin"), ("f", 2, 1, "admin")]


def test_who_gives_permissions_and_credentials_is_of_tier_0_by_what_it_did_on_the_days_before() -> None:
    habits = Habits()
    gives = [
        step("attach_policy", "permission", "a", agent_id="iam", principal="svc-iam"),
        step("create_access_key", "credential", "b", agent_id="iam", principal="svc-iam"),
    ]
    reads = step("get_secret_value", "credential", "c", target="svc-iam")
    assert drops(*gives, reads, habits=habits) == []
    habits.end_day(frozenset())
    assert drops(reads, habits=habits) == [("c", None, 1, "svc-iam")]


def test_a_path_tells_the_distance_before_its_first_step_and_at_its_nearest() -> None:
    path = [step("x", "write", event) for event in "abc"]
    told = nearest(path, {"a": Drop(4, 2, "admin"), "c": Drop(2, 1, "root"), "z": Drop(1, 0, "other")})
    assert told == Drop(4, 1, "root")
    assert str(told) == "1 step from root of the most privileged, 4 before"
    assert nearest(path, {}) is None


def switched(fleet: Fleet, role: str) -> Detected:
    fleet.habit("bot", LOOK)
    fleet.session(
        "bot", 7, call("assume_role", target=role, arguments=json.dumps({"role_arn": role})),
        call("run_remote_command", target="db-9", principal=role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/x"),
    )  # fmt: skip
    return fleet.judge()


def test_a_finding_tells_the_drop_and_weighs_more_by_impact_alone(fleet: Fleet, tmp_path) -> None:
    to_admin = [f for f in switched(fleet, ADMIN).found if f.detector.shows == "movement"]
    plain = switched(Fleet(tmp_path / "other"), "arn:aws:iam::123456789012:role/reader").found
    to_reader = [f for f in plain if f.detector.shows == "movement"]
    assert to_admin and len(to_admin) == len(to_reader)
    for admin, reader in zip(to_admin, to_reader, strict=True):
        assert admin.finding.observed.endswith(
            "1 step from OrgAdmin of the most privileged, no way there was known before"
        )
        assert "most privileged" not in reader.finding.observed
        assert (admin.impact, reader.impact) == (0.85, 0.75)
        assert (admin.finding.anomaly, admin.evidence) == (reader.finding.anomaly, reader.evidence)
