"""The front door: the `custodiet` command. Each subcommand parses, calls a room, prints."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ingest.errors import Trouble

if TYPE_CHECKING:
    import polars as pl

    from detect.outbox import Delivery
    from detect.run import Detected
    from detect.settings import Settings
    from ingest.load import Report

EXIT_CODES: Final = {
    0: "done",
    1: "what was asked for is not there (no such session or case)",
    2: "wrong usage",
    3: "a setting cannot be used",
    4: "a file, the disk or the data directory is in the way",
    5: "alerts are still in the outbox: a receiver did not take them",
    6: "a reader or detector broke; the rest ran on",
    10: "a case of at least the severity given with --fail-on was found",
    75: "another custodiet is writing to the same data directory",
}

app = typer.Typer(
    name="custodiet",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="What did the agent do, was that normal for it, and does it look like lateral movement?",
    epilog="Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items()) + ".",
)

Data = Annotated[
    Path,
    typer.Option("--data", envvar="CUSTODIET_DATA", help="Where events, profiles and findings are kept."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON to stdout instead of a table.")]
Paths = Annotated[list[Path], typer.Argument(help="Log files, or folders of them; .gz and .zst too.")]
Maps = Annotated[
    list[Path] | None,
    typer.Option("--map", help="A TOML file that says where a format of your own keeps what; see the README."),
]
Capabilities = Annotated[
    list[Path] | None,
    typer.Option("--capabilities", help="A TOML file of your own that classes tools; over the shipped table."),
]
FailOn = Annotated[str | None, typer.Option("--fail-on", help="Exit with 10 where a case has at least this severity.")]
_DATA: Final = Path("custodiet-data")


@app.command()
def ingest(paths: Paths, data: Data = _DATA, json: Json = False, maps: Maps = None) -> None:
    """Read agent logs into events. What was read before changes nothing."""
    from ingest.database import write_for_people

    report = _ingest(paths, data, maps)
    write_for_people(data)
    _print(report.as_dict()) if json else _print_report(report)
    _leave(broken=report.failed)


@app.command()
def baseline(data: Data = _DATA, json: Json = False, capabilities: Capabilities = None) -> None:
    """Fold new events into counts, and show what each agent's history rests on."""
    from baseline.capability import Capabilities as Table
    from baseline.fold import fold
    from baseline.profiles import profiles
    from ingest.database import open_published, write_for_people

    with _working("counting"):
        fold(data, Table.load(*(capabilities or [])))
    write_for_people(data)
    _show(profiles(open_published(data)), json)


@app.command()
def detect(data: Data = _DATA, json: Json = False, capabilities: Capabilities = None, fail_on: FailOn = None) -> None:
    """Judge every privileged step against the days before it; findings of one root make one case."""
    least = _severity(fail_on)
    detected = _detect(data, capabilities)
    _print(_detected(detected, data)) if json else _print_detected(detected, data)
    _leave(broken=list(detected.failed), found=_at_least(detected, least))


@app.command()
def run(
    paths: Paths,
    data: Data = _DATA,
    json: Json = False,
    capabilities: Capabilities = None,
    fail_on: FailOn = None,
    maps: Maps = None,
) -> None:
    """Ingest, baseline, detect, then send alerts: all that a schedule needs."""
    from baseline.capability import Capabilities as Table
    from baseline.fold import fold
    from detect.settings import load_settings

    least = _severity(fail_on)
    settings = load_settings()
    report = _ingest(paths, data, maps)
    with _working("counting"):
        fold(data, Table.load(*(capabilities or [])))
    detected = _detect(data, capabilities)
    delivery = _alert(data, settings)
    if json:
        alerts = {
            "delivered": delivery.delivered,
            "pending": delivery.pending,
            "errors": list(delivery.errors),
        }
        _print({"ingest": report.as_dict(), "detect": _detected(detected, data), "alerts": alerts})
    else:
        _print_report(report)
        _print_detected(detected, data)
        if delivery.delivered or delivery.pending:
            typer.echo(f"alerts: {delivery.delivered} delivered, {delivery.pending} pending")
    for error in delivery.errors:
        _note(f"not delivered: {error}; it stays in the outbox for the next run")
    _leave(
        broken=[*report.failed, *detected.failed],
        undelivered=delivery.pending,
        found=_at_least(detected, least),
    )


@app.command()
def sessions(data: Data = _DATA, json: Json = False) -> None:
    """List the sessions, the newest first."""
    from ingest.database import ask, open_published

    sql = "from sessions order by first_at desc nulls last, session_id"
    _show(
        ask(open_published(data), sql),
        json,
        ["session_id", "agent_id", "steps", "tool_calls", "errors", "first_at"],
    )


@app.command()
def cases(data: Data = _DATA, json: Json = False) -> None:
    """List the cases, the worst first."""
    from ingest.database import ask, open_published

    sql = "from cases order by anomaly * impact desc, case_id"
    _show(ask(open_published(data), sql), json, ["case_id", "severity", "title", "agents", "why", "first_at"])


