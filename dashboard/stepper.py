"""Stepping through a session: the component that steps in the browser, and what it hands back.

The URL is the only memory of where one stands; the component keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from dashboard import queries, theme
from dashboard.given import as_it_is
from dashboard.keeping import keep, kept
from dashboard.links import link
from dashboard.queries import Record
from dashboard.queries_of_session import queue
from dashboard.stepper_blocks import whole_steps
from dashboard.stepper_routes import PREFIX
from dashboard.stepper_session import Opened
from dashboard.words import SEVERITIES
from ingest.visible import visible

KEY: Final = "stepper"

mount: Final = st.components.v2.component("custodiet.stepper", js="stepper.js", css="stepper.css")


def place(session: Opened, asked: Mapping[str, str]) -> int:
    """The step that the URL asks for: an event's own place, else a number's, else the first such pair of calls."""
    event = asked.get("event")
    if event is not None and (found := session.places([event])):
        return found[event]
    if "step" not in asked and "tool" in asked:
        return session.first_call(asked.get("by", ""), asked["tool"], asked.get("after", "")) or 1
    return asked_step(asked.get("step"), session.last)


def asked_step(text: str | None, last: int) -> int:
    """The step that a link means: the first where it is no number, the nearest where it is out of range."""
    try:
        number = int(text or "1")
    except ValueError:
        return 1
    return min(max(number, 1), last)


def stepper(session: Opened) -> None:
    """The component on the step that the URL names."""
    step = place(session, st.query_params.to_dict())
    mount(
        key=KEY,
        data=as_it_is(
            {
                "session": session.session_id,
                "shown": visible(session.session_id, 80),
                "generation": session.generation,
                "last": session.last,
                "step": step,
                "first": whole_steps(session, step, 1),
                "from": PREFIX,
                "severities": theme.SEVERITY[theme.chosen()],
                "ink": {
                    "good": theme.GOOD[theme.chosen()],
                    "bad": theme.BAD[theme.chosen()],
                    **theme.INK[theme.chosen()],
                },
                "lanes": theme.LANES[theme.chosen()],
                "kept": [(kept_step, visible(words)) for kept_step, words in kept(session)],
                "cases": _neighbours(session.session_id),
            }
        ),
        on_keep_change=_keep,
    )


def _neighbours(session_id: str) -> dict[str, Any]:
    """The cases before and after the first one of this session, in the order of the Cases page."""
    cases = queue(queries.connection(), list(SEVERITIES))
    here = next((place for place, case in enumerate(cases) if case["session_id"] == session_id), -1)
    before = _worst(cases[here - 1]) if here > 0 else None
    after = _worst(cases[here + 1]) if here + 1 < len(cases) else None
    return {"place": here + 1, "of": len(cases), "before": before, "after": after}


def _worst(case: Record) -> str:
    return link("replay", session=case["session_id"], event=case["event_id"])


def _keep() -> None:
    """One moment is kept as evidence. What the browser sends is checked again where it is stored."""
    asked = st.session_state[KEY].keep
    if isinstance(asked, dict) and isinstance(asked.get("step"), int):
        keep(str(asked.get("session", "")), asked["step"], str(asked.get("note", "")))
