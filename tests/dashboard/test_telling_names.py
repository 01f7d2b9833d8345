"""Short names: still different where the long ones are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dashboard.telling_names import LONGEST, short_names

ROLES = [f"arn:aws:sts::111122223333:assumed-role/{role}/cloud-remediation-agent" for role in ("Deploy", "Audit")]


def test_names_that_end_alike_are_told_by_the_part_in_which_they_differ() -> None:
    assert short_names([*ROLES, "prod/ledger"]) == {
        ROLES[0]: "…Deploy…", ROLES[1]: "…Audit…", "prod/ledger": "prod/ledger",
    }  # fmt: skip
    assert short_names(ROLES[:1]) == {ROLES[0]: f"…{ROLES[0][-LONGEST:]}"}


@given(st.lists(st.text(alphabet="ab:/", max_size=60)))
def test_every_name_has_a_short_one(names: list[str]) -> None:
    found = short_names(names)
    assert set(found) == set(names)
    assert all(len(short) <= LONGEST + 2 for short in found.values())
    assert all(found[name] == name for name in names if len(name) <= LONGEST)
