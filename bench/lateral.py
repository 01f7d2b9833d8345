"""How well attacks that move sideways are found, at a few cases a day; and the same of the naive peer.

    python -m bench.lateral [--seed N] [--agents N --days N --event-count N --attacks N --look-alikes N] [--json]
    python -m bench.lateral --events DIR --truth FILE [--json]
    python -m bench.lateral --evasion [--json]

Without `--events` a fleet is generated (`python -m bench.fleet`). The product runs through its own commands, ingest,
baseline and detect, into a new data directory; the cases stand in the order of `custodiet cases`. The first
`--history-days` (14) days are history and not evaluated, fewer where the truth's first chain is earlier. What a hit,
the budget and each figure are is defined in `bench/_ranked.py`, the form of the truth in `bench/fleet/truth.py`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any, Final

import bench.fleet
from bench._naive import naive_cases
from bench._ranked import BUDGETS, DAY_NS, Case, measure
from bench._told import in_the_store
from bench.fleet.truth import Told, read_truth
from ingest.database import ask, open_published

_FINDINGS: Final = """
select case_id, session_id, epoch_ns(happened_at) as at_ns, anomaly * impact as weight
from findings
where case_id is not null
order by case_id, weight desc, at_ns, finding_id
"""
_BROKEN: Final = 6
"""The exit code of a run in which a plug-in broke and the others ran on."""
_DAYS: Final = """
select min(epoch_ns(started_at)) as first_ns, max(epoch_ns(started_at)) as last_ns, count(*) as events
from events
"""


@dataclass(frozen=True)
class Run:
    """What the product made of some logs."""

    cases: list[Case]
    naive: list[Case]
    first_day: int
    last_day: int
    events: int
    rejected: int
    unread: int
    cpu_s: dict[str, float]
    truth: list[Told]
    """The chains, their sessions as the store names them."""
    matched: dict[str, int]
    """How many chains the truth did not name by their sessions, a count a way (`bench/_told.py`)."""
    broken: list[str]
    """Commands in which a reader or detector broke; the others ran on."""


def run_product(logs: Path, truth: Path, data: Path, history_days: int) -> Run:
    """Ingest, baseline and detect, each a process of its own; raises CalledProcessError where one fails."""
    inputs = (
        [entry for entry in sorted(logs.iterdir()) if entry.resolve() != truth.resolve()] if logs.is_dir() else [logs]
    )
    product = _Product()
    report = json.loads(product.run("ingest", *map(str, inputs), "--data", str(data), "--json"))
    product.run("baseline", "--data", str(data), "--json")
    product.run("detect", "--data", str(data), "--json")
    listed = json.loads(product.run("cases", "--data", str(data), "--json"))
    connection = open_published(data)
    try:
        cases = _cases(listed, ask(connection, _FINDINGS).rows())
        naive = naive_cases(connection)
        told, matched = in_the_store(read_truth(truth), connection)
        first_ns, last_ns, events = ask(connection, _DAYS).row(0)
    finally:
        connection.close()
    begins = [chain.first_ns // DAY_NS for chain in told if chain.first_ns is not None]
    return Run(
        cases,
        naive,
        min([int(first_ns) // DAY_NS + history_days, *begins]),
        int(last_ns) // DAY_NS,
        int(events),
        sum(file["rejected"] for file in report["files"]),
        len(report["unread"]),
        product.cpu_s,
        told,
        matched,
        product.broken,
    )


class _Product:
    """The commands, each in a process of its own, with the CPU seconds that it took."""

    def __init__(self) -> None:
        self.cpu_s: dict[str, float] = {}
        self.broken: list[str] = []

    def run(self, name: str, *arguments: str) -> str:
        before = getrusage(RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "custodiet", name, *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        after = getrusage(RUSAGE_CHILDREN)
        self.cpu_s[name] = round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2)
        if done.returncode == _BROKEN:
            self.broken.append(name)
        else:
            done.check_returncode()
        return done.stdout


def _cases(listed: list[dict[str, Any]], findings: list[tuple[str, str, int | None, float]]) -> list[Case]:
    """The cases in the product's own order; without a time a case can stand on no day and is left out."""
    of_case: dict[str, list[tuple[str, int | None]]] = {}
    for case_id, session, at_ns, _ in findings:
        of_case.setdefault(case_id, []).append((session, at_ns))
    found = []
    for said in listed:
        mine = of_case.get(said["case_id"], [])
        times = [at_ns for _, at_ns in mine if at_ns is not None]
        if times:
            sessions = frozenset((*said["sessions"], *(session for session, _ in mine)))
            found.append(Case(said["case_id"], sessions, times[0], max(times), said["title"]))
    return found


