"""One step: what was done, by whom, with whose leave; why it was flagged; and what is usual."""

from __future__ import annotations

from typing import Final

import polars as pl
import streamlit as st

from baseline.history import LEAST_SESSIONS
from dashboard import parts, queries
from dashboard.queries import Record, Session
from dashboard.words import KINDS, approval, counted, took, when
from ingest.visible import PAYLOAD_CHARACTERS, payload, visible

ALL: Final = 5_000_000
"""What "show all" shows at most, so that one result cannot stop the browser."""


def card(step: Record) -> None:
    """The facts of the step, as its records told them."""
    with st.container(border=True, gap="xsmall"):
        st.caption(KINDS.get(step["kind"], "step"))
        parts.block(
            visible(step["tool"] or step["operation"]) + f"  →  {visible(step['target'])}" * bool(step["target"])
        )
        parts.facts(
            [
                ("Agent", visible(step["agent_id"])),
                ("Principal", visible(step["principal"])),
                ("Credential", visible(step["credential_id"])),
                ("Acting for", visible(step["on_behalf_of"])),
                ("Status", visible(step["status"])),
                ("Started (UTC)", when(step["started_at"])),
                ("Took", took(step["started_at"], step["ended_at"])),
                ("From host", visible(step["source_host"])),
                ("Operation", visible(step["operation"])),
                ("Model", visible(step["model"])),
                ("Tokens in / out", f"{_count(step['input_tokens'])} / {_count(step['output_tokens'])}"),
                ("Agent version", visible(step["agent_version"])),
            ],
            across=3,
        )
        if step["error"]:
            st.caption("Error")
            parts.block(visible(step["error"], PAYLOAD_CHARACTERS, lines=True))
        _approval(step)
        _origin(step)


def _approval(step: Record) -> None:
    told = [f"{approval(step['approval'], step['approver'])}"]
    for row in queries.approvals_of(step).to_dicts():
        told.append(
            f"{when(row['started_at'])}  {approval(row['approval'], row['approver'])}  "
            f"({visible(row['operation'])}, {visible(row['source'])})"
        )
    if len(told) == 1 and step["approval"] in ("approved", "denied", "automatic", "pending"):
        told.append("known from the call's own record; no approval step of its own, so no time of its own")
    with st.container(gap=None):
        st.caption("Approval")
        for line in told:
            st.text(line)


def _origin(step: Record) -> None:
    witnesses = queries.witnesses(step["event_id"]) if step["witnesses"] > 1 else pl.DataFrame()
    told = [f"{visible(step['source'])}   sha-256 {visible(step['source_sha256'])}"]
    told += [
        f"{visible(row['source'])}   {visible(row['witness'])}, {visible(row['operation'])}, "
        f"status {visible(row['status'])}"
        for row in witnesses.to_dicts()
    ]
    with st.container(gap=None):
        if step["witnesses"] > 1:
            st.caption(counted("Source: {n} records tell of this step", n=step["witnesses"]))
        else:
            st.caption("Source: one record tells of this step")
        for line in told[:6]:
            st.text(line)
        if len(told) > 6:
            st.text(f"… and {len(told) - 6:,} more records")
        if step.get("gap"):
            st.text(f"Left out by the source: {visible(step['gap'])}")
        if step["disagreement"]:
            st.text(f"These records disagree on: {visible(step['disagreement'])}")


def payloads(step: Record) -> None:
    """Arguments and result side by side, laid out and inert."""
    sides = [field for field in ("arguments", "result") if step[field]]
    if not sides:
        st.text("This step carries no arguments and no result.")
        return
    for place, field in zip(st.columns(len(sides), gap="small"), sides, strict=True):
        text = step[field]
        with place.container(gap="xxsmall"):
            st.caption("Arguments" if field == "arguments" else "Result")
            whole = False
            if len(text) > PAYLOAD_CHARACTERS:
                whole = st.toggle(
                    counted("Show all {n} characters", n=len(text)), key=f"all-{field}-{step['event_id']}"
                )
            with st.container(height=320 if len(text) > 600 else "content", border=False, gap=None):
                parts.block(payload(text, ALL if whole else PAYLOAD_CHARACTERS))


def reason(session: Session, step: Record) -> None:
    """The findings that this step helps to prove."""
    these = session.findings.filter(pl.col("event_ids").list.contains(step["event_id"]))
    st.subheader("The reason", anchor=False)
    if these.height == 0:
        st.text("No finding points at this step.")
    for row in these.to_dicts():
        with st.container(border=True, gap="xsmall"):
            parts.finding(row)
            st.page_link("pages/case.py", label=":primary[Open the case]", query_params={"case": row["case_id"]})


def baseline(session: Session, step: Record) -> None:
    """How usual this tool is for the agent and its peers, before that day."""
    st.subheader("The baseline", anchor=False)
    found = session.beside.filter(pl.col("event_id") == step["event_id"])
    if found.height == 0:
        st.text("A baseline stands beside tool calls only.")
        return
    row = found.row(0, named=True)
    with st.container(gap=None):
        for line in baseline_lines(row):
            st.text(line)


def baseline_lines(row: Record) -> list[str]:
    """The baseline of one tool call in words."""
    lines = [f"Capability: {visible(row['capability'] or 'unknown to the capability table')}"]
    if not row["enough"]:
        lines.append(f"not enough history: {row['sessions_total']:,} sessions, {LEAST_SESSIONS:,} needed")
    if row["sessions_total"]:
        lines.append(f"{_of(row['sessions_seen'], row['sessions_total'])} sessions of this agent before that day")
    if row["peers_total"]:
        lines.append(f"peers {_of(row['peers_seen'], row['peers_total'])}")
    else:
        lines.append("peers: none had a session before that day")
    if row["previous_tool"] and row["after_total"]:
        after = _of(row["after_seen"], row["after_total"])
        lines.append(f"{after} times directly after {visible(row['previous_tool'], 80)}")
    return lines


def _of(seen: int | None, total: int | None) -> str:
    return f"{seen or 0:,} of {total or 0:,}"


def _count(number: int | None) -> str:
    return "–" if number is None else f"{number:,}"
