"""What a change record says that it covers: by whom it is carried out, on what, and when.

A number in an argument proves nothing: the record behind it, as the log shows it when somebody looks it up, must be in
force, for this agent, for this thing and for this time. What a record does not say it does not limit. The fields are
those of ITIL's change records as service desks print them.
"""

from __future__ import annotations

import re
from collections.abc import Container
from datetime import datetime
from typing import Final

import msgspec

from detect.named_next import is_place
from detect.step import Step
from ingest.arguments import scalars_in
from ingest.times import nanoseconds

_WHO_KEYS: Final = frozenset(
    ("implementer", "implementers", "implementedby", "assignedto", "assignee", "assignees", "agent", "agents",
     "agentid", "assignedagent", "responders", "responder", "executor", "executors")
)  # fmt: skip
_WHAT_KEYS: Final = frozenset(
    ("configurationitems", "configurationitem", "cmdbci", "ci", "cis", "items", "scope", "affected", "affecteditems",
     "hosts", "host", "targets", "target", "assets", "systems", "resources", "resource", "shortdescription",
     "description", "summary", "title", "plan")
)  # fmt: skip
_STARTS: Final = frozenset(("window", "start", "startdate", "startsat", "plannedstart", "plannedstartdate", "from"))
_ENDS: Final = frozenset(("window", "end", "enddate", "endsat", "plannedend", "plannedenddate", "until", "to"))
_WORD: Final = re.compile(r"[A-Za-z0-9][\w:/@.-]*")
_FIRST: Final = re.compile(r"[A-Za-z]+[^A-Za-z]")
"""How a name begins: `srv-`, `i-`, `db.`."""
_LONGEST: Final = 2_000
_MOST_NAMED: Final = 64


class Change(msgspec.Struct, frozen=True):
    """A change record that was in force when it was looked up."""

    number: str
    state: str
    who: tuple[str, ...]
    """Who is to carry it out."""
    named: tuple[str, ...]
    """Every word of what it is about."""
    has_places: bool
    """Whether any of these words is a place or a thing with a name of its own."""
    starts_ns: int | None
    ends_ns: int | None
    must_name: bool = False
    """Whether it is for nothing that it does not name: an incident, in which a lead has people work."""

    def names(self, step: Step) -> bool:
        """Whether it says the thing that the step touches, or another place in its arguments."""
        if not self.named:
            return False
        touched = [step.target or "", (step.target or "").rpartition("/")[2]]
        return any(
            value in self.named for value in (*touched, *(v for _, v in scalars_in(step.arguments) if is_place(v)))
        )

    def names_alike(self, target: str) -> bool:
        """Whether a thing that it names is named as the target is: of one kind, so that one may stand for the other."""
        first = _FIRST.match(target)
        return first is not None and any(is_place(word) and word.startswith(first[0]) for word in self.named)

    def is_for(self, step: Step, agents: Container[str]) -> bool:
        """Whether nothing that it says speaks against this step."""
        return self.against(step, agents) is None

    def against(self, step: Step, agents: Container[str]) -> str | None:
        """What it says that speaks against this step, in words."""
        others = [who for who in self.who if who in agents]
        if others and step.agent_id not in others:
            return f"is for {others[0]} to carry out"
        if step.at_ns is not None:
            if self.starts_ns is not None and step.at_ns < self.starts_ns:
                return "has not begun"
            if self.ends_ns is not None and step.at_ns > self.ends_ns:
                return "is over"
        if self.must_name and not self.names(step):
            return f"does not name {step.target or 'it'}"
        if self.has_places and step.target is not None and not self.names(step) and is_place(step.target):
            return f"does not name {step.target}"
        return None


def change_of(number: str, state: str, record: str, *, must_name: bool = False) -> Change:
    """Read a record's text; what is not there is not limited."""
    values = scalars_in(record)
    named = [
        word
        for key, value in values
        if key in _WHAT_KEYS and len(value) < _LONGEST
        for word in (value, *_WORD.findall(value))
    ]
    starts = [at for key, value in values if key in _STARTS for at in _moments(value)]
    ends = [at for key, value in values if key in _ENDS for at in _moments(value)]
    return Change(
        number=number,
        state=state,
        who=tuple(dict.fromkeys(value for key, value in values if key in _WHO_KEYS)),
        named=tuple(dict.fromkeys(named))[:_MOST_NAMED],
        has_places=any(is_place(word) for word in named[:_MOST_NAMED]),
        starts_ns=min(starts, default=None),
        ends_ns=max(ends, default=None),
        must_name=must_name,
    )


def _moments(text: str) -> list[int]:
    """A full moment, or the two of an interval (ISO 8601); an hour without its day limits nothing."""
    found = [_moment(part) for part in text.split("/")[:2]]
    return [at for at in found if at is not None]


def _moment(text: str) -> int | None:
    try:
        datetime.fromisoformat(text)
        return nanoseconds(text) if len(text) > 16 else None
    except (ValueError, OverflowError):
        return None
