"""Steps -> counts: each aspect of what an agent does, as rows that add up.

Everything here is a whole number that belongs to one session of one day, so that a sum is the same whatever was added
first, and taking a session off again leaves what was there before.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import polars as pl

from baseline.capability_table import PRIVILEGED
from baseline.values import Kind, Sources, named, values_in
from ingest.database import rows_of

_ORDER: Final = ("ordered_at", "sequence", "depth", "kind_rank", "event_id")
_ASKING: Final = frozenset(("user", "human", "request", "user_message", "input"))
_DECISIONS: Final = ("approved", "denied", "automatic")
START: Final = "^"
"""Stands in a context for the start of a trace."""
ARROW: Final = " → "
FAILED: Final = " failed"
"""A state is a tool, with this behind it where the call failed or was denied."""
LATENCIES_S: Final = (1, 5, 30, 120, 600, 3600, 28800)
"""Bounds of the buckets of how long a decision took: the value is how many of them it reached."""

_MOST_DECISIONS: Final = 200
"""Of a session, the first: each is held against each privileged call, and a log can hold any number of both."""
_ROWS_AT_ONCE: Final = 5_000
"""So many payloads are Python's own texts at a time."""
_CALLS_AT_ONCE: Final = 250
"""So many privileged calls are held against the decisions at a time, for the pairs take memory."""
COUNTED: Final = ("day", "agent_id", "agent_version", "aspect", "context", "value")
_SHOWN_OFTEN: Final = ("tool", "target", "principal", "credential_id", "capability", "previous_tool")
"""What several aspects show is coded once."""
_WHO: Final = ["day", "agent_id", "agent_version"]
_CATEGORY: Final = pl.Categorical()

_LINKS: Final = ("principal", "credential", "target", "tool_target", "source_target", "role_role")
_ORDERS: Final = ("outcome", "next_1", "next_2", "next_3", "argument_shape", "hour")
_DECISION: Final = ("decision", "approver", "decision_latency")
_VALUES: Final = ("argument_kind", "value", "origin")
_SIZES: Final = ("calls_a_session", "targets_a_session")
OF_PAYLOADS: Final = frozenset((*_VALUES, "argument_shape"))
"""The aspects for which arguments and results are read."""


def counts_of(steps: pl.DataFrame, *, by_session: bool = False, aspects: Collection[str] | None = None) -> pl.DataFrame:
    """The counts of the steps that `baseline/steps.sql` gives; with `by_session` each session's apart.

    With `aspects` these alone; where none of `OF_PAYLOADS` is among them, arguments and results may be missing.
    """

    def asked(*names: str) -> bool:
        return aspects is None or any(name in aspects for name in names)

    steps = _numbered(steps.sort("trace_id", "agent_id", *_ORDER))
    calls = _with_states(steps.filter((pl.col("kind") == "tool_call") & pl.col("tool").is_not_null()))
    coded = calls.with_columns(pl.col(_SHOWN_OFTEN).cast(_CATEGORY))
    parts = _of_calls(coded)
    parts += _of_links(coded) if asked(*_LINKS) else []
    parts += [_delegated(steps, calls)] if asked("delegated_capability") else []
    parts += _of_orders(coded) if asked(*_ORDERS) else []
    parts += _of_decisions(steps) if asked(*_DECISION) else []
    parts += [_decided(steps, calls)] if asked("decided") else []
    parts += _of_values(steps) if asked(*_VALUES) else []
    parts += _sizes(calls) if asked(*_SIZES) else []
    told = pl.concat([part for part in parts if part.height and asked(part["aspect"][0])] or [parts[0].clear()])
    by = ["who", "aspect", "context", "value"]
    counted = told.group_by([*by, "session"] if by_session else by, maintain_order=True).agg(
        pl.len().alias("steps").cast(pl.Int64), pl.col("session").n_unique().alias("sessions").cast(pl.Int64)
    )
    counted = counted.join(steps.select("who", *_WHO).unique("who"), on="who", maintain_order="left")
    text = [pl.col(c).cast(pl.String) for c in COUNTED if c != "day"]
    if not by_session:
        return counted.select(pl.lit(None, pl.String).alias("session_id"), "day", *text, "steps", "sessions")
    ids = steps.select("session", "session_id").unique("session")
    counted = counted.join(ids, on="session").select("session_id", "day", *text, "steps", "sessions")
    return counted.sort("session_id", *COUNTED)


def _numbered(steps: pl.DataFrame) -> pl.DataFrame:
    """The steps with a number for the day, agent and version (`who`) and one for the session."""
    steps = steps.with_columns(pl.col("ordered_at").min().over("trace_id").cast(pl.Date).alias("day"))
    who = steps.select(_WHO).unique(maintain_order=True).with_row_index("who")
    sessions = steps.select("session_id").unique(maintain_order=True).with_row_index("session")
    steps = steps.join(who, on=_WHO, nulls_equal=True, maintain_order="left")
    return steps.join(sessions, on="session_id", maintain_order="left")


