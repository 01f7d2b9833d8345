"""AWS CloudTrail: what identities did in an account, from S3 delivery, look-ups, EventBridge or a SIEM's export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ingest.event import Observation, Rejected, identify
from ingest.readers import reader
from ingest.readers._aws_envelope import objects_in, parts
from ingest.readers._cloudtrail_facts import (
    agent_of,
    ending,
    gateway_in,
    human_of,
    role_session,
    target_of,
    tool_of,
)
from ingest.readers._cloudtrail_shape import Event, Identity, event_in, is_event, payload
from ingest.records import Record
from ingest.times import moment

_DAY_NS = 86_400_000_000_000


def claims(first: object) -> bool:
    """An eventSource and an eventName beside an identity, anywhere that AWS or an exporter wraps records."""
    return any(is_event(found) or "CloudTrailEvent" in found for found in objects_in(first))


@reader(claims=claims, by_line=True)
def cloudtrail(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """AWS CloudTrail events: management, data and network activity, sign-ins, AgentCore Gateway calls.

    Every event is a call. The agent is the role, not its session; sessions are told apart by name and access
    key. Times have whole seconds, and CloudTrail promises no order within one.
    """
    for record in records:
        for part in parts(record, is_event):
            yield part if isinstance(part, Rejected) else _observation(part.record)


def _observation(record: Record) -> Observation | Rejected:
    event = event_in(record)
    if isinstance(event, Rejected):
        return event
    if event.digest_bucket is not None:
        return Rejected(record.line, "a CloudTrail digest, which holds hashes only; name the log files that it lists")
    summary = payload(event.insight_details) is not None or event.event_category in ("Insight", "Aggregated")
    if not event.event_name and not summary:
        return Rejected(record.line, "no CloudTrail event (no eventName); remove the record or name its own log")
    who = event.user_identity or Identity()
    started_at = moment(event.event_time)
    day = str(started_at // _DAY_NS) if started_at is not None else ""
    said = Observation(
        event_id=_identity(event, started_at, record),
        trace_id=_trace(who, event, day),
        kind="tool_call",
        operation=event.event_type or event.event_category or "AwsApiCall",
        session_id=role_session(who, day),
        agent_id=agent_of(who),
        service=who.principal_id or who.account_id or event.event_source,
        started_at=started_at,
        tool=tool_of(event),
        arguments=payload(event.request_parameters) or payload(event.service_event_details),
        result=payload(event.response_elements),
        principal=who.arn or who.principal_id or who.invoked_by or None,
        credential_id=who.access_key_id or None,
        on_behalf_of=human_of(who),
        source_host=event.source_ip or None,
        approval="cannot_record",
        source=record.source,
        source_sha256=record.sha256,
        # The resource owner's account gets a copy that knows the caller by number only.
        witness="infrastructure" if who.type == "AWSAccount" and event.shared_event_id else "log",
    )
    if summary:
        _summarise(said, event)
        return said
    said.status, said.error = ending(event, said.result)
    said.target = target_of(event, said.arguments)
    _through_gateway(said, event)
    return said


def _identity(event: Event, started_at: int | None, record: Record) -> str:
    """By the id that all copies of one action share; its name and time guard against made-up ids."""
    own = event.shared_event_id or event.event_id
    if own is None:
        return identify("cloudtrail", record.sha256)
    return identify("cloudtrail", own, event.event_source, event.event_name, started_at)


def _trace(who: Identity, event: Event, day: str) -> str:
    """A principal's day. Both copies of a cross-account call bear the principal id; no copy has parent links."""
    principal = who.principal_id or who.arn or who.invoked_by or event.event_source or ""
    return f"{principal}@{who.account_id or event.recipient_account_id or ''}/{day}"


def _summarise(said: Observation, event: Event) -> None:
    """An Insight or an aggregate is about many calls and is none itself."""
    said.kind, said.tool, said.approval = "lifecycle", None, None
    said.arguments = payload(event.insight_details) or said.arguments
    said.target = event.event_source


def _through_gateway(said: Observation, event: Event) -> None:
    call = gateway_in(event)
    if call is None:
        return
    said.operation = call.method or said.operation
    if call.caller is not None:
        said.principal = said.agent_id = call.caller
        said.trace_id = f"{call.caller}@{said.trace_id}"
        said.witness = "log"
    if call.method is not None and call.method != "tools/call":
        said.kind, said.tool, said.approval = "lifecycle", None, None
    elif call.tool is not None:
        said.tool = call.tool
        said.arguments = call.arguments
        said.result = call.result
    if said.status == "ok" and call.status != "unknown":
        said.status, said.error = call.status, call.error
    said.gap = call.gap
