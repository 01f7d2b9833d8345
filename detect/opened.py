"""Network paths that somebody opened, and who crosses them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

import msgspec

from baseline.capability_table import name_set
from detect.approvals import REFERENCE_KEYS
from detect.memory import remember
from detect.named_next import is_place
from detect.step import Step, within
from detect.toolnames import says
from ingest.arguments import scalars_in

_HOST_LIKE: Final = re.compile(r"[A-Za-z0-9]+(?:[.:/_-]+[A-Za-z0-9]+)+")
_NAME: Final = re.compile(r"[A-Za-z0-9][\w-]*(?:\.[\w-]+)*")
_LONGEST: Final = 500
_TICKET_KEYS: Final = REFERENCE_KEYS | {
    "change", "approvedchange", "ticket", "ticketid", "reference", "incident", "incidentid", "case", "caseid",
}  # fmt: skip
"""Argument names whose value is a record that both ends may cite, and no place."""
_WHO_KEYS: Final = name_set("""
    username user userid login loginname account accountname runas credential credentialid password sshuser
    principal identity serviceaccount
""")
"""Argument names whose value says who, and not where."""
_STAYS_OPEN_S: Final = 7 * 24 * 3600.0
"""Seconds for which a rule is followed that nobody closed: it outlives the session that wrote it."""
_MOST_NETWORKS: Final = 256
_CLOSES: Final = re.compile(
    r"deny|(?<!un)block|drop|revoke|remove|delete|close|disconnect|isolat|quarantine|contain|sinkhole|reject|\bban",
    re.IGNORECASE,
)
_ACTION_KEYS: Final = frozenset({"action", "ruleaction", "effect", "mode", "operation", "decision", "verdict"})
_CROSS: Final = frozenset({"remote_execution", "credential", "destructive"})


class Opened(msgspec.Struct):
    """Places -> the uncovered step that opened the way to them."""

    places: dict[str, Step] = {}
    lasting: dict[str, bool] = {}
    """The steps that opened a path where their agent had never worked."""
    networks: dict[str, Step] = {}
    """Address ranges that were opened."""
    ends: dict[str, tuple[str, ...]] = {}
    """The step that opened a path -> every place that it names: who comes from one of them was let through."""

    def take(self, step: Step, *, is_new: bool = False) -> None:
        """Remember what an uncovered `network_path` step opened; what closes a path opens none.

        `is_new`: whether its agent had never worked there; its daily rules are followed within the window alone.
        """
        values = scalars_in(step.arguments)
        if closes(step):
            for place in places_of(step):
                self.places.pop(place, None)
                self.networks.pop(place, None)
            return
        slim = step.without_payload()
        if is_new:
            remember(self.lasting, step.event_id, True)
        named = tuple(dict.fromkeys((*places_of(step), *_places_in_text(values))))
        remember(self.ends, step.event_id, named)
        for place in named:
            remember(self.places, place, slim)
            if "/" in place and _network(place) is not None:
                remember(self.networks, place, slim, _MOST_NETWORKS)

    def opener(self, step: Step, window_s: float) -> Step | None:
        """Who opened the path that this step crosses, in the window before it.

        Where opening it was new to its agent, in the week before it: a path stays open until somebody closes it.
        """
        if not self.places:
            return None
        if step.capability not in _CROSS:
            return self.let_through(step, window_s)
        for place in places_of(step):
            opener = self.places.get(place) or self._range_of(place)
            if opener is not None and opener.event_id != step.event_id and self._is_followed(opener, step, window_s):
                return opener
        return None

    def let_through(self, step: Step, window_s: float) -> Step | None:
        """Who opened the path to where the step goes, for the very place that it comes from: whatever it does there, it
        goes through."""
        opener = self.places.get(step.target) if self.places and step.target is not None else None
        if opener is None or opener.agent_id == step.agent_id or not self._is_followed(opener, step, window_s):
            return None
        ends = self.ends.get(opener.event_id, ())
        return opener if step.source_host in ends or step.agent_id in ends else None

    def _is_followed(self, opener: Step, step: Step, window_s: float) -> bool:
        return within(opener, step, max(window_s, _STAYS_OPEN_S) if opener.event_id in self.lasting else window_s)

    def _range_of(self, place: str) -> Step | None:
        if not self.networks or not place[:1].isdigit():
            return None
        try:
            address = ip_address(place)
        except ValueError:
            return None
        for text, step in reversed(self.networks.items()):
            network = _network(text)
            if network is not None and network.version == address.version and network.prefixlen and address in network:
                return step
        return None


def closes(step: Step) -> bool:
    """Whether a `network_path` step closes a way, by its tool's name or by the action that it sets."""
    if says(_CLOSES, step.tool):
        return True
    return any(key in _ACTION_KEYS and _CLOSES.search(value) is not None for key, value in scalars_in(step.arguments))


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _places_in_text(values: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The machines that a rule's description names: what the way was opened for."""
    for key, value in values:
        if " " in value and len(value) < _LONGEST and key not in _TICKET_KEYS:
            yield from (name for name in _NAME.findall(value) if is_place(name))


def places_of(step: Step) -> Iterator[str]:
    """The hosts, addresses and resources that a step names."""
    values = scalars_in(step.arguments)
    who = {value for key, value in values if key in _WHO_KEYS}
    seen = {step.target} - {None}
    yield from sorted(place for place in seen if place and place not in who)
    for key, value in values:
        if value in seen or value in who or len(value) >= 200 or key in _TICKET_KEYS:
            continue
        if _HOST_LIKE.fullmatch(value) or (is_place(value) and _NAME.fullmatch(value)):
            seen.add(value)
            yield value
