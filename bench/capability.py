"""How well the capability table classes real CloudTrail events: `python -m bench.capability [--json]`.

`vendor_names.toml` beside this file holds names across the field, with the class that their documentation gives them.
Two labelled sets in ../shared/datasets/cloudtrail: recorded attack techniques, of which the privileged ones
must show an event above `write`; and the tests of detection rules, whose labels say "this rule fires", not
"this is an attack". The rules' table is a view of what sits in which class, not a score.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
import tomllib
from collections import Counter, defaultdict
from pathlib import Path

from baseline.capability import Capabilities
from baseline.capability_table import CAPABILITIES, PRIVILEGED

DATA = Path(__file__).parents[2] / "shared" / "datasets" / "cloudtrail"
AGENTDOJO = DATA.parent / "agentdojo" / "runs.jsonl.gz"
VENDOR_NAMES = Path(__file__).with_name("vendor_names.toml")
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


def vendors(capabilities: Capabilities) -> dict:
    """Precision and recall of each class over the vendors' names, and what is classed otherwise; none is empty."""
    named = tomllib.loads(VENDOR_NAMES.read_text("utf-8"))
    told = [(vendor, name, said) for vendor, by in named.items() for said, names in by.items() for name in names]
    hits, given, true = Counter(), Counter(), Counter(said for _, _, said in told)
    wrong = {}
    for vendor, name, said in told:
        found = str(capabilities.classify(name).capability)
        given[found] += 1
        hits[said] += found == said
        if found != said:
            wrong[f"{vendor}: {name}"] = f"{said}, classed {found}"
    return {
        "names": len(told),
        "accuracy": round(sum(hits.values()) / len(told), 4),
        "unmatched": given["None"],
        "by_class": {
            c: {"precision": round(hits[c] / given[c], 4), "recall": round(hits[c] / true[c], 4), "names": true[c]}
            for c in CAPABILITIES
        },
        "wrong": dict(sorted(wrong.items())),
    }


def assistants(capabilities: Capabilities) -> dict[str, list[str]]:
    """Class -> the tools of AgentDojo's four assistants: no labels, but everybody knows what each of them does."""
    with gzip.open(AGENTDOJO, "rt") as file:
        messages = [message for line in file for message in json.loads(line)["messages"]]
    names = {call["function"]["name"] for m in messages for call in m.get("tool_calls") or ()}
    found: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        found[str(capabilities.classify(name).capability)].append(name)
    return dict(sorted(found.items()))


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
    named, plain = vendors(capabilities), assistants(capabilities)
    if as_json:
        figures = {
            "version": capabilities.version,
            "stratus": stratus,
            "panther": panther,
            "vendors": named,
            "assistants": plain,
        }
        figures["speed"] = rate
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
    share = f"{named['accuracy']:.1%} classed as documented"
    print(f"\n{named['names']} names of vendors' tools and audited actions, {share}")
    print(f"{'class':20} {'precision':>10} {'recall':>10} {'names':>6}")
    for name, row in named["by_class"].items():
        print(f"{name:20} {row['precision']:>10.3f} {row['recall']:>10.3f} {row['names']:>6}")
    print(f"unmatched: {named['unmatched']}; classed otherwise:")
    for name, how in named["wrong"].items():
        print(f"  {name:60} {how}")
    print("\ntools of AgentDojo's assistants, by class:")
    for name, tools in plain.items():
        print(f"  {name:20} {', '.join(tools)}")
    cached, first_time = rate["cached_per_s"], rate["first_time_per_s"]
    print(f"\nclassed a second: {cached:,} seen before, {first_time:,} for the first time")


if __name__ == "__main__":
    main()
