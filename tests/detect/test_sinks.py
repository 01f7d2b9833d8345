"""Each sink against a double on loopback that checks its receiver's documented rules."""

from __future__ import annotations

import json
import re
import threading
import urllib.parse
from pathlib import Path

import pytest
from alerting import HOSTILE, NOON, alert, settings
from receivers import Receiver, Reply, Request

from detect.settings import Settings, all_sinks
from detect.sinks import Alert, Gone, Refused, Undelivered
from detect.sinks._bodies import encoded


def one(sink: str, table: str) -> Settings:
    return settings(f'[alerts]\nallow_networks = ["127.0.0.1/32"]\n[sinks.{sink}]\n{table}\n')


def send(configured: Settings, what: Alert) -> None:
    (target,) = configured.targets
    target.sink.send(what, target.settings, configured.network)


def test_every_sink_says_what_it_is_and_is_named_in_the_readme() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    for sink in all_sinks().values():
        assert sink.summary.endswith(".")
        assert f"`{sink.name}`" in readme


# Splunk HTTP Event Collector


class Splunk:
    """HEC: the token, one JSON object with an `event`, a channel where acknowledgement is on."""

    def __init__(self, *, acknowledges: bool = False, polls: int = 2) -> None:
        self.acknowledges, self.polls, self.asked, self.events = acknowledges, polls, 0, []

    def __call__(self, request: Request) -> Reply:
        if not (authorization := request.headers.get("authorization")):
            return Reply(401, body=b'{"text":"Token is required","code":2}')
        if authorization != "Splunk the-token":
            return Reply(403, body=b'{"text":"Invalid token","code":4}')
        path = urllib.parse.urlsplit(request.path)
        channel = request.headers.get("x-splunk-request-channel", "")
        if self.acknowledges and not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", channel):
            return Reply(400, body=b'{"text":"Data channel is missing","code":10}')
        if path.path == "/services/collector/ack":
            assert urllib.parse.parse_qs(path.query) == {"channel": [channel]}
            self.asked += 1
            return Reply(
                body=json.dumps({"acks": {str(n): self.asked > self.polls for n in request.json["acks"]}}).encode()
            )
        assert path.path == "/services/collector/event"
        if "event" not in request.json:
            return Reply(400, body=b'{"text":"Event field is required","code":12}')
        assert set(request.json) <= {"time", "host", "source", "sourcetype", "index", "event", "fields"}
        self.events.append(request.json)
        return Reply(body=b'{"text":"Success","code":0' + (b',"ackId":3}' if self.acknowledges else b"}"))


def test_splunk_takes_the_event_with_its_time_and_index() -> None:
    with Receiver(rule=(splunk := Splunk())) as receiver:
        send(one("splunk_hec", f'url = "{receiver.url}/"\ntoken = "the-token"\nindex = "soc"'), alert())
    assert receiver.broken == []
    (event,) = splunk.events
    assert (event["time"], event["index"], event["sourcetype"]) == (NOON, "soc", "custodiet:alert")
    assert event["event"]["data"]["alert_id"] == "5f0e9d0c-0001"


def test_splunk_is_believed_only_when_it_has_indexed() -> None:
    table = 'token = "the-token"\nacknowledged = true\nacknowledged_within_s = 1.0'
    with Receiver(rule=(splunk := Splunk(acknowledges=True))) as receiver:
        send(one("splunk_hec", f'url = "{receiver.url}"\n{table}'), alert())
    assert (splunk.asked, receiver.broken) == (3, [])
    with (
        Receiver(rule=Splunk(acknowledges=True, polls=99)) as receiver,
        pytest.raises(Undelivered, match="not indexed within 1 s"),
    ):
        send(one("splunk_hec", f'url = "{receiver.url}"\n{table}'), alert())
    with Receiver(rule=Splunk()) as receiver, pytest.raises(Undelivered, match="acknowledges nothing"):
        send(one("splunk_hec", f'url = "{receiver.url}"\n{table}'), alert())


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(403, body=b'{"text":"Invalid token","code":4}'), Undelivered),
        (Reply(503, body=b'{"text":"Server is busy","code":9}'), Undelivered),
        (Reply(400, body=b'{"text":"Incorrect index","code":7}'), Undelivered),
        (Reply(400, body=b'{"text":"Invalid data format","code":6}'), Refused),
        (Reply(500, body=b"not json"), Undelivered),
    ],
)
def test_splunk_codes_tell_what_may_be_tried_again(reply: Reply, error: type[Exception]) -> None:
    with Receiver(script=[reply]) as receiver, pytest.raises(error):
        send(one("splunk_hec", f'url = "{receiver.url}"\ntoken = "the-token"'), alert())


