"""Alerts against a real receiver on loopback that verifies every signature with the library."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from fleets import Fleet, call
from standardwebhooks.webhooks import Webhook

from detect.outbox import Delivery, deliver, raise_alerts
from detect.settings import Settings, SettingsTrouble, load_settings
from ingest.database import ask, open_published

SECRET = "whsec_" + base64.b64encode(b"custodiet-test-secret-of-32-byte").decode()


@dataclass
class Receiver:
    """What arrived and verified; `answers` are given in turn, then 200."""

    port: int = 0
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    attempts: list[str] = field(default_factory=list)
    taken: list[tuple[str, dict]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            Webhook(SECRET).verify(body.decode(), dict(self.headers))
            state.attempts.append(self.headers["webhook-id"])
            status, headers = state.answers.pop(0) if state.answers else (200, {})
            if status == 200:
                state.taken.append((self.headers["webhook-id"], json.loads(body)))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = server.server_port
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def settings(receiver: Receiver) -> Settings:
    url = f"http://127.0.0.1:{receiver.port}/hook/token-in-the-path"
    return Settings(webhook_url=url, webhook_secret=SECRET, link_base="https://soc.example/custodiet")  # type: ignore[arg-type]


@pytest.fixture
def judged(fleet: Fleet) -> Fleet:
    fleet.habit("triage", call("search_logs", target="siem-1"))
    fleet.session("triage", 7, call("delete_bucket", target="b1"))
    assert len(fleet.judge().cases) == 1
    return fleet


def send(fleet: Fleet, settings: Settings) -> Delivery:
    raise_alerts(fleet.data, open_published(fleet.data), settings)
    return deliver(fleet.data, settings)


def test_a_case_arrives_signed_with_a_link_to_its_exact_step(
    judged: Fleet, receiver: Receiver, settings: Settings
) -> None:
    assert send(judged, settings) == Delivery(1, 0, ())
    ((_, body),) = receiver.taken
    (case,) = ask(open_published(judged.data), "from cases").to_dicts()
    assert body["type"] == "case.created"
    data = body["data"]
    assert data["case_id"] == case["case_id"]
    assert data["link"] == f"https://soc.example/custodiet/replay?session={case['session_id']}&event={case['event_id']}"
    assert data["path"][-1]["source"].startswith("fleet.jsonl:")
    assert data["reasons"][0]["expected"].startswith("0 of 40 sessions")
    assert len(json.dumps(body)) < 20_000


def test_what_was_delivered_is_not_sent_again(judged: Fleet, receiver: Receiver, settings: Settings) -> None:
    send(judged, settings)
    assert send(judged, settings) == Delivery(0, 0, ())
    assert len(receiver.attempts) == 1


def test_the_id_does_not_change_on_a_retry(judged: Fleet, receiver: Receiver, settings: Settings) -> None:
    receiver.answers += [(503, {"retry-after": "0"}), (429, {})]
    assert send(judged, settings).delivered == 1
    assert len(receiver.attempts) == 3
    assert len(set(receiver.attempts)) == 1
    assert "." not in receiver.attempts[0]


def test_what_is_refused_stays_for_the_next_run_under_the_same_id(
    judged: Fleet, receiver: Receiver, settings: Settings
) -> None:
    receiver.answers += [(400, {})]
    first = send(judged, settings)
    assert (first.delivered, first.pending, first.errors) == (0, 1, ("webhook: the receiver answered 400",))
    assert send(judged, settings).delivered == 1
    assert len(set(receiver.attempts)) == 1


def test_a_redirect_is_not_followed(judged: Fleet, receiver: Receiver, settings: Settings) -> None:
    receiver.answers += [(302, {"location": f"http://127.0.0.1:{receiver.port}/elsewhere"})]
    assert send(judged, settings).pending == 1
    assert len(receiver.attempts) == 1


def test_a_case_that_grows_is_an_update_with_its_own_id(judged: Fleet, receiver: Receiver, settings: Settings) -> None:
    send(judged, settings)
    judged.session(
        "triage", 7, call("delete_bucket", target="b1"), call("delete_bucket", target="b2"), name="triage-7-0"
    )
    judged.judge()
    assert send(judged, settings).delivered == 1
    (first, created), (second, updated) = receiver.taken
    assert first != second
    assert created["data"]["case_id"] == updated["data"]["case_id"]
    assert (updated["type"], updated["data"]["revision"]) == ("case.updated", 2)


def test_an_unreachable_receiver_shows_no_address_and_no_secret(judged: Fleet, settings: Settings, caplog) -> None:
    broken = settings.model_copy(
        update={"webhook_url": Settings(webhook_url="http://127.0.0.1:9/hook/tok").webhook_url}
    )  # type: ignore[arg-type]
    delivery = send(judged, broken)
    told = " ".join(delivery.errors) + caplog.text + repr(broken)
    assert delivery.pending == 1
    assert "cannot be reached" in told
    assert "127.0.0.1:9" not in told
    assert "hook/tok" not in told
    assert SECRET not in told


def test_nothing_is_raised_where_no_sink_is_set(judged: Fleet) -> None:
    assert send(judged, Settings()) == Delivery(0, 0, ())
    assert not (judged.data / "people.sqlite").exists()


def test_severity_keeps_the_lesser_cases_back(judged: Fleet, receiver: Receiver, settings: Settings) -> None:
    assert send(judged, settings.model_copy(update={"alert_severity": "high"})).delivered == 0
    assert receiver.attempts == []


def test_settings_come_from_the_file_and_the_environment_goes_over_it(tmp_path, monkeypatch) -> None:
    file = tmp_path / "custodiet.toml"
    file.write_text(f'webhook_url = "https://a.example/x"\nwebhook_secret = "{SECRET}"\nalert_severity = "high"\n')
    monkeypatch.setenv("CUSTODIET_CONFIG", str(file))
    monkeypatch.setenv("CUSTODIET_ALERT_SEVERITY", "low")
    settings = load_settings()
    assert settings.alert_severity == "low"
    assert settings.webhook_url is not None
    assert settings.webhook_url.get_secret_value() == "https://a.example/x"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('webhok_url = "x"', "webhok_url"),
        ('alert_severity = "loud"', "alert_severity"),
        ("not toml", "custodiet.toml"),
        ('webhook_url = "https://hidden.example/token"', "CUSTODIET_WEBHOOK_SECRET"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_and_its_value_is_not(
    tmp_path, monkeypatch, content: str, words: str
) -> None:
    file = tmp_path / "custodiet.toml"
    file.write_text(content)
    monkeypatch.setenv("CUSTODIET_CONFIG", str(file))
    with pytest.raises(SettingsTrouble, match=words) as trouble:
        load_settings()
    assert "hidden.example" not in str(trouble.value)
