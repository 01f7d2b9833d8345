"""Ways that lead from one credential, host or text to the next, and what speaks for a step: found and quiet."""

from __future__ import annotations

import json

import pytest
from fleets import Fleet, approval, call

from detect.run import Detected

DAY = 7
OWN = "AKIATRIAGE00EXAMPLE0"
KEY = "AKIAQ7EXAMPLE00NEWK0"


def fired(detected: Detected) -> set[str]:
    assert not detected.failed
    return {f.detector.name for f in detected.found}


def look(**fields: object) -> dict[str, object]:
    return call("search_logs", target="siem-1", **fields)


def told(**values: object) -> str:
    return json.dumps(values)


def shell(target: str, **fields: object) -> dict[str, object]:
    return call("run_remote_command", target=target, **fields)


# credential_of_another_agent


def secret_handed_on(fleet: Fleet, *, target: str = "host-1", yes: bool = False, habit: bool = False) -> Detected:
    """`keeper` reads a secret that it never read; `medic` uses it where it always works."""
    read = call("get_secret_value", target="db/root", result=told(access_key_id=KEY))
    fleet.habit("keeper", call("get_secret_value", target="db/usual", result=told(version="1")))
    fleet.habit("medic", look(), shell("host-1"))
    use = shell(target, credential_id=KEY)
    if habit:
        fleet.session("keeper", 5, approval(target="db/root"), read)
        fleet.session("medic", 5, approval(target=target), use, minute=300)
    fleet.session("keeper", DAY, read)
    fleet.session("medic", DAY, look(), *([approval(target=target)] if yes else []), use, minute=60)
    return fleet.judge()


def test_a_secret_that_one_agent_read_and_another_used_where_it_always_works_is_found(fleet: Fleet) -> None:
    detected = secret_handed_on(fleet)
    (found,) = (f for f in detected.found if f.detector.name == "credential_of_another_agent")
    assert [step.agent_id for step in found.finding.path] == ["keeper", "medic"]


@pytest.mark.parametrize("how", [{"yes": True}, {"habit": True}], ids=["approved", "as on an approved day before"])
def test_a_secret_handed_on_is_quiet_where_a_person_let_it(fleet: Fleet, how: dict) -> None:
    assert "credential_of_another_agent" not in fired(secret_handed_on(fleet, **how))


def test_a_key_that_a_rotation_renews_for_its_holder_is_quiet(fleet: Fleet) -> None:
    rotate = call("rotate_credentials", target="svc-medic", result=told(access_key_id=KEY))
    fleet.habit("rotator", call("rotate_credentials", target="svc-medic", result=told(status="ok")))
    fleet.habit("medic", look(credential_id=OWN), shell("host-1", credential_id=OWN))
    fleet.session("rotator", DAY, rotate)
    fleet.session("medic", DAY, look(credential_id=KEY), shell("host-1", credential_id=KEY), minute=60)
    assert fleet.judge().cases == []


def test_with_a_held_key_only_the_first_ordinary_step_counts(fleet: Fleet) -> None:
    fleet.habit("keeper", call("get_secret_value", target="db/usual", result=told(version="1")))
    fleet.habit("medic", look())
    fleet.session("keeper", DAY, call("get_secret_value", target="db/root", result=told(access_key_id=KEY)))
    fleet.session("medic", DAY, *(look(credential_id=KEY) for _ in range(5)), minute=60)
    found = [f for f in fleet.judge().found if f.detector.name == "credential_of_another_agent"]
    assert len(found) <= 1


# role_taken_with_a_taken_role


def assume(role: str, key: str, using: str | None = None, **fields: object) -> dict[str, object]:
    return call("assume_role", target=role, credential_id=using, result=told(AccessKeyId=key), **fields)


