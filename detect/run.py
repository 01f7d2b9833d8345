"""Events and counts -> findings and cases: the fleet's steps in time, a day judged by the days before it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache, partial
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb
import msgspec

import detect.detectors
from baseline.capability import Capabilities
from baseline.fold import classify_tools, counts_of_undated
from baseline.history import History
from baseline.pins import content_of
from detect.account import Account
from detect.asked import steps_and_decisions
from detect.borrowing import borrowed
from detect.budget import RaisedDay, days_of, held_back
from detect.cases import Case, Found, build_cases
from detect.causal import WINDOW_HOURS, CausalPass
from detect.collector import seldom_collected
from detect.continuing import (
    Day,
    Judged,
    Remembered,
    Stopped,
    code_version,
    is_kept,
    is_late,
    keep,
    where_it_stopped,
)
from detect.detectors import Detector, Finding
from detect.distance import nearest
from detect.evidence import Rates
from detect.facts import Facts
from detect.forgetting import is_forgotten
from detect.learning import Learning
from detect.registry import NO_REGISTRY, Registry
from detect.results import cases_table, could_fire_table, failed_table, findings_table
from detect.session_scores import found_by_score
from detect.step import Step
from detect.unmatched import unmatched
from detect.updates import after_update
from detect.verdicts import Tuning, tuning_of
from ingest.database import ask, open_published
from ingest.event import identify
from ingest.plugins import plugins
from ingest.published import editing, empty
from ingest.tables import UNMATCHED

if TYPE_CHECKING:
    from detect.sigma.rules import Rule

log = logging.getLogger(__name__)

_COUNT_FIELDS: Final = ("day", "agent_id", "agent_version", "aspect", "context", "value", "steps", "sessions")

_LAST: Final = "select cast(max(ordered_at) as date) from events"


@dataclass
class Detected:
    """One detection run."""

    cases: list[Case]
    found: list[Found]
    beside: list[Found] = field(default_factory=list)
    """Those of them that rules and the scores of whole sessions say, not a detector."""
    failed: dict[str, str] = field(default_factory=dict)
    """Detector -> why it broke; the others ran on."""
    judged: Judged = field(default_factory=Counter)
    """(detector, agent, what was missing or "") -> privileged steps."""
    unmatched: int = 0
    days_judged: int = 0
    """How many days this run judged itself; the others stood from earlier runs."""
    quiet: int = 0
    """Findings that verdicts keep out of every case."""
    days: tuple[RaisedDay, ...] = ()
    """Under a budget: each day with what was raised."""


@cache
def all_detectors() -> tuple[Detector, ...]:
    """Every detector in `detect/detectors/`, by name."""
    return tuple(plugins(detect.detectors, Detector))


def detect_in(
    data: Path,
    capabilities: Capabilities,
    *,
    window_hours: float = WINDOW_HOURS,
    cases_per_day: float | None = None,
    rules: Sequence[Rule] = (),
    registry: Registry = NO_REGISTRY,
    pin: str | None = None,
) -> Detected:
    """Judge what is new since the last run, and publish all findings and cases; under a budget only some are raised.

    With a pin every day is judged by that frozen baseline instead of by the days before it.
    """
    tuning = tuning_of(data)
    with editing(data) as edition, seldom_collected():
        connection = open_published(data)
        classify_tools(connection, capabilities)
        frozen = "" if pin is None else identify("pin", pin, content_of(connection, pin))
        version = f"{code_version()} {capabilities.version} {window_hours} {tuning.digest()} {registry.digest} {frozen}"
        stopped = where_it_stopped(connection, edition, version)
        run = _Run(connection, window_hours, stopped, tuning, registry, pin)
        detected = _completed(connection, run.detected(), rules, tuning)
        unknown = unmatched(connection, run.told)
        detected.unmatched = unknown.height
        case_of = {f: case.case_id for case in detected.cases for f in case.finding_ids}
        beyond = {f for case in detected.cases for f in case.beyond}
        edition.replace("findings", findings_table(detected.found, case_of, beyond))
        detected.days = days_of(connection, detected.cases, cases_per_day)
        edition.replace("cases", cases_table(detected.cases, held_back(detected.cases, detected.days)))
        edition.replace("reviewed", tuning.reviewed())
        edition.replace("could_fire", could_fire_table(detected.judged))
        edition.replace("unmatched", unknown.to_arrow().cast(UNMATCHED))
        edition.replace("failed", failed_table(detected.failed))
        # What a broken detector would have said is not known: the next run judges those days anew.
        keep(edition, stopped, [] if detected.failed else run.days, version)
        connection.close()
        edition.publish()
        return detected


def judge_all(
    connection: duckdb.DuckDBPyConnection,
    *,
    window_hours: float = WINDOW_HOURS,
    registry: Registry = NO_REGISTRY,
    pin: str | None = None,
) -> Detected:
    """Judge all days anew and publish nothing; the connection must have the table `classed`."""
    if pin is not None:
        content_of(connection, pin)
    run = _Run(connection, window_hours, Stopped([], Remembered(), empty("seen_segments")), Tuning(()), registry, pin)
    return _completed(connection, run.detected(), (), Tuning(()))


def _completed(
    connection: duckdb.DuckDBPyConnection, detected: Detected, rules: Sequence[Rule], tuning: Tuning
) -> Detected:
    """The detectors' findings with what rules and whole sessions' scores add, less what people called benign."""
    if rules:
        from detect.sigma.found import found_by_rules

        detected.beside = found_by_rules(connection, rules)
    raised = {s.session_id for f in (*detected.found, *detected.beside) if f.raises_case for s in f.finding.path}
    detected.beside += found_by_score(connection, raised)
    detected.found += detected.beside
    loud = [f for f in detected.found if not is_quiet(f, tuning)]
    detected.quiet = len(detected.found) - len(loud)
    if detected.beside or detected.quiet:
        detected.cases = build_cases(loud)
    return detected


def is_quiet(f: Found, tuning: Tuning) -> bool:
    """What a person called benign before is no news; the case that they said it of stays, closed."""
    step = f.step
    if tuning.is_told_of(step.session_id):
        return False
    said = tuning.quiet(f.detector.name, f.detector.shows, step.agent_id, step.tool, step.target, step.at_ns)
    return said is not None


class _Run:
    """One pass over the fleet's days, from where the last run stopped."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        window_hours: float,
        stopped: Stopped,
        tuning: Tuning,
        registry: Registry,
        pin: str | None = None,
    ) -> None:
        self._connection = connection
        self._pin = pin
        self._tuning = tuning
        self._learning = Learning(connection, pin, stopped.remembered.learnt)
        self._history = self._learning.history
        self._flagged: set[str] = set()
        self._result = Detected([], [])
        self._rates = Rates()
        self._stopped = stopped
        self.days: list[tuple[Day, Remembered]] = []
        """What this run judged, and what was remembered after each day."""
        if stopped.remembered.memory is None:
            self._causal = CausalPass(self._history, window_hours, registry=registry)
        else:
            self._causal = CausalPass.resume(stopped.remembered.memory, self._history, window_hours, registry)
            self._take_up(stopped)

    @property
    def told(self) -> Mapping[str, Mapping[str, int]]:
        """What tools showed whose names say nothing."""
        return self._causal.told

    def _take_up(self, stopped: Stopped) -> None:
        for day in stopped.days:
            self._add_day(day.day, found_in(day.found), day.judged)
            self._flagged.update(day.flagged)
        self._learning.unlearn_of_before(self._flagged, stopped.after)

    def detected(self) -> Detected:
        last: date | None = ask(self._connection, _LAST).item()
        steps = steps_and_decisions(self._connection, self._stopped.after)
        if self._stopped.days:
            steps = (step for step in steps if step.day is not None)
        for day, of_day in groupby(steps, key=attrgetter("day")):
            judge = self._undated if day is None else partial(self._dated, day)
            found, judged = judge(of_day)
            raised = {s.session_id for f in found if f.raises_case for s in f.finding.path}
            raised |= self._tuning.never
            flagged = {session for session in raised - self._flagged if not self._tuning.learnable(session)}
            self._flagged |= flagged
            self._learning.unlearn(flagged, day)
            self._causal.end_day(self._flagged)
            self._add_day(day, found, judged)
            self.days.append((Day(day, sorted(flagged), written(found), judged), self._remembered(day, last)))
        self._result.days_judged = len(self.days)
        self._result.cases = build_cases(self._result.found)
        return self._result

    def _remembered(self, day: date | None, last: date | None) -> Remembered:
        """What a later run may take up after this day."""
        memory = self._causal.state() if is_kept(day, last) else None
        return Remembered(memory, self._learning.state(day) if is_late(day, last) else None)

    def _add_day(self, day: date | None, found: list[Found], judged: Judged) -> None:
        self._result.found.extend(f for f in self._rates.weigh(found) if not is_forgotten(f))
        self._rates.add(day, (agent for _, agent, _ in judged), found)
        self._result.judged.update(judged)

    def _dated(self, day: date, steps: Iterable[Step]) -> tuple[list[Found], Judged]:
        self._learning.before(day)
        return self._judge_all(steps)

    def _judge_all(self, steps: Iterable[Step]) -> tuple[list[Found], Judged]:
        found: list[Found] = []
        account = Account(all_detectors())
        for step in steps:
            facts = self._causal.take(step)
            if facts is not None:
                found += judge(step, facts, self._history, self._result.failed, account)
        return found, account.told()

    def _undated(self, steps: Iterable[Step]) -> tuple[list[Found], Judged]:
        """Sessions without a time have no days before them: each is judged by all the others."""
        self._learning.before(None)
        counts = counts_of_undated(self._connection).select("session_id", *_COUNT_FIELDS)
        own = {key: list(rows) for key, rows in groupby(counts.iter_rows(), key=lambda row: row[0])}
        found: list[Found] = []
        judged: Judged = Counter()
        for session_id, of_session in groupby(steps, key=lambda step: step.session_id):
            mine = [row[1:] for row in own.get(session_id, [])]
            if self._pin is None:
                self._history.add(mine, sign=-1)
            more, counted = self._judge_all(of_session)
            if self._pin is None:
                self._history.add(mine)
            found += more
            judged.update(counted)
        return found, judged


