"""Words of a request, a tool's name or a value, made comparable: split, lower-cased, stemmed."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

_WORD: Final = re.compile(r"[^\W_]+", re.UNICODE)
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SPLIT: Final = {i: chr(i).lower() if chr(i).isalnum() else " " for i in range(128)}
_IDENTIFIER: Final = re.compile(
    r"[\w.+-]+@[\w-]+\.[\w.-]+|(?:https?://)?(?:[\w-]+\.)+[a-z]{2,}(?:/[\w./?=&%-]*)?|\w*\d\w*"
)

_EMPTY: Final = frozenset(
    re.findall(
        r"\w+",
        "a an and any are as at be been but by can could do does for from had has have he her his i if in into is it "
        "its just let like make me my no not of on one or our out please should so some that the their them then there "
        "these they this those to up us was we were what when where which who will with would you your",
    )
)
"""Words that say nothing of what is asked."""
LONGEST_REMEMBERED: Final = 300
"""Characters: short texts recur (a name, an amount, a switch) and are read once."""


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """A light suffix stripper: plural, past, progressive."""
    for suffix, least in (("ations", 7), ("ation", 6), ("ings", 6), ("ing", 5), ("ies", 5), ("ed", 5), ("es", 5)):
        if word.endswith(suffix) and len(word) >= least + 1:
            cut = word[: -len(suffix)]
            return cut[:-1] if len(cut) > 3 and cut[-1] == cut[-2] and cut[-1] not in "ls" else cut
    if word.endswith("s") and not word.endswith("ss") and len(word) > 3:
        word = word[:-1]
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def tokens(text: str) -> list[str]:
    """The words of a text in order, lower-cased; an address or a path comes as its parts."""
    if text.isascii():
        return text.translate(_SPLIT).split()
    return _WORD.findall(text.lower())


def told(text: str) -> frozenset[str]:
    """The stems that say what a text is about."""
    return frozenset(stem(w) for w in tokens(text) if w not in _EMPTY)


@lru_cache(maxsize=1 << 14)
def named(tool: str) -> frozenset[str]:
    """The stems of a tool's name."""
    return told(_HUMP.sub(" ", tool).replace("_", " "))


def is_identifier(text: str) -> bool:
    """Whether a value is one name, number or address and no prose."""
    return bool(_IDENTIFIER.fullmatch(text.strip()))


class Text(NamedTuple):
    """An answer, read once: lower-cased, and its words."""

    folded: str
    words: frozenset[str]


@lru_cache(maxsize=2)
def in_order(text: str) -> list[str]:
    """`tokens`, the last ones remembered: who reads an answer's words reads its passages next. Not to be changed."""
    return tokens(text)


@lru_cache(maxsize=1 << 12)
def text_of(text: str) -> Text:
    """Agents read the same page again and again: the last few thousand answers are remembered."""
    return Text(text.lower(), frozenset(in_order(text)))