def roles(fleet: Fleet, *, chains: bool, second: str = "role/second", yes: bool = False) -> Detected:
    for day in range(6):
        for number in range(6):
            first, then = f"ASIAUSUAL{day}{number}EXAMPLE00", f"ASIATHEN0{day}{number}EXAMPLE00"
            fleet.session(
                "cloud", day,
                approval(target="role/usual"), assume("role/usual", first),
                *([approval(target="role/second"), assume("role/second", then, first)] if chains else []),
                minute=number * 30,
            )  # fmt: skip
    fleet.session(
        "cloud", DAY, assume("role/usual", "ASIAFIRSTKEYEXAMPLE0"), *([approval(target=second)] if yes else []),
        assume(second, "ASIASECONDKEYEXAMPLE", "ASIAFIRSTKEYEXAMPLE0"),
    )  # fmt: skip
    return fleet.judge()


def test_a_chain_of_roles_that_is_longer_than_ever_is_found(fleet: Fleet) -> None:
    assert "role_taken_with_a_taken_role" in fired(roles(fleet, chains=False))


@pytest.mark.parametrize("how", [{"chains": True}, {"chains": False, "yes": True}], ids=["as ever", "approved"])
def test_a_chain_of_roles_is_quiet(fleet: Fleet, how: dict) -> None:
    assert "role_taken_with_a_taken_role" not in fired(roles(fleet, **how))


# command_on_one_host_named_the_next


@pytest.mark.parametrize(
    ("command", "agent", "is_found"),
    [
        ("uptime; ssh ops@erp-app-0580 hostname", "medic", True),
        ("uptime; ssh ops@erp-app-0580 hostname", "other", True),
        ("uptime", "medic", False),
    ],
    ids=["one agent", "two agents", "no host named"],
)
def test_a_command_that_names_the_next_host_is_a_way(fleet: Fleet, command: str, agent: str, is_found: bool) -> None:
    for name in ("medic", "other"):
        fleet.habit(name, look(), shell("host-1"))
    fleet.session("medic", DAY, shell("web-gw-0017", arguments=told(command=command)))
    fleet.session(agent, DAY, shell("erp-app-0580"), minute=60)
    found = [f for f in fleet.judge().found if f.detector.name == "command_on_one_host_named_the_next"]
    assert [len(f.finding.path) for f in found] == ([2] if is_found else [])


def test_a_host_that_a_command_named_is_quiet_with_a_persons_yes(fleet: Fleet) -> None:
    fleet.habit("medic", look(), shell("host-1"))
    fleet.session("medic", DAY, shell("web-gw-0017", arguments=told(command="ssh ops@erp-app-0580 hostname")))
    fleet.session("medic", DAY, approval(target="erp-app-0580"), shell("erp-app-0580"), minute=60)
    assert "command_on_one_host_named_the_next" not in fired(fleet.judge())


# weakened_then_acted


@pytest.mark.parametrize(
    ("steps", "is_found"),
    [
        ([call("stop_logging", target="trail-1"), shell("host-9")], True),
        ([shell("host-9"), call("stop_logging", target="trail-1")], False),
        ([call("stop_logging", target="trail-1"), shell("host-1")], False),
        ([approval(target="trail-1"), call("stop_logging", target="trail-1"), shell("host-9")], False),
    ],
    ids=["then somewhere new", "before", "then the usual", "approved"],
)
def test_work_after_a_weakened_defence(fleet: Fleet, steps: list, is_found: bool) -> None:
    fleet.habit("medic", look(), shell("host-1"))
    fleet.session("medic", DAY, look(), *steps)
    assert ("weakened_then_acted" in fired(fleet.judge())) is is_found


# identity_gives_itself_rights


@pytest.mark.parametrize(
    ("subject", "yes", "is_found"),
    [("app-runner", False, True), ("somebody", False, False), ("app-runner", True, False)],
)
def test_rights_for_the_identity_that_one_acts_as(fleet: Fleet, subject: str, yes: bool, is_found: bool) -> None:
    fleet.habit("deploy", look(), call("create_token", target="cluster-1", result=told(version="1")))
    token = "tok-46fab08b5d4c3f29"
    fleet.session(
        "deploy", DAY,
        call("create_token", target="cluster-2", arguments=told(service_account="app-runner"),
             result=told(token_id=token)),
        *([approval(target="cluster-2")] if yes else []),
        call("bind_role", target="cluster-2", credential_id=token, arguments=told(subject=subject, role="admin")),
    )  # fmt: skip
    assert ("identity_gives_itself_rights" in fired(fleet.judge())) is is_found