# PagerDuty Events v2


class PagerDuty:
    """Events API v2: required fields, their lengths and words; incidents by dedup key."""

    def __init__(self) -> None:
        self.open: dict[str, int] = {}

    def __call__(self, request: Request) -> Reply:
        event = request.json
        assert event["routing_key"] == "the-key"
        assert event["event_action"] in ("trigger", "acknowledge", "resolve")
        assert 0 < len(event["dedup_key"]) <= 255
        assert len(request.body) <= 512 * 1024
        assert set(event) <= {
            "routing_key",
            "event_action",
            "dedup_key",
            "payload",
            "images",
            "links",
            "client",
            "client_url",
        }
        if event["event_action"] == "trigger":
            payload = event["payload"]
            assert 0 < len(payload["summary"]) <= 1024
            assert payload["severity"] in ("critical", "error", "warning", "info")
            assert payload["source"]
            assert all(set(link) == {"href", "text"} for link in event.get("links", []))
            self.open[event["dedup_key"]] = self.open.get(event["dedup_key"], 0) + 1
        else:
            self.open.pop(event["dedup_key"], None)
        return Reply(202, body=b'{"status":"success"}')


def test_pagerduty_has_one_incident_a_case_and_it_is_resolved() -> None:
    with Receiver(rule=(pager := PagerDuty())) as receiver:
        configured = one("pagerduty", f'url = "{receiver.url}"\nrouting_key = "the-key"')
        send(configured, alert())
        send(configured, alert("updated", text=HOSTILE * 20))
        assert pager.open == {"custodiet-c1": 2}
        send(configured, alert("closed"))
        assert pager.open == {}
        assert receiver.broken == []
        receiver.script += [Reply(400), Reply(429, {"retry-after": "60"})]
        with pytest.raises(Refused):
            send(configured, alert())
        with pytest.raises(Undelivered) as later:
            send(configured, alert())
        assert later.value.after_s == 60


# Slack


def slack_rules(request: Request) -> Reply:
    """Incoming webhooks: block types and their limits; nothing that would mention or link but our own link."""
    message = request.json
    assert message["unfurl_links"] is False
    assert len(message["blocks"]) <= 50
    header, *sections = message["blocks"]
    assert header["text"]["type"] == "plain_text" and len(header["text"]["text"]) <= 150
    for section in sections:
        text = section["text"]
        assert text["type"] == "mrkdwn" and text["verbatim"] is True and len(text["text"]) <= 3000
        for special in re.findall(r"<[^>]*>", text["text"]):
            assert special.startswith("<https://soc.example/"), special
        assert text["text"].count("`") in (0, 2), "log content stays inside its code"
        assert not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e]", text["text"])
        assert not re.search(r"&(?!amp;|lt;|gt;)", text["text"]), "an escape is cut"
    assert "<" not in message["text"]
    return Reply(body=b"ok")


@pytest.mark.parametrize("text", ["delete_bucket on b1", HOSTILE, "&" * 4000, "`" * 50])
def test_slack_gets_blocks_in_which_log_content_mentions_nobody_and_links_nowhere(text: str) -> None:
    with Receiver(rule=slack_rules) as receiver:
        send(one("slack", f'url = "{receiver.url}/services/T/B/token"'), alert(text=text))
    assert receiver.broken == []
    said = json.dumps(receiver.taken[0].json)
    assert "<https://soc.example/replay?session=s1&amp;event=e1|The step in the investigator>" in said
    assert "expected: 0 of 40 sessions" in said or len(text) > 300


def test_slack_says_what_it_never_takes_and_when_the_channel_is_gone() -> None:
    for reply, error in (
        (Reply(400, body=b"invalid_blocks"), Refused),
        (Reply(410, body=b"channel_is_archived"), Gone),
    ):
        with Receiver(script=[reply]) as receiver, pytest.raises(error):
            send(one("slack", f'url = "{receiver.url}"'), alert())


# Microsoft Sentinel


class Sentinel:
    """Entra's token endpoint and the Logs Ingestion API on one port."""

    def __init__(self) -> None:
        self.tokens, self.rows, self.revoked = 0, [], set()

    def __call__(self, request: Request) -> Reply:
        if request.path == "/the-tenant/oauth2/v2.0/token":
            form = urllib.parse.parse_qs(request.body.decode())
            assert request.headers["content-type"] == "application/x-www-form-urlencoded"
            assert form == {"grant_type": ["client_credentials"], "client_id": ["the-app"],
                            "client_secret": ["a&b=c"], "scope": ["https://monitor.azure.com/.default"]}  # fmt: skip
            self.tokens += 1
            token = {"token_type": "Bearer", "expires_in": 3599, "access_token": f"token-{self.tokens}"}
            return Reply(body=json.dumps(token).encode())
        assert request.path == "/dataCollectionRules/dcr-1/streams/Custom-Custodiet_CL?api-version=2023-01-01"
        scheme, _, token = request.headers["authorization"].partition(" ")
        if scheme != "Bearer" or token in self.revoked or not token.startswith("token-"):
            return Reply(401)
        assert isinstance(request.json, list) and len(request.body) < 1_000_000
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", row["TimeGenerated"]) for row in request.json)
        self.rows += request.json
        return Reply(204)


