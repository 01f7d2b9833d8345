"""A case of very many findings is bounded, the same in a batch and live, whatever the order of arrival."""

from __future__ import annotations

import random

import msgspec
import pytest

from detect.cases import MOST_CARRIED, MOST_PATH, Found, build_cases
from detect.detectors import Detector, Finding, Shows
from detect.live.cases import LARGE, Cases
from detect.results import cases_table, findings_table
from detect.step import Step
from ingest.event import identify

HOUR_NS = 3_600_000_000_000


def step(number: int, session: str = "s", target: str | None = None) -> Step:
    return Step(
        event_id=identify("event", session, number), session_id=session, trace_id=session, parent_event_id=None,
        kind="tool_call", operation="execute_tool", tool="ssh", capability="remote_execution", agent_id="a",
        agent_version="", at_ns=number * 1_000_000_000, day=None, principal=None, credential_id=None,
        on_behalf_of=None, source_host=None, target=target, status="ok", approval=None, approver=None, source="f:1",
        arguments=None, result=None, gives=False,
    )  # fmt: skip


def detector(name: str, shows: Shows) -> Detector:
    return Detector(name, name, lambda *_: None, needs=(), techniques=(f"T-{name}",), shows=shows)


MOVES, NEW, HELPS = detector("moves", "movement"), detector("new", "novelty"), detector("helps", "support")


def found(by: Detector, number: int, evidence: float = 1.0, session: str = "s", impact: float = 0.5) -> Found:
    about = step(number, session)
    finding = Finding(title=by.name, observed="o", expected="e", anomaly=0.9, path=(about,), impact=impact)
    return Found(by, about, finding, evidence)


def many() -> list[Found]:
    """Three detectors of one session; the best and the gravest of each come late, the first is the weakest."""
    told = [found(MOVES, n, 1 + n % 7 / 10) for n in range(900)]
    told += [found(NEW, n, 0.5) for n in range(1_000)] + [found(NEW, 1_001, 3.0)]
    told += [found(HELPS, n, 0.1) for n in range(300)] + [found(HELPS, 1_002, 2.0)]
    return [found(MOVES, 0, 0.01), *told[1:], found(MOVES, 1_003, 0.02, impact=0.95)]


def test_what_makes_the_case_what_it_is_is_carried_and_the_rest_counted() -> None:
    told = many()
    (case,) = build_cases(told)
    assert (len(case.found), case.findings) == (MOST_CARRIED, len(told))
    assert len(set(case.finding_ids)) == len(told)
    assert case.case_id == identify("case", step(0).event_id)
    best = {name: max(f.evidence for f in told if f.detector.name == name) for name in ("moves", "new", "helps")}
    assert {name: max(f.evidence for f in case.found if f.detector.name == name) for name in best} == best
    assert max(f.impact for f in case.found) == 0.95
    whole = msgspec.structs.replace(case, found=tuple(sorted(told, key=lambda f: f.finding_id)), beyond=())
    assert (case.case_id, case.evidence, case.impact, case.severity) == (
        whole.case_id, whole.evidence, whole.impact, whole.severity,
    )  # fmt: skip


def test_its_path_is_bounded() -> None:
    told = []
    for n in range(50):
        f = found(MOVES, n * 64 + 63)
        path = tuple(step(n * 64 + m) for m in range(64))
        told.append(msgspec.structs.replace(f, finding=msgspec.structs.replace(f.finding, path=path)))
    (case,) = build_cases(told)
    assert MOST_PATH <= len(case.path) < MOST_PATH + 64


def test_the_tables_tell_of_all_and_say_which_are_only_counted() -> None:
    told = many()
    (case,) = build_cases(told)
    rows = findings_table(told, dict.fromkeys(case.finding_ids, case.case_id), set(case.beyond)).to_pylist()
    assert all(row["case_id"] == case.case_id for row in rows)
    assert sum(row["is_beyond"] for row in rows) == len(told) - MOST_CARRIED
    assert cases_table([case]).column("findings").to_pylist() == [len(told)]


@pytest.mark.parametrize("seed", range(3))
def test_live_comes_to_the_same_case_in_any_order(seed: int) -> None:
    told = many()
    by_event: dict[str, tuple[Found, ...]] = {}
    for f in told:
        by_event[f.step.event_id] = (*by_event.get(f.step.event_id, ()), f)
    events = sorted(by_event)
    random.Random(seed).shuffle(events)
    live = Cases()
    for at in range(0, len(events), 150):
        live.revise({event: by_event[event] for event in events[at : at + 150]}, everything=True)
    (case,) = build_cases(told)
    assert [c for _, c in live.items()] == [case]
    places = live.places(told)
    assert {i for i, (_, is_beyond) in places.items() if is_beyond} == set(case.beyond)


def test_a_group_that_has_grown_large_rests_and_holds_up_no_other() -> None:
    now = 0.0
    live = Cases(clock=lambda: now)
    live.revise({f.step.event_id: (f,) for f in (found(MOVES, n) for n in range(LARGE + 1))})
    more, other = found(MOVES, 5_000), found(MOVES, 1, session="other")
    changed = live.revise({more.step.event_id: (more,), other.step.event_id: (other,)})
    assert [case.findings for case in changed.values() if case is not None] == [1]
    assert live.is_behind
    now = 1e9
    (case,) = live.revise({}).values()
    assert case is not None and case.findings == LARGE + 2
    assert not live.is_behind


def test_a_finding_that_another_one_displaces_is_written_again() -> None:
    told = [found(MOVES, n, 1.0 + n / 10_000) for n in range(MOST_CARRIED + 1)]
    live = Cases()
    live.revise({f.step.event_id: (f,) for f in told})
    live.touched()
    heavy = found(MOVES, 5_000, 9.0)
    live.revise({heavy.step.event_id: (heavy,)})
    ((_, case),) = live.items()
    displaced = set(case.beyond) - {told[1].finding_id}
    assert displaced
    events = {f.step.event_id for f in told if f.finding_id in displaced}
    assert live.touched() == {heavy.step.event_id, *events}


def test_what_was_dropped_from_the_store_is_forgotten() -> None:
    live = Cases(found(MOVES, n, session=name) for name in ("old", "new") for n in range(3))
    gone = live.forget({"old"})
    assert len(gone) == 3
    assert [case.worst.step.session_id for _, case in live.items()] == ["new"]
    assert live.flagged == {"new"}
    assert live.revise({}) == {}
