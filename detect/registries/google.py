"""Google Cloud's Agent Registry API: `projects.locations.agents`.

Read from the published v1 client references; an export of a real project was not at hand. An agent has no owner, no
expiry and no tools that logs would name. Its runtime identity is the principal that Cloud Audit Logs show.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from detect.registries import Entry, form, members, text, texts
from ingest.errors import Trouble

_IDENTITY: Final = "agentregistry.googleapis.com/system/RuntimeIdentity"


def _is_agent(one: dict[str, Any]) -> bool:
    return "agentId" in one or "/agents/" in str(one.get("name", ""))


@form(claims=lambda said, path: any(_is_agent(one) for one in members(said, "agents")))
def google(said: Any, path: Path) -> Iterator[Entry]:
    """Agents of Google Cloud's Agent Registry, as its API lists them."""
    for one in members(said, "agents"):
        if not _is_agent(one):
            continue
        name = text(one, "displayName", "name", "agentId")
        if name is None:
            raise Trouble(f"{path}: an agent has neither `displayName` nor `name`; export it with both")
        yield Entry(
            id=name,
            names=(*texts(one, "name", "agentId", "uid"), *_principals(one)),
            source=f"{path}: {name}",
        )


def _principals(one: dict[str, Any]) -> tuple[str, ...]:
    """The identity that it runs as: the references show it as an object and as text."""
    attributes = one.get("attributes")
    said = attributes.get(_IDENTITY) if isinstance(attributes, dict) else None
    principal = text(said, "principal") if isinstance(said, dict) else said
    if not isinstance(principal, str) or not principal:
        return ()
    plain = principal.partition("://")[2].rpartition("/serviceAccounts/")[2]
    return (principal, plain) if plain else (principal,)
