"""Sigma files -> rules that can be run: what each is, how grave, and its SQL. A rule that cannot be run is refused.

One file may hold several documents; a correlation finds the rules it names in its own file or in its folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule
from sigma.rule.base import SigmaYAMLLoader
from yaml import YAMLError, load_all

from detect.frameworks import current, techniques
from detect.sigma.conditions import Unsupported, condition_sql
from detect.sigma.correlations import correlation_sql
from detect.sigma.fields import UnknownField, quoted
from ingest.errors import Trouble
from ingest.event import KINDS, identify

SHIPPED: Final = Path(__file__).parents[1] / "rules"
LEVELS: Final = ("informational", "low", "medium", "high", "critical")
"""The least first."""


@dataclass(frozen=True)
class Rule:
    """One rule, compiled."""

    id: str
    """Its own id, else one made of its title: stable over runs."""
    title: str
    description: str
    level: str
    techniques: tuple[str, ...]
    """ATT&CK (current ids), ATLAS and OWASP ids among its tags that the table of frameworks knows."""
    false_positives: tuple[str, ...]
    sql: str
    """Over `steps`: event_id and evidence, the event ids that made it true, in order."""
    file: str
    span_s: int | None = None
    """The time span of a correlation; None where the rule looks at one step alone."""


def load_rules(paths: Iterable[Path]) -> list[Rule]:
    """The rules of files and folders (`*.yml`, `*.yaml`), by title and id.

    Raises `Trouble` naming the file and what to mend; nothing runs with a rule missing in silence.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(p for p in path.rglob("*") if p.suffix in (".yml", ".yaml") and p.is_file())
        elif path.is_file():
            files.append(path)
        else:
            raise Trouble(f"{path}: no such rule or folder of rules")
    folders = sorted({file.parent for file in files})
    found = [rule for folder in folders for rule in _of([f for f in files if f.parent == folder])]
    return sorted(found, key=lambda rule: (rule.title, rule.id))


def rules_of(names: Iterable[str]) -> list[Rule]:
    """The rules that the settings name; `shipped` are those that come along."""
    return load_rules([SHIPPED if name == "shipped" else Path(name) for name in names])


def _of(files: Sequence[Path]) -> list[Rule]:
    """The rules of one folder, which may refer to each other."""
    parsed: list[tuple[Path, SigmaRule | SigmaCorrelationRule]] = []
    for file in files:
        try:
            parsed += [(file, _parsed(said)) for said in load_all(file.read_text("utf-8"), SigmaYAMLLoader) if said]
        except (SigmaError, YAMLError, UnicodeDecodeError, OSError, ValueError) as error:
            raise Trouble(f"{file}: no Sigma rule that can be read ({_words(error)})") from None
    conditions: dict[str, str] = {}
    for file, rule in parsed:
        if isinstance(rule, SigmaRule):
            sql = _compiled(file, rule)
            conditions |= {str(name): sql for name in (rule.id, rule.name) if name}
    named = {
        reference.reference
        for _, rule in parsed
        if isinstance(rule, SigmaCorrelationRule) and not rule.generate
        for reference in rule.rules or []
    }
    rules: list[Rule] = []
    for file, rule in parsed:
        if isinstance(rule, SigmaCorrelationRule):
            rules.append(_rule(file, rule, _correlated(file, rule, conditions)))
        elif not {str(rule.id), str(rule.name)} & named:
            sql = f"select event_id, [event_id] as evidence from steps where {_compiled(file, rule)}"
            rules.append(_rule(file, rule, sql))
    return rules


def _parsed(said: object) -> SigmaRule | SigmaCorrelationRule:
    if not isinstance(said, dict):
        raise ValueError("a rule is a mapping of title, logsource and detection, or of title and correlation")
    return SigmaCorrelationRule.from_dict(said) if "correlation" in said else SigmaRule.from_dict(said)


def _compiled(file: Path, rule: SigmaRule) -> str:
    source = rule.logsource
    if source.product != "ai_agent":
        raise Trouble(
            f"{file}: {rule.title!r} is for the log source {source}; rules here are for `product: ai_agent`, "
            "whose fields the README lists"
        )
    where = []
    if source.category is not None:
        if source.category not in KINDS:
            raise Trouble(f"{file}: {rule.title!r}: category {source.category!r}; one of {', '.join(KINDS)}")
        where.append(f'"kind" = {quoted(source.category)}')
    try:
        any_of = [condition_sql(condition.parsed) for condition in rule.detection.parsed_condition]
    except (UnknownField, Unsupported, SigmaError) as error:
        raise Trouble(f"{file}: {rule.title!r}: {_words(error)}") from None
    except (TypeError, AttributeError) as error:  # pySigma's answer to a condition that YAML read as no text
        raise Trouble(f"{file}: {rule.title!r}: a part of it is no text ({_words(error)}); quote it") from None
    return "(" + " and ".join([*where, "(" + " or ".join(any_of) + ")"]) + ")"


def _correlated(file: Path, rule: SigmaCorrelationRule, conditions: dict[str, str]) -> str:
    missing = [r.reference for r in rule.rules or [] if r.reference not in conditions]
    if missing:
        raise Trouble(f"{file}: {rule.title!r} refers to {', '.join(missing)}, of which there is no rule in its folder")
    try:
        return correlation_sql(rule, conditions)
    except (UnknownField, Unsupported) as error:
        raise Trouble(f"{file}: {rule.title!r}: {_words(error)}") from None


def _rule(file: Path, rule: SigmaRule | SigmaCorrelationRule, sql: str) -> Rule:
    title = rule.title or file.stem
    return Rule(
        id=str(rule.id) if rule.id else identify("sigma", title),
        title=title,
        description=rule.description or "",
        level=rule.level.name.lower() if rule.level else "medium",
        techniques=tuple(sorted(_techniques(rule))),
        false_positives=tuple(rule.falsepositives or ()),
        sql=sql,
        file=file.as_posix(),
        span_s=rule.timespan.seconds if isinstance(rule, SigmaCorrelationRule) else None,
    )


def _techniques(rule: SigmaRule | SigmaCorrelationRule) -> set[str]:
    """`attack.t1562.007` -> T1686.001, `custom.atlas.aml.t0053` -> AML.T0053, `custom.owasp.asi03` -> ASI03."""
    said = {tag.name.rpartition("atlas.")[2].rpartition("owasp.")[2] for tag in rule.tags}
    return {id for name in said if (id := current(name)) in techniques()}


def _words(error: Exception) -> str:
    return " ".join(str(error).split())
