"""What an action does: a tool's or an API's name, classed into one of eight capabilities.

The knowledge stands in `capabilities.toml` beside this file; here is only how a name is looked up:
whole names first, then the clouds' own actions, then verb and noun of the name. A name is all it sees:
what the arguments make of it (a parameter read with or without decryption) is for detectors.
"""

from __future__ import annotations

import re
from fnmatch import translate
from typing import TYPE_CHECKING, Final

from baseline.aws_levels import aws_levels
from baseline.capability_table import PRIVILEGED, Capability, Table, load_table, squashed, words_of
from baseline.capability_words import Classed, Words

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST_NAME: Final = 512
"""Characters. The longest operation names of the three clouds stay under 200; beyond this it is no name."""
_LONGEST_SERVICE: Final = 3
"""Words of an AWS service's name."""
_LARGEST_CACHE: Final = 1 << 16
"""Names. Logs are hostile: one that invents a name per line must not grow the cache without end."""

_NOT_ALNUM = re.compile(r"[\W_]+")
_AWS = re.compile(r"([a-z0-9-]+)(?:\.[a-z0-9-]+)*?(\.amazonaws\.com)?[:/.]([A-Za-z]\w*)", re.ASCII)
_AWS_API_VERSION = re.compile(r"(?:20\d{6}(?:v\d+)?|20\d\d_\d\d_\d\d)$")
_GCP_VERSION = re.compile(r"(?:v\d+\w*|alpha|beta|google|cloud)$")
_WRAPPER = re.compile(r"(?:functions?|tools?|default_api|multi_tool_use)\.(?=\w)", re.IGNORECASE)
_TRAILING = re.compile(r"(?<=\w)[_ -](?:tool|function|skill|plugin|action)$", re.IGNORECASE)
_SEPARATOR = re.compile(r"___|__|[/:]")
_KUBERNETES_CHANGES: Final = frozenset(("create", "update", "patch", "apply"))
_KUBERNETES_VERBS: Final = _KUBERNETES_CHANGES | frozenset(
    ("get", "list", "watch", "delete", "deletecollection", "impersonate", "bind", "escalate")
)

_UNMATCHED: Final = Classed(None, "no rule matches", is_sure=False)


