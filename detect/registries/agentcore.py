"""AWS Agent Registry, as Bedrock AgentCore and as a service of its own.

Read from the published API reference (`ListRegistryRecords`, `GetRegistryRecord`, `BatchGet…`); an export of a real
registry was not at hand. A record has no owner, no expiry and no tools that logs would name: an A2A card's skills are
descriptions. What it gives is who is known, and who was taken out of service: DEPRECATED is final, and a deprecated
record cannot be edited, so its last change is when that was.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from detect.registries import Entry, form, members, text, texts
from ingest.errors import Trouble
from ingest.times import moment

_NO_AGENTS: Final = frozenset({"MCP", "MCP_SERVER", "AGENT_SKILLS"})


def _claims(said: Any, path: Path) -> bool:
    return any("registryRecords" in page or "recordArn" in page for page in members(said, ""))


@form(claims=_claims)
def agentcore(said: Any, path: Path) -> Iterator[Entry]:
    """Records of AWS Agent Registry (Bedrock AgentCore), as its API lists or gets them."""
    for record in members(said, "registryRecords"):
        if "recordArn" not in record or record.get("descriptorType") in _NO_AGENTS:
            continue
        name = text(record, "name", "recordId")
        if name is None:
            raise Trouble(f"{path}: the record {record['recordArn']!r} has no `name`; export it anew")
        is_over = record.get("status") == "DEPRECATED"
        changed = record.get("updatedAt", record.get("createdAt"))
        yield Entry(
            id=name,
            names=(*texts(record, "recordId", "recordArn"), *_card_names(record)),
            ended_ns=moment(changed) if is_over else None,
            ended_how="deprecated",
            source=f"{path}: {name}",
        )


def _card_names(record: dict[str, Any]) -> tuple[str, ...]:
    """The name in the agent's own A2A card."""
    inner: Any = record
    for key in ("descriptors", "a2a", "agentCard", "inlineContent"):
        inner = inner.get(key) if isinstance(inner, dict) else None
    try:
        card = msgspec.json.decode(inner) if isinstance(inner, str) else None
    except msgspec.DecodeError:
        return ()
    return texts(card, "name") if isinstance(card, dict) else ()
