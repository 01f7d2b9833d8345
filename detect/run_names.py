"""One run of an agent under the names that several logs give it.

A cloud's own log knows an agent's run by the name of a role session, in which `/` and `:` may not stand; a workflow
engine by an id; a trace by another one. Who assumes a role usually names the session after its run. Only what the
agent's own log says of the run (decisions, records that were looked up, the request) speaks for the cloud's steps too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from detect.memory import remember
from detect.step import Step

_SHORTEST: Final = 16
"""Letters and digits of a name that is nobody else's."""
_LEAST_DIGITS: Final = 4
_MOST_RUNS: Final = 20_000


def plain(name: str) -> str | None:
    """A run's name without what some logs may not write; None for one that anybody may give (`backup`)."""
    letters = "".join([c for c in name.lower() if c.isalnum()])
    return letters if len(letters) >= _SHORTEST and sum(c.isdigit() for c in letters) >= _LEAST_DIGITS else None


def role_session(step: Step) -> str:
    """The name of the role session that acts; "" where none does."""
    principal = step.principal or ""
    return principal.rpartition("/")[2] if "/" in principal else ""


def names_of(step: Step) -> Iterator[str]:
    """The plain names of the run that a step belongs to."""
    of_role = role_session(step) if ":assumed-role/" in (step.principal or "") else ""
    for name in (step.session_id, of_role):
        if (run := plain(name)) is not None:
            yield run


class Runs(msgspec.Struct):
    """The sessions of the agents' own logs, by the plain names of their runs."""

    sessions: dict[str, str] = {}
    """Plain name -> session."""

    def begin(self, session: str) -> None:
        """Remember a session in which somebody decided, asked or looked something up."""
        if (run := plain(session)) is not None and run not in self.sessions:
            remember(self.sessions, run, session, _MOST_RUNS)

    def of(self, step: Step) -> str:
        """The session of the same run in the agent's own log; the step's own where no other is named."""
        name = role_session(step)
        if not name:
            return step.session_id
        run = plain(name)
        return name if run is None else self.sessions.get(run, name)
