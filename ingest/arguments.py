"""What a call's own arguments name: the thing it touched, the credential it used, the identity it acted as.

Readers ask here where their format has no field of its own. Only what stands under a telling key counts, and in a
command line what its program takes as a place (`ingest/command_lines.py`); nothing else is inferred from values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import msgspec

from ingest.command_lines import COMMAND_KEYS, place_in

_LONGEST_BYTES: Final = 1 << 16
_DEEPEST: Final = 3
_BOTTOM: Final = 16
_SHORTEST_NAME: Final = 4

TARGET_KEYS: Final = (
    "target", "targethost", "targetarn", "host", "hostname", "instanceid", "deviceid", "nodename",
    "destination", "server", "servername", "machine", "machinename", "vm", "vmname", "computer", "computername",
    "node", "device", "devicename", "endpointid", "dst", "dsthost", "remotehost", "rolearn", "resourcearn",
    "secretarn", "secretid", "functionname", "arn", "groupid", "securitygroupid", "firewallid", "firewall",
    "bucketname", "bucket", "database", "cluster", "namespace", "username", "userid", "user", "useremail",
    "userprincipalname", "accountid", "account",
    "projectid", "tenantid", "subscriptionid", "resource", "resourcename", "resourceid", "url", "uri",
    "endpoint", "domain", "ipaddress", "ip", "address", "recipient", "mailbox", "channel", "repository", "path",
    "filepath", "instanceids", "deviceids", "pod", "podname", "assetid", "asset", "dbinstanceidentifier",
    "snapshotid", "volumeid", "imageid", "secretname", "secretpath", "vaultpath", "secret", "role", "rolename",
    "togroup", "group", "groupname", "policyarn", "policyname", "trailname", "detectorid", "sensorid",
    "rulename", "queueurl", "topicarn", "tablename", "table", "clustername", "stackname", "repo",
    "repositoryname", "serviceaccountname", "appid", "applicationid", "application", "name",
)  # fmt: skip
"""Argument names (lower case, without separators) that hold what a call touches, the most telling first: a machine
before the account on it."""

_ENDPOINT: Final = re.compile(
    r"(?:https?://)?(?:"
    r"[a-z0-9-]+(?:\.[a-z]{2}(?:-[a-z]+)+-\d)?\.(?:amazonaws\.com(?:\.cn)?|api\.aws)|[a-z0-9.-]+\.googleapis\.com"
    r"|(?:management|graph|login)\.(?:azure|microsoft|windows|microsoftonline)\.(?:com|net)"
    r")(?::\d+)?/?",
    re.IGNORECASE,
)
"""Where a cloud answers its calls: the way to a thing, and no thing of its own."""

CREDENTIAL_KEYS: Final = (
    "credentialid",
    "accesskeyid",
    "accesskey",
    "keyid",
    "apikeyid",
    "tokenid",
    "credential",
)
PRINCIPAL_KEYS: Final = ("principal", "principalarn", "actingas", "runas", "serviceaccount", "impersonate")
HUMAN_KEYS: Final = ("onbehalfof", "requestedby", "requester")


class Named(msgspec.Struct, frozen=True):
    """What the arguments name; None where they do not."""

    target: str | None = None
    credential_id: str | None = None
    principal: str | None = None
    on_behalf_of: str | None = None


_NOTHING: Final = Named()
_TELLING: Final[dict[str, tuple[str, int]]] = {
    key: (field, rank)
    for field, keys in (
        ("target", TARGET_KEYS),
        ("credential_id", CREDENTIAL_KEYS),
        ("principal", PRINCIPAL_KEYS),
        ("on_behalf_of", HUMAN_KEYS),
    )
    for rank, key in enumerate(keys)
}


def named_in(arguments: str | None) -> Named:
    """Read a call's arguments (JSON text). Text that is not a JSON object names nothing."""
    return _named(_scalars(arguments))


def named_by(given: object, arguments: str | None) -> Named:
    """The same, of arguments that are decoded already; `arguments` is their JSON text."""
    if not isinstance(given, (dict, list)) or arguments is None or len(arguments) > _LONGEST_BYTES:
        return named_in(arguments)
    found: list[tuple[str, str]] = []
    _collect("", given, _DEEPEST, found)
    return _named(found)


def _named(scalars: Iterable[tuple[str, str]]) -> Named:
    found: dict[str, str] = {}
    ranks: dict[str, int] = {}
    commands: list[str] = []
    for key, value in scalars:
        telling = _TELLING.get(key)
        if key in COMMAND_KEYS:
            commands.append(value)
        if telling is not None and telling[1] < ranks.get(telling[0], len(_TELLING)):
            if telling[0] == "target" and not is_thing(value, key):
                continue
            field, ranks[field] = telling
            found[field] = value
    if "target" not in found and commands:
        place = next((place for line in commands if (place := place_in(line)) is not None), None)
        if place is not None:
            found["target"] = place
    return Named(**found) if found else _NOTHING


def is_thing(value: str, key: str = "") -> bool:
    """Whether a value names a thing that a call can touch: no endpoint of a cloud; as a `name`, one word."""
    if key == "name" and (len(value) < _SHORTEST_NAME or " " in value):
        return False
    return "." not in value or _ENDPOINT.fullmatch(value) is None


@lru_cache(maxsize=64)
def scalars_in(payload: str | None) -> tuple[tuple[str, str], ...]:
    """(key in lower case without separators, text) of every text and whole number in a JSON payload.

    An object's own members stand before those of what it holds; the members of an array bear the array's
    key. At most three levels deep and 64 KiB; text that is not a JSON object or array holds nothing.
    Cached, as many ask about the one step that is judged.
    """
    return tuple(_scalars(payload))


def all_scalars_in(payload: str | None) -> list[tuple[str, str]]:
    """The same at any depth: what a decision lists may stand deep in the record that it decides on."""
    return _scalars(payload, _BOTTOM)


def _scalars(payload: str | None, deepest: int = 0) -> list[tuple[str, str]]:
    if not payload or payload[0] not in "{[" or len(payload) > _LONGEST_BYTES:
        return []
    try:
        decoded = msgspec.json.decode(payload)
    except (msgspec.MsgspecError, RecursionError):
        return []
    found: list[tuple[str, str]] = []
    _collect("", decoded, deepest or _DEEPEST, found)
    return found


def _collect(name: str, value: object, below: int, into: list[tuple[str, str]]) -> None:
    deeper: list[tuple[str, object]] = []
    members: Iterable[tuple[str, object]] = ()
    if isinstance(value, dict):
        members = [(_normalised(key), member) for key, member in value.items()]
    elif isinstance(value, list):
        members = [(name, member) for member in value]
    for key, member in members:
        if isinstance(member, str):
            if member:
                into.append((key, member))
        elif isinstance(member, (dict, list)):
            deeper.append((key, member))
        elif isinstance(member, int) and not isinstance(member, bool):
            into.append((key, str(member)))
    if below:
        for key, member in deeper:
            _collect(key, member, below - 1, into)


@lru_cache(maxsize=4096)
def _normalised(key: str) -> str:
    """Cached, as the calls of a fleet share few argument names."""
    return key.lower().replace("_", "").replace("-", "").replace(".", "")
