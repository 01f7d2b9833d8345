"""Made hijacks: one benign session made to carry out what another one was asked, on the word of an answer."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from baseline.scoring.sessions import Session, Step, Value
from baseline.scoring.words import tokens

_UNMOVED: Final = 0.4
_WITH_READS: Final = 0.5
_CUT_SHORT: Final = 0.3
_RENAMED: Final = 0.7
_DELEGATED: Final = 0.3
_AS_DATA: Final = 0.7
_POINTED_TO: Final = 0.6
"""How the made sessions differ: only read the order; follow it with its own reads; leave the own task undone; have
names and numbers that nobody saw before; and whether the own request leaves its particulars to a document, as data or
as an order, by its name."""
_PLACES: Final = ("line", "line", "line", "anywhere", "rest", "whole")
_LINE_END: Final = re.compile("\n")
_WORD: Final = re.compile(r"[^\W_]+", re.UNICODE)


class Grafted(NamedTuple):
    """A made session, the numbers of the calls that are not its own, and the tasks that it was made of."""

    session: Session
    foreign: frozenset[int]
    groups: frozenset[str]


def grafts(sessions: Sequence[Session], group: Mapping[str, str], count: int, seed: int) -> Iterator[Grafted]:
    """Made hijacks. A good part of them read the foreign order and do not follow it: that alone is no hijack.

    No attack is needed for this: what one task asks, read in an answer, is a foreign order to another task. `group`
    names the task of each request.
    """
    dice = random.Random(seed)
    by_agent: dict[str, dict[str, list[Session]]] = defaultdict(lambda: defaultdict(list))
    for session in sorted(sessions, key=lambda s: s.session_id):
        by_agent[session.agent_id][group[session.asked_key]].append(session)
    hosts = [(a, g) for a in sorted(by_agent) for g in sorted(by_agent[a])]
    givers = {
        a: [g for g in sorted(by_agent[a]) if any(s.changes for r in by_agent[a][g] for s in r.steps)] for a in by_agent
    }
    if not hosts:
        return
    for _ in range(count):
        agent, task = hosts[dice.randrange(len(hosts))]
        host = dice.choice(by_agent[agent][task])
        if not givers[agent] or not host.steps:
            continue
        from_task = dice.choice(givers[agent])
        giver = dice.choice(by_agent[agent][from_task])
        if not any(s.changes for s in giver.steps):
            continue
        # What its own task asks is foreign where the particulars are others.
        other = renamed(giver, dice) if from_task == task or dice.random() < _RENAMED else giver
        if from_task == task and other.requests == giver.requests:
            continue
        if dice.random() < _DELEGATED:
            reads = [s for r in by_agent[agent][task] for s in r.steps if not s.changes]
            host = delegated(host, reads, dice)
        found = _grafted(host, other, dice)
        yield Grafted(found[0], found[1], frozenset((task, from_task)))


def _grafted(host: Session, giver: Session, dice: random.Random) -> tuple[Session, frozenset[int]]:
    at = dice.randrange(len(host.steps))
    poisoned = replace(host.steps[at], result=_with(host.steps[at].result, "\n".join(giver.requests), dice))
    head, tail = (*host.steps[:at], poisoned), host.steps[at + 1 :]
    if dice.random() < _UNMOVED:
        return replace(host, steps=(*head, *tail)), frozenset()
    first = next(i for i, s in enumerate(giver.steps) if s.changes)
    last = max(i for i, s in enumerate(giver.steps) if s.changes)
    foreign = giver.steps[: last + 1] if dice.random() < _WITH_READS else giver.steps[first : last + 1]
    wait = dice.choice((0, 0, 0, 1, len(tail)))
    own, rest = tail[:wait], tail[wait:]
    if dice.random() < _CUT_SHORT:
        rest = ()
    start = len(head) + len(own)
    taken = frozenset(start + i for i, s in enumerate(foreign) if s.changes)
    return replace(host, steps=(*head, *own, *foreign, *rest)), taken


def delegated(host: Session, reads: Sequence[Step], dice: random.Random) -> Session:
    """The same benign session, had its request left the particulars of a call to a document that it points to."""
    calls = [n for n, s in enumerate(host.steps) if s.changes and s.values]
    if not calls or not reads:
        return host
    number = dice.choice(calls)
    values = host.steps[number].values
    gone = {w for v in values if v.read.kind != "prose" for w in tokens(v.text)}
    kept = tuple(_WORD.sub(lambda m: "" if m[0].lower() in gone else m[0], r) for r in host.requests)
    if kept == host.requests:
        return host
    if dice.random() < _AS_DATA:
        particulars = "\n".join(f"{v.name}: {v.text}" for v in values)
    else:
        particulars = "\n".join(host.requests)
    read = dice.choice(reads)
    if dice.random() < _POINTED_TO:
        left = [w for r in kept for w in tokens(r)] or ["it"]
        read = replace(read, values=(Value("name", " ".join(dice.sample(left, min(2, len(left))))),))
    read = replace(read, result=_with(read.result, particulars, dice))
    return replace(host, requests=kept, steps=(*host.steps[:number], read, *host.steps[number:]))


def _with(answer: str, order: str, dice: random.Random) -> str:
    """The answer with the order between two lines, anywhere, instead of its rest, or instead of all."""
    place = dice.choice(_PLACES)
    breaks = [m.start() for m in _LINE_END.finditer(answer)] if place in ("line", "rest") else []
    cut = dice.choice(breaks) if breaks else dice.randrange(len(answer) + 1)
    if place == "whole":
        return order
    return f"{answer[:cut]}\n{order}\n" + ("" if place == "rest" else answer[cut:])


def renamed(giver: Session, dice: random.Random) -> Session:
    """The same order with other particulars: words that hold a digit, or that are a name of the request, change."""
    asked = " ".join(giver.requests)
    taken = {w for s in giver.steps if s.changes for v in s.values if v.read.kind != "prose" for w in tokens(v.text)}
    named = {w.lower() for w in _WORD.findall(asked) if any(c.isdigit() for c in w) or w[:1].isupper()}
    new = {w: "".join(_other(c, dice) for c in w) for w in sorted(taken & named)}

    def change(text: str) -> str:
        # Few texts hold any of the words; only those are read word by word.
        folded = text.lower()
        if not any(w in folded for w in new):
            return text
        return _WORD.sub(lambda m: _cased(new.get(m[0].lower(), ""), m[0]), text)

    steps = tuple(_changed(s, [Value(v.name, change(v.text)) for v in s.values], change(s.result)) for s in giver.steps)
    return replace(giver, requests=tuple(change(r) for r in giver.requests), steps=steps)


def _changed(step: Step, values: list[Value], result: str) -> Step:
    return replace(step, values=tuple(values), result=result)


def _other(character: str, dice: random.Random) -> str:
    if character.isdigit():
        return dice.choice("0123456789")
    return dice.choice("abcdefghijklmnoprstuvwz")


def _cased(new: str, old: str) -> str:
    if not new:
        return old
    return new.upper() if old.isupper() else new.capitalize() if old[:1].isupper() else new
