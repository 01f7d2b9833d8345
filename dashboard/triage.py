"""What people made of the cases: status and owner, read at every look, for they change without a run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import polars as pl

from dashboard import queries
from detect.notes import owners_now
from detect.verdicts import Verdict, Word, verdicts_now

STATUSES: Final = ("open", "closed", "all")
STATUS: Final[dict[Word, str]] = {
    "open": "○ open",
    "true_positive": "● true positive",
    "false_positive": "◐ false positive",
    "benign_expected": "◑ benign, expected",
}
CLASSIFICATIONS: Final = ("true_positive", "false_positive", "benign_expected")
WORDS: Final = {
    "true_positive": "True positive",
    "false_positive": "False positive",
    "benign_expected": "Benign, expected",
}


def with_people(cases: pl.DataFrame) -> pl.DataFrame:
    """The cases with `status` (a glyph and words), `is_open` and `owner`."""
    said, owners = verdicts_now(queries.data()), owners_now(queries.data())
    words = [verdict.verdict if (verdict := said.get(id)) else "open" for id in cases["case_id"]]
    return cases.with_columns(
        pl.Series("status", [STATUS[word] for word in words], dtype=pl.String),
        pl.Series("is_open", [word == "open" for word in words], dtype=pl.Boolean),
        pl.Series("owner", [owners.get(id) for id in cases["case_id"]], dtype=pl.String),
    )


def narrowed(cases: pl.DataFrame, status: str, owner: str) -> pl.DataFrame:
    """The cases of this status whose owner contains this text, in their order."""
    if status != "all":
        cases = cases.filter(pl.col("is_open") == (status == "open"))
    if owner.strip():
        named = pl.col("owner").fill_null("").str.to_lowercase()
        cases = cases.filter(named.str.contains(owner.strip().lower(), literal=True))
    return cases


def day_and_minute(seconds: float) -> str:
    """A moment of the people's own clock, UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"


def limit(verdict: Verdict) -> str:
    """Until when it holds, where it does not hold for ever; the last day."""
    if verdict.expires_at is None:
        return ""
    return f" until {datetime.fromtimestamp(verdict.expires_at - 1, UTC):%Y-%m-%d}"
