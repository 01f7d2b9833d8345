"""Case: one causal root, its path and the findings that prove it."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard import charts, parts, queries, theme, words
from dashboard.keeping import analyst
from dashboard.path import REPLAY, link_to, path_list
from dashboard.verdict import notes_panel, verdict_panel
from detect.evidence_export import evidence_file, file_name
from ingest.visible import visible


def evidence(case_id: str) -> bytes:
    """The evidence file, made when the button is pressed."""
    return evidence_file(queries.connection(), queries.data(), case_id, by=analyst()) or b""


wanted = st.query_params.get("case", "")
found = queries.case(wanted) if wanted else None
if found is None:
    parts.nothing(
        "Case not found" if wanted else "No case is open",
        f"No case has the id {visible(wanted, 120)}. It may belong to another data directory, or a later run "
        "has withdrawn it."
        if wanted
        else "Choose one on the Cases page.",
    )
    st.page_link("pages/cases.py", label="All cases")
    st.stop()

path = queries.path(wanted)
worst = next((step for step in path.to_dicts() if step["event_id"] == found["event_id"] and step["step"]), found)
said, axes = st.columns([7, 3], gap="medium")
with said:
    st.title(words.SEVERITY_HEADING.get(found["severity"], "Case"), anchor=False)
    parts.block(f"{visible(found['title'])}\n\n{visible(found['why'], 1_000)}")
with axes:
    left, right = st.columns(2)
    left.metric("Anomaly", words.share(found["anomaly"]), border=True)
    right.metric("Impact", words.share(found["impact"]), border=True)
    with st.container(border=True, gap=None):
        st.page_link(REPLAY, label=":primary[▶ Replay from the worst step]", query_params=link_to(worst))
        st.download_button(
            ":primary[Evidence file (ZIP)]", data=partial(evidence, wanted), file_name=file_name(wanted),
            mime="application/zip", on_click="ignore", type="tertiary",
            help="Report, steps, raw records, and a SHA-256 for each file.",
        )  # fmt: skip
parts.facts(
    [
        ("Agents", visible(", ".join(found["agents"] or []))),
        ("Techniques", visible(", ".join(found["techniques"] or []) or "–")),
        ("First seen (UTC)", words.when(found["first_at"])),
        ("Last seen (UTC)", words.when(found["last_at"])),
    ]
)

st.subheader("Path", anchor=False)
st.plotly_chart(
    charts.path_figure(path, found["event_id"], found["severity"], theme.chosen()),
    theme=None, config={"displayModeBar": False}, key="path_figure",
    alt="The path of the case: a lane for each agent, steps in causal order. The list below says the same.",
)  # fmt: skip
path_list(path, found["event_id"])
movement, compare, agent = st.columns(3)
movement.page_link(
    "pages/movement.py", label=":primary[Movement: from identity to target]", query_params={"case": wanted}
)
compare.page_link(
    "pages/compare.py", label=":primary[Compare with the nearest quiet session]",
    query_params={"session": worst["session_id"] or "", "event": worst["event_id"] or ""},
)  # fmt: skip
agent.page_link(
    "pages/agent.py", label=":primary[Agent: what is normal for it]",
    query_params={"agent": worst.get("agent_id") or (found["agents"] or [""])[0], "session": worst["session_id"] or ""},
)  # fmt: skip

findings = queries.findings(wanted)
st.subheader("Findings", anchor=False)
for row in findings.to_dicts():
    with st.container(border=True, gap="xsmall"):
        parts.finding(row)
if findings.height == 0:
    st.text("The findings of this case are not published.")

verdict_panel(found)
notes_panel(found)
