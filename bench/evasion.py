"""What gets away when each attack is told otherwise: chains that were found as they were, and are lost after.

    python -m bench.evasion [--seed N] [--event-count N …] [--json]        (or: python -m bench.lateral --evasion)

The benign life, the look-alikes and what the attacks are about stay the same; only the attacks' steps change: other
vendors' names for the tools, made-up names, ordinary calls in between, a step a day, a step an agent, approvals that
were given for something else. `lost` is the share of the chains found at five cases a day that are no longer found,
the aim being at most 0.05. `lost_alone` leaves the other attacks of the day out of the five: a chain that is lost in
the one sense alone was pushed below them, and is not hidden.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import bench.fleet
from bench._ranked import found_at
from bench.fleet.evasion import EVASIONS
from bench.fleet.settings import Settings
from bench.lateral import main, run_product

_BUDGET = 5


def evasions(scratch: Path, settings: Settings) -> dict[str, Any]:
    """Run the product over the fleet as it is and with each evasion."""
    before, before_alone = _found(scratch, settings, "")
    told: dict[str, Any] = {}
    for name in EVASIONS:
        after, after_alone = _found(scratch, settings, name)
        lost, hidden = sorted(before - after), sorted(before_alone - after_alone)
        told[name] = {
            "found": len(after),
            "lost": round(len(lost) / len(before), 4) if before else None,
            "lost_chains": lost,
            "lost_alone": round(len(hidden) / len(before_alone), 4) if before_alone else None,
            "lost_alone_chains": hidden,
        }
    lost_at_all = {chain for said in told.values() for chain in said["lost_chains"]}
    return {
        "attacks": settings.attacks,
        "found_before": len(before),
        "found_alone_before": len(before_alone),
        "lost_to_any": len(lost_at_all),
        "evasions": told,
    }


def _found(scratch: Path, settings: Settings, name: str) -> tuple[set[str], set[str]]:
    """(found among the others of the day, found alone)."""
    logs, data = scratch / f"logs-{name}", scratch / f"data-{name}"
    truth = bench.fleet.generate(logs, settings.with_(evasion=name)).truth
    run = run_product(logs, truth, data, settings.history_days)
    among, alone = (
        found_at(run.cases, run.truth, run.first_day, run.last_day, _BUDGET, alone=one) for one in (False, True)
    )
    shutil.rmtree(logs)
    shutil.rmtree(data)
    return among, alone


def print_evasions(said: dict[str, Any]) -> None:
    print(f"{said['found_before']} of {said['attacks']} attacks found at {_BUDGET} cases a day as they are, ", end="")
    print(f"{said['found_alone_before']} were each alone")
    for name, told in said["evasions"].items():
        lost, hidden = ("-" if told[key] is None else f"{told[key]:.1%}" for key in ("lost", "lost_alone"))
        print(f"{name:<24}{told['found']:>5} found, {lost:>7} of those lost, {hidden:>7} alone", end="  ")
        print(json.dumps(told["lost_chains"]), json.dumps(told["lost_alone_chains"]))


if __name__ == "__main__":
    import sys

    sys.argv.append("--evasion")
    main()
