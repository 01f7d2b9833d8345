"""The capability table's TOML files, checked and merged for look-up. A user's own file goes over the shipped one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from hashlib import blake2b
from pathlib import Path
from typing import Final, Literal, NoReturn, cast, get_args

from ingest.errors import Trouble

Capability = Literal[
    "read",
    "write",
    "network_path",
    "credential",
    "permission",
    "remote_execution",
    "defence_impairment",
    "destructive",
]
CAPABILITIES: Final[tuple[Capability, ...]] = get_args(Capability)

IMPACT: Final[dict[Capability, float]] = {
    "read": 0.05,
    "write": 0.2,
    "network_path": 0.6,
    "credential": 0.7,
    "remote_execution": 0.75,
    "permission": 0.8,
    "destructive": 0.85,
    "defence_impairment": 0.9,
}
"""How much a step of this class can change, 0..1: a judgement that orders the classes, not a measurement.

The gap between `write` and `network_path` is the one that counts: above it, a step moves who can reach what.
A path is the lowest because it still takes a credential to use it; a permission outlives the session that a
credential or a command gives; what is destroyed does not come back; and whoever blinds the defence makes
every later step unseen.
"""

PRIVILEGED: Final[frozenset[Capability]] = frozenset(CAPABILITIES) - {"read", "write"}
"""The classes above `write`: the second property of lateral movement is a new reach in one of these."""

_SHIPPED: Final = Path(__file__).with_name("capabilities.toml")
LONGEST_PHRASE: Final = 4
_CLOUDS: Final = ("aws", "gcp", "azure", "kubernetes")

_WORD = re.compile(r"[A-Z]+s(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+[a-z]*")


@dataclass
class Table:
    """The TOML files, merged and normalised for look-up."""

    version: str = ""
    exact: dict[str, Capability] = field(default_factory=dict)
    aws: dict[str, dict[str, tuple[Capability, str]]] = field(default_factory=dict)
    aws_ambiguous: set[str] = field(default_factory=set)
    aws_aliases: dict[str, str] = field(default_factory=dict)
    gcp: dict[str, Capability] = field(default_factory=dict)
    azure: dict[str, Capability] = field(default_factory=dict)
    kubernetes: dict[str, Capability] = field(default_factory=dict)
    verbs: dict[tuple[str, ...], str] = field(default_factory=dict)
    nouns: dict[tuple[str, ...], str] = field(default_factory=dict)
    rules: dict[str, dict[str, Capability]] = field(default_factory=dict)


def load_table(*overrides: Path) -> tuple[Table, str]:
    """The merged table, and its version: its own and a digest of all its files.

    Raises `Trouble` naming the file and the key, with the nearest one that is known.
    """
    table, digest = Table(), blake2b(digest_size=4)
    for path in (_SHIPPED, *overrides):
        try:
            raw = path.read_bytes()
            parsed = tomllib.loads(raw.decode())
        except OSError as error:
            raise Trouble(f"{path}: cannot read this capability table: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise Trouble(f"{path}: not a TOML file: {error}") from None
        digest.update(raw)
        _Merge(path, table, shipped=path == _SHIPPED).run(parsed)
    return table, f"{table.version}+{digest.hexdigest()}"


def squashed(name: str) -> str:
    """Letters and digits alone, in lower case: how a whole name is looked up."""
    return "".join(c for c in name.lower() if c.isalnum() or c == "*")


def name_set(text: str) -> frozenset[str]:
    """The names that stand in a text, white space between them."""
    return frozenset(text.split())


def words_of(name: str) -> list[str]:
    """The words of a name however it joins them, in the singular and in lower case."""
    return [_singular(w.lower()) for w in _WORD.findall(name.replace("OAuth", "Oauth"))]


def _singular(word: str) -> str:
    if len(word) <= 3 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("sses", "shes", "ches", "xes")) else word[:-1]


class _Merge:
    """One TOML file into the table, refusing what it does not know by the name of the file and the key."""

    def __init__(self, path: Path, table: Table, *, shipped: bool) -> None:
        self.path, self.table, self.shipped = path, table, shipped
        self.seen: dict[tuple[str, object], str] = {}

    def run(self, parsed: dict[str, object]) -> None:
        sections = ["version", "exact", *_CLOUDS, "aws_ambiguous", "aws_aliases", "verbs", "nouns", "rules"]
        for key, value in parsed.items():
            self.known(key, key, sections)
            if key == "version":
                if not isinstance(value, str):
                    self.refuse(key, "must be a string")
                self.table.version = value
            else:
                getattr(self, f"_{key}")(self.members(value, key))

    def refuse(self, key: str, problem: str) -> NoReturn:
        raise Trouble(f"{self.path}: [{key}] {problem}")

    def known(self, name: str, key: str, names: Iterable[str]) -> None:
        if name not in (names := list(names)):
            close = get_close_matches(name, names, 1, 0.0)
            self.refuse(key, f"is not known; did you mean {close[0]!r}?" if close else "is not known")

    def members(self, value: object, key: str) -> dict[str, object]:
        if not isinstance(value, dict):
            self.refuse(key, "must be a table")
        return value

    def names(self, value: object, key: str) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
            self.refuse(key, "must be a list of names")
        return value

    def capability(self, name: object, key: str) -> Capability:
        self.known(str(name), key, CAPABILITIES)
        return cast(Capability, name)

    def once(self, room: str, name: object, key: str) -> None:
        """Within one file, an entry stands in one place; only a later file may overrule it."""
        before = self.seen.setdefault((room, name), key)
        if before != key:
            self.refuse(key, f"{name!r} stands in [{before}] too")

    def by_class(self, room: str, section: dict[str, object]) -> Iterable[tuple[str, Capability, str]]:
        for name, value in section.items():
            key = f"{room}.{name}"
            for entry in self.names(value, key):
                yield entry, self.capability(name, key), key

    def _exact(self, section: dict[str, object]) -> None:
        for name, capability, key in self.by_class("exact", section):
            self.once("exact", squashed(name), key)
            self.table.exact[squashed(name)] = capability

    def _aws(self, section: dict[str, object]) -> None:
        for class_name, services in section.items():
            key = f"aws.{class_name}"
            capability = self.capability(class_name, key)
            for service, value in self.members(services, key).items():
                actions = self.table.aws.setdefault(service.lower(), {})
                for action in self.names(value, f"{key}.{service}"):
                    plain = squashed(action)
                    if "*" in plain[:-1]:
                        self.refuse(f"{key}.{service}", f"{action!r}: * may only end a name")
                    self.once(f"aws {service}", plain, f"{key}.{service}")
                    if plain.endswith("*") and not self.shipped:
                        for earlier in [a for a in actions if a.startswith(plain[:-1])]:
                            if (f"aws {service}", earlier) not in self.seen:
                                del actions[earlier]
                    actions[plain] = (capability, f"{service}:{action}")

    def _aws_ambiguous(self, section: dict[str, object]) -> None:
        for name, value in section.items():
            self.known(name, f"aws_ambiguous.{name}", ["names"])
            self.table.aws_ambiguous.update(map(squashed, self.names(value, "aws_ambiguous.names")))

    def _aws_aliases(self, section: dict[str, object]) -> None:
        for name, value in section.items():
            self.known(str(value), f"aws_aliases.{name}", self.table.aws)
            self.table.aws_aliases[name.lower()] = str(value)

    def _gcp(self, section: dict[str, object]) -> None:
        self._patterns("gcp", section, self.table.gcp)

    def _azure(self, section: dict[str, object]) -> None:
        self._patterns("azure", section, self.table.azure)

    def _kubernetes(self, section: dict[str, object]) -> None:
        self._patterns("kubernetes", section, self.table.kubernetes)

    def _patterns(self, room: str, section: dict[str, object], into: dict[str, Capability]) -> None:
        for pattern, capability, key in self.by_class(room, section):
            self.once(room, pattern.lower(), key)
            into.pop(pattern.lower(), None)
            into[pattern.lower()] = capability

    def _verbs(self, section: dict[str, object]) -> None:
        self._vocabulary("verbs", section, self.table.verbs)

    def _nouns(self, section: dict[str, object]) -> None:
        self._vocabulary("nouns", section, self.table.nouns)

    def _vocabulary(self, room: str, section: dict[str, object], into: dict[tuple[str, ...], str]) -> None:
        kinds = list(section) if self.shipped else sorted(set(into.values()))
        for kind, value in section.items():
            key = f"{room}.{kind}"
            self.known(kind, key, kinds)
            for entry in self.names(value, key):
                phrase = tuple(words_of(entry))
                if not 0 < len(phrase) <= LONGEST_PHRASE:
                    self.refuse(key, f"{entry!r} must be one to {LONGEST_PHRASE} words")
                self.once(room, " ".join(phrase), key)
                into[phrase] = kind

    def _rules(self, section: dict[str, object]) -> None:
        for noun, cells in section.items():
            key = f"rules.{noun}"
            self.known(noun, key, ["any", *sorted(set(self.table.nouns.values()))])
            for verb, capability in self.members(cells, key).items():
                self.known(verb, f"{key}.{verb}", sorted(set(self.table.verbs.values())))
                row = self.table.rules.setdefault(noun, {})
                row[verb] = self.capability(capability, f"{key}.{verb}")
