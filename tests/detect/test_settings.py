"""The sections of alerting, the sinks by name, and what `custodiet config` tells of them."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest
from alerting import SECRET, settings

from detect.configured import MASK, in_force, remarks
from detect.settings import SECTIONS, all_sinks, checked, load_settings
from ingest.settings import SettingsTrouble, given, known_keys

ROOT = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path: Path, monkeypatch) -> Path:
    for name in list(os.environ):
        if name.startswith("CUSTODIET_"):
            monkeypatch.delenv(name)
    file = tmp_path / "custodiet.toml"
    monkeypatch.setenv("CUSTODIET_CONFIG", str(file))
    return file


def test_the_short_names_of_a_first_setup_need_no_file(file: Path, monkeypatch) -> None:
    file.write_text("")
    monkeypatch.setenv("CUSTODIET_WEBHOOK_URL", "https://a.example/x")
    monkeypatch.setenv("CUSTODIET_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("CUSTODIET_DASHBOARD_URL", "https://soc.example")
    monkeypatch.setenv("CUSTODIET_ALERT_SEVERITY", "low")
    told = load_settings()
    assert (told.alerts.severity, told.alerts.dashboard_url) == ("low", "https://soc.example")
    (target,) = told.targets
    assert (target.name, target.sink.name) == ("webhook", "webhook")
    assert target.settings.url.get_secret_value() == "https://a.example/x"  # type: ignore[attr-defined]


def test_a_sink_may_have_a_name_of_its_own_and_its_own_severity(file: Path, monkeypatch) -> None:
    file.write_text('[sinks.soc]\nkind = "slack"\nurl = "https://a.example"\n[sinks.page]\nkind = "pagerduty"\n')
    monkeypatch.setenv("CUSTODIET_SINKS__PAGE__ROUTING_KEY", "k")
    monkeypatch.setenv("CUSTODIET_SINKS__PAGE__SEVERITY", "critical")
    told = load_settings()
    assert [(t.name, t.sink.name, told.least(t)) for t in told.targets] == [
        ("page", "pagerduty", "critical"), ("soc", "slack", "medium"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('webhook_url = "https://hidden.example"', ":1: webhook_url is not known"),
        ('[alert]\nseverity = "low"', ":1: alert is not known; did you mean alerts?"),
        ('[alerts]\nseverity = "loud"', ":2: alerts.severity: Input should be 'info', 'low'"),
        ('[alerts]\nallow_networks = ["10.0.0.0/33"]', ":2: alerts.allow_networks: not a network"),
        ('[alerts]\ndashboard_url = "soc.example"', ":2: alerts.dashboard_url: not an http or https address"),
        ('[sinks.pagerdutty]\nrouting_key = "x"', ":1: sinks.pagerdutty: the kind 'pagerdutty' is not known; did you mean pagerduty?"),
        ('[sinks.webhook]\nurl = "https://hidden.example"', ":1: sinks.webhook.secret: is missing"),
        ('[sinks.webhook]\nurl = "https://hidden.example"\nsecret = "hidden"', ":3: sinks.webhook.secret: not `whsec_`"),
        ('[sinks.slack]\nurl = "https://hidden.example"\nquiet = "22-6"', ":3: sinks.slack.quiet: write the hours as"),
        ('[sinks.slack]\nurl = "https://hidden.example"\nquiet_zone = "Mars/Base"', ":3: sinks.slack.quiet_zone: not a time zone"),
        ("sinks = 3", ":1: sinks are tables"),
        ("[sinks]\nslack = 3", ":2: sinks.slack is a table"),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_used_is_named_with_its_line_and_its_value_is_not(
    file: Path, content: str, told: str
) -> None:
    file.write_text(content)
    with pytest.raises(SettingsTrouble) as trouble:
        load_settings()
    assert told in str(trouble.value)
    assert "hidden" not in str(trouble.value)


def test_everything_that_is_wrong_is_told_at_once(file: Path) -> None:
    file.write_text('[alerts]\nseverty = 1\n[sinks.slack]\nurll = "x"\n[other]\n')
    with pytest.raises(SettingsTrouble, match=r"severty.*other.*urll"):
        load_settings()


def test_the_example_names_every_section_sink_and_key_and_can_be_loaded(file: Path, monkeypatch) -> None:
    text = (ROOT / "custodiet.example.toml").read_text()
    monkeypatch.setenv("CUSTODIET_CONFIG", str(ROOT / "custodiet.example.toml"))
    for name in re.findall(r'\w+_env = "(\w+)"', text):
        monkeypatch.setenv(name, "a-secret")
    monkeypatch.setenv("CUSTODIET_SINKS__WEBHOOK__URL", "https://a.example")
    monkeypatch.setenv("CUSTODIET_SINKS__WEBHOOK__SECRET", SECRET)
    told = load_settings()
    assert {target.sink.name for target in told.targets} == set(all_sinks())
    named = set(re.findall(r"^#? ?(\w+) = ", text, re.MULTILINE))
    for model in [*SECTIONS.values(), *(sink.settings for sink in all_sinks().values())]:
        for field in model.model_fields:
            assert named & {field, f"{field}_env", f"{field}_file"}, f"{field} is not in the example"
        assert all(model.model_fields[field].description for field in model.model_fields)
    assert set(tomllib.loads(text)) == {*SECTIONS, "sinks"}
    assert all("kind" not in known_keys(sink.settings) for sink in all_sinks().values())


def test_show_tells_each_value_with_its_origin_and_masks_secrets(file: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOOK", "https://hidden.example")
    file.write_text(f'[alerts]\nseverity = "low"\n[sinks.webhook]\nurl_env = "HOOK"\nsecret = "{SECRET}"\n')
    monkeypatch.setenv("CUSTODIET_ALERTS__TIMEOUT_S", "7")
    monkeypatch.setenv("CUSTODIET_WEBHOK_URL", "x")
    said = given()
    told = checked(said)
    rows = {row["key"]: (row["value"], row["origin"]) for row in in_force(said, told)}
    assert rows["alerts.severity"] == ("low", f"{file}:2")
    assert rows["alerts.timeout_s"] == (7.0, "$CUSTODIET_ALERTS__TIMEOUT_S")
    assert rows["alerts.allow_networks"] == ([], "default")
    assert rows["sinks.webhook.url"] == (MASK, f"{file}:4")
    assert rows["sinks.webhook.secret"] == (MASK, f"{file}:5")
    assert "hidden.example" not in str(rows) and SECRET not in str(rows)
    assert list(remarks(said, told)) == [
        f"{file}:5: sinks.webhook.secret is a secret; secret_env or secret_file keeps it out of the file",
        "$CUSTODIET_WEBHOK_URL is not known; did you mean CUSTODIET_WEBHOOK_URL?",
    ]


def test_defaults_are_enough_and_raise_nothing() -> None:
    assert settings("").targets == ()
