"""A credential as it was handed out: by which step, for whom, until when, and by what way its giver came to it."""

from __future__ import annotations

from math import inf
from typing import Final

import msgspec

from detect.handed_out import role_of
from detect.provenance import Said
from detect.step import Step, within

_ONE_MOMENT_S: Final = 120


class Gift(msgspec.Struct, frozen=True):
    """A step that gave a credential, and the steps that led to it."""

    step: Step
    identity: str
    """What the credential stands for: the role, user or secret that the giving step named."""
    path: tuple[Step, ...]
    is_held: bool
    """Whether the agent may hold it: it always took this one, or a human approved just this."""
    is_trade: bool
    """Whether giving such credentials is the giver's usual work, if not this one."""
    until_ns: int | None
    """When it ends; None: a key that lives until it is rotated."""
    told_by: tuple[str, ...] = ()
    """Under which names the logs tell of the giving: a cloud's own log knows an agent by its role."""
    chain: tuple[Step, ...] = ()
    """All steps that each took a temporary credential with the one before, also those that the agent may hold."""
    names: tuple[str, ...] = ()
    """Whom the giving step named: the user, role or account that the credential stands for."""
    said: Said | None = None
    """The text of an earlier output in which what was taken was named."""


def is_own(identity: str, step: Step) -> bool:
    """Whether the credential stands for the very identity that acts."""
    names = {name for whole in (step.agent_id, step.principal or "") for name in (whole, whole.rpartition("/")[2])}
    return identity in names or identity == role_of(step.principal or "")


def told_twice(before: Gift | None, gift: Gift) -> Gift:
    """The gift with the names of everybody whose log tells of it: two logs may tell of one giving."""
    if (
        before is None
        or before.step.agent_id == gift.step.agent_id
        or not within(before.step, gift.step, _ONE_MOMENT_S)
    ):
        return gift
    return msgspec.structs.replace(gift, told_by=tuple(dict.fromkeys((*before.told_by, *gift.told_by))))


def ended(gift: Gift) -> float:
    if gift.until_ns is None or gift.step.at_ns is None:
        return inf
    return max(gift.until_ns, gift.step.at_ns)
