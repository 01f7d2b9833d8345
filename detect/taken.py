"""How the credential was taken that a step acts with: by whom, with what, after which text, and for whom."""

from __future__ import annotations

from typing import Final

from detect.credentials import Credentials
from detect.handed_out import acting_as, credential_of, holders_in, is_service
from detect.step import Step, within
from ingest.arguments import scalars_in

_LEAST_PLACE: Final = 6
_STAYS_S: Final = 7 * 24 * 3600.0
"""Seconds for which the first use of a key that stays is followed: it may lie there until it is wanted."""


def chain_to(credentials: Credentials, step: Step, window_s: float) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """The steps that each took a temporary credential with the one before, up to the one that this step acts with;
    and of these the path from where it leaves what its root may hold."""
    acting = acting_as(step)
    gift = credentials.gift_of(acting, step, window_s) if acting is not None else None
    if gift is None or gift.until_ns is None or gift.step.event_id == step.event_id:
        return (), ()
    return credentials.chain(step, window_s), () if gift.is_held else gift.path


def giver(credentials: Credentials, step: Step, window_s: float) -> Step | None:
    """The step of somebody else that handed out the credential that the step acts with: within the window, for a key
    that stays within the week."""
    acting = acting_as(step)
    gift = credentials.gift_of(acting, step, window_s) if acting is not None else None
    if gift is None or is_service(gift.step.agent_id) or step.agent_id in gift.told_by:
        return None
    lasts_s = window_s if gift.until_ns is not None else max(window_s, _STAYS_S)
    return gift.step if within(gift.step, step, lasts_s) and gift.step.source_host != step.source_host else None


def raises_own(credentials: Credentials, step: Step, window_s: float) -> Step | None:
    """The step that took the credential, where this one gives rights to the very identity that it stands for."""
    if step.capability != "permission" or step.arguments is None:
        return None
    acting = credential_of(step)
    gift = credentials.gift_of(acting, step, window_s) if acting is not None else None
    if gift is None or not gift.names:
        return None
    return gift.step if set(gift.names) & set(holders_in(step)) else None


def told(credentials: Credentials, step: Step, window_s: float) -> tuple[Step, ...]:
    """(output, taking) where one text named both what was taken and the place where this step uses it."""
    gift = credentials.in_use(step, window_s)
    if gift is None or gift.said is None or gift.step.event_id == step.event_id:
        return ()
    places = (step.target, *(value for _, value in scalars_in(step.arguments) if " " not in value))
    named = any(place and len(place) >= _LEAST_PLACE and place in gift.said.text for place in places)
    return (gift.said.step, gift.step) if named else ()


def is_given(credentials: Credentials, step: Step, window_s: float) -> bool:
    """Whether the logs show, within the window, who took the credential that the step acts with."""
    acting = acting_as(step)
    gift = credentials.gift_of(acting, step, window_s) if acting is not None else None
    return gift is not None and within(gift.step, step, window_s)
