"""One file, the environment over it; what is wrong is named with its place, and values never are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import Field, SecretStr

from ingest.settings import Section, SettingsTrouble, given


class Door(Section):
    colour: str = "red"
    width: int = Field(90, ge=1)
    key: SecretStr | None = None


@pytest.fixture
def file(tmp_path: Path, monkeypatch) -> Path:
    for name in list(os.environ):
        if name.startswith("CUSTODIET_"):
            monkeypatch.delenv(name)
    file = tmp_path / "custodiet.toml"
    monkeypatch.setenv("CUSTODIET_CONFIG", str(file))
    return file


def key_of(door: Door) -> str | None:
    return door.key and door.key.get_secret_value()


def test_the_environment_goes_over_the_file_and_both_are_named_as_origins(file: Path, monkeypatch) -> None:
    file.write_text('[door]\ncolour = "blue"\nwidth = 80\n')
    monkeypatch.setenv("CUSTODIET_DOOR__WIDTH", "70")
    said = given()
    door = said.section("door", Door)
    assert (door.colour, door.width) == ("blue", 70)
    assert said.where(("door", "colour")) == f"{file}:2"
    assert said.where(("door", "width")) == "$CUSTODIET_DOOR__WIDTH"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('[door]\ncolor = "blue"', ":2: door.color: is not known; did you mean colour?"),
        ("[door]\n\nwindow = 1", ":3: door.window: is not known; remove it"),
        ("[door]\nkey_fil = 'x'", ":2: door.key_fil: is not known; did you mean key_file?"),
        ("[door]\nwidth = 0", ":2: door.width: Input should be greater than or equal to 1"),
        ("[door]\nwidth = 'hunter2'", ":2: door.width: Input should be a valid integer"),
        ("door.width = -1", ":1: door.width: Input should be greater"),
        ("door = 3", ":1: door is a table: [door]"),
        ("[door]\nkey_env = 'NOT_SET_ANYWHERE'", "key_env: the environment variable NOT_SET_ANYWHERE is not set"),
        ("[door]\nkey_file = '/nowhere/key'", "key_file: /nowhere/key cannot be read (No such file or directory)"),
        ("[door]\nkey_file = 3", "key_file names a file, as text"),
        ("[door]\nkey = 'hunter2'\nkey_env = 'HOME'", "give only one of key, key_env"),
        ("[door", "cannot be read"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_its_value_is_not(file: Path, content: str, told: str) -> None:
    file.write_text(content)
    with pytest.raises(SettingsTrouble) as trouble:
        given().section("door", Door)
    assert told in str(trouble.value)
    assert str(file) in str(trouble.value)
    assert "hunter2" not in str(trouble.value)


def test_every_wrong_key_of_a_section_is_told_at_once(file: Path) -> None:
    file.write_text("[door]\ncolor = 1\nwidht = 2\n")
    with pytest.raises(SettingsTrouble, match=r":2: .*:3: "):
        given().section("door", Door)


def test_a_secret_comes_from_a_variable_or_a_file_and_the_environment_replaces_either(file: Path, monkeypatch) -> None:
    secret = file.with_name("secret")
    secret.write_text("from the file\n")
    monkeypatch.setenv("THE_KEY", "from the variable")
    for said, got in (("key_env = 'THE_KEY'", "from the variable"), (f"key_file = '{secret}'", "from the file")):
        file.write_text(f"[door]\n{said}\n")
        monkeypatch.delenv("CUSTODIET_DOOR__KEY", raising=False)
        assert key_of(given().section("door", Door)) == got
        monkeypatch.setenv("CUSTODIET_DOOR__KEY", "from the environment")
        assert key_of(given().section("door", Door)) == "from the environment"
    monkeypatch.delenv("CUSTODIET_DOOR__KEY")
    file.write_text("[door]\nkey = 'inline'\n")
    monkeypatch.setenv("CUSTODIET_DOOR__KEY_FILE", str(secret))
    assert key_of(given().section("door", Door)) == "from the file"
    assert "from the file" not in repr(given().section("door", Door))
    secret.write_text("\n")
    with pytest.raises(SettingsTrouble, match="is empty"):
        given().section("door", Door)


def test_no_file_is_no_trouble_unless_it_is_named(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CUSTODIET_CONFIG", raising=False)
    assert given().section("door", Door) == Door()
    monkeypatch.setenv("CUSTODIET_CONFIG", "none.toml")
    with pytest.raises(SettingsTrouble, match=r"none\.toml: cannot be read"):
        given()
