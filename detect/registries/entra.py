"""Microsoft Entra Agent ID: `agentIdentity` objects of Microsoft Graph.

Read from the published v1.0 reference (agentIdentity inherits from servicePrincipal; `$expand=sponsors,owners`); an
export of a real tenant was not at hand. A disabled identity says that it is disabled, not since when: it ends no
earlier step, unless a TOML registry beside it gives `expires`. A deleted one bears its moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from detect.registries import Entry, form, members, text, texts
from ingest.errors import Trouble
from ingest.times import nanoseconds


def _is_agent(one: dict[str, Any]) -> bool:
    return "agentIdentityBlueprintId" in one or str(one.get("@odata.type", "")).endswith("agentIdentity")


@form(claims=lambda said, path: any(_is_agent(one) for one in members(said, "value")))
def entra(said: Any, path: Path) -> Iterator[Entry]:
    """Agent identities of Microsoft Entra, as Microsoft Graph lists them."""
    for one in members(said, "value"):
        if not _is_agent(one):
            continue
        name = text(one, "displayName", "id")
        if name is None:
            raise Trouble(f"{path}: an agent identity has neither `displayName` nor `id`; export it with both")
        deleted = text(one, "deletedDateTime")
        yield Entry(
            id=name,
            names=texts(one, "id", "appId", "agentAppId"),
            owner=next((who for key in ("owners", "sponsors") for who in _people(one.get(key))), None),
            ended_ns=nanoseconds(deleted) if deleted else None,
            ended_how="deleted",
            source=f"{path}: {name}",
        )


def _people(said: object) -> list[str]:
    people = said if isinstance(said, list) else []
    named = (text(p, "userPrincipalName", "mail", "displayName", "id") for p in people if isinstance(p, dict))
    return [name for name in named if name]
