"""Does a human's approval cover this step? Only one that came before it, for just this, and that still holds.

An approval is for the arguments that it shows, in its scope, until it expires, as often as it says; it comes from a
person who is not the agent. A source that has no place for approvals is never read as "unapproved".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Final, Literal

import msgspec

from baseline.capability_table import words_of
from detect.memory import remember
from detect.step import Step
from ingest.arguments import all_scalars_in, scalars_in

Cover = Literal[
    "covered", "none", "denied", "automatic", "other_arguments", "expired", "by_the_agent", "by_an_agent", "used_up",
    "replayed", "cannot_record",
]  # fmt: skip

EXPIRES_AFTER_S: Final = 8 * 3600
"""One shift: a yes given to yesterday's colleague is not a yes to this."""


class Coverage(msgspec.Struct, frozen=True):
    """What the approvals of a session say of one step."""

    cover: Cover
    approver: str | None = None
    approval: Step | None = None
    """The decision, where it is a step of its own."""

    @property
    def is_covered(self) -> bool:
        return self.cover == "covered"

    @property
    def is_misused(self) -> bool:
        """Whether there was a yes, and it was stretched over something else."""
        return self.cover in ("other_arguments", "expired", "by_the_agent", "by_an_agent", "used_up", "replayed")

    def __str__(self) -> str:
        return _WORDS[self.cover] + (f" ({self.approver})" if self.approver else "")


_WORDS: Final[dict[Cover, str]] = {
    "covered": "approved for this",
    "none": "no approval, though this source can record one",
    "denied": "done although it was denied",
    "automatic": "let through by a policy, not by a person",
    "other_arguments": "the approval names another target or action",
    "expired": "the approval had expired",
    "by_the_agent": "approved by the agent itself",
    "by_an_agent": "approved by another agent, not by a person",
    "used_up": "the approval was for one call, and had been used",
    "replayed": "the approval was given in another session for something else",
    "cannot_record": "this source cannot record approvals",
}
WORDS_OF_STATE: Final[dict[str, str]] = {
    "approved": "approved",
    "denied": "denied",
    "automatic": "let through by a policy",
    "pending": "approval pending",
    "not_recorded": "no approval recorded",
    "cannot_record": "this source cannot record approvals",
}
"""An event's own state of approval, in words."""
_WORST_LAST: Final[tuple[Cover, ...]] = (
    "expired", "automatic", "other_arguments", "used_up", "by_an_agent", "by_the_agent", "denied",
)  # fmt: skip

REFERENCE_KEYS: Final = frozenset(
    {"approvalid", "approvalref", "approvalreference", "approvaltoken", "approval", "approvalrequestid", "changeid",
     "changeticket", "changerequest", "changerequestid", "approvedin"}
)  # fmt: skip
"""Argument names (lower case, without separators) under which a call cites the decision that it rests on."""
_HASH_KEYS: Final = frozenset(
    {"argumentshash", "argumentssha256", "argshash", "argssha256", "argumentsdigest", "inputhash", "payloadhash"}
)
_WORDS_KEYS: Final = frozenset(
    {"reason", "purpose", "comment", "description", "note", "notes", "justification", "message", "summary", "title"}
)
"""Argument names that hold words for a reader: a retry may say it otherwise, and does the same."""
_EXPIRY_KEYS: Final = frozenset({"expiresat", "expires", "validuntil", "expiry", "notafter", "approveduntil"})
_LIFETIME_KEYS: Final = frozenset({"expiresins", "expiresinseconds", "ttl", "ttls", "ttlseconds", "validfors"})
_SCOPE_KEYS: Final = frozenset({"scope", "scopes", "allowedtools", "allowedtargets", "targets"})
_USES_KEYS: Final = frozenset({"uses", "maxuses", "useslimit", "singleuse", "onetime"})
_MACHINE: Final = re.compile(r"^(?:system:serviceaccount:|arn:aws[\w-]*:(?:sts|iam)::\d*:(?:assumed-)?role/)|\[bot\]$")


class Approval(msgspec.Struct):
    """One decision, and what has become of it."""

    step: Step
    named: frozenset[str]
    arguments: dict[str, frozenset[str]]
    reference: str | None
    digest: str | None
    ends_ns: int | None
    uses: int | None
    """How often it may be used; None: within its time, as often as wanted."""
    scope: frozenset[str]
    used_by: list[str] = []
    """The calls that it covered and that took effect, by their event ids."""


