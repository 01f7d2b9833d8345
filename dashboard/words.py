"""The words and numbers of the pages: severities, times, approvals, counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import polars as pl

from ingest.visible import visible

SEVERITIES: Final = ("info", "low", "medium", "high", "critical")
_GLYPHS: Final = {"info": "·", "low": "▂", "medium": "◆", "high": "▲", "critical": "✖"}
_MILLISECONDS: Final = "%Y-%m-%d %H:%M:%S%.3f"

SEVERITY_HEADING: Final = {
    "info": "· Info case", "low": "▂ Low case", "medium": "◆ Medium case",
    "high": "▲ High case", "critical": "✖ Critical case",
}  # fmt: skip

KINDS: Final = {
    "model_call": "model call", "tool_call": "tool call", "approval": "approval",
    "message": "message", "handoff": "hand-off", "lifecycle": "lifecycle",
}  # fmt: skip


def severity(word: str | None) -> str:
    """A glyph and the word, so that colour is never alone in saying it."""
    return f"{_GLYPHS.get(word or '', '·')} {visible(word)}"


def when(moment: datetime | None) -> str:
    """UTC to the millisecond."""
    return "–" if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{moment.microsecond // 1000:03d}"


def when_column(name: str) -> pl.Expr:
    """The same, for a column."""
    return pl.col(name).dt.strftime(_MILLISECONDS).fill_null("–").alias(name)


def took(start: datetime | None, end: datetime | None) -> str:
    """How long it took, in the unit a person would choose."""
    if start is None or end is None:
        return "–"
    seconds = (end - start) / timedelta(seconds=1)
    if seconds < 1:
        return f"{seconds * 1000:,.0f} ms"
    return f"{seconds:,.1f} s" if seconds < 120 else f"{seconds / 60:,.1f} min"


def counted(template: str, **numbers: int) -> str:
    """A label or heading whose only variable parts are whole numbers; nothing of a log can get into it."""
    return template.format(**{name: f"{int(number):,}" for name, number in numbers.items()})


def count(number: int, one: str, many: str) -> str:
    """`1 session`, `2,041 sessions`."""
    return f"{number:,} {one if number == 1 else many}"


def share(number: float | None) -> str:
    """A probability or impact with two digits."""
    return "–" if number is None else f"{number:.2f}"


def end_column(name: str, characters: int) -> pl.Expr:
    """The end of a column's texts, with an ellipsis before it: where places and long names differ."""
    shorter = pl.concat_str(pl.lit("…"), pl.col(name).str.tail(characters - 1))
    return pl.when(pl.col(name).str.len_chars() > characters).then(shorter).otherwise(pl.col(name)).alias(name)


def approval(word: str | None, approver: str | None) -> str:
    """Who let the step pass; that a source cannot say it is an answer of its own."""
    if word is None:
        return "–"
    by = f" by {visible(approver)}" if approver else ", approver not named"
    return {
        "approved": f"approved{by}",
        "denied": f"denied{by}",
        "automatic": f"automatic policy, not a human{f': {visible(approver)}' if approver else ''}",
        "pending": "pending: nobody had decided",
        "not_recorded": "none recorded, though this source can record it",
        "cannot_record": "this source cannot record approvals",
    }.get(word, visible(word))


def approval_short(word: str | None) -> str:
    """The same for a table cell."""
    return {"not_recorded": "none recorded", "cannot_record": "cannot record", None: "–"}.get(word, visible(word))


def adds_up() -> pl.Expr:
    """Whether every record of a file is accounted for."""
    told = pl.sum_horizontal("events", "folded", "rejected", "duplicates")
    return pl.when(pl.col("records") == told).then(pl.lit("yes")).otherwise(pl.lit("NO")).alias("adds_up")


def with_place(frame: pl.DataFrame) -> pl.DataFrame:
    """`path` and `line` as one `place`."""
    return frame.with_columns(place=pl.format("{}:{}", pl.col("path"), pl.col("line")))
