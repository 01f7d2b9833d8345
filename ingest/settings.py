"""Settings: one TOML file, the environment over it. A key that is not known is refused, with the nearest that is.

A section is a subclass of `Section`; a room reads its own with `given().section("name", Model)`, and
`detect/settings.py` lists all of them, so that `custodiet config check` knows every name.
A field of type `SecretStr` may be given in three ways: `key`, `key_env` (the name of an environment variable)
or `key_file` (a file that holds it), so that no secret has to stand in the file.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, model_validator

from ingest.errors import Trouble

FILE: Final = "custodiet.toml"
NAMES_FILE: Final = "CUSTODIET_CONFIG"
_PREFIX: Final = "CUSTODIET_"
SHORT: Final[dict[str, tuple[str, ...]]] = {
    "CUSTODIET_WEBHOOK_URL": ("sinks", "webhook", "url"),
    "CUSTODIET_WEBHOOK_SECRET": ("sinks", "webhook", "secret"),
    "CUSTODIET_DASHBOARD_URL": ("alerts", "dashboard_url"),
    "CUSTODIET_LINK_BASE": ("alerts", "dashboard_url"),
    "CUSTODIET_ALERT_SEVERITY": ("alerts", "severity"),
}
"""What a first setup needs, under short names; every other key is `CUSTODIET_SECTION__KEY`."""

Keys = tuple[str, ...]
S = TypeVar("S", bound="Section")
_HEADER: Final = re.compile(r"^\s*\[\[?([^\[\]]+)\]\]?\s*(?:#.*)?$")
_KEY: Final = re.compile(r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")


class SettingsTrouble(Trouble):
    """A setting that cannot be used."""

    exit_code = 3


class Section(BaseModel):
    """A table of the file. Values are checked once, here, and never change afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _secrets_from_where_they_are(cls, said: object) -> object:
        if not isinstance(said, dict):
            return said
        said = dict(said)
        for name in secret_fields(cls):
            ways = [key for key in (name, f"{name}_env", f"{name}_file") if key in said]
            if len(ways) > 1:
                raise ValueError(f"give only one of {', '.join(ways)}")
            if ways and ways[0] != name:
                said[name] = _fetched(ways[0], said.pop(ways[0]))
        return said


def secret_fields(model: type[Section]) -> list[str]:
    """The fields that are never shown."""
    return [
        name
        for name, field in model.model_fields.items()
        if field.annotation is SecretStr or SecretStr in get_args(field.annotation)
    ]


def known_keys(model: type[Section]) -> list[str]:
    """Every key that may stand in a section."""
    secret = secret_fields(model)
    return [*model.model_fields, *(f"{name}{way}" for name in secret for way in ("_env", "_file"))]


@dataclass(frozen=True)
class Given:
    """What the file and the environment say, before it is checked, with where each value stands."""

    tree: dict[str, Any]
    origins: dict[Keys, str]
    file: str

    def section(self, path: str | Keys, model: type[S], *, known_besides: Iterable[str] = ()) -> S:
        """The section at this path, or its defaults. Raises `SettingsTrouble` that names every wrong key and its
        place, never a value. Keys in `known_besides` are somebody else's."""
        keys = (path,) if isinstance(path, str) else path
        said: Any = self.tree
        for key in keys:
            said = said.get(key, {}) if isinstance(said, dict) else said
        if not isinstance(said, dict):
            raise SettingsTrouble(f"{self.where(keys)}: {'.'.join(keys)} is a table: [{'.'.join(keys)}]")
        besides = set(known_besides)
        try:
            return model.model_validate({key: value for key, value in said.items() if key not in besides})
        except ValidationError as error:
            told = (self._told(keys, model, besides, e) for e in error.errors(include_input=False, include_url=False))
            raise SettingsTrouble("; ".join(dict.fromkeys(told))) from None

    def where(self, keys: Keys) -> str:
        """The file and line, or the variable, that says this; else of the table around it."""
        for length in range(len(keys), 0, -1):
            if keys[:length] in self.origins:
                return self.origins[keys[:length]]
        return self.file

    def _told(self, keys: Keys, model: type[Section], besides: set[str], error: Mapping[str, Any]) -> str:
        inside = tuple(str(part) for part in error["loc"])
        message = str(error["msg"]).removeprefix("Value error, ")
        if error["type"] == "extra_forbidden":
            message = unknown(inside[-1], [*known_keys(model), *besides])
        elif error["type"] == "missing":
            message = "is missing"
        place = self.where((*keys, *inside)) if inside else self.where(keys)
        return f"{place}: {'.'.join((*keys, *inside))}: {message}"


def given() -> Given:
    """What stands in the file (`CUSTODIET_CONFIG`, else `./custodiet.toml` if it is there) and the environment."""
    named = os.environ.get(NAMES_FILE)
    file = Path(named or FILE)
    tree: dict[str, Any] = {}
    origins: dict[Keys, str] = {}
    if named or file.exists():
        try:
            text = file.read_text(encoding="utf-8")
            tree = tomllib.loads(text)
        except (OSError, ValueError) as error:
            raise SettingsTrouble(f"{file}: cannot be read ({error}); mend the file") from None
        origins |= {keys: f"{file}:{line}" for line, keys in _lines(text)}
    for variable, keys, value in _from_environment(os.environ):
        _put(tree, keys, value)
        origins[keys] = f"${variable}"
    return Given(tree, origins, str(file))


def unknown(key: str, known: Iterable[str]) -> str:
    """What to say of a key that is not known."""
    near = get_close_matches(key, sorted(known), n=1, cutoff=0.6)
    return "is not known" + (f"; did you mean {near[0]}?" if near else "; remove it")


def _fetched(key: str, source: object) -> str:
    if not isinstance(source, str):
        raise ValueError(f"{key} names {'a variable' if key.endswith('_env') else 'a file'}, as text")
    if key.endswith("_env"):
        if not (value := os.environ.get(source)):
            raise ValueError(f"{key}: the environment variable {source} is not set")
        return value
    try:
        value = Path(source).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise ValueError(f"{key}: {source} cannot be read ({reason})") from None
    if not value:
        raise ValueError(f"{key}: {source} is empty")
    return value


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, Keys, str]]:
    for variable in sorted(environment):
        if variable in SHORT:
            yield variable, SHORT[variable], environment[variable]
        elif variable.startswith(_PREFIX) and "__" in variable:
            keys = tuple(variable.removeprefix(_PREFIX).lower().split("__"))
            if all(keys):
                yield variable, keys, environment[variable]


def _put(tree: dict[str, Any], keys: Keys, value: str) -> None:
    """Set a value; a secret that is given in another way in the file makes room for it."""
    for key in keys[:-1]:
        inner = tree.get(key)
        tree[key] = inner = dict(inner) if isinstance(inner, dict) else {}
        tree = inner
    name = keys[-1].removesuffix("_env").removesuffix("_file")
    for way in (name, f"{name}_env", f"{name}_file"):
        if way == keys[-1] or keys[-1] == name or way == name:
            tree.pop(way, None)
    tree[keys[-1]] = value


def _lines(text: str) -> Iterator[tuple[int, Keys]]:
    """The line of every table and key that stands on a line of its own."""
    table: Keys = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _split(header.group(1))
            yield number, table
        elif key := _KEY.match(line):
            yield number, (*table, *_split(key.group(1)))


def _split(dotted: str) -> Keys:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