class Approvals(msgspec.Struct):
    """The decisions of every open session, in the order in which they came."""

    decided: dict[str, list[Approval]] = {}
    cited: dict[str, tuple[str, str]] = {}
    """Reference -> (session, target) that a person decided on."""
    agents: dict[str, bool] = {}
    """Who acts as an agent: its yes is not a person's."""
    asking: dict[str, bool] = {}
    """Agents of which the log shows decisions, whatever the source of their calls can record."""

    def take(self, step: Step) -> Approval | None:
        """Remember a decision; returns a person's yes."""
        if step.approval in ("approved", "denied", "automatic"):
            decision = _read(step)
            if step.agent_id not in self.asking:
                remember(self.asking, step.agent_id, True)
            remember(self.decided, step.session_id, [*self.decided.get(step.session_id, ()), decision][-50:])
            if step.approval == "approved":
                if decision.reference is not None:
                    self._cite(decision.reference, step)
                return decision if self._not_a_person(step.approver, step) is None else None
        return None

    def _cite(self, reference: str, step: Step) -> None:
        if reference not in self.cited:
            remember(self.cited, reference, (step.session_id, step.target or ""))

    def acts(self, agent: str) -> None:
        """Remember that somebody of this name acts as an agent."""
        if agent and agent not in self.agents:
            remember(self.agents, agent, True)

    def covering(self, step: Step, run: str = "") -> Coverage:
        """The best that can be said of a step; an approval that names nothing covers the next step only.

        `run`: the session of the same run in another log (`detect.run_names.Runs.of`), whose decisions count as well.
        """
        if (own := self._own(step)) is not None:
            return own
        decided = self.decided.get(step.session_id) or self.decided.get(run, [])
        if not decided:
            if self._is_replayed(step):
                return Coverage("replayed")
            return Coverage("cannot_record" if step.approval == "cannot_record" else "none")
        verdicts = [(self._weigh(approval, step), approval) for approval in reversed(decided)]
        for cover, approval in verdicts:
            if cover == "covered":
                return _used(approval, step)
        for wanted in reversed(_WORST_LAST):
            for cover, approval in verdicts:
                if cover == wanted:
                    return Coverage(cover, approval.step.approver, approval.step.without_payload())
        return Coverage("none")

    def covered_in(self, sessions: Iterable[str], step: Step) -> Coverage | None:
        """The yes of one of these sessions to just this step; what they decided otherwise says nothing of it."""
        for session in sessions:
            for approval in reversed(self.decided.get(session, [])):
                if approval.step.tool is not None and self._weigh(approval, step) == "covered":
                    return _used(approval, step)
        return None

    def _own(self, step: Step) -> Coverage | None:
        """What the call's own record says of its approval."""
        if step.approval == "automatic":
            return Coverage("automatic", step.approver)
        if step.approval not in ("approved", "denied"):
            return None
        cover: Cover = "covered" if step.approval == "approved" else "denied"
        if cover == "covered" and (whose := self._not_a_person(step.approver, step)):
            cover = whose
        elif cover == "covered" and self._is_replayed(step):
            cover = "replayed"
        elif cover == "covered" and (reference := reference_in(step.arguments)) is not None:
            self._cite(reference, step)
        return Coverage(cover, step.approver)

    def _is_replayed(self, step: Step) -> bool:
        """Whether the call cites a decision of another session on another target."""
        reference = reference_in(step.arguments)
        first = self.cited.get(reference) if reference is not None else None
        return first is not None and first[0] != step.session_id and first[1] != (step.target or "")

    def _not_a_person(self, approver: str | None, step: Step) -> Literal["by_the_agent", "by_an_agent"] | None:
        if approver is None:
            return None
        name = approver.partition("@")[0]
        """An account's name without its realm: `fw-changer@agents` is `fw-changer`."""
        if approver in (step.agent_id, step.principal) or name == step.agent_id:
            return "by_the_agent"
        if approver in self.agents or name in self.agents or _MACHINE.search(approver):
            return "by_an_agent"
        return None

    def _weigh(self, approval: Approval, step: Step) -> Cover:
        given = approval.step
        if not self._is_for(approval, step):
            is_stretched = given.approval == "approved" and (given.tool is None or given.tool == step.tool)
            return "other_arguments" if is_stretched else "none"
        if given.approval == "denied":
            return "denied"
        if given.approval == "automatic":
            return "automatic"
        if whose := self._not_a_person(given.approver, step):
            return whose
        if approval.uses is not None and len(set(approval.used_by) - {step.event_id}) >= approval.uses:
            return "used_up"
        if given.at_ns is None or step.at_ns is None:
            return "covered"
        ends = approval.ends_ns or given.at_ns + EXPIRES_AFTER_S * 1_000_000_000
        return "expired" if step.at_ns > ends else "covered"

    def _is_for(self, approval: Approval, step: Step) -> bool:
        given = approval.step
        if given.parent_event_id == step.event_id:
            return True
        if approval.digest is not None:
            return approval.digest in (_digest_of(step), canonical_digest(step.arguments, "sha256"))
        if not approval.scope.isdisjoint({step.target, step.tool, step.capability}):
            return True
        if given.tool is not None and step.target is None and action_of(given.tool) == action_of(step.tool or ""):
            return not _differs(approval.arguments, step.arguments)
        if step.target is not None and step.target in approval.named:
            if given.tool != step.tool:
                return given.tool is None or given.capability in (None, step.capability)
            return not _differs(approval.arguments, step.arguments)
        if given.target is not None:
            return False
        if given.tool is not None:
            return action_of(given.tool) == action_of(step.tool or "") and not _differs(
                approval.arguments, step.arguments
            )
        if set(approval.used_by) - {step.event_id} or not step.is_privileged:
            return False
        if step.event_id not in approval.used_by:
            approval.used_by.append(step.event_id)
        return True


