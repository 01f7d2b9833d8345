"""Settings of alerting: environment over `custodiet.toml`; a key that is not known is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from ingest.errors import Trouble

FILE: Final = "custodiet.toml"


class SettingsTrouble(Trouble):
    """A setting that cannot be used."""

    exit_code = 3


class DetectSettings(BaseModel):
    """The table `[detect]`."""

    model_config = ConfigDict(extra="forbid")

    cases_per_day: float | None = Field(default=None, ge=0)
    """How many cases a day the SOC takes; without it every case of the alerting severity is raised."""


class Settings(BaseSettings):
    """`CUSTODIET_WEBHOOK_URL` and so on in the environment, `webhook_url = …` in the file."""

    model_config = SettingsConfigDict(env_prefix="CUSTODIET_", env_nested_delimiter="__", extra="forbid")

    webhook_url: SecretStr | None = None
    """Where alerts go, as Standard Webhooks lays down. The address may hold a token, so it is never shown."""
    webhook_secret: SecretStr | None = None
    """`whsec_` and base64, as the receiver has it."""
    link_base: str = "http://127.0.0.1:8501"
    """Where people reach the dashboard; links in alerts begin with it."""
    alert_severity: str = Field(default="medium", pattern="^(info|low|medium|high|critical)$")
    """The least severity that is sent."""
    detect: DetectSettings = DetectSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = Path(os.environ.get("CUSTODIET_CONFIG", FILE))
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file))


def load_settings() -> Settings:
    """The settings in force. Raises `SettingsTrouble` that names the keys, never their values."""
    file = os.environ.get("CUSTODIET_CONFIG", FILE)
    try:
        settings = Settings()
    except ValidationError as error:
        keys = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise SettingsTrouble(f"{file} or CUSTODIET_*: {keys}; mend or remove the key") from None
    except (OSError, ValueError) as error:
        raise SettingsTrouble(f"{file}: cannot be read ({error}); mend the file") from None
    if settings.webhook_url is not None and settings.webhook_secret is None:
        raise SettingsTrouble("CUSTODIET_WEBHOOK_URL is set but CUSTODIET_WEBHOOK_SECRET is not; alerts are signed")
    return settings