def _aspect(frame: pl.DataFrame, name: str, value: str | pl.Expr, context: str | pl.Expr = "") -> pl.DataFrame:
    """Rows of one aspect; a context or value that is null tells nothing and is left out."""
    shown = pl.col(value) if isinstance(value, str) and value else pl.lit(value) if isinstance(value, str) else value
    under = pl.col(context) if isinstance(context, str) and context else context
    under = pl.lit(under) if isinstance(under, str) else under
    return frame.select(
        "who",
        "session",
        pl.lit(name).cast(_CATEGORY).alias("aspect"),
        under.cast(_CATEGORY).alias("context"),
        shown.cast(_CATEGORY).alias("value"),
    ).drop_nulls(["context", "value"])


def _with_states(calls: pl.DataFrame) -> pl.DataFrame:
    """The calls with `previous_tool` and the states before them: `before_2` are the last two."""
    chain = (pl.col("trace_id") != pl.col("trace_id").shift()) | (pl.col("agent_id") != pl.col("agent_id").shift())
    failed = pl.when(pl.col("status").is_in(["error", "denied"])).then(pl.lit(FAILED)).otherwise(pl.lit(""))
    calls = calls.with_columns(
        chain.fill_null(True).cum_sum().alias("chain"), (pl.col("tool") + failed).alias("state")
    ).with_columns(pl.int_range(pl.len()).over("chain").alias("place"))
    place = pl.col("place")
    back = {
        n: pl.when(place >= n).then(pl.col("state").shift(n)).when(place == n - 1).then(pl.lit(START))
        for n in (1, 2, 3)
    }
    previous = pl.when(pl.col("place") >= 1).then(pl.col("tool").shift(1)).otherwise(pl.lit(""))
    return calls.with_columns(
        previous.alias("previous_tool"),
        back[1].alias("before_1"),
        (back[2] + ARROW + back[1]).alias("before_2"),
        (back[3] + ARROW + back[2] + ARROW + back[1]).alias("before_3"),
    )


def _of_calls(calls: pl.DataFrame) -> list[pl.DataFrame]:
    return [
        _aspect(calls, "session", ""),
        _aspect(calls, "version", "agent_version"),
        _aspect(calls, "tool", "tool"),
        _aspect(calls, "capability", "capability"),
        _aspect(calls, "transition", "tool", "previous_tool"),
        _aspect(calls, "approval", "approval", "tool"),
    ]


def _of_orders(calls: pl.DataFrame) -> list[pl.DataFrame]:
    """How calls went, what they follow, how they are shaped and when they come."""
    at = pl.col("ordered_at")
    return [
        _aspect(calls, "outcome", "status", "tool"),
        _aspect(calls, "next_1", "tool", "before_1"),
        _aspect(calls, "next_2", "tool", "before_2"),
        _aspect(calls, "next_3", "tool", "before_3"),
        _aspect(calls, "argument_shape", "argument_shape", "tool"),
        _aspect(calls, "hour", at.dt.strftime("%H"), at.dt.strftime("%a")),
    ]


def _of_links(calls: pl.DataFrame) -> list[pl.DataFrame]:
    """Who acted as whom on what: each link is one that can be new."""
    acting = pl.coalesce("principal", "credential_id")
    takes_on = pl.when((pl.col("capability") == "credential") & acting.is_not_null()).then(pl.col("target"))
    return [
        _aspect(calls, "principal", "principal"),
        _aspect(calls, "credential", "credential_id"),
        _aspect(calls, "target", "target"),
        _aspect(calls, "tool_target", "target", "tool"),
        _aspect(calls, "source_target", "target", "source_host"),
        _aspect(calls, "role_role", takes_on, acting),
    ]


