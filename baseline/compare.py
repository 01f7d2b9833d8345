"""Two profiles side by side: what differs most, as a log-odds ratio with its interval."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from baseline.models.levels import log_odds
from baseline.profile_parts import Profile


@dataclass(frozen=True)
class Difference:
    """Something that `of_a` and `of_b` could have shown, and how often each did."""

    what: str
    a: int
    of_a: int
    b: int
    of_b: int
    log_odds: float
    low: float
    high: float

    @property
    def is_certain(self) -> bool:
        """Whether the 95 % interval leaves out that both are alike."""
        return self.low > 0 or self.high < 0


def compare(a: Profile, b: Profile) -> tuple[Difference, ...]:
    """Every share that either has: the certain ones first, then by how far apart at least; ties by name."""
    left, right = dict(_shares(a)), dict(_shares(b))
    totals_a, totals_b = _totals(a), _totals(b)
    found = []
    for kind, name in sorted(left.keys() | right.keys()):
        seen_a, of_a = left.get((kind, name), 0), totals_a.get(kind, 0)
        seen_b, of_b = right.get((kind, name), 0), totals_b.get(kind, 0)
        if of_a and of_b:
            found.append(
                Difference(f"{kind} {name}", seen_a, of_a, seen_b, of_b, *log_odds(seen_a, of_a, seen_b, of_b))
            )
    return tuple(sorted(found, key=lambda d: (-max(d.low, -d.high), -abs(d.log_odds), d.what)))


def _totals(p: Profile) -> dict[str, int]:
    return {
        "tool": p.rests_on.sessions,
        "approval": p.approvals.privileged_calls,
        **{linked.kind.replace("_", " to "): linked.of for linked in p.links},
        **{f"origin of {argument}": sum(counts.values()) for argument, counts in p.origins.items()},
    }


def _shares(p: Profile) -> Iterator[tuple[tuple[str, str], int]]:
    for use in p.tools:
        yield ("tool", use.tool), use.sessions
    for state, n in p.approvals.by_state.items():
        yield ("approval", state), n
    for linked in p.links:
        for name, n in linked.usual:
            yield (linked.kind.replace("_", " to "), name), n
    for argument, counts in p.origins.items():
        for origin, n in counts.items():
            yield (f"origin of {argument}", origin), n
