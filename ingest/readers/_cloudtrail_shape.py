"""CloudTrail records as typed values, whatever the case of their keys."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec

from ingest.event import Rejected
from ingest.payloads import Unreadable, as_text, read
from ingest.records import Record

_TELLING: Final = ("useridentity", "eventversion", "awsregion", "recipientaccountid", "eventid", "requestparameters")


def is_event(keys: Collection[str]) -> bool:
    """CloudTrail's own: eventSource and eventName with the identity or the like; Insights and digests too."""
    lower = {str(key).lower() for key in keys}
    if {"eventname", "eventsource"} <= lower and any(key in lower for key in _TELLING):
        return True
    return (
        "insightdetails" in lower
        or {"digests3bucket", "logfiles"} <= lower
        or ({"eventcategory", "eventversion"} <= lower and "eventtype" in lower)
    )


class Issuer(msgspec.Struct, rename="camel"):
    arn: str | None = None
    user_name: str | None = None
    principal_id: str | None = None


class Attributes(msgspec.Struct, rename="camel"):
    creation_date: str | None = None


class Federation(msgspec.Struct, rename="camel"):
    federated_provider: str | None = None


class Context(msgspec.Struct, rename="camel"):
    session_issuer: Issuer | None = None
    attributes: Attributes | None = None
    web_id_federation_data: Federation | None = None
    source_identity: str | None = None


class OnBehalfOf(msgspec.Struct, rename="camel"):
    user_id: str | None = None


class Identity(msgspec.Struct, rename="camel"):
    type: str | None = None
    principal_id: str | None = None
    arn: str | None = None
    account_id: str | None = None
    access_key_id: str | None = None
    user_name: str | None = None
    identity_provider: str | None = None
    invoked_by: str | None = None
    session_context: Context | None = None
    on_behalf_of: OnBehalfOf | None = None


class Resource(msgspec.Struct):
    arn: str | None = msgspec.field(name="ARN", default=None)
    name: str | None = msgspec.field(name="resourceName", default=None)


class Event(msgspec.Struct, rename="camel"):
    """One CloudTrail event. Payloads stay as they were written."""

    event_name: str | None = None
    event_source: str | None = None
    event_time: str | int | float | None = None
    event_type: str | None = None
    event_category: str | None = None
    event_id: str | None = msgspec.field(name="eventID", default=None)
    shared_event_id: str | None = msgspec.field(name="sharedEventID", default=None)
    user_identity: Identity | None = None
    source_ip: str | None = msgspec.field(name="sourceIPAddress", default=None)
    error_code: str | None = None
    error_message: str | None = None
    request_parameters: msgspec.Raw = msgspec.Raw()
    response_elements: msgspec.Raw = msgspec.Raw()
    additional_event_data: msgspec.Raw = msgspec.Raw()
    service_event_details: msgspec.Raw = msgspec.Raw()
    insight_details: msgspec.Raw = msgspec.Raw()
    resources: list[Resource | str | None] | None = None
    recipient_account_id: str | None = None
    addendum: msgspec.Raw = msgspec.Raw()
    digest_bucket: str | None = msgspec.field(name="digestS3Bucket", default=None)


_EVENT: Final = msgspec.json.Decoder(Event, strict=False)
_ANY: Final = msgspec.json.Decoder()


def _names(*structs: type[msgspec.Struct]) -> dict[str, str]:
    return {field.encode_name.lower(): field.encode_name for s in structs for field in msgspec.structs.fields(s)}


_KNOWN: Final[dict[type[msgspec.Struct], dict[str, str]]] = {
    Event: _names(Event),
    Identity: _names(Identity),
    Context: _names(Context),
    Issuer: _names(Issuer, Attributes, Federation, OnBehalfOf),
    Resource: _names(Resource),
}
_WITHIN: Final[dict[str, type[msgspec.Struct]]] = {
    "userIdentity": Identity,
    "sessionContext": Context,
    "sessionIssuer": Issuer,
    "attributes": Issuer,
    "webIdFederationData": Issuer,
    "onBehalfOf": Issuer,
    "resources": Resource,
}
_PAYLOADS: Final = frozenset(
    ("requestParameters", "responseElements", "additionalEventData", "serviceEventDetails", "insightDetails")
)


def event_in(record: Record) -> Event | Rejected:
    """The typed event; keys in another case (Athena, Panther) are put right first."""
    said = record.decode(_EVENT)
    if not isinstance(said, Rejected) and said.event_name and said.event_source and said.user_identity:
        return said
    value = read(_ANY, record.raw)
    if not isinstance(value, dict):
        return said
    try:
        return _EVENT.decode(msgspec.json.encode(_cased(value, Event)))
    except Unreadable:
        return said


def _cased(value: dict[str, object], struct: type[msgspec.Struct]) -> dict[str, object]:
    """The members under their known names. The rightly written one wins over its double in lower case."""
    known = _KNOWN[struct]
    found: dict[str, object] = {}
    for key, member in sorted(value.items(), key=lambda item: item[0] in known.values()):
        name = known.get(key.lower().replace("_", ""), key)
        if name not in _PAYLOADS and isinstance(member, str) and member[:1] in ("{", "["):
            # Athena and Lake hold nested objects as JSON text.
            member = read(_ANY, member) or member
        within = _WITHIN.get(name)
        if within is not None and isinstance(member, dict):
            member = _cased(member, within)
        elif within is not None and isinstance(member, list):
            member = [_cased(part, within) if isinstance(part, dict) else part for part in member]
        if member not in ("", None) or name not in found:
            found[name] = member if member != "" else None
    return found


def payload(raw: msgspec.Raw) -> str | None:
    """A payload as JSON text without spaces; one that was stored as text holding JSON is unpacked."""
    text = bytes(raw)
    if text[:1] == b'"':
        inside = read(_ANY, text)
        if not isinstance(inside, str) or not inside:
            return None
        text = inside.encode("utf-8", "replace") if inside[:1] in ("{", "[") else text
    if text in (b"", b"null"):
        return None
    try:
        # Two exports of one event differ in white space only, which is no disagreement.
        return msgspec.json.format(text, indent=-1).decode("utf-8", "replace")
    except Unreadable:
        return as_text(text.decode("utf-8", "replace"))