def _used(approval: Approval, step: Step) -> Coverage:
    if step.is_done and step.event_id not in approval.used_by:
        approval.used_by.append(step.event_id)
    return Coverage("covered", approval.step.approver, approval.step.without_payload())


@lru_cache(maxsize=1 << 14)
def action_of(tool: str) -> str:
    """What a tool does, without whose it is and how it is written: `iam:PutRolePolicy` is `put_role_policy`."""
    return "".join(words_of(tool.rpartition(":")[2].rpartition(".")[2].rpartition("__")[2]))


def reference_in(arguments: str | None) -> str | None:
    """The decision that a call or an approval names by its id."""
    return next((value for key, value in scalars_in(arguments) if key in REFERENCE_KEYS and len(value) >= 4), None)


def canonical_digest(arguments: str | None, algorithm: Literal["blake2b", "sha256"] = "blake2b") -> str:
    """A hash of arguments whatever their order and spacing: JSON with sorted keys, without blanks."""
    try:
        canonical = msgspec.json.encode(msgspec.json.decode(arguments or "null"), order="sorted")
    except (msgspec.MsgspecError, RecursionError):
        canonical = (arguments or "").encode("utf-8", "surrogatepass")
    if algorithm == "sha256":
        from hashlib import sha256

        return sha256(canonical).hexdigest()
    return blake2b(canonical, digest_size=12).hexdigest()


def _digest_of(step: Step) -> str:
    return canonical_digest(step.arguments)


def _read(step: Step) -> Approval:
    said = dict(reversed(scalars_in(step.arguments)))
    lifetime = next((float(said[key]) for key in sorted(_LIFETIME_KEYS & said.keys()) if said[key].isdigit()), None)
    ends = next((_moment(said[key]) for key in sorted(_EXPIRY_KEYS & said.keys())), None)
    if ends is None and lifetime is not None and step.at_ns is not None:
        ends = step.at_ns + int(lifetime * 1_000_000_000)
    uses = next((int(said[key]) for key in sorted(_USES_KEYS & said.keys()) if said[key].isdigit()), None)
    values = [*scalars_in(step.arguments), *_members(scalars_in(step.arguments))]
    return Approval(
        step=step.without_payload(),
        named=frozenset(value for _, value in (*values, *all_scalars_in(step.arguments)))
        | ({step.target} if step.target else set()),
        arguments=_by_name((key, value) for key, value in values if key not in REFERENCE_KEYS),
        reference=reference_in(step.arguments),
        digest=next((value.removeprefix("sha256:") for key, value in values if key in _HASH_KEYS), None),
        ends_ns=ends,
        uses=uses,
        scope=frozenset(value for key, value in values if key in _SCOPE_KEYS),
    )


def _moment(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * 1_000_000_000
    except (ValueError, OverflowError):
        return None


def _differs(approved: dict[str, frozenset[str]], done: str | None) -> bool:
    """Whether both name the same argument, and what was done has a value there that was not approved."""
    return any(
        key in approved and not values <= approved[key] and key not in _WORDS_KEYS
        for key, values in _by_name(_members(scalars_in(done))).items()
    )


def _members(values: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """A list that is written as one text, `web-1,web-2`, by its members; any other value as it is."""
    return [(key, part.strip()) for key, value in values for part in value.split(",") if part.strip()]


def _by_name(values: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    named: dict[str, frozenset[str]] = {}
    for key, value in values:
        named[key] = named.get(key, frozenset()) | {value}
    return named
