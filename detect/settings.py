"""What alerting can be told, and the list of every section that `custodiet.toml` may hold."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_network
from typing import Any, Final

from pydantic import Field, SecretStr, field_validator

import detect.sinks
from detect.cases import Severity
from detect.causal import WINDOW_HOURS
from detect.sinks import Sink, Target
from detect.sinks._network import Network
from ingest.plugins import plugins
from ingest.reading_settings import Ingest
from ingest.settings import Given, Keys, Section, SettingsTrouble, given, unknown
from ingest.store_settings import Store


class Alerts(Section):
    """`[alerts]`: what holds for every sink."""

    severity: Severity = Field("medium", description="The least severity that is sent.")
    dashboard_url: str = Field(
        "http://127.0.0.1:8501", description="Where people reach the dashboard; links in alerts begin with it."
    )
    allow_networks: tuple[str, ...] = Field(
        (), description="Private networks that alerts may go to, as ['10.20.0.0/16', '127.0.0.1/32']."
    )
    ca_file: str | None = Field(None, description="Certificates to trust beside those of the system (PEM).")
    proxy_url: SecretStr | None = Field(
        None, description="A proxy for all that is not in allow_networks, as 'http://proxy.example:3128'."
    )
    timeout_s: float = Field(20.0, gt=0, le=300, description="How long one delivery may take.")

    @field_validator("dashboard_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")):
            raise ValueError("not an http or https address")
        return url

    @field_validator("proxy_url")
    @classmethod
    def _is_a_proxy(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(("https://", "http://")):
            raise ValueError("not an http or https address")
        return url

    @field_validator("allow_networks")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            try:
                ip_network(network)
            except ValueError:
                raise ValueError("not a network; write it as '10.20.0.0/16'") from None
        return networks


class Detect(Section):
    """`[detect]`: what is judged together, and how much is raised."""

    window_hours: float = Field(
        WINDOW_HOURS, gt=0, le=31 * 24, description="How long a path, a refusal or a temporary credential is followed."
    )
    cases_per_day: float | None = Field(
        None, ge=0, description="How many cases a day to raise; without it every case of the alerting severity is."
    )
    rules: tuple[str, ...] = Field(
        (), description="Sigma rules, or folders of them, that every run asks; `shipped` means those that come along."
    )
    registries: tuple[str, ...] = Field(
        (), description="Files that say who is registered and may do what: a TOML, or a registry's JSON export."
    )


SECTIONS: Final[dict[str, type[Section]]] = {"alerts": Alerts, "detect": Detect, "ingest": Ingest, "store": Store}
"""Every section but `[sinks.NAME]`. One that a room to the left reads is defined there, and named here."""


@dataclass(frozen=True)
class Settings:
    """What is in force."""

    sections: dict[str, Section]
    targets: tuple[Target, ...] = ()

    @property
    def alerts(self) -> Alerts:
        section = self.sections["alerts"]
        assert isinstance(section, Alerts)
        return section

    @property
    def detect(self) -> Detect:
        section = self.sections["detect"]
        assert isinstance(section, Detect)
        return section

    @property
    def store(self) -> Store:
        section = self.sections["store"]
        assert isinstance(section, Store)
        return section

    @cached_property
    def network(self) -> Network:
        """How requests leave."""
        proxy = self.alerts.proxy_url.get_secret_value() if self.alerts.proxy_url is not None else None
        return Network.of(self.alerts.allow_networks, self.alerts.ca_file, self.alerts.timeout_s, proxy)

    def least(self, target: Target) -> Severity:
        """The least severity that a sink is sent."""
        return target.settings.severity or self.alerts.severity


def all_sinks() -> dict[str, Sink]:
    """Every kind of sink in `detect/sinks/`."""
    return {sink.name: sink for sink in plugins(detect.sinks, Sink)}


def load_settings() -> Settings:
    """The settings in force. Raises `SettingsTrouble` that names every wrong key and its place, never a value."""
    return checked(given())


def checked(said: Given) -> Settings:
    """The settings that these values make."""
    troubles: list[str] = []
    sections: dict[str, Section] = {}
    for name, model in SECTIONS.items():
        try:
            sections[name] = said.section(name, model)
        except SettingsTrouble as trouble:
            troubles.append(str(trouble))
    for name in said.tree:
        if name not in SECTIONS and name != "sinks":
            troubles.append(f"{said.where((name,))}: {name} {unknown(name, [*SECTIONS, 'sinks'])}")
    targets = []
    for name in _sink_names(said):
        try:
            targets.append(_target(said, name))
        except SettingsTrouble as trouble:
            troubles.append(str(trouble))
    if troubles:
        raise SettingsTrouble("; ".join(troubles))
    return Settings(sections, tuple(targets))


def _sink_names(said: Given) -> list[str]:
    sinks = said.tree.get("sinks", {})
    if not isinstance(sinks, dict):
        raise SettingsTrouble(f"{said.where(('sinks',))}: sinks are tables: [sinks.NAME]")
    return sorted(sinks)


def _target(said: Given, name: str) -> Target:
    keys: Keys = ("sinks", name)
    table: Any = said.tree["sinks"][name]
    kind = table.get("kind", name) if isinstance(table, dict) else name
    sinks = all_sinks()
    if kind not in sinks:
        where = said.where((*keys, "kind"))
        raise SettingsTrouble(f"{where}: sinks.{name}: the kind {kind!r} {unknown(str(kind), sinks)}")
    return Target(name, sinks[kind], said.section(keys, sinks[kind].settings, known_besides=["kind"]))
