"""A budget of cases a day is kept, from earlier days alone, and hides nothing that must be seen."""

from __future__ import annotations

import json
import random
from datetime import date

import pytest
from fleets import Fleet, call
from typer.testing import CliRunner

from custodiet import app
from detect.budget import FIRST_BAR, LEAST_DAYS, Bar, Budget
from ingest.database import ask, open_published

KEY = '{"AccessKeyId": "AKIAQ7EXAMPLE00NEWK"}'
LOOK = call("search_logs", target="siem-1")


def simulated(seed: int, cases_per_day: float, *, growth: float = 0.0, ties: bool = False, before: int = 14) -> float:
    """Raised a day over 30 days: benign weights, few at weekends, a fleet that grows and weighs more each day."""
    chance = random.Random(seed)
    budget = Budget(cases_per_day)
    total = 0
    for day in range(before + 30):
        mean = 40 * (0.3 if day % 7 >= 5 else 1.0) * (1 + growth * day)
        weights = [
            chance.betavariate(2, 6) * (1 + growth * day) for _ in range(int(mean * 3)) if chance.random() < 1 / 3
        ]
        if ties:
            weights = [round(weight, 1) for weight in weights]
        hard = chance.random() < 0.2
        bar = budget.bar()
        raised = hard + sum(bar.admits(f"{seed}/{day}/{n}", weight) for n, weight in enumerate(weights))
        budget.close(weights, hard, raised)
        total += raised * (day >= before)
    return total / 30


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("growth", [0.0, 0.01])
@pytest.mark.parametrize("cases_per_day", [3, 5, 10])
def test_thirty_days_keep_the_budget_within_a_fifth(cases_per_day: int, growth: float, ties: bool) -> None:
    realised = [simulated(seed, cases_per_day, growth=growth, ties=ties) for seed in range(20)]
    kept = sum(0.8 * cases_per_day <= mean <= 1.2 * cases_per_day for mean in realised)
    assert kept >= 19, sorted(realised)


def test_the_first_week_has_the_bar_of_a_medium_case_and_says_so() -> None:
    budget = Budget(2)
    for _ in range(LEAST_DAYS):
        assert budget.bar() == Bar(FIRST_BAR, is_calibrated=False)
        budget.close([0.1] * 9, 0, 0)
    assert budget.bar().is_calibrated and budget.bar().weight == 0.1


def test_fewer_cases_than_the_budget_are_all_raised() -> None:
    budget = Budget(5)
    for _ in range(10):
        budget.close([0.05, 0.3], 0, 2)
    assert budget.bar().admits("any", 0.01)


def test_a_budget_of_nothing_raises_nothing_but_hard_cases() -> None:
    budget = Budget(0)
    for _ in range(10):
        budget.close([0.9] * 5, 1, 1)
    assert not budget.bar().admits("any", 0.99)


def test_a_flood_hides_nothing_behind_it() -> None:
    """A thousand heavy cases on one day, or hard ones every day, leave room for a case above what is usual."""
    flooded, hard = Budget(3), Budget(3)
    for day in range(30):
        usual = [0.1 + n / 100 for n in range(10)]
        weights = [0.6] * 1000 if day == 20 else usual
        flooded.close(weights, 0, sum(flooded.bar().admits(f"{day}/{n}", w) for n, w in enumerate(weights)))
        hard.close(usual, 40, 40 + sum(hard.bar().admits(f"{day}/{n}", w) for n, w in enumerate(usual)))
    assert flooded.bar().weight < 0.3
    assert hard.bar().admits("x", 0.25)


def test_ties_are_parted_by_the_case_and_always_alike() -> None:
    bar = Bar(0.5, 0.3)
    told = [bar.admits(f"case-{n}", 0.5) for n in range(2000)]
    assert sum(told) == pytest.approx(600, abs=70)
    assert told == [bar.admits(f"case-{n}", 0.5) for n in range(2000)]
    assert bar.admits("a", 0.51) and not bar.admits("a", 0.49)


def novel_and_hard(fleet: Fleet) -> None:
    """Twelve days with two light cases each, and on the last a credential switch with new reach."""
    for agent in ("a", "b", "c"):
        fleet.habit(agent, LOOK, LOOK)
    for day in range(7, 19):
        for n, agent in enumerate(("a", "b")):
            fleet.session(agent, day, LOOK, call("delete_bucket", target=f"t{day}{n}"), minute=n)
    fleet.session("c", 18, LOOK, call("create_access_key", target="svc", result=KEY), minute=30)
    fleet.session("c", 18, call("delete_database", target="b9", credential_id="AKIAQ7EXAMPLE00NEWK"), minute=31)


def run(fleet: Fleet, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words, "--data", str(fleet.data)])
    return done.exit_code, done.stdout


def test_backtest_prints_a_day_at_a_time_and_hard_cases_pass(fleet: Fleet) -> None:
    novel_and_hard(fleet)
    fleet.judge()
    code, text = run(fleet, "backtest", "--budget", "0", "--json")
    told = json.loads(text)
    assert code == 0 and told["raised"] == told["hard"] >= 1
    code, text = run(fleet, "backtest", "--budget", "1", "--json")
    told = json.loads(text)
    raised = {day["day"]: len(day["raised"]) for day in told["days"]}
    assert len(told["days"]) == 17 and told["hard"] >= 1
    assert told["interval_95"][0] <= told["mean_a_day"] <= told["interval_95"][1]
    assert sum(raised.values()) == told["raised"] < 24
    code, text = run(fleet, "backtest", "--budget", "1", "--days", "5")
    assert text.count("raised of") == 5 and "budget 1" in text and "hard" in text


def test_what_stays_under_the_bar_is_kept_and_not_raised(fleet: Fleet) -> None:
    novel_and_hard(fleet)
    fleet.judge()
    everything = ask(open_published(fleet.data), "from cases")
    assert everything["is_raised"].all()
    assert run(fleet, "detect", "--budget", "0.5")[0] == 0
    held = ask(open_published(fleet.data), "from cases")
    assert held.height == everything.height
    assert 0 < held["is_raised"].sum() < held.height
    assert all(row["is_raised"] for row in held.to_dicts() if "credential_switch_then_new_reach" in row["detectors"])


def test_a_day_is_judged_by_the_days_before_it_alone(fleet: Fleet) -> None:
    novel_and_hard(fleet)
    fleet.judge()
    first = json.loads(run(fleet, "backtest", "--budget", "1", "--json")[1])["days"]
    for n in range(5):
        fleet.session("a", 19, LOOK, call("delete_bucket", target=f"m{n}"), minute=40 + n)
    fleet.judge()
    later = json.loads(run(fleet, "backtest", "--budget", "1", "--json")[1])["days"]
    assert later[: len(first)] == first
    assert date.fromisoformat(later[-1]["day"]) == date(2026, 3, 21)


def test_a_log_with_a_wrong_clock_neither_stretches_the_calendar_nor_hides_a_case(fleet: Fleet) -> None:
    novel_and_hard(fleet)
    fleet.session("b", 50_000, LOOK, minute=50)
    fleet.judge()
    told = json.loads(run(fleet, "backtest", "--budget", "1", "--json")[1])
    assert len(told["days"]) == 18 and told["raised"] > 5


def test_without_a_budget_backtest_asks_for_one(fleet: Fleet) -> None:
    assert run(fleet, "backtest")[0] == 2
