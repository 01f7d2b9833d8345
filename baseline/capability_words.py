"""What the words of a name say that it does: a verb and the thing that it acts on, each of a kind that the table knows.

A name is split into its words however it joins them; several words can be one verb or noun, the longest first. The
verb's kind and the noun's kind together name the class (`[rules]` in `capabilities.toml`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from baseline.capability_table import IMPACT, LONGEST_PHRASE, PRIVILEGED, Capability, Table, words_of

_PREPOSITIONS: Final = frozenset(
    (
        *("to", "from", "for", "on", "in", "at", "by", "with", "of", "into", "onto", "via", "using", "as"),
        *("inside", "within", "against", "per", "about"),
    )
)
_OUTLIVE_REMOVAL: Final = frozenset(("host", "data", "function"))
"""Kinds of noun that are not destroyed when removed *from* something, as a host from a group."""
_COPIED: Final = frozenset(("data", "backup", "log"))
"""Kinds of noun of which a copy elsewhere is a loss."""
_AMBIGUOUS: Final = frozenset(("policy", "group", "security policy", "profile"))
"""What governs traffic on a firewall, and who may do what elsewhere."""
_OF_TRAFFIC: Final = frozenset(("appliance", "firewall"))
_DONE_AT_THE_END: Final = frozenset(("remove", "destroy", "disable", "enable", "revoke", "rotate"))
"""Kinds of verb that end a name which begins with a product's (`az_monitor_diagnostic_settings_delete`)."""
_LONGEST_PLAIN_AL: Final = 6
"""Letters: kill, call, recall, unseal and appeal are no nouns of doing; removal, renewal and deletion are."""
_SHORTEST_STEM: Final = 3
_THERE: Final = frozenset(("to", "into", "onto", "with"))


@dataclass(frozen=True, slots=True)
class Classed:
    """What a name is classed as, and the rule that said so; no capability means that no rule matches."""

    capability: Capability | None
    reason: str
    is_sure: bool = True
    """Whether the name says it by itself; a verb on a thing that the table does not know says only how it begins."""


@dataclass(frozen=True)
class _Token:
    text: str
    verb: str | None
    noun: str | None


class Words:
    """Classes names by their words alone."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def classify(self, name: str, context: str) -> Classed | None:
        """The weightiest of what the name says it does: `get_or_create_user` creates."""
        words, part = words_of(name), list[str]()
        found: list[Classed] = []
        for word in [*words, "and"]:
            if word not in ("and", "or", "then"):
                part.append(word)
                continue
            if one := self._by_verb_and_noun(part, context):
                found.append(one)
            part = []
        return max(found, key=lambda one: IMPACT[one.capability or "read"], default=None)

    def _by_verb_and_noun(self, words: list[str], context: str) -> Classed | None:
        tokens = self._tokens(words)
        at = _verb_at(tokens)
        if (at is None or tokens[at].noun) and tokens and (done := self._done(tokens[-1])):
            tokens[-1], at = done, len(tokens) - 1
        if at is None:
            return _told_of(tokens)
        verb = tokens[at]
        if verb.noun == "host" and 0 < at == len(tokens) - 1:
            return None  # `falcon.processes` says what is shown, and nothing that is done
        if verb.text == "log" and (at > 0 or len(tokens) == 1):
            return Classed("read", "noun log")
        around = [t for t in self._tokens(words_of(context)) if t.noun and not verb.noun]
        noun = _object_of(tokens, at) or next(reversed(around), None)
        assert verb.verb is not None
        if noun and noun.noun and (cell := self._table.rules.get(noun.noun, {}).get(verb.verb)):
            return Classed(cell, f"verb {verb.text} + noun {noun.text}")
        capability = self._table.rules["any"][verb.verb]
        is_sure = capability in PRIVILEGED or _is_named(tokens, at)
        return Classed(capability, f"verb {verb.text}", is_sure)

    def _done(self, last: _Token) -> _Token | None:
        """An event's name ends in what was done (`api_key.created`), a tool's in who does it (`python_executor`);
        elsewhere -ed only describes a noun."""
        if last.verb or last.noun:
            return None
        for verb in _stems(last.text):
            if kind := self._table.verbs.get((verb,)):
                return _Token(verb, kind, None)
        return None

    def _tokens(self, words: list[str]) -> list[_Token]:
        tokens, at = [], 0
        while at < len(words):
            for length in range(min(LONGEST_PHRASE, len(words) - at), 0, -1):
                phrase = tuple(words[at : at + length])
                verb, noun = self._table.verbs.get(phrase), self._table.nouns.get(phrase)
                if verb or noun or length == 1:
                    tokens.append(_Token(" ".join(phrase), verb, noun))
                    at += length
                    break
        return tokens


def _verb_at(tokens: list[_Token]) -> int | None:
    """Where the verb stands. Nouns too, and light words (run a scan), give way to plain verbs."""
    end = next((i for i, t in enumerate(tokens) if i and t.text in _PREPOSITIONS), len(tokens))
    verbs = [i for i, t in enumerate(tokens[:end]) if t.verb]
    light = [i for i in verbs if tokens[i].verb == "run" or tokens[i].text == "start"]
    plain = [i for i in verbs if not tokens[i].noun and i not in light]
    acts = [i for i in plain if not _is_nominal(tokens[i])]
    if acts:
        ends_it = acts[-1] == len(tokens) - 1 and acts[0] and tokens[acts[0]].verb == "look"
        return acts[-1] if ends_it and tokens[-1].verb in _DONE_AT_THE_END else acts[0]
    if plain and (plain[-1] == len(tokens) - 1 or (light and light[0] == 0)):
        return plain[-1]
    if verbs and verbs[0] == 0:
        return 0
    return light[0] if light else (verbs[-1] if verbs else None)


def _is_nominal(token: _Token) -> bool:
    """A doing as a thing: it is done where a light verb says so (schedule a deletion), or where the name ends in it."""
    return token.text.endswith(("tion", "sion", "al")) and len(token.text) > _LONGEST_PLAIN_AL


def _is_named(tokens: list[_Token], verb_at: int) -> bool:
    """Whether what the verb acts on is known: a noun behind it or right before it, and no product at a name's start."""
    return any(t.noun for t in tokens[verb_at + 1 :]) or (verb_at > 0 and tokens[verb_at - 1].noun is not None)


