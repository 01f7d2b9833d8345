"""`custodiet demo`: the sample logs, end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from detect.commands.detect import judge, print_detected
from ingest.command import DATA, Data, command, leave, may_open_browser, note, working
from ingest.commands.ingest import print_report, read_logs
from ingest.errors import Trouble


@command
def demo(
    data: Data = DATA,
    check: Annotated[bool, typer.Option("--check", help="Do it all without serving, and leave.")] = False,
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8501,
) -> None:
    """Take the sample logs to findings, and open the investigator on the worst case."""
    from baseline.capability import Capabilities as Table
    from baseline.fold import fold
    from dashboard.server import serve
    from ingest.database import ask, open_published

    samples = Path(__file__).parents[2] / "sample_logs"
    if not samples.is_dir():
        raise Trouble(f"{samples}: the sample logs are not here; run the demo from a checkout")
    data = data / "demo"
    # The scenarios alone: what real SDKs wrote (`producers`) is of another day and of other agents.
    report = read_logs(sorted(file.parent for file in samples.glob("*/expect.toml")), data)
    with working("counting"):
        fold(data, Table.load())
    detected = judge(data, None)
    print_report(report)
    print_detected(detected, data)
    worst = ask(open_published(data), "from cases order by anomaly * impact desc, case_id limit 1").to_dicts()
    if not worst:
        note("the sample logs gave no case; that is a fault of this build")
        raise typer.Exit(6)
    if check:
        leave(broken=[*report.failed, *detected.failed])
        return
    start = f"case?case={worst[0]['case_id']}"
    raise typer.Exit(serve(data, port=port, open_browser=may_open_browser(), start=start))