def judge(step: Step, facts: Facts, history: History, failed: dict[str, str], account: Account) -> Iterator[Found]:
    """What the detectors say of one step. Who could judge it is counted in `account`; `failed` holds who broke."""
    for detector in account.ask(step, facts, failed):
        try:
            finding = detector.judge(step, facts, history)
        except Exception as error:  # the boundary: a broken detector costs itself, not the run
            log.exception("detector %s broke on %s", detector.name, step.source)
            failed[detector.name] = f"{type(error).__name__}: {error} (on {step.source})"
            continue
        if finding is None or (finding := borrowed(detector, finding, step, facts, history)) is None:
            continue
        finding = after_update(detector, finding, step, history)
        path = tuple(s.without_payload() for s in finding.path)
        finding = msgspec.structs.replace(finding, path=path)
        if (excuse := facts.excuse) is not None:
            finding = msgspec.structs.replace(
                finding, observed=f"{finding.observed}; {excuse.words}", share_after_excuse=excuse.weight
            )
        if (drop := nearest(path, facts.drops)) is not None:
            told, impact = f"{finding.observed}; {drop}", max(finding.impact, drop.impact)
            finding = msgspec.structs.replace(finding, observed=told, impact=impact)
        yield Found(detector, step.without_payload(), finding)


def written(found: list[Found]) -> bytes:
    """The findings of a judged day, for `found_in`."""
    return msgspec.msgpack.encode([(f.detector.name, f.step, f.finding) for f in found])


def found_in(written: bytes) -> list[Found]:
    """The findings of a judged day, without their evidence."""
    by_name = {detector.name: detector for detector in all_detectors()}
    told = msgspec.msgpack.decode(written, type=list[tuple[str, Step, Finding]])
    return [Found(by_name[name], step, finding) for name, step, finding in told]
