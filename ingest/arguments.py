"""What a call's own arguments name: the thing it touched, the credential it used, the identity it acted as.

Readers ask here where their format has no field of its own. Only what stands under a telling key counts;
nothing is inferred from values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

_LONGEST_BYTES: Final = 1 << 16
_DEEPEST: Final = 3

TARGET_KEYS: Final = (
    "target", "targethost", "targetarn", "host", "hostname", "instanceid", "deviceid", "nodename", "rolearn",
    "resourcearn", "secretarn", "secretid", "functionname", "arn", "groupid", "securitygroupid", "firewallid",
    "firewall", "bucketname", "bucket", "database", "cluster", "namespace", "username", "userid", "accountid",
    "account", "projectid", "tenantid", "subscriptionid", "resource", "resourcename", "resourceid", "url",
    "uri", "endpoint", "domain", "ipaddress", "ip", "address", "destination", "recipient", "mailbox",
    "channel", "repository", "path", "filepath",
)  # fmt: skip
"""Argument names (lower case, without separators) that hold what a call touches, the most telling first."""

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


def named_in(arguments: str | None) -> Named:
    """Read a call's arguments (JSON text). Text that is not a JSON object names nothing."""
    found: dict[str, str] = {}
    for key, value in scalars_in(arguments):
        found.setdefault(key, value)
    if not found:
        return _NOTHING
    return Named(
        target=_first(found, TARGET_KEYS),
        credential_id=_first(found, CREDENTIAL_KEYS),
        principal=_first(found, PRINCIPAL_KEYS),
        on_behalf_of=_first(found, HUMAN_KEYS),
    )


def scalars_in(payload: str | None) -> list[tuple[str, str]]:
    """(key in lower case without separators, text) of every text and whole number in a JSON payload.

    An object's own members stand before those of what it holds; the members of an array bear the array's
    key. At most three levels deep and 64 KiB; text that is not a JSON object or array holds nothing.
    """
    if not payload or payload[0] not in "{[" or len(payload) > _LONGEST_BYTES:
        return []
    try:
        decoded = msgspec.json.decode(payload)
    except (msgspec.MsgspecError, RecursionError):
        return []
    return list(_scalars("", decoded, 0))


def _first(found: dict[str, str], keys: tuple[str, ...]) -> str | None:
    return next((found[key] for key in keys if key in found), None)


def _scalars(name: str, value: object, depth: int) -> Iterator[tuple[str, str]]:
    members: list[tuple[str, object]]
    match value:
        case dict():
            members = [(_normalised(str(key)), member) for key, member in value.items()]
        case list():
            members = [(name, member) for member in value]
        case _:
            return
    for key, member in members:
        if isinstance(member, str) and member:
            yield key, member
        elif isinstance(member, int) and not isinstance(member, bool):
            yield key, str(member)
    if depth < _DEEPEST:
        for key, member in members:
            if isinstance(member, (dict, list)):
                yield from _scalars(key, member, depth + 1)


def _normalised(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "").replace(".", "")
