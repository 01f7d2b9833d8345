"""Alerts of a judged fleet against a real receiver on loopback that verifies every signature with the library."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest
from alerting import SECRET, Clock, webhook
from fleets import Fleet, call
from receivers import Receiver, Reply, Request
from standardwebhooks.webhooks import Webhook

from detect.outbox_raise import raise_alerts
from detect.outbox_send import Delivery, deliver
from detect.settings import Settings
from ingest.database import ask, open_published

OTHER_SECRET = "whsec_" + base64.b64encode(b"another-secret-that-is-32-bytes-").decode()


def verified(request: Request, secret: str = SECRET) -> Reply:
    Webhook(secret).verify(request.body.decode(), request.headers)
    assert "." not in request.headers["webhook-id"]
    assert len(request.body) < 20_000
    return Reply()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(rule=verified) as receiver:
        yield receiver
        assert receiver.broken == []


@pytest.fixture
def settings(receiver: Receiver) -> Settings:
    return webhook(f"{receiver.url}/hook/token-in-the-path", alerts='dashboard_url = "https://soc.example/custodiet/"')


@pytest.fixture
def judged(fleet: Fleet) -> Fleet:
    fleet.habit("triage", call("search_logs", target="siem-1"))
    fleet.session("triage", 7, call("delete_bucket", target="b1"))
    assert len(fleet.judge().cases) == 1
    return fleet


def send(fleet: Fleet, settings: Settings, patience_s: float = 0.0) -> Delivery:
    clock = Clock()
    raise_alerts(fleet.data, open_published(fleet.data), settings, clock)
    return deliver(fleet.data, settings, clock, patience_s)


def test_a_case_arrives_signed_with_a_link_to_its_exact_step(
    judged: Fleet, receiver: Receiver, settings: Settings
) -> None:
    assert send(judged, settings) == Delivery(delivered=1)
    (request,) = receiver.taken
    (case,) = ask(open_published(judged.data), "from cases").to_dicts()
    assert request.json["type"] == "case.created"
    data = request.json["data"]
    assert data["case_id"] == case["case_id"]
    assert data["link"] == f"https://soc.example/custodiet/replay?session={case['session_id']}&event={case['event_id']}"
    assert data["path"][-1]["source"].startswith("fleet.jsonl:")
    assert data["reasons"][0]["expected"].startswith("0 of 40 sessions")


def test_what_was_delivered_is_not_sent_again(judged: Fleet, receiver: Receiver, settings: Settings) -> None:
    send(judged, settings)
    assert send(judged, settings) == Delivery()
    assert len(receiver.got) == 1


def test_the_id_and_the_body_do_not_change_on_a_retry(judged: Fleet, receiver: Receiver, settings: Settings) -> None:
    receiver.script += [Reply(503, {"retry-after": "0"}), Reply(429)]
    assert send(judged, settings, patience_s=600).delivered == 1
    assert len(receiver.got) == 3
    assert len({request.headers["webhook-id"] for request in receiver.got}) == 1
    assert len({request.body for request in receiver.got}) == 1


def test_a_case_that_grows_is_an_update_with_its_own_id(judged: Fleet, receiver: Receiver, settings: Settings) -> None:
    send(judged, settings)
    judged.session(
        "triage", 7, call("delete_bucket", target="b1"), call("delete_bucket", target="b2"), name="triage-7-0"
    )
    judged.judge()
    assert send(judged, settings).delivered == 1
    first, second = receiver.taken
    assert first.headers["webhook-id"] != second.headers["webhook-id"]
    assert first.json["data"]["case_id"] == second.json["data"]["case_id"]
    assert (second.json["type"], second.json["data"]["revision"]) == ("case.updated", 2)


def test_while_a_secret_is_replaced_both_verify(judged: Fleet, receiver: Receiver) -> None:
    both = webhook(receiver.url, more=f'old_secret = "{OTHER_SECRET}"')
    assert send(judged, both).delivered == 1
    verified(receiver.taken[0], OTHER_SECRET)


def test_a_cloud_event_carries_an_ocsf_finding(judged: Fleet, receiver: Receiver) -> None:
    send(judged, webhook(receiver.url, more='format = "ocsf"\nenvelope = "cloudevents"'))
    (request,) = receiver.taken
    assert request.headers["content-type"] == "application/cloudevents+json"
    event = request.json
    assert event["specversion"] == "1.0"
    assert event["id"] == request.headers["webhook-id"] == event["data"]["metadata"]["uid"]
    assert event["type"] == "custodiet.case.created"
    assert event["subject"] == event["data"]["finding_info"]["uid"]
    assert event["data"]["class_uid"] == 2004


def test_an_unreachable_receiver_shows_no_address_and_no_secret(judged: Fleet, caplog) -> None:
    broken = webhook("http://127.0.0.1:9/hook/tok")
    delivery = send(judged, broken)
    told = " ".join(delivery.errors) + caplog.text + repr(broken)
    assert (delivery.pending, delivery.untaken) == (1, 1)
    assert "cannot be reached" in told
    assert "127.0.0.1:9" not in told
    assert "hook/tok" not in told
    assert SECRET not in told
    kept = b"".join(file.read_bytes() for file in judged.data.glob("people.sqlite*"))
    assert b"hook/tok" not in kept
    assert SECRET.encode() not in kept


def test_nothing_is_raised_where_no_sink_is_set(judged: Fleet) -> None:
    from alerting import settings

    assert send(judged, settings("")) == Delivery()
    assert not (judged.data / "people.sqlite").exists()


def test_severity_keeps_the_lesser_cases_back(judged: Fleet, receiver: Receiver) -> None:
    assert send(judged, webhook(receiver.url, more='severity = "high"')).delivered == 0
    assert receiver.got == []


def test_hostile_log_content_arrives_as_data_and_within_the_size(fleet: Fleet, receiver: Receiver, settings) -> None:
    hostile = '"},"type":"case.closed" \u202e\x1b]0;x\x07 <!channel> ' + "€" * 5000
    fleet.habit("triage", call("search_logs", target="siem-1"))
    fleet.session("triage", 7, call("delete_bucket", target=hostile), name=hostile)
    assert len(fleet.judge().cases) == 1
    assert send(fleet, settings).delivered == 1
    (request,) = receiver.taken
    body = json.loads(request.body)
    assert body["type"] == "case.created"
    assert body["data"]["path"][0]["target"].startswith(hostile[:20])
    assert body["data"]["is_shortened"] is True
    assert body["data"]["link"] == f"https://soc.example/custodiet/case?case={body['data']['case_id']}"
