"""`custodiet alerts`: the outbox, for people."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ingest.command import DATA, Data, Json, group, inert, leave, note, print_json, show
from ingest.visible import visible

if TYPE_CHECKING:
    from detect.outbox_send import Delivery

alerts, _app = group("alerts", "What was raised, what is on its way, and what no receiver took.")

SinkName = Annotated[str | None, typer.Option("--sink", help="Of this sink only.")]
_COLUMNS = ["alert_id", "raised_at", "sink", "state", "kind", "severity", "case_id", "attempts", "title", "why"]


@_app.command("list")
def list_(
    data: Data = DATA,
    state: Annotated[str | None, typer.Option(help="pending, delivered, dead or suppressed.")] = None,
    sink: SinkName = None,
    json: Json = False,
) -> None:
    """List the alerts, the newest first, and the account: raised = delivered + pending + dead + suppressed."""
    from detect.outbox import STATES

    if state is not None and state not in STATES:
        raise typer.BadParameter(f"one of {', '.join(STATES)}", param_hint="--state")
    _list(data, state, sink, json)


@_app.command()
def dead(data: Data = DATA, sink: SinkName = None, json: Json = False) -> None:
    """List the alerts that were given up."""
    _list(data, "dead", sink, json)


@_app.command()
def retry(
    alert: Annotated[list[str] | None, typer.Argument(help="Ids of dead alerts, or their beginnings.")] = None,
    data: Data = DATA,
    sink: SinkName = None,
    every: Annotated[bool, typer.Option("--all", help="All dead alerts.")] = False,
) -> None:
    """Put dead alerts back into the outbox; a sink that was disabled is enabled. `custodiet alerts send` sends them."""
    from detect.clock import WALL
    from detect.outbox import retry as put_back
    from detect.people import is_there, people

    if not (alert or sink or every):
        raise typer.BadParameter("name alerts, a --sink, or --all")
    if not is_there(data):
        note("no alert was raised yet")
        raise typer.Exit(1)
    with people(data) as outbox:
        count = put_back(outbox, WALL.now(), ids=alert or [], sink=sink, all_dead=every)
    typer.echo(f"{count} alerts are pending again")
    if not count and not sink:
        raise typer.Exit(1)


@_app.command()
def send(
    data: Data = DATA,
    patience: Annotated[float, typer.Option(min=0, help="Seconds to wait for what falls due soon.")] = 0.0,
    json: Json = False,
) -> None:
    """Send what is due, without a run."""
    from detect.outbox_send import deliver
    from detect.settings import load_settings

    delivery = deliver(data, load_settings(), patience_s=patience)
    if json:
        print_json(as_dict(delivery))
    tell(delivery, quiet=json)
    leave(broken=[], undelivered=delivery.untaken)


@_app.command()
def preview(data: Data = DATA, json: Json = False) -> None:
    """Print what would be raised and sent now; nothing is written, nothing is sent."""
    from detect.preview import previews
    from detect.settings import load_settings

    told = previews(data, load_settings())
    print_json(told) if json else print_previews(told)


@_app.command()
def test(sink: Annotated[str, typer.Argument(help="A sink of the settings, by name.")]) -> None:
    """Send a test alert of severity info to a sink, past the outbox."""
    from detect.settings import load_settings
    from detect.sinks import Gone, Refused, Undelivered
    from detect.trial import trial

    settings = load_settings()
    target = next((target for target in settings.targets if target.name == sink), None)
    if target is None:
        named = ", ".join(t.name for t in settings.targets) or "none"
        note(f"the settings name no sink {inert(sink)} (there is {named})")
        raise typer.Exit(1)
    try:
        target.sink.send(trial(settings), target.settings, settings.network)
    except (Undelivered, Refused, Gone) as error:
        note(f"{target.name}: {inert(str(error))}")
        raise typer.Exit(5) from None
    typer.echo(f"{target.name} took the test alert")


def as_dict(delivery: Delivery) -> dict[str, object]:
    return {
        "delivered": delivery.delivered,
        "pending": delivery.pending,
        "dead": delivery.dead,
        "errors": list(delivery.errors),
    }


def tell(delivery: Delivery, *, quiet: bool) -> None:
    """A delivery in words; its errors go to stderr whether or not the rest is printed as JSON."""
    if not quiet and (delivery.delivered or delivery.pending or delivery.dead):
        dead = f", {delivery.dead} given up (custodiet alerts dead)" if delivery.dead else ""
        typer.echo(f"alerts: {delivery.delivered} delivered, {delivery.pending} pending{dead}")
    for error in delivery.errors:
        note(f"alerts: {inert(error)}")


def print_previews(previews: list[dict[str, Any]]) -> None:
    for told in previews:
        why = f" ({inert(told['why'])})" if told["why"] else ""
        typer.echo(
            f"{told['sink']}: {told['kind']} {told['severity']} {told['case_id']} revision {told['revision']}: "
            f"{told['state']}{why}"
        )
        typer.echo(f"  {visible(told['body'], cap=len(told['body']))}")


def _list(data: Path, state: str | None, sink: str | None, json: bool) -> None:
    import polars as pl

    from detect.outbox import account, listed
    from detect.people import is_there, people

    if not is_there(data):
        print_json({"alerts": [], "account": None}) if json else typer.echo("no alert was raised yet")
        return
    with people(data) as outbox:
        rows = [_readable(row) for row in listed(outbox, state=state, sink=sink)]
        told = account(outbox)
    if json:
        print_json({"alerts": rows, "account": vars(told)})
        return
    if rows:
        show(pl.DataFrame(rows, infer_schema_length=None), False, _COLUMNS)
    typer.echo(
        f"{told.raised} raised = {told.delivered} delivered + {told.pending} pending + {told.dead} dead"
        f" + {told.suppressed} suppressed"
    )


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    times = ("raised_at", "due_at", "settled_at")
    return {name: iso_seconds(value) if name in times else value for name, value in row.items()}


def iso_seconds(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
