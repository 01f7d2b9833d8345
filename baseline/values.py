"""What a call's values are, by their form alone, and where each came from: the request, an answer, or nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

import msgspec

Kind = Literal[
    "address", "mailbox", "url", "path", "resource", "account", "host", "amount", "identifier", "word", "text"
]
Origin = Literal["request", "answer", "nowhere", "not_in_answers"]
"""`not_in_answers` is all that can be said where the log does not hold what was asked."""

NAMING: Final[frozenset[Kind]] = frozenset(
    ("address", "mailbox", "url", "path", "resource", "account", "host", "identifier")
)
"""Kinds that name one thing in the world: a new one can be a new reach."""
MOST_ANSWERS: Final = 64
"""Earlier answers of a session that a value is looked for in, the latest: a session without end costs no more."""
MOST_VALUES: Final = 200
"""Members of one list that are looked at."""
_LONGEST_NAME: Final = 200
_DEEPEST: Final = 3
_decode: Final = msgspec.json.Decoder(dict[str, object]).decode
_MOST_KNOWN: Final = 1 << 16

_FORMS: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = (
    ("url", re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)),
    ("mailbox", re.compile(r"[^\s@/:]+@[^\s@/:]+\.[^\s@/:]+")),
    ("address", re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2}|:\d{1,5})?")),
    ("address", re.compile(r"(?=.*:.*:)[0-9a-f:.]{3,45}(?:/\d{1,3})?", re.IGNORECASE)),
    ("resource", re.compile(r"arn:[^\s:]*:\S+|(?:projects|organizations|folders|subscriptions)/\S+", re.IGNORECASE)),
    ("path", re.compile(r"(?:~?/|\.{1,2}/|[A-Za-z]:[\\/]|\\\\)\S.*|[^\s/]+(?:/[^\s/]+)+")),
    ("account", re.compile(r"\d{8,20}|[A-Z]{2}\d{2}[A-Z0-9]{10,30}")),
    ("amount", re.compile(r"[+-]?(?:\d+(?:[.,]\d+)*|\.\d+)(?:e[+-]?\d+)?%?", re.IGNORECASE)),
    ("host", re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]\.?", re.IGNORECASE)),
    ("identifier", re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w.:@+=-]+")),
    ("word", re.compile(r"[\w-]+")),
)
_known: dict[str, Kind] = {}


def kind_of(value: str) -> Kind:
    """The kind of a value by its form; the first form that fits it whole. Remembered, as values recur."""
    found = _known.get(value)
    if found is None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        found = _known[value] = _by_form(value)
    return found


def _by_form(value: str) -> Kind:
    if len(value) > _LONGEST_NAME:
        return "text"
    return next((kind for kind, form in _FORMS if form.fullmatch(value)), "text")


def named(value: str, kind: Kind) -> str | None:
    """What is kept of a value: what names a thing as it stands, an amount by its power of ten, nothing of words."""
    if kind in NAMING:
        return value
    if kind == "amount":
        whole = value.lstrip("+-").replace(",", "").partition(".")[0].lstrip("0")
        return f"10^{len(whole) - 1}" if whole.isdigit() else "below 1"
    return None


class Sources:
    """What one session was told so far: the request, and its latest answers."""

    def __init__(self) -> None:
        self._asked: list[str] = []
        self._answers: list[str] = []
        self._dropped = 0
        self._checked: dict[str, tuple[Origin | None, int]] = {}

    def ask(self, text: str) -> None:
        """Something that was asked of the session."""
        if len(self._asked) < MOST_ANSWERS:
            self._asked.append(text)
            self._checked.clear()

    def answer(self, text: str) -> None:
        """A tool's answer."""
        self._answers.append(text)
        if len(self._answers) > 2 * MOST_ANSWERS:
            del self._answers[:MOST_ANSWERS]
            self._dropped += MOST_ANSWERS

    def origin(self, value: str) -> Origin | None:
        """Where the value stood before, None for one too short to tell; each answer is looked through once for it."""
        if len(value) < _SHORTEST:
            return None
        found, seen = self._checked.get(value, _UNSEEN)
        if found is None:
            if not seen and _is_in(value, self._asked):
                found = "request"
            elif _is_in(value, self._answers[max(0, seen - self._dropped) :]):
                found = "answer"
            self._checked[value] = (found, self._dropped + len(self._answers))
        return found or ("nowhere" if self._asked else "not_in_answers")


_SHORTEST: Final = 3
"""Characters: a number of one or two digits stands in every text."""
_UNSEEN: Final[tuple[Origin | None, int]] = (None, 0)


def _is_in(value: str, texts: list[str]) -> bool:
    """Whether the value stands in one of the texts (which may be JSON) by itself, not inside a longer word."""
    if "\\" in value:
        value = value.replace("\\", "\\\\")
    for text in texts:  # noqa: SIM110 (a generator for each value costs a third more)
        if value in text and _is_alone(value, text):
            return True
    return False


def _is_alone(value: str, text: str) -> bool:
    at = text.find(value)
    while at >= 0:
        end = at + len(value)
        if not (at and text[at - 1].isalnum()) and not (end < len(text) and text[end].isalnum()):
            return True
        at = text.find(value, at + 1)
    return False


def values_in(arguments: str | None) -> Iterator[tuple[str, str, Kind]]:
    """(argument, value, kind) of each text and number in a call's arguments, which are JSON text of an object.

    Members of a list bear the list's name, those of an object its name and theirs; three levels deep.
    """
    try:
        decoded = _decode(arguments) if arguments else {}
    except (msgspec.MsgspecError, RecursionError):
        return
    left = [(name, value, 0) for name, value in decoded.items()]
    for name, value, depth in left:
        if isinstance(value, str):
            if value:
                yield name, value, kind_of(value)
        elif isinstance(value, (int, float)):
            if not isinstance(value, bool):
                yield name, str(value), "amount"
        elif depth < _DEEPEST:
            if isinstance(value, dict):
                left += [(f"{name}.{key}", inner, depth + 1) for key, inner in value.items()]
            elif isinstance(value, list):
                left += [(name, inner, depth + 1) for inner in value[:MOST_VALUES]]
