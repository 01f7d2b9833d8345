"""What reading can be told in `custodiet.toml`."""

from __future__ import annotations

from pydantic import Field, field_validator

from ingest.agent_key import parsed
from ingest.errors import Trouble
from ingest.settings import Section


class Ingest(Section):
    """`[ingest]`: how logs are read."""

    agent_key: tuple[str, ...] = Field(
        (), description="What makes an agent one and the same, as ['service', 'agent']; --agent-key goes before it."
    )

    @field_validator("agent_key")
    @classmethod
    def _is_a_key(cls, key: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return parsed(",".join(key)) if key else ()
        except Trouble as error:
            raise ValueError(str(error)) from None
