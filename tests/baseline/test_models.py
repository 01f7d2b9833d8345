"""Each model: the probability means what it says, and says what it rests on."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from baseline.models.answer import Chance
from baseline.models.approvals import approved
from baseline.models.drift import Day, drift_of
from baseline.models.levels import chance_of, concentration, interval, log_odds
from baseline.models.markov import next_tool
from baseline.models.new_link import links
from baseline.models.peers import peer_groups
from baseline.models.rates import Rate, dispersed, pooled
from baseline.models.sizes import sizes


def test_the_next_tool_sums_to_one_and_the_longest_context_says_most() -> None:
    tools = {"a": 10.0, "b": 10.0, "c": 2.0}
    contexts = [{"b": 5.0}, {"a": 4.0, "b": 5.0}]
    found = [next_tool(tool, contexts, tools) for tool in tools]
    assert sum(c.p for c in found) + next_tool("never", contexts, tools).p == pytest.approx(1.0)
    assert found[1].p > 0.8 and found[1][1:] == (5.0, 5.0)
    assert 0 < next_tool("never", contexts, tools).p < 0.02
    unseen_context = [{}, {"a": 4.0, "b": 5.0}]
    assert next_tool("b", unseen_context, tools) == next_tool("b", unseen_context[1:], tools)


@pytest.mark.parametrize(("strength", "discount"), [(2.0, 0.0), (5.0, 0.5)])
def test_a_new_link_is_as_probable_as_it_says(strength: float, discount: float) -> None:
    chance = random.Random(7)
    came_new = expected_new = 0.0
    low = {0.01: 0, 0.05: 0, 0.2: 0}
    tried = 0
    for _ in range(60):
        counts: dict[str, int] = {}
        for n in range(300):
            p_new = (strength + discount * len(counts)) / (strength + n)
            if chance.random() < p_new:
                drawn = f"t{len(counts)}"
            else:
                names = list(counts)
                drawn = chance.choices(names, [counts[name] - discount for name in names])[0]
            if n >= 200 and n % 25 == 0:
                fitted = links(dict(counts))
                p = fitted.p(drawn).p
                tried += 1
                came_new += drawn not in counts
                expected_new += fitted.p_new
                for bound in low:
                    low[bound] += p <= bound
            counts[drawn] = counts.get(drawn, 0) + 1
    assert came_new == pytest.approx(expected_new, abs=3 * expected_new**0.5 + 1)
    for bound, times in low.items():
        assert times <= tried * bound + 3 * (tried * bound) ** 0.5 + 1, "a p-value is at most its own level that often"


def test_a_link_never_seen_is_the_least_usual_and_nothing_seen_says_nothing() -> None:
    fitted = links({"a": 400, "b": 30, "c": 1})
    assert fitted.p("x").p < fitted.p("c").p < fitted.p("b").p < fitted.p("a").p == pytest.approx(1.0, abs=0.01)
    assert fitted.p("x").of == 431
    assert links({}).p("x") == Chance(1.0, 0, 0)


def test_the_tail_of_a_rate_is_the_sum_of_its_terms() -> None:
    rate = Rate(3.0, 0.5)
    each = [rate.at_least(k).p - rate.at_least(k + 1).p for k in range(200)]
    assert sum(each) == pytest.approx(1.0, abs=1e-9)
    assert sum(k * p for k, p in enumerate(each)) == pytest.approx(rate.mean, rel=1e-6)
    assert 0 < rate.at_least(5000).p < 1e-100


def test_rates_of_hours_borrow_from_each_other_and_keep_their_own() -> None:
    prior = pooled([10, 12, 9, 11, 300], [5, 5, 5, 5, 5])
    quiet, busy = prior.seen(10, 5), prior.seen(300, 5)
    assert quiet.at_least(40).p < 1e-6 < busy.at_least(40).p
    once, often = prior.seen(0, 1).at_least(5).p, prior.seen(0, 50).at_least(5).p
    assert once > 0.001 > often, "an hour seen once is not yet known to be idle"


def test_an_agent_without_variance_can_be_surprised() -> None:
    always = sizes({6: 200})
    assert always.at_least(6).p == 1.0
    assert always.at_least(7).p <= 1 / 201
    assert always.at_least(60).p < 1e-6
    assert always.at_least(60).of == 200
    assert sizes({6: 3}).at_least(60).p > 1e-4, "three sessions say little"
    assert dispersed([]).at_least(3).p > 0.05


def test_sizes_are_conformal_inside_what_was_seen() -> None:
    chance = random.Random(3)
    drawn = [int(chance.paretovariate(1.5)) for _ in range(2000)]
    history: dict[int, int] = {}
    for size in drawn[:1000]:
        history[size] = history.get(size, 0) + 1
    fitted = sizes(history)
    for bound in (0.01, 0.05, 0.2):
        share = sum(fitted.at_least(size).p <= bound for size in drawn[1000:]) / 1000
        assert share <= bound + 3 * (bound / 1000) ** 0.5 + 0.01


def test_few_approvals_of_an_agent_that_always_asks_are_surprising() -> None:
    always = approved(200, 200, [(100, 100), (95, 100)])
    assert always.at_most(0, 3).p < 0.001 < approved(100, 200, [(50, 100), (60, 100)]).at_most(0, 3).p
    assert approved(0, 0, [(98, 100), (99, 100)]).share > 0.9, "without calls of its own it is as its peers are"
    assert always.at_most(3, 3).p == pytest.approx(1.0)


def test_agents_that_agree_lend_more_than_agents_that_do_not() -> None:
    alike = concentration([{"a": 50, "b": 50}, {"a": 48, "b": 52}, {"a": 51, "b": 49}])
    unlike = concentration([{"a": 99, "b": 1}, {"a": 2, "b": 98}, {"a": 50, "b": 50}])
    assert unlike < 3 < 100 < alike
    peers, fleet = Chance(0.5, 500, 1000), Chance(0.1, 1000, 10_000)
    new = chance_of(0, 1, peers, fleet, alike).p
    old = chance_of(0, 2000, peers, fleet, alike).p
    assert old < 0.1 < 0.3 < new, "a new agent is judged by its peers, an old one by itself"
    assert chance_of(0, 10**6, Chance(0, 0, 0), Chance(0, 0, 0), alike).p > 0


def test_intervals_hold_what_they_should() -> None:
    low, high = interval(0.0, 40)
    assert low == 0.0 and 0.05 < high < 0.12
    assert interval(0.5, 0) == (0.0, 1.0)
    ratio, low, high = log_odds(30, 100, 10, 100)
    assert low < ratio < high and low > 0
    assert log_odds(5, 10, 5, 10)[0] == 0.0


def test_peers_have_a_like_set_of_tools_whatever_the_order() -> None:
    tools = {
        "a1": {"search", "ticket", "host"},
        "a2": {"search", "ticket", "host", "user"},
        "b1": {"rotate", "assume"},
        "b2": {"rotate", "assume", "list"},
        "c": {"mail"},
    }
    groups = peer_groups(tools)
    assert groups["a1"] == groups["a2"] == ("a1", "a2")
    assert groups["b1"] == groups["b2"] == ("b1", "b2")
    assert groups["c"] == ("c",)
    assert peer_groups(dict(reversed(tools.items()))) == groups


def days_of(shares: list[float], of: int = 200, seed: int = 1) -> list[Day]:
    chance = random.Random(seed)
    start = date(2026, 3, 2)
    return [
        Day(start + timedelta(days=n), sum(chance.random() < p for _ in range(of)) / of, of)
        for n, p in enumerate(shares)
    ]


def test_a_slow_drift_is_found_and_dated_and_a_steady_agent_has_none() -> None:
    slow = [0.1] * 14 + [0.1 + 0.01 * n for n in range(16)]
    found = drift_of("share of x", days_of(slow), is_share=True)
    assert found is not None
    assert date(2026, 3, 10) <= found.since <= date(2026, 3, 22)
    assert found.before == pytest.approx(0.1, abs=0.04) and found.now > 0.14
    steady = sum(drift_of("x", days_of([0.1] * 60, seed=seed), is_share=True) is not None for seed in range(200))
    assert steady <= 6, f"{steady} of 200 steady agents drifted within 60 days"


def test_one_odd_day_is_no_drift_and_few_days_say_nothing() -> None:
    assert drift_of("x", days_of([0.1] * 20 + [0.9] + [0.1] * 5), is_share=True) is None
    assert drift_of("x", days_of([0.1] * 6 + [0.9]), is_share=True) is None
