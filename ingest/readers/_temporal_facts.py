"""Small facts about a step: what it touches, its attempts, why it ended, what version it ran."""

from __future__ import annotations

from typing import Final

from ingest.arguments import named_in
from ingest.event import Observation, Status
from ingest.payloads import value_of
from ingest.readers._temporal_history import Attributes
from ingest.readers._temporal_payload import fields_of, one_text

_VERSION_NAMES: Final = ("agent_version", "agentVersion", "AgentVersion", "version", "Version")


def name_what_it_touches(step: Observation, texts: list[str]) -> None:
    """Target, credential and identities that the payloads name, the first payload's word first."""
    for text in texts:
        named = named_in(text)
        step.target = step.target or named.target
        step.credential_id = step.credential_id or named.credential_id
        step.principal = step.principal or named.principal
        step.on_behalf_of = step.on_behalf_of or named.on_behalf_of


def tell_attempts(step: Observation, attempt: int, before: str | None) -> None:
    """A retry is no call of its own; the step says how many there were and what went wrong before."""
    said = f"attempt {attempt}" + (f" after: {before}" if before else "")
    step.error = f"{step.error} ({said})" if step.error else said


def status_of(step: Observation) -> Status:
    """The status of an approval, from what was decided."""
    match step.approval:
        case "approved" | "automatic":
            return "ok"
        case "denied" | "pending":
            return step.approval
        case _:
            return "unknown"


def because(word: str, said: Attributes) -> str:
    """How a step ended, with the reason that the event states."""
    why = said.reason or said.cause
    return f"{word}: {why}" if why else word


def worker_version(said: Attributes) -> str | None:
    """The build of the worker that handled the run: what the agent was made of."""
    if said.worker_version is not None and said.worker_version.build_id:
        return said.worker_version.build_id
    if said.deployment_version is not None and said.deployment_version.build_id:
        return said.deployment_version.build_id
    return said.binary_checksum or None


def stated_version(said: Attributes) -> str | None:
    """A version that whoever started the run wrote down; it says more than the worker's build."""
    for raw, holder in ((said.memo, "fields"), (said.search_attributes, "indexedFields")):
        noted = fields_of(raw, holder)
        for name in _VERSION_NAMES:
            value = value_of(one_text(noted.get(name, [])))
            if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
                return str(value)
    return None
