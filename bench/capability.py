"""How well the capability table classes real CloudTrail events: `python -m bench.capability [--json]`.

Two labelled sets in ../shared/datasets/cloudtrail: recorded attack techniques, of which the privileged ones
must show an event above `write`; and the tests of detection rules, whose labels say "this rule fires", not
"this is an attack". The rules' table is a view of what sits in which class, not a score.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections import Counter, defaultdict
from pathlib import Path

from baseline.capability import CAPABILITIES, PRIVILEGED, Capabilities

DATA = Path(__file__).parents[2] / "shared" / "datasets" / "cloudtrail"
READING_TECHNIQUES: frozenset[str] = frozenset()
"""Techniques of which every step is a read, so that no table of names can see them. None in this part."""


def lines(name: str) -> list[dict]:
    with gzip.open(DATA / f"{name}.jsonl.gz", "rt") as file:
        return [json.loads(line) for line in file]


def techniques(capabilities: Capabilities) -> dict:
    """Per technique the actions above `write` and those not; and the techniques that have none above."""
    above, below = defaultdict(Counter), defaultdict(Counter)
    for line in lines("stratus"):
        event, technique = line["event"], line["technique"]
        classed = capabilities.classify(event["eventName"], event["eventSource"])
        side = above if classed.capability in PRIVILEGED else below
        side[technique][f"{event['eventName']} {classed.capability}"] += 1
        above[technique], below[technique]
    missed = sorted(t for t, found in above.items() if not found and t not in READING_TECHNIQUES)
    return {
        "techniques": len(above),
        "caught": len(above) - len(missed),
        "missed": {t: sorted(below[t]) for t in missed},
        "above_write": {t: sorted(found) for t, found in sorted(above.items())},
    }


def rules(capabilities: Capabilities) -> dict:
    """Firing and quiet rule tests by the class of their event, and the names that nothing matched."""
    counts = {str(c): {"fires": 0, "quiet": 0, "rules": set()} for c in (*CAPABILITIES, None)}
    unmatched: Counter[str] = Counter()
    only_below: dict[str, set[str]] = defaultdict(set)
    privileged_rules: set[str] = set()
    nameless = 0
    for line in lines("panther_tests"):
        name, source = line["log"].get("eventName"), line["log"].get("eventSource")
        if not name:
            nameless += 1
            continue
        found = capabilities.classify(name, source).capability
        counts[str(found)]["fires" if line["expected"] else "quiet"] += 1
        if found is None:
            unmatched[f"{source}:{name}"] += 1
        if line["expected"]:
            counts[str(found)]["rules"].add(line["rule"])
            if found in PRIVILEGED:
                privileged_rules.add(line["rule"])
            else:
                only_below[line["rule"]].add(f"{name} {found}")
    for row in counts.values():
        row["rules"] = len(row["rules"])
    below = {rule: sorted(only_below[rule]) for rule in sorted(only_below.keys() - privileged_rules)}
    return {
        "by_class": counts,
        "rules_privileged": len(privileged_rules),
        "rules_not_privileged": below,
        "without_event_name": nameless,
        "unmatched": dict(sorted(unmatched.items())),
    }


def speed(capabilities: Capabilities) -> dict:
    """Names classed a second: all seen before, and each for the first time."""
    pairs = [(e["event"]["eventName"], e["event"]["eventSource"]) for e in lines("stratus")] * 5_000
    classify = capabilities.classify
    started = time.perf_counter()
    for tool, service in pairs:
        classify(tool, service)
    cached = len(pairs) / (time.perf_counter() - started)
    fresh = [f"update_security_group_rule_{n}" for n in range(20_000)]
    started = time.perf_counter()
    for tool in fresh:
        classify(tool)
    first_time = len(fresh) / (time.perf_counter() - started)
    return {"cached_per_s": round(cached), "first_time_per_s": round(first_time)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    as_json = parser.parse_args().json
    if not DATA.is_dir():
        raise SystemExit(f"{DATA} is absent: the labelled sets are not part of the repository")
    capabilities = Capabilities.load()
    stratus, panther, rate = techniques(capabilities), rules(capabilities), speed(capabilities)
    if as_json:
        figures = {"version": capabilities.version, "stratus": stratus, "panther": panther, "speed": rate}
        print(json.dumps(figures, indent=2, sort_keys=True))
        return
    print(f"capability table {capabilities.version}\n")
    print(f"techniques with an event above write: {stratus['caught']} of {stratus['techniques']}")
    for technique, found in stratus["above_write"].items():
        print(f"  {technique:62} {', '.join(found) or 'MISSED: ' + ', '.join(stratus['missed'][technique])}")
    print(f"\n{'class of the event':20} {'rule fires':>10} {'rule quiet':>10} {'rules':>6}")
    for name, row in panther["by_class"].items():
        print(f"{name:20} {row['fires']:>10} {row['quiet']:>10} {row['rules']:>6}")
    print(f"tests without an event name: {panther['without_event_name']}")
    print(f"\nfiring rules with a privileged event: {panther['rules_privileged']}; without one:")
    for rule, names in panther["rules_not_privileged"].items():
        print(f"  {rule:44} {', '.join(names)}")
    print(f"unmatched: {', '.join(panther['unmatched']) or 'none'}")
    cached, first_time = rate["cached_per_s"], rate["first_time_per_s"]
    print(f"\nclassed a second: {cached:,} seen before, {first_time:,} for the first time")


if __name__ == "__main__":
    main()