# new_key_used_from_a_new_place, acts_from_a_new_place


@pytest.mark.parametrize(("place", "is_found"), [("198.51.100.7", True), ("10.0.0.3", False)])
def test_a_new_key_from_a_place_where_nobody_acted(fleet: Fleet, place: str, is_found: bool) -> None:
    for number in range(25):
        fleet.session("medic", number % 5, look(), shell("host-1"), minute=number * 10, source_host=f"10.0.0.{number}")
    fleet.habit("rotator", call("create_access_key", target="svc-1"), source_host="10.0.0.1")
    mint = call("create_access_key", target="svc-2", result=told(access_key_id=KEY))
    fleet.session("rotator", DAY, mint, source_host="10.0.0.1")
    use = call("get_secret_value", target="db/root", credential_id=KEY)
    fleet.session("svc-2", DAY, use, minute=60, source_host=place)
    assert ("new_key_used_from_a_new_place" in fired(fleet.judge())) is is_found


@pytest.mark.parametrize(("place", "is_found"), [("198.51.100.7", True), ("10.0.0.1", False)])
def test_an_identity_of_one_place_that_acts_from_another(fleet: Fleet, place: str, is_found: bool) -> None:
    fleet.habit("medic", look(), shell("host-1"), source_host="10.0.0.1")
    fleet.session("medic", DAY, look(), shell("host-1"), source_host=place)
    detected = fleet.judge()
    assert ("acts_from_a_new_place" in fired(detected)) is is_found
    assert ("steady_identity_in_a_new_place" in fired(detected)) is is_found
    assert len(detected.cases) == is_found, "one of the two supports the case that the other one raises"


# identity_where_a_secret_was_read


@pytest.mark.parametrize(
    ("place", "minute", "secret", "yes", "is_found"),
    [
        ("10.0.0.1", 60, "db/root", False, True),
        ("10.0.0.2", 60, "db/root", False, False),
        ("10.0.0.1", 30 * 60, "db/root", False, False),
        ("10.0.0.1", 60, "db/usual", False, False),
        ("10.0.0.1", 60, "db/root", True, False),
    ],
    ids=["there", "in its own place", "more than a day later", "a secret as ever", "approved"],
)
def test_an_identity_that_acts_where_another_agent_read_a_secret(
    fleet: Fleet, place: str, minute: int, secret: str, yes: bool, is_found: bool
) -> None:
    fleet.habit("keeper", look(), call("get_secret_value", target="db/usual"), source_host="10.0.0.1")
    fleet.habit("payroll", look(), source_host="10.0.0.2")
    allowed = [approval(target=secret)] if yes else []
    fleet.session("keeper", DAY, *allowed, call("get_secret_value", target=secret), source_host="10.0.0.1")
    fleet.session("payroll", DAY, look(), source_host=place, minute=minute)
    assert ("identity_where_a_secret_was_read" in fired(fleet.judge())) is is_found


@pytest.mark.parametrize(("secret", "is_found"), [("crm/payroll", True), ("crm/other", False)])
def test_an_identity_that_nobody_saw_is_known_by_the_name_of_its_secret(
    fleet: Fleet, secret: str, is_found: bool
) -> None:
    fleet.habit("keeper", look(), call("get_secret_value", target="db/usual"), source_host="10.0.0.1")
    fleet.session("keeper", DAY, call("get_secret_value", target=secret), source_host="10.0.0.1")
    fleet.session("user/payroll", DAY, look(), source_host="10.0.0.1", minute=60)
    assert ("identity_where_a_secret_was_read" in fired(fleet.judge())) is is_found


def test_a_role_that_is_taken_and_used_in_one_place_is_no_stranger_there(fleet: Fleet) -> None:
    role, key = "arn:aws:iam::123456789012:role/payroll", "ASIAPAYROLL0EXAMPLE0"
    taken = call("sts:AssumeRole", target=role, result=told(access_key_id=key, expiration="2026-03-30T00:00:00Z"))
    fleet.habit("keeper", look(), call("get_secret_value", target="db/usual"), source_host="10.0.0.1")
    fleet.habit(role, look(), source_host="10.0.0.2")
    fleet.session("keeper", DAY, call("get_secret_value", target="db/root"), taken, source_host="10.0.0.1")
    fleet.session(role, DAY, look(), source_host="10.0.0.1", minute=60, credential_id=key)
    assert "identity_where_a_secret_was_read" not in fired(fleet.judge())


