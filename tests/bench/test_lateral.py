"""The figures of the lateral bench, on cases made by hand and once through the product."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fleets import Fleet, call

from bench._naive import naive_cases
from bench._ranked import DAY_NS, Case, found_at, measure
from bench._told import in_the_store
from bench.fleet.truth import Told
from ingest.database import ask, open_published


def told(chain: str, *sessions: str, day: int = 20, malicious: bool = True) -> Told:
    at_ns = day * DAY_NS
    return Told(chain, "kind", malicious, frozenset({"agent"}), frozenset(sessions), at_ns, at_ns + 1000)


def case(name: str, *sessions: str, day: int = 20, seconds: int = 60) -> Case:
    at_ns = day * DAY_NS + seconds * 1_000_000_000
    return Case(name, frozenset(sessions), at_ns, at_ns)


def test_the_budget_is_the_first_cases_of_each_day_and_all_compete() -> None:
    truth = [told("one", "s1"), told("two", "s2"), told("three", "s3", day=21)]
    cases = [case("a", "s1"), case("b", "s2"), case("c", "s3", day=21), case("d", "s9", day=21)]
    found = measure(cases, truth, 20, 21)
    assert found["recall_at_1_per_day"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["recall_at_5_per_day"] == 1
    assert found["ceiling_at_1_per_day"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["recall_alone_at_1_per_day"] == 1
    assert found["precision_at_5_per_day"] == 0.75
    assert found["average_precision"] == 1
    assert found["median_seconds_to_case"] == 60
    assert found["harmless_cases_per_day"] == 0.5
    assert found_at(cases, truth, 20, 21, 1) == {"one", "three"}


def test_a_harmless_case_above_costs_precision_and_the_first_place() -> None:
    truth = [told("one", "s1"), told("like", "s7", malicious=False)]
    found = measure([case("noise", "s7"), case("hit", "s1")], truth, 20, 20)
    assert found["recall_at_1_per_day"] == found["recall_alone_at_1_per_day"] == 0
    assert found["average_precision"] == 0.5
    assert found["look_alikes_raised_at_1_per_day"] == 1
    assert found["kinds"]["kind"]["raised"] == ["like"]


def test_the_same_agent_in_another_session_is_no_hit_nor_is_what_was_raised_before() -> None:
    truth = [told("one", "s1")]
    early = Case("early", frozenset({"s1"}), 20 * DAY_NS - 600_000_000_000, 20 * DAY_NS - 600_000_000_000)
    found = measure([case("other", "s2"), early], truth, 19, 20)
    assert found["recall_any"] == 0
    assert found["kinds"]["kind"]["unraised"] == ["one"]


def test_cases_of_the_history_are_counted_apart() -> None:
    found = measure([case("old", "s5", day=3), case("hit", "s1")], [told("one", "s1")], 20, 20)
    assert (found["cases"], found["cases_before_evaluation"]) == (1, 1)


def test_the_interval_holds_the_figure_and_is_the_same_twice() -> None:
    truth = [told(str(n), f"s{n}") for n in range(10)]
    cases = [case(str(n), f"s{n}") for n in range(6)]
    found, again = measure(cases, truth, 20, 20), measure(cases, truth, 20, 20)
    low, high = found["intervals"]["recall_at_9_per_day"]
    assert low < found["recall_at_9_per_day"] == 0.6 < high
    assert found == again


def test_a_budget_on_average_may_be_spent_on_the_day_that_needs_it() -> None:
    truth = [told("one", "s1"), told("two", "s2")]
    found = measure([case("a", "s1"), case("b", "s2"), case("c", "s9", day=21)], truth, 20, 21)
    assert found["recall_at_1_per_day"] == 0.5
    assert found["recall_on_average_at_1_per_day"] == 1


def test_a_truth_in_other_names_is_matched_and_counted(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    own = fleet.session(
        "triage", 4, call("search"), call("close"), name="known", principal="svc", credential_id="AKIA1"
    )
    fleet.store()
    connection = open_published(tmp_path)
    first_ns, last_ns = ask(
        connection, "select epoch_ns(min(started_at)) as f, epoch_ns(max(started_at)) as l from events"
    ).row(0)

    def as_told(*sessions: str, agents: frozenset[str] = frozenset(), late: int = 0) -> Told:
        return Told("c", "kind", True, agents, frozenset(sessions), first_ns + late, last_ns + late)

    found, counts = in_the_store([as_told(own), as_told("nobody", own)], connection)
    assert ([chain.sessions for chain in found], set(counts.values())) == ([{own}, {"nobody", own}], {0})
    for name in ("svc", "AKIA1"):
        found, counts = in_the_store([as_told(name)], connection)
        assert (found[0].sessions, counts["by_other_names"]) == ({own}, 1)
    found, counts = in_the_store([as_told("other", agents=frozenset({"triage"}))], connection)
    assert (found[0].sessions, counts["by_agent_and_time"]) == ({own}, 1)
    found, counts = in_the_store([as_told("svc", agents=frozenset({"triage"}), late=DAY_NS)], connection)
    assert (found[0].sessions, counts["not_in_logs"]) == ({"svc"}, 1)


def test_no_cases_and_no_chains_are_figures_too() -> None:
    assert measure([], [told("one", "s1")], 20, 20)["recall_at_5_per_day"] == 0
    assert measure([case("a", "s1")], [], 20, 20)["recall_at_5_per_day"] == 0


def test_the_naive_peer_raises_what_an_agent_never_did_and_is_quiet_on_habit(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    fleet.habit("triage", call("search"), call("close"), days=3)
    known = fleet.session("triage", 4, call("search"), call("close"), name="known")
    new = fleet.session("triage", 5, call("search"), call("open"), call("close"), name="new")
    fleet.store()
    cases = {case.id: case for case in naive_cases(open_published(tmp_path))}
    assert known not in cases
    assert cases[new].title.startswith("3 ")


def test_the_bench_runs_the_product_over_a_small_fleet(tmp_path: Path) -> None:
    options = ["--event-count", "4000", "--agents", "24", "--days", "7", "--attacks", "15", "--look-alikes", "15"]
    done = subprocess.run(
        [sys.executable, "-m", "bench.lateral", "--json", "--history-days", "4", "--scratch", str(tmp_path), *options],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    found = json.loads(done.stdout)
    for key in ("recall_at_1_per_day", "recall_at_5_per_day", "recall_at_9_per_day", "average_precision"):
        assert 0 <= found[key] <= 1
        assert key in found["intervals"] and key in found["naive"]
    assert found["rejected"] == found["unread"] == 0
    assert found["malicious_chains"] == found["look_alikes"] == 15
    assert sum(kind["chains"] for kind in found["kinds"].values()) == 15
