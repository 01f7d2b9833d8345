"""Who came to hold which credential from where: given in a result, used later by anyone, in any source.

Root-actor and path inference follow Hopper (Ho et al., USENIX Security 2021): a switch is *clear* where the
step that gave the credential is known, and *unclear* where it is not. A secret is remembered by a digest.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from baseline.history import History
from detect.approvals import Coverage
from detect.gift import Gift, ended, is_own, told_twice
from detect.handed_out import (
    IS_TEMPORARY,
    accounts_in,
    acted_with,
    acting_as,
    fingerprint,
    given,
    holders_in,
    is_service,
    logged_in_as,
    logins_in,
    manages_keys,
    may_grant,
    named_alone,
    opaque_in,
    role_of,
    until,
)
from detect.memory import Habits, remember
from detect.provenance import Said
from detect.step import Step, within
from detect.switch import LONGEST_PATH, Switch, clear

_SECRET: Final = re.compile(
    r"secret_?access_?key|session_?token|access_?token|refresh_?token|client_?secret|password|private_?key|api_?key\b"
    r"|kubeconfig|BEGIN [A-Z ]*PRIVATE KEY|\beyJ[\w-]{8,}\.",
    re.IGNORECASE,
)
"""Without one of these, a result that names many credentials is a list of them."""
_MOST_HANDED: Final = 3
_MOST_USERS: Final = 4
_MOST_APPROVED: Final = 5_000
_LEAST_TAKEN: Final = 5
_CARRIED: Final = re.compile(r"[\w+/=.~:@-]{8,4096}")
_ROLE: Final = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/")
_A_DAY_S: Final = 24 * 3600


class Credentials(msgspec.Struct):
    """The credentials that were handed out, and who took which last."""

    given: dict[str, Gift] = {}
    acquired: dict[tuple[str, str], Gift] = {}
    """(session, agent) -> the last credential that it took, where that is none that it may hold."""
    approved: dict[tuple[str, str], bool] = {}
    """(session, the step that gave a credential): a person approved a step of the session that acts with it."""
    used: dict[tuple[str, str], str] = {}
    """(session, the step that gave a credential) -> the first step of the session that acts with it."""
    users: dict[str, list[str]] = {}
    """The step that gave a credential -> the agents that acted with it."""

    def switch(self, step: Step, history: History, habits: Habits, window_s: float) -> Switch | None:
        """Whether the step acts as somebody its agent never acted as."""
        acting = acting_as(step)
        if acting is None:
            return self._carried(step, history, habits, window_s) or self._without_a_name(step, history)
        return self._acting(step, acting, history, habits, window_s) or self._carried(step, history, habits, window_s)

    def _acting(self, step: Step, acting: str, history: History, habits: Habits, window_s: float) -> Switch | None:
        agent = step.agent_id
        aspect = "credential" if acting == step.credential_id else "principal"
        if history.seen(agent, aspect, acting).sessions:
            return None
        gift = self.gift_of(acting, step, window_s) or self.gift_of(acted_with(acting), step, window_s, key=True)
        if gift is not None:
            if self._may_hold(gift, step, habits) or self._is_shared(gift, step):
                return None
            is_handed_on = self._is_handed_on(gift, step, history, habits)
            return clear(gift, step, is_handed_on=is_handed_on, is_first_use=self._is_first_use(gift, step))
        if acting == step.target or is_always_new(history, habits, agent, aspect) or not history.is_enough(agent):
            return None
        if aspect == "credential" and (IS_TEMPORARY.match(acting) or step.principal is not None):
            return None
        return Switch("unclear", acting, (step.without_payload(),))

    def _without_a_name(self, step: Step, history: History) -> Switch | None:
        """A source that names no identity: what the agent took in this session is what it acts with."""
        gift = self.acquired.get((step.session_id, step.agent_id))
        if gift is None or history.steps_in(step.agent_id, "credential"):
            return None
        return Switch("unclear", gift.identity, (*gift.path, step.without_payload())[-LONGEST_PATH:])

    def _carried(self, step: Step, history: History, habits: Habits, window_s: float) -> Switch | None:
        """A credential in the arguments of a call: `export AWS_ACCESS_KEY_ID=…`, a header, a password; or the account
        that it was given for, to log in as."""
        if not self.given or step.arguments is None or step.capability in (None, "read", "credential"):
            return None
        if manages_keys(step):
            return None
        for login in logins_in(step):
            gift = self.gift_of(logged_in_as(login), step, window_s, key=True)
            known = habits.seen("logs in as", step.agent_id, login)
            habits.note(step.session_id, "logs in as", step.agent_id, login)
            if gift is not None and not known and (switch := self._switched(gift, step, history, habits)) is not None:
                return switch
        for token in _CARRIED.findall(step.arguments):
            for part in dict.fromkeys((token, token.rpartition("=")[2])):
                gift = self.gift_of(part, step, window_s) if len(part) >= 8 else None
                if gift is None or gift.identity == part or part in (step.target, step.tool, step.principal):
                    continue
                if (switch := self._switched(gift, step, history, habits)) is not None:
                    return switch
        return None

    def _switched(self, gift: Gift, step: Step, history: History, habits: Habits) -> Switch | None:
        if gift.step.event_id == step.event_id or self._may_hold(gift, step, habits):
            return None
        is_handed_on = self._is_handed_on(gift, step, history, habits)
        return clear(gift, step, is_handed_on=is_handed_on, is_first_use=self._is_first_use(gift, step))

    def gift_of(self, name: str, step: Step, window_s: float, *, key: bool = False) -> Gift | None:
        """The giving of the credential of this name (or, as `key`, where it is remembered), while it lasts."""
        gift = self.given.get(name if key else fingerprint(name))
        if gift is None and not key and (role := role_of(name)) is not None:
            gift = self.given.get(fingerprint(role))
        if gift is None or gift.step.at_ns is None or step.at_ns is None:
            return gift if gift is not None and gift.step.session_id == step.session_id else None
        if gift.until_ns is None:
            return gift
        return gift if within(gift.step, step, window_s) or step.at_ns <= gift.until_ns else None

    def chain(self, step: Step, window_s: float) -> tuple[Step, ...]:
        """The steps that each took a temporary credential with the one before, up to the one that this acts with."""
        acting = acting_as(step)
        gift = self.gift_of(acting, step, window_s) if acting is not None else None
        if gift is None or gift.until_ns is None or gift.step.event_id == step.event_id:
            return ()
        return tuple(s for s in gift.chain if not is_service(s.agent_id))

    def takers(self, step: Step, window_s: float) -> tuple[Step, ...]:
        """The steps by which others came to what this one acts with, the first one first."""
        acting = acting_as(step)
        gift = self.gift_of(acting, step, window_s) if acting is not None and self.given else None
        if gift is None or gift.step.event_id == step.event_id:
            return ()
        return tuple(s for s in (gift.chain or gift.path) if not is_service(s.agent_id))

    def in_use(self, step: Step, window_s: float) -> Gift | None:
        """The giving of what the step acts with, or of the account that it logs in as."""
        if not self.given:
            return None
        acting = acting_as(step)
        gift = self.gift_of(acting, step, window_s) if acting is not None else None
        if gift is not None or step.capability in (None, "read"):
            return gift
        found = (self.gift_of(logged_in_as(login), step, window_s, key=True) for login in logins_in(step))
        return next((gift for gift in found if gift is not None), None)

    def is_taken_there(self, step: Step, window_s: float) -> bool:
        """Whether the logs show that what the step acts with was taken in the very place where it acts."""
        takers = self.takers(step, window_s)
        return bool(takers) and takers[-1].source_host == step.source_host

    def _is_shared(self, gift: Gift, step: Step) -> bool:
        """Whether the credential went through so many hands that one more says nothing."""
        users = self.users.get(gift.step.event_id, [])
        if step.agent_id not in users and len(users) <= _MOST_USERS:
            users = [*users, step.agent_id]
            remember(self.users, gift.step.event_id, users)
        return len(users) > _MOST_USERS

    def _may_hold(self, gift: Gift, step: Step, habits: Habits) -> bool:
        if (gift.is_held or gift.is_trade) and is_own(gift.identity, step) and (gift.is_held or gift.until_ns is None):
            return True
        if gift.is_held and not self._is_of_another(gift, step, habits):
            return True
        if self._is_approved(gift, step):
            return True
        if gift.until_ns is not None and is_own(gift.identity, step) and gift.step.agent_id != step.agent_id:
            # A role always acts as itself: whether it may is a matter of who took it.
            return habits.seen("takes", gift.step.agent_id, gift.identity) > 0
        return habits.seen("acts as", step.agent_id, gift.identity) > 0

    def approve(self, step: Step, window_s: float) -> None:
        """A person let the agent act with this credential: for the rest of the session it holds it."""
        acting = acting_as(step)
        gift = self.gift_of(acting, step, window_s) if acting is not None else None
        if gift is not None:
            remember(self.approved, (step.session_id, gift.step.event_id), True, _MOST_APPROVED)

    def _is_approved(self, gift: Gift, step: Step) -> bool:
        return (step.session_id, gift.step.event_id) in self.approved

    def takes_chance(self, root: str, history: History, habits: Habits) -> float:
        """The probability that what the root takes next is new to it (Witten and Bell, method C).

        Of a root that hardly ever took a credential, that it takes one at all: then of all its sessions.
        """
        times, distinct = habits.seen("takes", root), habits.distinct("takes", root)
        if times < _LEAST_TAKEN:
            times = history.sessions(root)
        return (distinct + 1) / (times + distinct + 2)

    def _is_of_another(self, gift: Gift, step: Step, habits: Habits) -> bool:
        """Whether somebody else took the credential: not this agent under any of its names, nor for this identity."""
        agent = step.agent_id
        if is_service(gift.step.agent_id):
            first = self.users.get(gift.step.event_id, [agent])[0]
            return (
                first != agent and not is_own(gift.identity, step) and not habits.seen("acts as", agent, gift.identity)
            )
        if agent in gift.told_by or is_own(gift.identity, step) or self._is_approved(gift, step):
            return False
        known_as = (agent, *gift.told_by)
        return not any(
            habits.seen("acts as", agent, name) or habits.seen("acts as", name, agent) for name in known_as
        ) and not habits.seen("acts as", agent, gift.identity)

    def _is_handed_on(self, gift: Gift, step: Step, history: History, habits: Habits) -> bool:
        """Whether it is of another, and no key of this agent's own that the other one renews as its job."""
        has_own_key = history.values_in(step.agent_id, "credential") > 0
        return not (gift.is_held and has_own_key) and self._is_of_another(gift, step, habits)

    def _is_first_use(self, gift: Gift, step: Step) -> bool:
        return self.used.setdefault((step.session_id, gift.step.event_id), step.event_id) == step.event_id

    def is_handed_on(self, step: Step, history: History, habits: Habits) -> bool:
        """Whether the step acts with a credential that another agent took."""
        if step.credential_id is None or not self.given:
            return False
        acting = step.credential_id
        gift = self.given.get(fingerprint(acting)) or self.given.get(acted_with(acting))
        return gift is not None and self._is_handed_on(gift, step, history, habits)

    def take(
        self,
        step: Step,
        switch: Switch | None,
        coverage: Coverage,
        history: History,
        habits: Habits,
        said: Said | None = None,
    ) -> None:
        """Remember what a step that took effect handed out."""
        result, is_credential = step.result, step.capability == "credential"
        handed = given(result) if step.gives else ()
        unnamed = list(opaque_in(step))[:_MOST_HANDED] if may_grant(step) else []
        if (
            not is_credential
            and not unnamed
            and (not handed or (len(handed) > _MOST_HANDED and not _SECRET.search(result or "")))
        ):
            return
        identity = step.target or named_alone(step) or step.tool or ""
        for parts in ((step.agent_id,), (step.agent_id, identity)):
            habits.note(step.session_id, "takes", *parts)
        usual = history.seen(step.agent_id, "tool_target", identity, step.tool or "").sessions > 0
        before = switch.path[:-1] if switch is not None else ()
        is_held = coverage.is_covered or (usual and switch is None) or is_service(step.agent_id)
        path = (*before, step.without_payload())
        chain = (*self.chain(step, _A_DAY_S), path[-1])
        is_trade = history.seen(step.agent_id, "tool", step.tool or "").sessions > 0
        gift = Gift(path[-1], identity, path[-LONGEST_PATH:], is_held, is_trade, until(step), (step.agent_id,),
            chain[-LONGEST_PATH:], holders_in(step), said)  # fmt: skip
        if is_credential and is_held:
            self.acquired.pop((step.session_id, step.agent_id), None)
        elif is_credential:
            remember(self.acquired, (step.session_id, step.agent_id), gift)
        for credential in handed:
            if credential not in (step.credential_id, step.principal):
                name = fingerprint(credential)
                remember(self.given, name, told_twice(self.given.get(name), gift))
        for value in unnamed:
            remember(self.given, acted_with(value), gift)
        for account in accounts_in(step) if is_credential and handed else ():
            remember(self.given, logged_in_as(account), gift)
        if is_credential and step.target is not None and _ROLE.match(step.target):
            role = msgspec.structs.replace(gift, until_ns=0)
            remember(self.given, fingerprint(step.target), role)

    def forget_ended(self, window_s: float) -> None:
        """Forget the temporary credentials that ended longer ago than the window, by the latest that was given."""
        now = max((g.step.at_ns for g in self.given.values() if g.step.at_ns is not None), default=0)
        past = now - int(window_s * 1_000_000_000)
        for name in [name for name, gift in self.given.items() if ended(gift) < past]:
            del self.given[name]
        self.used.clear()

    def note(self, step: Step, habits: Habits, window_s: float) -> None:
        """Remember as whom the agent acted, by what the credential stands for: a rotated key is the same identity."""
        acting = acting_as(step)
        if acting is not None:
            habits.note(step.session_id, "acts", step.agent_id)
        if acting is not None and (gift := self.gift_of(acting, step, window_s)) is not None:
            habits.note(step.session_id, "acts as", step.agent_id, gift.identity)


def is_always_new(history: History, habits: Habits, agent: str, aspect: str) -> bool:
    """An agent that has no usual credential: a fifth of the sessions that show one, or none, showed a new one."""
    distinct = history.values_in(agent, aspect)
    acting = habits.seen("acts", agent) or history.sessions(agent)
    return distinct == 0 or distinct * 5 > acting