# role_given_to_what_runs_then_acted


@pytest.mark.parametrize(
    ("gave_it_before", "yes", "is_found"),
    [(False, False, True), (True, False, False), (False, True, False)],
    ids=["for the first time", "as ever", "approved"],
)
def test_a_role_that_a_pipeline_was_given_and_that_acts(
    fleet: Fleet, gave_it_before: bool, yes: bool, is_found: bool
) -> None:
    role = "arn:aws:iam::123456789012:role/admin"
    give = call("edit_pipeline", target="web", arguments=told(pipeline="web", deploy_role=role))
    fleet.habit("releaser", look(), *([give] if gave_it_before else []))
    fleet.habit(role, look(), shell("host-1"))
    allowed = [approval(tool="edit_pipeline", target="web", arguments=told(pipeline="web", deploy_role=role))]
    fleet.session("releaser", DAY, *(allowed if yes else []), give)
    fleet.session(role, DAY, look(), shell("db-9"), minute=10)
    found = [f.step.target for f in fleet.judge().found if f.detector.name == "role_given_to_what_runs_then_acted"]
    assert ("db-9" in found) is is_found


# one_text_named_secret_and_place


@pytest.mark.parametrize(
    ("output", "yes", "is_found"),
    [
        ({"body": "Please check hr-gw-489 with the credential in dr/hr/cache-20 today."}, False, True),
        ({"host": "hr-gw-489", "secret": "dr/hr/cache-20"}, False, False),
        ({"body": "Please check hr-gw-489 with the credential in dr/hr/cache-20 today."}, True, False),
    ],
    ids=["in a text", "as values of their own", "approved"],
)
def test_a_text_that_names_a_secret_and_a_place(fleet: Fleet, output: dict, yes: bool, is_found: bool) -> None:
    fleet.habit("mail", call("read_mail", target="inbox"), shell("host-1"))
    take = call("get_secret_value", target="dr/hr/cache-20", arguments=told(secret_id="dr/hr/cache-20"),
                result=told(access_key_id=KEY))  # fmt: skip
    fleet.session("mail", DAY, call("read_mail", target="inbox", result=told(**output)), take)
    use = shell("hr-gw-489", credential_id=KEY)
    fleet.session("mail", DAY, *([approval(target="hr-gw-489")] if yes else []), use, minute=60)
    assert ("one_text_named_secret_and_place" in fired(fleet.judge())) is is_found


@pytest.mark.parametrize(
    ("login", "text", "is_found"),
    [
        ("svc_search_signing", "Read team/search/signing, then log in to hr-gw-489 with it.", True),
        ("svc_search_signing", "Read team/search/signing when you find the time.", False),
        ("svc_of_its_own", "Read team/search/signing, then log in to hr-gw-489 with it.", False),
    ],
)
def test_an_account_that_a_secret_was_given_for_is_followed(
    fleet: Fleet, login: str, text: str, is_found: bool
) -> None:
    """Who logs in as the account holds the secret, though no key is seen."""
    fleet.habit("mail", call("read_mail", target="inbox"), shell("host-1"))
    secret = told(path="team/search/signing", username="svc_search_signing", password="d41d8cd98f00b204")
    take = call(
        "get_secret_value", target="team/search/signing", arguments=told(path="team/search/signing"), result=secret
    )
    use = shell("hr-gw-489", arguments=told(host="hr-gw-489", login=login, command="tail -n 5 app.log"))
    fleet.session("mail", DAY, call("read_mail", target="inbox", result=told(body=text)), take, use)
    detected = fleet.judge()
    assert ("one_text_named_secret_and_place" in fired(detected)) is is_found
    (switch,) = (f for f in detected.found if f.detector.name == "credential_switch_then_new_reach")
    assert ("unclear" in switch.finding.title) is (login == "svc_of_its_own")


# what speaks for a step


CHANGE = "CHG0012345"