def figures(run: Run, seed: int) -> dict[str, Any]:
    """Everything that is measured, the product's own figures at the top."""
    found = measure(run.cases, run.truth, run.first_day, run.last_day, seed)
    found["naive"] = measure(run.naive, run.truth, run.first_day, run.last_day, seed)
    found["events"], found["rejected"], found["unread"] = run.events, run.rejected, run.unread
    found["evaluated_days"] = run.last_day - run.first_day + 1
    found["chains_matched_otherwise"] = run.matched
    found["cpu_seconds"], found["broken"] = run.cpu_s, run.broken
    return found


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        scratch = Path(folder)
        if options.evasion:
            from bench.evasion import evasions, print_evasions

            lost = evasions(scratch, _settings(options))
            print(json.dumps(lost, indent=2)) if options.json else print_evasions(lost)
            return
        logs, truth = options.events, options.truth
        if logs is None:
            logs = scratch / "logs"
            truth = bench.fleet.generate(logs, _settings(options)).truth
        run = run_product(logs, truth, scratch / "data", options.history_days)
        found = figures(run, options.seed)
    print(json.dumps(found, indent=2)) if options.json else print_figures(found)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.lateral", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=Path, help="logs to be read, a folder or a file; with --truth")
    parser.add_argument("--truth", type=Path, help="what is true of them, a line a chain")
    parser.add_argument("--evasion", action="store_true", help="tell each attack in several other ways, too")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--history-days", type=int, default=14)
    parser.add_argument("--scratch", type=Path, help="where the logs and data lie meanwhile")
    for name in ("event-count", "agents", "days", "attacks", "look-alikes"):
        parser.add_argument(f"--{name}", type=int, help="of the generated fleet")
    options = parser.parse_args()
    if (options.events is None) != (options.truth is None):
        parser.error("--events and --truth go together")
    return options


def _settings(options: argparse.Namespace) -> bench.fleet.settings.Settings:
    counts = {name: getattr(options, name) for name in ("agents", "days", "attacks", "look_alikes")}
    return bench.fleet.load().with_(
        seed=options.seed, events=options.event_count, history_days=options.history_days, **counts
    )


def print_figures(found: dict[str, Any]) -> None:
    """The same as tables."""
    print(f"{found['events']:,} events, {found['rejected']} rejected; {found['evaluated_days']} days evaluated;")
    print(f"{found['malicious_chains']} attacks, {found['look_alikes']} look-alikes; CPU s {found['cpu_seconds']}")
    if any(found["chains_matched_otherwise"].values()):
        print(f"chains whose sessions the truth names in another way: {found['chains_matched_otherwise']}")
    print(f"\n{'':<34}{'custodiet':>11}{'95 %':>18}{'naive peer':>12}{'95 %':>18}")
    if found["broken"]:
        print(f"a plug-in broke in: {', '.join(found['broken'])}")
    names = ("recall", "recall_alone", "recall_on_average", "precision", "ceiling", "look_alikes_raised")
    keys = [f"{name}_at_{budget}_per_day" for name in names for budget in BUDGETS]
    more = (
        "average_precision",
        "recall_any",
        "cases",
        "harmless_cases_per_day",
        "median_seconds_to_case",
        "p90_seconds_to_case",
    )
    for key in [*keys, *more]:
        line = f"{key:<34}"
        for figures_of in (found, found["naive"]):
            value, ends = figures_of[key], figures_of["intervals"].get(key)
            line += (
                f"{'-' if value is None else value:>11}{'' if ends is None else f'{ends[0]:.3f} to {ends[1]:.3f}':>18} "
            )
        print(line.rstrip())
    print(
        f"\n{'kind':<42}{'found':>7}{'of':>4}{'in no case':>12}{'look-alikes raised':>20}{'of':>4}{'naive found':>13}"
    )
    for kind, said in found["kinds"].items():
        naive = found["naive"]["kinds"][kind]
        print(f"{kind:<42}{said['found_at_5_per_day']:>7}{said['chains']:>4}{len(said['unraised']):>12}"
              f"{len(said['raised']):>20}{said['look_alikes']:>4}{naive['found_at_5_per_day']:>13}")  # fmt: skip


if __name__ == "__main__":
    main()
