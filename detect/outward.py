"""Where a call sends something: the domains outside that its arguments name, against where the agent ever sent."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import Final

import msgspec

from baseline.history import History
from detect.memory import Habits
from detect.step import Step
from ingest.arguments import scalars_in

_MOST: Final = 16
_LONGEST: Final = 2_000
_PLACE: Final = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]{1,15}://(?:[^/@\s]{0,100}@)?|[\w.+-]{1,64}@)((?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63})"
)
"""A URL's host, or what stands behind the @ of an address."""
_SECOND_LEVEL: Final = frozenset(("ac", "co", "com", "edu", "gob", "gov", "mil", "ne", "net", "or", "org"))
"""Under a country's domain, these are no one's own: `bbc.co.uk`."""

_INSIDE: Final = tuple(
    ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16")
)
"""Addresses of a house's own (RFC 1918, RFC 6598, loopback, link-local)."""


class NewDomain(msgspec.Struct, frozen=True):
    """A domain that a call names as a destination, and that its agent never named."""

    domain: str
    chance: float
    """Of a session of the agent naming a new one (Witten and Bell, 1991, method C)."""
    sessions: int
    """Sessions of the agent."""
    distinct: int
    """Domains that it read from, or sent to, as this step does."""
    named_by_all: int
    """Sessions of the fleet that did so with this one."""


def new_domain(step: Step, history: History, habits: Habits) -> NewDomain | None:
    """The first domain that a call names as a destination, new to its agent; what it names is remembered.

    Of a read only where it goes counts: what it asks for may name anybody.
    """
    said = step.target if step.capability == "read" else step.arguments
    if not said or ("://" not in said and (step.capability == "read" or "@" not in said)):
        return None
    does = "reads from" if step.capability == "read" else "sends to"
    agent, session = step.agent_id, step.session_id
    found = None
    for domain in _domains(step, said):
        is_known = habits.seen(does, agent, domain) or habits.is_noted(session, does, agent, domain)
        if found is None and not is_known:
            distinct, sessions = habits.distinct(does, agent), history.sessions(agent)
            chance = min(1.0, (distinct + 1) / (sessions + distinct + 2))
            found = NewDomain(domain, chance, sessions, distinct, habits.seen(f"anyone {does}", domain))
        habits.note(session, does, agent, domain)
        habits.note(session, f"anyone {does}", domain)
    return found


def _domains(step: Step, said: str) -> list[str]:
    found: dict[str, bool] = {}
    values = (said,) if step.capability == "read" else [value for _, value in scalars_in(said)]
    for value in values:
        if "@" in value or "://" in value:
            for host in _PLACE.findall(value[:_LONGEST]):
                domain = registrable(host.lower())
                if domain is not None:
                    found[domain] = True
    return list(found)[:_MOST]


def registrable(host: str) -> str | None:
    """The part of a host's name that somebody registered, or a public address as it is; None for one inside."""
    labels = host.split(".")
    if labels[-1].isdigit():
        try:
            address = ip_address(host)
        except ValueError:
            return None
        return None if any(address in network for network in _INSIDE) else host
    deep = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3 if deep else -2 :])