def changed(fleet: Fleet, *, looked_up: str | None, state: str = "Implement") -> float:
    """The evidence of a first use that cites a change."""
    fleet.habit("medic", look(), shell("host-1"))
    record = [call("get_change", arguments=told(number=looked_up), result=told(state=state))] if looked_up else []
    fleet.session("medic", DAY, *record, call("delete_bucket", target="b1", arguments=told(change=CHANGE)))
    (found,) = (f for f in fleet.judge().found if f.detector.name == "first_privileged_use")
    assert ("cites" in found.finding.observed) is (found.finding.share_after_excuse < 1)
    return found.evidence


def test_a_change_in_force_that_the_session_looked_up_speaks_for_a_step(fleet: Fleet, tmp_path) -> None:
    without = changed(fleet, looked_up=None)
    assert changed(Fleet(tmp_path / "cited"), looked_up=CHANGE) < without
    assert changed(Fleet(tmp_path / "another"), looked_up="CHG0099999") == without
    assert changed(Fleet(tmp_path / "closed"), looked_up=CHANGE, state="Closed") == without


def test_a_policy_speaks_for_what_it_let_through_before_and_covers_nothing(fleet: Fleet) -> None:
    def let(target: str) -> dict[str, object]:
        return approval(by="policy:standing", target=target, tool="run_remote_command", approval="automatic")

    fleet.habit("other", look())
    fleet.session("other", 0, let("host-2"), shell("host-2"), minute=300)
    fleet.habit("medic", look())
    fleet.session("medic", DAY, look(), let("host-9"), shell("host-9"))
    (found,) = (f for f in fleet.judge().found if f.detector.name == "first_privileged_use")
    assert "earlier sessions" in found.finding.observed
    assert found.finding.share_after_excuse < 1


# approvals by all that they say


@pytest.mark.parametrize(
    ("done", "is_quiet"),
    [
        ({"agent": "b1", "allow": ["backup", "cleanup"]}, True),
        ({"agent": "b1", "allow": ["backup", "*"]}, False),
        ({"agent": "b1", "allow": ["backup", "cleanup"], "reason": "said otherwise"}, True),
    ],
    ids=["the same list", "another member", "other words"],
)
def test_an_approval_is_for_every_member_of_a_list_and_for_no_wording(fleet: Fleet, done: dict, is_quiet: bool) -> None:
    fleet.habit("medic", look())
    said = told(agent="b1", allow=["backup", "cleanup"], reason="nightly")
    yes = approval(tool="delete_bucket", target="b1", arguments=said)
    fleet.session("medic", DAY, yes, call("delete_bucket", target="b1", arguments=told(**done)))
    assert (fired(fleet.judge()) == set()) is is_quiet


# credential_switch_then_new_reach: a role always acts as itself


@pytest.mark.parametrize(("took_it_before", "is_found"), [(False, True), (True, False)])
def test_a_role_that_many_take_is_new_to_who_never_took_it(fleet: Fleet, took_it_before: bool, is_found: bool) -> None:
    role, usual = "arn:aws:iam::123456789012:role/admin", "arn:aws:iam::123456789012:role/deploy"

    def take(name: str, key: str) -> dict[str, object]:
        given = {"credentials": {"accessKeyId": key, "expiration": "2026-03-30T00:00:00Z"}}
        return call("sts:AssumeRole", target=name, result=told(**given))

    def work(day: int, taker: str, name: str, key: str, host: str, minute: int) -> None:
        fleet.session(taker, day, look(), take(name, key), minute=minute)
        principal = name.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/" + taker
        fleet.session(name, day, shell(host), minute=minute + 3, principal=principal, credential_id=key)

    for day in range(6):
        for number in range(8):
            work(day, "operator", role, f"ASIAOPER{day}{number}EXAMPLE00", f"host-{number}", number * 60)
            named = role if took_it_before and number else usual
            work(day, "deployer", named, f"ASIADEPL{day}{number}EXAMPLE00", f"host-{number}", number * 60 + 20)
    work(DAY, "deployer", role, "ASIADEPLZZEXAMPLE000", "db-9", 60)
    assert ("credential_switch_then_new_reach" in fired(fleet.judge())) is is_found
