"""Receivers that misbehave in every way they know: everything arrives, and once in effect."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from email.utils import formatdate
from pathlib import Path

import pytest
from alerting import Clock, case, published, settings, webhook
from receivers import Receiver, Reply, Request

from detect.outbox import SCHEDULE_S, account, listed, retry, wait_s
from detect.outbox_raise import raise_alerts
from detect.outbox_send import deliver
from detect.people import people
from detect.settings import Settings
from detect.sinks import Sink, SinkSettings

ROOT = Path(__file__).parents[2]
HOUR, DAY = 3600.0, 86_400.0


def raised(data: Path, target: Settings, *names: str) -> None:
    raise_alerts(data, published(*(case(name) for name in names)), target, Clock())


def states(data: Path) -> list[str]:
    with people(data) as outbox:
        account(outbox)
        return sorted(row["state"] for row in listed(outbox))


def effects(receiver: Receiver) -> set[str]:
    """What a receiver has that drops doubles by their id."""
    return {request.headers["webhook-id"] for request in receiver.got}


def run_for(data: Path, target: Settings, clock: Clock, span_s: float, every_s: float = 900) -> None:
    """The schedule of a SOC: a delivery every quarter of an hour."""
    until = clock.now() + span_s
    while clock.now() < until:
        deliver(data, target, clock)
        clock.sleep(every_s)


@pytest.mark.parametrize(
    "bad",
    [
        Reply(500),
        Reply(429, {"retry-after": "7200"}),
        Reply(429, {"retry-after": "soon"}),
        Reply(302, {"location": "http://127.0.0.1:9/elsewhere"}),
        Reply(404),
        Reply(drops=True),
        Reply(hang_s=1.0),
        Reply(body=b"x" * 50, trickle_s=0.05),
    ],
    ids=["500", "429", "429-nonsense", "redirect", "404", "drops-half-way", "answers-after-the-timeout", "trickles"],
)
def test_what_was_not_taken_arrives_later_under_the_same_id(tmp_path: Path, bad: Reply) -> None:
    clock = Clock()
    with Receiver(script=[bad, bad]) as receiver:
        target = webhook(receiver.url, alerts="timeout_s = 0.4")
        raised(tmp_path, target, "a")
        first = deliver(tmp_path, target, clock)
        assert (first.delivered, first.untaken) == (0, 1)
        assert len(first.errors) == 1
        run_for(tmp_path, target, clock, 8 * HOUR)
        assert len(receiver.got) == 3
        assert len(effects(receiver)) == 1
    assert states(tmp_path) == ["delivered"]


def test_retry_after_is_heeded_as_seconds_and_as_a_date(tmp_path: Path) -> None:
    clock = Clock(at=time.time())
    with Receiver(script=[Reply(429, {"retry-after": "600"})]) as receiver:
        target = webhook(receiver.url)
        raised(tmp_path, target, "a", "b")
        deliver(tmp_path, target, clock)
        clock.sleep(590)
        deliver(tmp_path, target, clock)
        assert len(receiver.got) == 1, "the other alert waits too: it is the receiver that is busy"
        clock.sleep(20)
        deliver(tmp_path, target, clock)
        assert len(receiver.got) == 3
        receiver.script.append(Reply(503, {"retry-after": formatdate(clock.now() + 5000, usegmt=True)}))
    with Receiver(port=receiver.port, script=[Reply(503, {"retry-after": formatdate(time.time() + 5000)})]) as receiver:
        raise_alerts(tmp_path, published(case("c")), target, clock)
        deliver(tmp_path, target, clock)
        clock.sleep(4900)
        deliver(tmp_path, target, clock)
        assert len(receiver.got) == 1
        clock.sleep(200)
        deliver(tmp_path, target, clock)
        assert len(receiver.taken) >= 1


def test_a_receiver_that_is_down_for_three_days_gets_everything_once(tmp_path: Path) -> None:
    clock, names = Clock(), [str(n) for n in range(6)]
    with Receiver() as receiver:
        target = webhook(receiver.url)
    raised(tmp_path, target, *names)
    run_for(tmp_path, target, clock, 3 * DAY, every_s=HOUR)
    assert states(tmp_path) == ["pending"] * 6
    with Receiver(port=receiver.port) as receiver:
        run_for(tmp_path, target, clock, 1.5 * DAY, every_s=HOUR)
        assert len(receiver.taken) == len(effects(receiver)) == 6
    assert states(tmp_path) == ["delivered"] * 6


def test_the_schedule_ends_and_dead_letters_can_be_sent_again(tmp_path: Path) -> None:
    clock = Clock()
    with Receiver() as receiver:
        target = webhook(receiver.url)
    raised(tmp_path, target, "a")
    run_for(tmp_path, target, clock, 7 * DAY, every_s=HOUR)
    assert states(tmp_path) == ["dead"]
    with people(tmp_path) as outbox:
        (row,) = listed(outbox)
        assert row["attempts"] == len(SCHEDULE_S) + 1
        assert "cannot be reached" in row["why"]
        assert retry(outbox, clock.now(), ids=[row["alert_id"][:8]], sink=None) == 1
    with Receiver(port=receiver.port) as receiver:
        assert deliver(tmp_path, target, clock).delivered == 1
    assert states(tmp_path) == ["delivered"]


def test_the_waits_grow_with_a_jitter_that_is_the_ids_own() -> None:
    waits = [wait_s("some-id", attempts) for attempts in range(1, len(SCHEDULE_S) + 1)]
    assert waits == [wait_s("some-id", attempts) for attempts in range(1, len(SCHEDULE_S) + 1)]
    assert all(plain <= wait <= plain * 1.2 for plain, wait in zip(SCHEDULE_S, waits, strict=True))
    assert wait_s("some-id", len(SCHEDULE_S) + 1) is None
    assert sum(SCHEDULE_S[:-2]) > 3 * DAY
    assert len({wait_s(str(n), 3) for n in range(100)}) == 100


def test_410_disables_the_sink_and_a_person_enables_it(tmp_path: Path) -> None:
    clock = Clock()
    with Receiver(script=[Reply(410)]) as receiver:
        target = webhook(receiver.url)
        raised(tmp_path, target, "a", "b")
        told = deliver(tmp_path, target, clock)
        assert (told.dead, told.untaken) == (2, 2)
        assert "webhook: disabled, the receiver answered 410" in told.errors
        raise_alerts(tmp_path, published(case("a"), case("b"), case("c")), target, clock)
        deliver(tmp_path, target, clock)
        assert states(tmp_path) == ["dead"] * 3
        assert len(receiver.got) == 1
        with people(tmp_path) as outbox:
            assert retry(outbox, clock.now(), ids=[], sink="webhook") == 3
        assert deliver(tmp_path, target, clock).delivered == 3


def test_one_alert_that_a_receiver_chokes_on_does_not_hold_up_the_others(tmp_path: Path) -> None:
    poison = case("a")["case_id"]
    with Receiver(rule=lambda r: Reply(400 if r.json["data"]["case_id"] == poison else 200)) as receiver:
        target = webhook(receiver.url)
        raised(tmp_path, target, "a", "b", "c")
        assert deliver(tmp_path, target, Clock()).delivered == 2


def test_a_sink_that_hangs_does_not_hold_up_another(tmp_path: Path) -> None:
    served: list[str] = []

    def slow(request: Request) -> Reply:
        while len(served) < 2:
            time.sleep(0.01)
        return Reply()

    with Receiver(rule=slow) as hangs, Receiver(rule=lambda r: served.append(r.path) or Reply()) as quick:
        both = settings(
            '[alerts]\nallow_networks = ["127.0.0.1/32"]\n'
            f'[sinks.a]\nkind = "pagerduty"\nrouting_key = "k"\nurl = "{hangs.url}"\n'
            f'[sinks.b]\nkind = "pagerduty"\nrouting_key = "k"\nurl = "{quick.url}"\n'
        )
        raised(tmp_path, both, "a", "b")
        assert deliver(tmp_path, both, Clock()).delivered == 4


def test_a_sink_that_breaks_costs_itself_and_its_alert_waits(tmp_path: Path, caplog) -> None:
    def broken(alert: object, settings: object, network: object) -> None:
        raise KeyError("a fault of the sink")

    with Receiver() as receiver:
        target = webhook(receiver.url)
        breaks = target.targets[0].__class__("broken", Sink("broken", "", SinkSettings, lambda a, s: b"", broken),
                                             SinkSettings())  # fmt: skip
        both = Settings(target.sections, (*target.targets, breaks))
        raised(tmp_path, both, "a")
        told = deliver(tmp_path, both, Clock())
    assert told.delivered == 1
    assert told.errors == ("broken: the sink broke (KeyError)",)
    assert states(tmp_path) == ["delivered", "pending"]


def test_two_deliveries_at_once_send_nothing_twice(tmp_path: Path) -> None:
    with Receiver(rule=lambda r: Reply(hang_s=0.05)) as receiver:
        target = webhook(receiver.url)
        raised(tmp_path, target, *map(str, range(10)))
        script = (
            "import sys; sys.path.insert(0, 'tests')\nfrom pathlib import Path\nfrom alerting import Clock, webhook\n"
            "from detect.clock import WALL\nfrom detect.outbox_send import deliver\n"
            f"deliver(Path({str(tmp_path)!r}), webhook({receiver.url!r}), WALL, patience_s=20)\n"
        )
        children = [subprocess.Popen([sys.executable, "-c", script], cwd=ROOT) for _ in range(2)]
        assert [child.wait() for child in children] == [0, 0]
        assert len(receiver.got) == len(effects(receiver)) == 10
    assert states(tmp_path) == ["delivered"] * 10


def test_alerts_for_a_sink_that_is_not_set_any_more_are_told(tmp_path: Path) -> None:
    raised(tmp_path, webhook("https://192.0.2.1/x", name="old"), "a")
    told = deliver(tmp_path, settings(""), Clock())
    assert told.errors == ("old: 1 alerts wait for a sink that the settings do not name",)


def test_killed_in_the_middle_of_delivering_nothing_is_lost_and_doubles_have_one_id(tmp_path: Path) -> None:
    drawn = random.Random(7)
    with Receiver(rule=lambda r: Reply(hang_s=drawn.random() * 0.03)) as receiver:
        target = webhook(receiver.url)
        raised(tmp_path, target, *map(str, range(40)))
        script = (
            "import sys; sys.path.insert(0, 'tests')\nfrom pathlib import Path\nfrom alerting import webhook\n"
            "from detect.clock import WALL\nfrom detect.outbox_send import deliver\nprint('go', flush=True)\n"
            f"deliver(Path({str(tmp_path)!r}), webhook({receiver.url!r}), WALL)\n"
        )
        for _ in range(4):
            child = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE)
            assert child.stdout is not None and child.stdout.readline() == b"go\n"
            time.sleep(0.05 + drawn.random() * 0.25)
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            child.stdout.close()
            states(tmp_path)  # the account holds after every kill
        deliver(tmp_path, target, Clock(at=time.time()))
        assert len(effects(receiver)) == 40
        assert len({(r.headers["webhook-id"], r.body) for r in receiver.got}) == 40
    assert states(tmp_path) == ["delivered"] * 40
