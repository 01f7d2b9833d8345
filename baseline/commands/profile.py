"""`custodiet profile`: what is normal for one agent, so that a person can argue with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from ingest.command import DATA, Capabilities, Data, Json, command, inert, note, print_json

if TYPE_CHECKING:
    from baseline.compare import Difference
    from baseline.profile_parts import Profile

_MOST_DIFFERENCES = 20


@command
def profile(
    agent: Annotated[str, typer.Argument(help="An agent, as `custodiet baseline` lists it.")],
    data: Data = DATA,
    json: Json = False,
    capabilities: Capabilities = None,
    version: Annotated[str | None, typer.Option("--version", help="Only this version of the agent.")] = None,
    compare: Annotated[
        str | None, typer.Option("--compare", help="Another agent, or a version of this one, side by side.")
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", help="Side by side with the agent in this pinned baseline.")
    ] = None,
) -> None:
    """Show what is normal for an agent, what that rests on, and what is not known yet."""
    from baseline.capability import Capabilities as Table
    from baseline.compare import compare as compared
    from baseline.profile import profile as profile_of
    from ingest.database import open_published

    if compare is not None and against is not None:
        raise typer.BadParameter("give one of --compare and --against", param_hint="--compare")
    connection, table = open_published(data), Table.load(*(capabilities or []))
    found = profile_of(connection, agent, version=version, capabilities=table)
    if found is None:
        _missing(f"{inert(agent)}{f' version {inert(version)}' if version else ''}")
    assert found is not None
    other = None
    if compare is not None:
        other = profile_of(connection, agent, version=compare, capabilities=table)
        other = other or profile_of(connection, compare, capabilities=table)
    elif against is not None:
        other = profile_of(connection, agent, version=version, pin=against, capabilities=table)
    wanted = compare or against
    if wanted is not None and other is None:
        _missing(inert(wanted))
    differences = compared(found, other) if other is not None else ()
    if json:
        print_json({"profile": found, "other": other, "differences": differences} if other else found)
        return
    for line in _story(found):
        typer.echo(inert(line))
    if other is not None:
        for line in _side_by_side(differences, inert(wanted or ""), other):
            typer.echo(inert(line))


def _missing(what: str) -> None:
    note(f"nothing was counted of {what}; `custodiet baseline` lists the agents, versions and pins stand beside them")
    raise typer.Exit(1)


def _story(p: Profile) -> Iterator[str]:
    from baseline.count import START
    from baseline.models.levels import INHERITED

    rest = p.rests_on
    days = f"{_number(rest.days, 'day')}, {rest.first_day} to {rest.last_day}" if rest.first_day else "no times"
    yield f"{p.agent_id}: {_number(rest.sessions, 'session')}, {_number(rest.calls, 'call')}, {days}"
    if len(p.versions) > 1:
        newest = p.versions[-1]
        its = f"{newest.version or 'unnamed'}, since {newest.first_day} with {newest.sessions:,} sessions"
        yield f"  {len(p.versions)} versions, the newest {its}"
        yield f"  a session of an older version counts {INHERITED:.0%}: the history is worth {rest.worth:,.0f} sessions"
    if p.change_window:
        yield f"  change window open until {p.change_window.until}: pure novelty says little, the rest counts fully"
    yield f"  {p.peers.said}"
    for lacking in p.not_enough:
        yield f"  not enough for {lacking}"
    yield "tools, by share of sessions (95 % interval; peers):"
    for use in p.tools:
        peers = "" if use.peers_share is None else f"; peers {use.peers_share:.1%}"
        capability = use.capability or "unclassed"
        yield f"  {use.share:6.1%} ({use.low:.1%} to {use.high:.1%}{peers})  {use.tool} [{capability}]"
    yield "usual transitions, by probability (which leaves some for what was never seen; times seen):"
    for step in p.transitions:
        before = "the start" if step.before == START else step.before
        yield f"  {step.p:6.1%}  {before} → {step.tool} ({step.steps:,} of {step.of:,})"
    for linked in p.links:
        kind = linked.kind.replace("_", " to ")
        yield f"{kind}: {linked.distinct:,} in {linked.of:,} calls; the next is new with p = {linked.p_new:.2g}"
        yield "  " + ", ".join(f"{name} ({n:,})" for name, n in linked.usual)
    for size in p.sizes:
        most = f"most {size.most}; more than that p = {size.p_more:.2g}"
        yield f"{size.of_what} a session: {size.median} (95 % up to {size.q95}, {most})"
    yield from _hours(p)
    yield from _approvals(p)
    for drift in p.drift:
        form = ".1%" if drift.what.startswith("share") else ".3g"
        yield f"drift since {drift.since}: {drift.what}, before {drift.before:{form}}, now {drift.now:{form}}"


def _number(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


def _hours(p: Profile) -> Iterator[str]:
    by_day: dict[str, list[int]] = {}
    for hour in p.hours:
        by_day.setdefault(hour.weekday, []).append(hour.hour)
    if by_day:
        yield "hours (UTC): " + "; ".join(f"{day} {_spans(hours)}" for day, hours in by_day.items())
        busiest = max(p.hours, key=lambda h: h.calls)
        when = f"{busiest.weekday} {busiest.hour:02d}h"
        yield f"  busiest: {when}, {busiest.calls:.1f} calls; over {busiest.most} would surprise (p < 0.01)"


def _spans(hours: list[int]) -> str:
    spans: list[list[int]] = []
    for hour in hours:
        if spans and hour == spans[-1][1] + 1:
            spans[-1][1] = hour
        else:
            spans.append([hour, hour])
    return ", ".join(f"{first:02d}" if first == last else f"{first:02d}–{last:02d}" for first, last in spans)


def _approvals(p: Profile) -> Iterator[str]:
    a = p.approvals
    if not a.privileged_calls:
        yield "approvals: no privileged call"
        return
    states = ", ".join(f"{n:,} {state.replace('_', ' ')}" for state, n in a.by_state.items())
    if a.recordable:
        share = f"{a.share:.1%} approved ({a.low:.1%} to {a.high:.1%}) of {a.recordable:,} that could be recorded"
    else:
        share = "not known, as the log has no place for them"
    yield f"approvals of {_number(a.privileged_calls, 'privileged call')}: {share}: {states}"
    if a.by_whom:
        yield "  by " + ", ".join(f"{name} ({n:,})" for name, n in a.by_whom.items())
    if a.latency:
        yield "  took " + ", ".join(f"{within} ({n:,})" for within, n in a.latency.items())


def _side_by_side(differences: tuple[Difference, ...], name: str, other: Profile) -> Iterator[str]:
    yield f"beside {name} ({_number(other.rests_on.sessions, 'session')}), what differs most"
    yield "(log-odds with 95 % interval; above 0: more often in the first):"
    shown = [d for d in differences if d.is_certain][:_MOST_DIFFERENCES]
    for d in shown:
        counts = f"{d.a:,} of {d.of_a:,} against {d.b:,} of {d.of_b:,}"
        yield f"  {d.log_odds:+.2f} ({d.low:+.2f} to {d.high:+.2f})  {d.what}: {counts}"
    if not shown:
        yield "  nothing beyond chance"