def _told_of(tokens: list[_Token]) -> Classed | None:
    """A name without a verb: what is said about things (`git_status`), or what is run (`adhoc_command`)."""
    if not tokens or tokens[-1].noun not in ("about", "shell") or " " not in " ".join(t.text for t in tokens):
        return None
    capability: Capability = "read" if tokens[-1].noun == "about" else "remote_execution"
    return Classed(capability, f"noun {tokens[-1].text}")


def _stems(word: str) -> Iterator[str]:
    """The verbs that a word may be made of: creat-ed, execut-or, scan(n)-er, hunt-ing."""
    for ending in ("d", "ed", "or", "er", "ing"):
        if word.endswith(ending) and len(word) > len(ending) + _SHORTEST_STEM - 1:
            stem = word.removesuffix(ending)
            yield stem
            if stem.endswith("i"):
                yield f"{stem[:-1]}y"
            if ending in ("or", "er", "ing"):
                yield stem + "e"
                if stem[-1:] == stem[-2:-1]:
                    yield stem[:-1]


def _object_of(tokens: list[_Token], verb_at: int) -> _Token | None:
    """The noun that the verb acts on: its own last one, else one before, else one behind `to` or `on`."""
    after = tokens[verb_at + 1 :]
    cut = next((i for i, t in enumerate(after) if t.text in _PREPOSITIONS), len(after))
    direct, behind = [t for t in after[:cut] if t.noun], [t for t in after[cut:] if t.noun]
    before = [t for t in tokens[:verb_at] if t.noun]
    for token in tokens:
        if token.noun == "isolation":
            return token
    leaves = any(t.text in _THERE for t in after[cut : cut + 1])
    if (
        leaves
        and direct
        and direct[-1].noun in _COPIED
        and (there := next((t for t in behind if _is_elsewhere(t)), None))
    ):
        return _Token(there.text, None, "outside")
    beside = {t.noun for t in (*direct[:-1], *before, *behind)}
    if direct and direct[-1].text in _AMBIGUOUS and beside & _OF_TRAFFIC:
        return _Token(direct[-1].text, None, "appliance")
    taken_out = tokens[verb_at].text == "remove" and any(t.text == "from" for t in after[cut : cut + 1])
    if taken_out and behind and direct and direct[-1].noun in _OUTLIVE_REMOVAL:
        return behind[0]
    return next(iter([*direct[-1:], *before[-1:], *behind[:1]]), None)


def _is_elsewhere(place: _Token) -> bool:
    """Whether what is copied there leaves: an account is its owner's, and the copy's is another."""
    return place.noun == "outside" or place.text == "account"