class Capabilities:
    """The capability table. Made by `load`; classifying is pure, and remembered."""

    def __init__(self, table: Table, version: str) -> None:
        self.version = version
        """The table's own version and a digest of all its files: two runs with the same one class alike."""
        self._table = table
        self._cache: dict[tuple[str | None, str | None], Classed] = {}
        self._words = Words(table)
        self._bare_aws = _bare(table)
        self._aws_spelled = {squashed(service): service for service in table.aws}
        self._azure = [(re.compile(translate(p)), p, c) for p, c in reversed(table.azure.items())]

    @classmethod
    def load(cls, *overrides: Path) -> Capabilities:
        """The shipped table, then the user's own files in order: a later one wins, entry by entry."""
        return cls(*load_table(*overrides))

    def classify(self, tool: str | None, target_service: str | None = None) -> Classed:
        """What the tool of this name does; the service it was called on settles names that many share."""
        known = self._cache.get((tool, target_service))
        if known is not None:
            return known
        if len(self._cache) >= _LARGEST_CACHE:
            self._cache.clear()
        found = self._cache[(tool, target_service)] = self._find(tool, target_service)
        return found

    def _find(self, tool: str | None, service: str | None) -> Classed:
        name = (tool or "").strip()
        if not name or len(name) > _LONGEST_NAME:
            return _UNMATCHED
        own, context = _without_prefixes(name)
        service = service if service and len(service) <= _LONGEST_NAME else ""
        for candidate in (name, own):
            if found := self._table.exact.get(squashed(candidate)):
                return Classed(found, f"exact: {candidate}")
        return (
            self._kubernetes(name)
            or self._in_azure(name)
            or self._in_aws(name, own, service)
            or self._in_gcp(name, service)
            or self._words.classify(own, f"{service} {context}")
            or (self._words.classify(name, service) if own != name else None)
            or _UNMATCHED
        )

    def _kubernetes(self, name: str) -> Classed | None:
        lowered = name.lower()
        if lowered.startswith("io.k8s."):
            *group, verb = lowered.split(".")
            versions = [i for i, part in enumerate(group) if re.fullmatch(r"v\d+\w*", part)]
            resource = "/".join(group[versions[-1] + 1 :]) if versions else group[-1]
        else:
            verb, _, resource = lowered.partition(" ")
            if verb not in _KUBERNETES_VERBS:
                resource, _, verb = lowered.partition(" ")
            group_resource, _, sub = resource.partition("/")
            resource = group_resource.partition(".")[0] + (f"/{sub}" if sub else "")
        if verb not in _KUBERNETES_VERBS or not resource:
            return None
        general = "change" if verb in _KUBERNETES_CHANGES else verb
        for rule in (f"{verb} {resource}", f"{general} {resource}", f"any {resource}"):
            if found := self._table.kubernetes.get(rule):
                return Classed(found, f"kubernetes: {rule}")
        return None

    def _in_azure(self, name: str) -> Classed | None:
        lowered = name.lower()
        if not lowered.startswith("microsoft.") or "/" not in lowered:
            return None
        for pattern, shown, capability in self._azure:
            if not lowered.endswith("/read") and pattern.match(lowered):
                return Classed(capability, f"azure: {shown}")
        *resources, verb = name.split("/")[1:]
        if verb.lower() == "read":
            return Classed("read", "azure: read")
        if verb.lower() == "action" and resources:
            verb = resources.pop()
        return self._words.classify(" ".join([verb, *resources[-2:]]), "")

    def _in_aws(self, name: str, own: str, service: str) -> Classed | None:
        named = _AWS.fullmatch(name)
        if named and (known := self._aws_service(named[1] + (named[2] or ""), named[3])):
            return self._aws_action(known, named[3])
        if known := self._aws_service(service, own):
            return self._aws_action(known, own)
        if found := self._aws_prefixed(own):
            return found
        plain = squashed(_AWS_API_VERSION.sub("", own))
        as_cloudtrail_writes_it = own[:1].isupper() and own.isalnum()
        if plain in self._table.aws_ambiguous and not as_cloudtrail_writes_it:
            return None
        bare = self._bare_aws.get(plain)
        if not bare and as_cloudtrail_writes_it:
            bare = _longest(self._bare_aws, plain)
            worded = self._words.classify(own, "")
            if bare and bare[0] == "read" and worded and worded.capability == "credential":
                return None
        return _by_action(bare)

    def _aws_prefixed(self, name: str) -> Classed | None:
        """`aws_iam_create_access_key`, `kms-schedule-key-deletion`: service and action as command lines spell them."""
        parts = _NOT_ALNUM.split(name.lower())
        parts = parts[1:] if parts[0] == "aws" else parts
        for length in range(1, min(len(parts), _LONGEST_SERVICE + 1)):
            actions = self._table.aws.get(self._aws_spelled.get("".join(parts[:length]), ""), {})
            if found := actions.get("".join(parts[length:])):
                return _by_action(found)
        return None

    def _aws_service(self, service: str, action: str) -> str | None:
        """The service's IAM prefix. A name without AWS's domain may be anybody's: it needs an action that AWS has."""
        prefix, dot, domain = service.lower().partition(".")
        if dot and not domain.endswith(("amazonaws.com", "amazonaws.com.cn")):
            return None
        prefix = self._table.aws_aliases.get(prefix, prefix)
        is_aws = prefix in self._table.aws or (dot and prefix) or action.lower() in aws_levels().get(prefix, {})
        return prefix if is_aws else None

    def _aws_action(self, service: str, action: str) -> Classed | None:
        actions = self._table.aws.get(service, {})
        plain = squashed(_AWS_API_VERSION.sub("", action))
        if found := _by_action(actions.get(plain) or _longest(actions, plain)):
            return found
        level, worded = aws_levels().get(service, {}).get(plain), self._words.classify(action, "")
        if level == "permission":
            return (
                worded if worded and worded.capability in PRIVILEGED else Classed("permission", f"aws level: {level}")
            )
        if level == "tagging":
            return Classed("write", f"aws level: {level}")
        if level == "read":
            return worded if worded and worded.capability == "credential" else Classed("read", f"aws level: {level}")
        return worded or (Classed("write", "aws level: write") if service in aws_levels() else None)

    def _in_gcp(self, name: str, service: str) -> Classed | None:
        parts = [p for p in name.split(".") if not _GCP_VERSION.match(p.lower())]
        if not parts or not all(p.replace("_", "").isalnum() for p in parts):
            return None
        method = parts[-1]
        rules = [f"{parts[-2]}.{method}".lower()] if len(parts) > 1 else []
        google = name.startswith("google.") or "googleapis" in service or len(parts) > 2
        if google or (not method.islower() and not method.isupper() and method[1:] != method[1:].lower()):
            rules.append(method.lower())
        if len(parts) > 1 and not self._reads(method):
            rules.append(f"{parts[-2]}.*".lower())
        for rule in rules:
            if found := self._table.gcp.get(rule):
                return Classed(found, f"gcp: {rule}")
        return None

    def _reads(self, method: str) -> bool:
        first = words_of(method)[:1]
        return self._table.verbs.get(tuple(first)) in ("look", "fetch") or first == ["aggregated"]


def _without_prefixes(name: str) -> tuple[str, str]:
    """(the tool's own name, what stood before it): MCP servers, gateways' targets and SDK wrappers."""
    if " " in name or name.lower().startswith("microsoft."):
        return name, ""
    name = _TRAILING.sub("", _WRAPPER.sub("", name, count=1))
    own = _SEPARATOR.split(name.rstrip("/:_"))[-1]
    return (own or name), name[: len(name) - len(own)] if own else ""


def _longest(actions: dict[str, tuple[Capability, str]], action: str) -> tuple[Capability, str] | None:
    return next((actions[p] for n in range(len(action), -1, -1) if (p := action[:n] + "*") in actions), None)


def _by_action(found: tuple[Capability, str] | None) -> Classed | None:
    if not found:
        return None
    capability, action = found
    return Classed(capability, f"{'pattern' if action.endswith('*') else 'exact'}: {action}")


def _bare(table: Table) -> dict[str, tuple[Capability, str]]:
    """The AWS actions that mean the same in every service that has them, so not prefixes like `Get*`."""
    found: dict[str, tuple[Capability, str]] = {}
    differing: set[str] = set()
    for actions in table.aws.values():
        for action, (capability, shown) in actions.items():
            if action.endswith("*") and len(action) <= 8:
                continue
            if found.setdefault(action, (capability, shown))[0] != capability:
                differing.add(action)
    return {action: value for action, value in found.items() if action not in differing}