def _delegated(steps: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """What an agent did in the sessions in which another handed over to it."""
    handed = steps.filter((pl.col("kind") == "handoff") & pl.col("target").is_not_null())
    handed = handed.select(
        "session", pl.col("agent_id").alias("delegator"), pl.col("target").alias("agent_id")
    ).unique()
    return _aspect(
        calls.join(handed, on=["session", "agent_id"], maintain_order="left_right"),
        "delegated_capability",
        "capability",
        "delegator",
    )


def _of_decisions(steps: pl.DataFrame) -> list[pl.DataFrame]:
    """Approvals that are steps of their own, and who gave those that a call bears itself."""
    decided = steps.filter(pl.col("approval").is_in(_DECISIONS))
    own = decided.filter(pl.col("kind") == "approval")
    told = own.select(pl.col("parent_event_id").alias("event_id")).drop_nulls().unique()
    decided = decided.join(told, on="event_id", how="anti", maintain_order="left")
    asked = steps.filter((pl.col("kind") == "approval") & (pl.col("approval") == "pending"))
    since = asked.group_by("trace_id", "parent_event_id").agg(pl.col("ordered_at").min().alias("asked_at"))
    own = own.join(since, on=["trace_id", "parent_event_id"], how="left", nulls_equal=True, maintain_order="left")
    from_ask = pl.col("ordered_at") - pl.col("asked_at")
    from_start = pl.when(pl.col("ended_at") > pl.col("started_at")).then(pl.col("ended_at") - pl.col("started_at"))
    took = pl.coalesce(pl.when(pl.col("asked_at") <= pl.col("ordered_at")).then(from_ask), from_start)
    seconds = took.dt.total_seconds(fractional=True)
    reached = pl.sum_horizontal((seconds >= bound).cast(pl.Int8) for bound in LATENCIES_S)
    bucket = pl.when(took.is_not_null()).then(reached.cast(pl.String))
    tool = pl.col("tool").fill_null("")
    return [
        _aspect(own, "decision", "approval", tool),
        _aspect(decided, "approver", "approver", pl.col("approval")),
        _aspect(own, "decision_latency", bucket, pl.col("approval")),
    ]


def _decided(steps: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """What was decided of each privileged call: by its own state, else by the last decision before it that is about it.

    A decision is about the call it hangs on, else about what it names (target, then tool), else about what comes next.
    """
    privileged = calls.filter(pl.col("capability").is_in(sorted(PRIVILEGED)))
    about = steps.filter((pl.col("kind") == "approval") & pl.col("approval").is_in(_DECISIONS)).select(
        "session", pl.col("parent_event_id").alias("about_event"), pl.col("target").alias("about_target"),
        pl.col("tool").alias("about_tool"), pl.col("ordered_at").alias("decided_at"), pl.col("approval").alias("said"),
    )  # fmt: skip
    about = about.group_by("session", maintain_order=True).head(_MOST_DECISIONS)
    said = pl.concat(
        [_last_about(some, about) for some in privileged.iter_slices(_CALLS_AT_ONCE)]
        or [_last_about(privileged, about)]
    )
    state = pl.when(pl.col("approval").is_in(_DECISIONS)).then(pl.col("approval"))
    told = privileged.join(said, on="event_id", how="left", maintain_order="left")
    return _aspect(told, "decided", pl.coalesce(state, "said", "approval"), "tool")


def _last_about(privileged: pl.DataFrame, about: pl.DataFrame) -> pl.DataFrame:
    """event_id -> what the last decision about the call said; calls without one are not in it."""
    pairs = privileged.select("event_id", "session", "tool", "target", "ordered_at").join(
        about, on="session", maintain_order="left_right"
    )
    is_it = (pl.col("about_event") == pl.col("event_id")).fill_null(False)
    names = pl.coalesce(pl.col("about_target") == pl.col("target"), pl.col("about_target").is_null())
    names &= pl.col("about_target").is_not_null() | pl.coalesce(pl.col("about_tool") == pl.col("tool"), pl.lit(True))
    in_time = (pl.col("decided_at") <= pl.col("ordered_at")).fill_null(True)
    last = pairs.filter(is_it | (names & in_time)).sort("event_id", is_it, "decided_at", "said", maintain_order=True)
    return last.group_by("event_id", maintain_order=True).agg(pl.col("said").last())


def _of_values(steps: pl.DataFrame) -> list[pl.DataFrame]:
    """Kinds, names and origins of the values of calls that may change something."""
    changing = steps.filter(pl.col("may_change")).select("session").unique()
    columns = ("who", "session", "kind", "operation", "tool", "may_change", "arguments", "result")
    seen = steps.select(*columns, *(c for c in (*_ORDER, "trace_id") if c not in columns)).join(
        changing, on="session", how="semi"
    )
    seen = seen.sort("session", *_ORDER, "trace_id").select(columns)
    rows: list[tuple[int, int, str, Kind, str | None, str | None]] = []
    sources, current = Sources(), None
    told = (row for part in seen.iter_slices(_ROWS_AT_ONCE) for row in rows_of(part, columns))
    for who, session, kind, operation, tool, may_change, given, result in told:
        if session != current:
            sources, current = Sources(), session
        if kind == "message" or kind == "lifecycle":
            if given and (kind == "lifecycle" or operation in _ASKING):
                sources.ask(given)
            continue
        if may_change:
            for name, value, form in values_in(given):
                origin = sources.origin(value) if form != "text" else None
                rows.append((who, session, f"{tool} {name}", form, named(value, form), origin))
        if result:
            sources.answer(result)
    texts = dict.fromkeys(("argument", "form", "named", "origin"), pl.String)
    values = pl.DataFrame(rows, schema={"who": pl.UInt32, "session": pl.UInt32, **texts}, orient="row")
    return [
        _aspect(values, "argument_kind", "form", "argument"),
        _aspect(values, "value", "named", "form"),
        _aspect(values, "origin", "origin", "argument"),
    ]


def _sizes(calls: pl.DataFrame) -> list[pl.DataFrame]:
    """Calls a session and distinct targets a session, as numbers that sort as texts do."""
    sized = calls.group_by("who", "session", maintain_order=True).agg(
        pl.len().alias("calls"), pl.col("target").drop_nulls().n_unique().alias("targets")
    )
    number = {name: pl.col(name).cast(pl.String).str.zfill(6) for name in ("calls", "targets")}
    return [_aspect(sized, f"{name}_a_session", value) for name, value in number.items()]