def test_sentinel_asks_for_a_token_keeps_it_and_asks_again_when_it_is_revoked() -> None:
    with Receiver(rule=(azure := Sentinel())) as receiver:
        configured = one(
            "sentinel",
            f'endpoint = "{receiver.url}"\nlogin_url = "{receiver.url}"\nrule = "dcr-1"\nstream = "Custom-Custodiet_CL"\n'
            'tenant = "the-tenant"\nclient_id = "the-app"\nclient_secret = "a&b=c"',
        )
        send(configured, alert())
        send(configured, alert("closed"))
        assert azure.tokens == 1
        azure.revoked.add("token-1")
        with pytest.raises(Undelivered, match="401"):
            send(configured, alert())
        send(configured, alert())
    assert receiver.broken == []
    assert azure.tokens == 2
    assert [row["Kind"] for row in azure.rows] == ["created", "closed", "created"]


# JSON lines


def test_a_file_gets_a_line_a_revision_and_is_put_aside_when_it_is_full(tmp_path: Path) -> None:
    file = tmp_path / "alerts.jsonl"
    configured = one("jsonl", f'path = "{file}"\nmost_bytes = 100_000\nmost_files = 2')
    for _ in range(150):
        send(configured, alert())
    kept = sorted(tmp_path.glob("alerts.jsonl*"))
    assert [f.name for f in kept] == ["alerts.jsonl", "alerts.jsonl.1", "alerts.jsonl.2"]
    assert all(f.stat().st_size < 110_000 for f in kept)
    for each in kept:
        assert {json.loads(line)["class_uid"] for line in each.read_text().splitlines()} == {2004}
    assert file.stat().st_mode & 0o777 == 0o600


def test_half_a_line_that_a_kill_left_spoils_no_other(tmp_path: Path) -> None:
    file = tmp_path / "alerts.jsonl"
    file.write_bytes(b'{"half": ')
    send(one("jsonl", f'path = "{file}"'), alert())
    half, whole = file.read_bytes().splitlines()
    assert half == b'{"half": '
    assert json.loads(whole)["class_uid"] == 2004
    with pytest.raises(Undelivered, match="cannot be written"):
        send(one("jsonl", f'path = "{tmp_path}/nowhere/alerts.jsonl"'), alert())


def test_many_writers_of_one_file_spoil_no_line(tmp_path: Path) -> None:
    configured = one("jsonl", f'path = "{tmp_path}/alerts.jsonl"\nmost_bytes = 100_000\nmost_files = 9')
    threads = [threading.Thread(target=lambda: [send(configured, alert()) for _ in range(25)]) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = [line for file in tmp_path.glob("alerts.jsonl*") for line in file.read_bytes().splitlines()]
    assert len(lines) == 150
    assert all(json.loads(line)["class_uid"] == 2004 for line in lines)


# Apprise


def test_apprise_sends_plain_words_in_which_nothing_is_a_link_or_a_mention() -> None:
    pytest.importorskip("apprise", reason="the extra notify is not installed")
    with Receiver() as receiver:
        send(one("apprise", f'url = "json://127.0.0.1:{receiver.port}/token"'), alert(text=HOSTILE))
        (request,) = receiver.taken
        receiver.script.append(Reply(500))
        with pytest.raises(Undelivered, match="did not take it"):
            send(one("apprise", f'url = "json://127.0.0.1:{receiver.port}/token"'), alert())
    said = request.json["title"] + request.json["message"]
    assert "expected: 0 of 40 sessions" in said
    assert "https://evil" not in said
    assert not set(said.replace("[:]//", "")) & set("<>@`[]\x1b\u202e")
    assert said.count("https://") == 1
    with pytest.raises(Undelivered, match="does not know"):
        send(one("apprise", 'url = "nothing://x"'), alert())


@pytest.mark.parametrize("format", ["custodiet", "ocsf"])
@pytest.mark.parametrize("envelope", ["none", "cloudevents"])
def test_the_same_alert_is_the_same_bytes(format: str, envelope: str) -> None:
    assert encoded(alert(), format, envelope) == encoded(alert(), format, envelope)  # type: ignore[arg-type]
