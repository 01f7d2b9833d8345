"""Which tool calls hand the work to another agent: frameworks make hand-offs look like tools."""

from __future__ import annotations

import re
from typing import Final

from ingest.payloads import text, value_of

_HANDOFF: Final = re.compile(r"(?:transfer|hand_?off|delegate)_to_(.+)|hand_?off")
_MONEY: Final = re.compile(r"amount|iban|currency|account")
_RECEIVERS: Final = ("agent", "agent_name", "to", "target", "assistant", "recipient")


def handed_to(tool: str, arguments: str | None) -> str | None:
    """The agent that a hand-off call names; a payment tool called `transfer_to_…` is no hand-off."""
    found = _HANDOFF.fullmatch(tool.lower())
    if found is None or _MONEY.search(f"{tool} {arguments or ''}".lower()):
        return None
    if found[1]:
        return tool[found.start(1) :]
    given = value_of(arguments)
    if isinstance(given, dict):
        return next((name for key in _RECEIVERS if (name := text(given.get(key))) is not None), None)
    return None