@app.command()
def explain(
    case: Annotated[str, typer.Argument(help="A case id, or the beginning of one.")],
    data: Data = _DATA,
    json: Json = False,
) -> None:
    """Tell a case as a numbered story, each step with its file and line."""
    from detect.explain import cases_like, story, told
    from ingest.database import open_published

    connection = open_published(data)
    found = cases_like(connection, case)
    if len(found) != 1:
        _note(f"{len(found)} cases begin with {_visible(case)}; `custodiet cases` lists them")
        raise typer.Exit(1)
    if json:
        _print({name: _jsonable(rows) for name, rows in told(connection, found[0]).items()})
        return
    for line in story(connection, found[0]):
        typer.echo(_visible(line))


@app.command()
def replay(
    session: Annotated[str, typer.Argument(help="A session id, as `custodiet sessions` lists them.")],
    data: Data = _DATA,
    json: Json = False,
) -> None:
    """Show one session step by step, in its total order."""
    from ingest.database import open_published
    from ingest.replay import replay as steps_of

    steps = steps_of(open_published(data), session)
    if steps.is_empty():
        _note(f"no session {_visible(session)} in {data}; `custodiet sessions` lists what is there")
        raise typer.Exit(1)
    _show(
        steps,
        json,
        ["step", "started_at", "agent_id", "kind", "operation", "tool", "target", "status", "approval"],
    )


@app.command()
def readers(
    name: Annotated[str | None, typer.Argument(help="One reader: what it needs, finds and leaves.")] = None,
    json: Json = False,
) -> None:
    """List the formats that can be read, or tell all about one."""
    from ingest.load import all_readers

    chosen = [reader for reader in all_readers() if name in (None, reader.name)]
    if not chosen:
        _note(f"no reader {_visible(name or '')}; `custodiet readers` lists them")
        raise typer.Exit(1)
    if json:
        _print([{"reader": reader.name, "reads": reader.summary, "more": reader.doc} for reader in chosen])
    elif name is not None:
        typer.echo(chosen[0].doc)
    else:
        for reader in chosen:
            typer.echo(f"{reader.name:<20} {reader.summary}")


@app.command()
def coverage(data: Data = _DATA, json: Json = False) -> None:
    """Show how full each field of each source is, and which detectors could not have fired."""
    from ingest.coverage import coverage as filled
    from ingest.coverage import unmapped_vocabulary
    from ingest.database import ask, open_published

    connection = open_published(data)
    told = {
        "fields": filled(connection),
        "vocabulary": unmapped_vocabulary(connection),
        "unmatched": ask(connection, "from unmatched order by steps desc, tool, agent_id"),
        "could_fire": ask(connection, "from could_fire order by detector, agent_id"),
        "gaps": ask(connection, "select kind, detail, count(*) as steps from gaps group by all order by all"),
    }
    if json:
        _print({name: _jsonable(rows) for name, rows in told.items()})
        return
    for title, rows in told.items():
        typer.echo(f"\n{title}")
        _show(rows, json)


@app.command()
def dashboard(
    data: Data = _DATA,
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8501,
    address: Annotated[str, typer.Option(help="The address to listen on; loopback only.")] = "127.0.0.1",
) -> None:
    """Open the investigator."""
    from dashboard.server import serve

    raise typer.Exit(serve(data, port=port, address=address, open_browser=_may_open_browser()))


@app.command()
def demo(
    data: Data = _DATA,
    check: Annotated[bool, typer.Option("--check", help="Do it all without serving, and leave.")] = False,
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8501,
) -> None:
    """Take the sample logs to findings, and open the investigator on the worst case."""
    from baseline.capability import Capabilities as Table
    from baseline.fold import fold
    from dashboard.server import serve
    from ingest.database import ask, open_published

    samples = Path(__file__).parent / "sample_logs"
    if not samples.is_dir():
        raise Trouble(f"{samples}: the sample logs are not here; run the demo from a checkout")
    data = data / "demo"
    report = _ingest([samples], data)
    with _working("counting"):
        fold(data, Table.load())
    detected = _detect(data, None)
    _print_report(report)
    _print_detected(detected, data)
    worst = ask(open_published(data), "from cases order by anomaly * impact desc, case_id limit 1").to_dicts()
    if not worst:
        _note("the sample logs gave no case; that is a fault of this build")
        raise typer.Exit(6)
    if check:
        _leave(broken=[*report.failed, *detected.failed])
        return
    start = f"case?case={worst[0]['case_id']}"
    raise typer.Exit(serve(data, port=port, open_browser=_may_open_browser(), start=start))


