"""A change of identity: a step that acts with a credential that the root of its path did not hold.

*Clear* where the step that gave the credential is known, *unclear* where it is not (Ho et al., USENIX Security 2021).
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from detect.gift import Gift
from detect.step import Step

LONGEST_PATH: Final = 12


class Switch(msgspec.Struct, frozen=True):
    """A step that acts with a credential its root did not hold."""

    how: Literal["clear", "unclear"]
    identity: str
    path: tuple[Step, ...]
    """From the step that gave the credential to the step that used it."""
    is_session: bool = False
    """Whether the credential is a temporary one: who uses it is the one who took it, under another name."""
    is_handed_on: bool = False
    """Whether another agent took it, as whom this one never acted."""
    is_first_use: bool = True
    """Whether this is the first step of its session to act with it."""


def clear(gift: Gift, step: Step, *, is_handed_on: bool, is_first_use: bool) -> Switch:
    """The switch from who was given the credential to the step that uses it."""
    path = (*gift.path, step.without_payload())[-LONGEST_PATH:]
    is_session = gift.until_ns is not None
    return Switch("clear", gift.identity, path, is_session, is_handed_on, is_first_use)
