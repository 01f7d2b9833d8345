"""A session goes to the log that its agent keeps; CloudTrail-only agents leave just their AWS calls."""

from __future__ import annotations

from random import Random

from bench.fleet import cloudtrail, otlp, temporal
from bench.fleet.clock import Clock, uuid
from bench.fleet.shelf import Shelf
from bench.fleet.steps import Ask, Call, Hand, Session


def write(session: Session, shelf: Shelf) -> int:
    """Write a session and those that it handed over to; when it ended."""
    match session.agent.medium:
        case "temporal":
            ended = temporal.write(session, shelf)
        case "cloudtrail":
            ended = _bare(session, shelf)
        case _:
            ended = otlp.write(session, shelf)
    _write_handed_over(session, shelf)
    return ended


def _write_handed_over(session: Session, shelf: Shelf) -> None:
    """Runs that keep a log of their own; those written inside this one may have handed on to such."""
    for step in session.steps:
        if isinstance(step, Hand):
            if step.to.chain is None:
                step.to.chain = session.chain
            if _was_written_inside(session, step.to):
                _write_handed_over(step.to, shelf)
            else:
                write(step.to, shelf)


def _was_written_inside(session: Session, child: Session) -> bool:
    mine, theirs = session.agent.medium, child.agent.medium
    if mine == "temporal":
        return theirs == "temporal"
    return mine != "cloudtrail" and theirs not in ("temporal", "cloudtrail")


def _bare(session: Session, shelf: Shelf) -> int:
    rng = Random(f"cloudtrail/{session.id}")
    clock = Clock(rng, session.at_ns)
    for step in session.steps:
        if isinstance(step, Ask):
            clock.wait(step.seconds, step.seconds * 1.02)
        elif isinstance(step, Call):
            clock.wait(0.5 + step.wait, 4 + step.wait * 1.1)
            if step.api is not None:
                cloudtrail.witness(session, step, clock.ns, rng, uuid(rng), shelf)
    return clock.ns