def main() -> None:
    """Run the command. Trouble becomes one line and an exit code, never a traceback."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    try:
        app()
    except Trouble as trouble:
        _note(str(trouble))
        raise SystemExit(trouble.exit_code) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None


def _ingest(paths: list[Path], data: Path, maps: list[Path] | None = None) -> Report:
    from ingest.load import ingest_paths

    with _working("reading") as say:
        return ingest_paths(paths, data, mappings=maps or (), progress=say)


def _detect(data: Path, capabilities: list[Path] | None) -> Detected:
    from baseline.capability import Capabilities as Table
    from detect.run import detect_in
    from ingest.database import write_for_people

    with _working("judging"):
        detected = detect_in(data, Table.load(*(capabilities or [])))
    write_for_people(data)
    return detected


def _alert(data: Path, settings: Settings) -> Delivery:
    from detect.outbox import deliver, raise_alerts
    from ingest.database import open_published

    raise_alerts(data, open_published(data), settings)
    with _working("sending alerts"):
        return deliver(data, settings)


def _detected(detected: Detected, data: Path) -> dict[str, object]:
    from ingest.database import ask, open_published

    connection = open_published(data)
    return {
        "cases": _jsonable(ask(connection, "from cases order by anomaly * impact desc, case_id")),
        "findings": _jsonable(ask(connection, "from findings order by anomaly * impact desc, finding_id")),
        "unmatched": _jsonable(ask(connection, "from unmatched order by steps desc, tool, agent_id")),
        "could_fire": _jsonable(ask(connection, "from could_fire order by detector, agent_id")),
        "failed": dict(sorted(detected.failed.items())),
    }


def _print_report(report: Report) -> None:
    total = {
        name: sum(getattr(file, name) for file in report.files)
        for name in ("records", "events", "folded", "rejected", "duplicates")
    }
    typer.echo(f"{len(report.files):,} files read: " + ", ".join(f"{n:,} {name}" for name, n in total.items()))
    for file in report.files:
        if file.rejected:
            typer.echo(f"  {_visible(file.path)}: {file.rejected:,} of {file.records:,} records rejected")
    for unread in report.unread:
        if not unread.is_no_log:
            typer.echo(f"  unread: {_visible(unread.path)}: {_visible(unread.reason)}")
    if others := sum(unread.is_no_log for unread in report.unread):
        typer.echo(f"  {others:,} more files are no logs by their names (--json lists them)")


def _print_detected(detected: Detected, data: Path) -> None:
    from ingest.database import ask, open_published

    connection = open_published(data)
    rows = ask(connection, "from cases order by anomaly * impact desc, case_id")
    typer.echo(f"{rows.height} cases, {len(detected.found)} findings")
    for case in rows.iter_rows(named=True):
        typer.echo(
            f"  {case['severity']:<8} {case['case_id'][:12]}  {_visible(case['title'])}: {_visible(case['why'])}"
        )
    if detected.unmatched:
        typer.echo(f"{detected.unmatched} tools are not in the capability table; class them with --capabilities:")
        for row in ask(connection, "from unmatched order by steps desc, tool, agent_id limit 10").iter_rows(named=True):
            typer.echo(f"  {_visible(row['tool'])} ({row['steps']:,} steps of {_visible(row['agent_id'])})")
    for name, reason in sorted(detected.failed.items()):
        _note(f"the detector {name} broke: {reason}; the others ran on")


def _show(rows: pl.DataFrame, json: bool, columns: list[str] | None = None) -> None:
    """A table for people, or all columns as JSON."""
    if json:
        _print(_jsonable(rows))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = columns or rows.columns
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in shown:
        table.add_column(column, overflow="fold")
    for values in rows.select(shown).iter_rows():
        table.add_row(
            *(Text(_visible("" if v is None else ", ".join(v) if isinstance(v, list) else str(v))) for v in values)
        )
    Console(width=None if sys.stdout.isatty() else 240).print(table)


def _jsonable(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows for JSON; times as ISO 8601 with nanoseconds and Z."""
    import polars as pl
    import polars.selectors as cs

    return rows.with_columns(cs.datetime().dt.strftime("%Y-%m-%dT%H:%M:%S%.9fZ"), cs.date().cast(pl.String)).to_dicts()


def _print(value: object) -> None:
    import msgspec

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def _visible(text: str) -> str:
    from dashboard.visible import visible

    return visible(text, cap=400)


def _note(text: str) -> None:
    typer.echo(f"custodiet: {text}", err=True)


@contextmanager
def _working(what: str) -> Iterator[Callable[[str], None]]:
    """Progress on stderr, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status(what) as status:
        yield lambda name: status.update(f"{what} {escape(_visible(name))}")


def _severity(fail_on: str | None) -> int | None:
    from detect.cases import SEVERITIES

    if fail_on is not None and fail_on not in SEVERITIES:
        raise typer.BadParameter(f"one of {', '.join(SEVERITIES)}", param_hint="--fail-on")
    return None if fail_on is None else SEVERITIES.index(fail_on)


def _at_least(detected: Detected, least: int | None) -> bool:
    from detect.cases import SEVERITIES

    return least is not None and any(SEVERITIES.index(case.severity) >= least for case in detected.cases)


def _leave(*, broken: list[str], undelivered: int = 0, found: bool = False) -> None:
    """Leave with the gravest code that applies."""
    for reason in broken:
        _note(f"broke: {_visible(reason)}")
    code = 6 if broken else 10 if found else 5 if undelivered else 0
    if code:
        raise typer.Exit(code)


def _may_open_browser() -> bool:
    return not os.environ.get("NO_BROWSER") and sys.stdout.isatty()


if __name__ == "__main__":
    main()
