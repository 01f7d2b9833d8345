"""Whose history an agent is judged by, and how probable something new is there."""

from __future__ import annotations

from datetime import date

import pytest

from baseline.history import LEAST_SESSIONS, CountRow, History
from baseline.models.peers import peer_groups

DAY = date(2026, 3, 2)


def rows(agent: str, aspect: str, values: dict[str, int], context: str = "") -> list[CountRow]:
    return [(DAY, agent, "1", aspect, context, value, n, n) for value, n in values.items()]


def worked(agent: str, sessions: int, tools: tuple[str, ...], targets: tuple[str, ...] = ()) -> list[CountRow]:
    """Each session used each tool and touched each target once."""
    return [
        *rows(agent, "session", {"": sessions}),
        *rows(agent, "tool", dict.fromkeys(tools, sessions)),
        *rows(agent, "target", dict.fromkeys(targets, sessions)),
    ]


def test_a_thin_agent_is_judged_by_its_peers_then_by_the_fleet_then_by_nobody() -> None:
    history = History()
    history.add(worked("thin", 3, ("search", "isolate")))
    assert history.basis("thin").level == "nobody" and not history.is_enough("thin")
    for n in range(5):
        history.add(worked(f"other-{n}", 40, (f"deploy-{n}", f"roll-back-{n}")))
    fleet = history.basis("thin")
    assert (fleet.level, len(fleet.agents), fleet.sessions) == ("fleet", 5, 200)
    history.add(worked("peer", 30, ("search", "isolate", "lookup")))
    peers = history.basis("thin")
    assert (peers.level, peers.agents, peers.sessions) == ("peers", ("peer",), 30)
    assert str(peers) == f"judged by 1 peer (30 sessions): it has 3 of {LEAST_SESSIONS} sessions of its own"
    history.add(worked("thin", LEAST_SESSIONS, ()))
    assert history.basis("thin").level == "own"


def test_what_peers_know_is_known_to_a_thin_agent_and_to_no_other() -> None:
    history = History()
    history.add(worked("thin", 3, ("search",)))
    history.add(worked("peer", 30, ("search", "isolate"), ("h1",)))
    history.add(worked("grown", 30, ("search",)))
    assert history.seen("thin", "target", "h1").sessions == 30
    assert history.seen_itself("thin", "target", "h1").sessions == 0
    assert history.seen("grown", "target", "h1").sessions == 0


def test_who_shows_a_part_of_the_tools_of_a_group_joins_it_only_while_thin() -> None:
    tools = {"lead": {"a", "b", "c", "d", "e"}, "new": {"a", "b"}, "odd": {"x"}}
    assert peer_groups(tools)["new"] == ("new",)
    assert peer_groups(tools, {"new", "odd"}) == {"lead": ("lead", "new"), "new": ("lead", "new"), "odd": ("odd",)}


def test_taking_rows_off_again_leaves_what_was_there_before() -> None:
    history, other = History(), History()
    for h in (history, other):
        h.add(worked("a", 30, ("search",), ("h1", "h2")))
    history.add(worked("b", 30, ("search",), ("h3",)))
    history.link("a", "target", "h9")
    history.add(worked("b", 30, ("search",), ("h3",)), sign=-1)
    for value in ("h1", "h3", "h9"):
        assert history.link("a", "target", value) == other.link("a", "target", value)
    assert history.basis("b") == other.basis("b")


def test_a_new_target_surprises_of_an_agent_that_keeps_to_few_and_not_of_one_that_wanders() -> None:
    history = History()
    history.add(worked("keeps", 60, ("isolate",), ("h1", "h2")))
    history.add(worked("wanders", 60, ("isolate",)))
    history.add(rows("wanders", "target", {f"h{n}": 1 for n in range(60)}))
    assert history.link("keeps", "target", "h900").p < 0.02
    assert history.link("wanders", "target", "h900").p > 0.5
    assert history.link("keeps", "target", "h1").p > 0.9


def test_what_is_new_to_all_is_less_likely_than_what_is_new_to_the_agent_alone() -> None:
    history = History()
    history.add(worked("a", 30, ("search",), ("h1",)))
    for n in range(6):
        history.add(worked(f"peer-{n}", 30, ("search",), ("h1", "shared")))
    alone, to_all = history.link("a", "target", "shared"), history.link("a", "target", "nobody-s")
    assert 0 < to_all.p < alone.p < 1
    assert (alone.seen, alone.of) == (0, 30)


def test_without_any_history_nothing_surprises() -> None:
    assert History().link("a", "target", "h1").p == 1.0


@pytest.mark.parametrize("sessions", [19, 20])
def test_the_least_history_is_twenty_sessions(sessions: int) -> None:
    history = History()
    history.add(worked("a", sessions, ("search",)))
    assert history.is_enough("a") == (sessions >= 20)
