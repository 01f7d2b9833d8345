"""One Entra sign-in -> one step: which app or agent got a token for which resource, with which credential."""

from __future__ import annotations

from typing import Final

from ingest.event import Observation, Status, identify
from ingest.readers._microsoft_values import Members, address, first_text, only, text, unified
from ingest.records import Record
from ingest.times import nanoseconds

AGENT_USER: Final = "agentiduser"
_REFUSALS: Final = {
    "50005", "50020", "50034", "50053", "50055", "50056", "50057", "50064", "50105", "50126", "50128", "50131",
    "50158", "50173", "53000", "53001", "53002", "53003", "53004", "53011", "65001", "65004", "70043", "90094",
    "500011", "500021", "500112", "500113", "530002", "530004", "530032", "7000112", "7000215", "7000222",
    "700016", "700024", "700027", "7000229", "90072",
}  # fmt: skip
"""AADSTS codes that say no: wrong or expired secret, locked or unassigned account, consent or policy missing."""
_INTERRUPTS: Final = {
    "16000", "50058", "50072", "50074", "50076", "50079", "50097", "50125", "50127", "50129", "50140", "50143",
    "50144", "50199", "51006", "65002", "81010", "81012",
}  # fmt: skip
"""AADSTS codes that only ask for one more thing: a second factor, a choice of account, a prompt."""


def is_sign_in(said: Members) -> bool:
    """Whether an object (with unified keys) is a sign-in, from Graph, a diagnostic setting or Log Analytics."""
    if not said.keys() & {"appid", "appdisplayname", "serviceprincipalid", "managedserviceidentity"}:
        return False
    signs = {
        "resourcedisplayname", "resourceid", "resourceidentity", "conditionalaccessstatus", "signineventtypes",
        "uniquetokenidentifier", "clientappused", "userprincipalname",
    }  # fmt: skip
    return len(said.keys() & signs) >= 2 and ("createddatetime" in said or "timegenerated" in said or "status" in said)


def observe_sign_in(record: Record, said: Members, category: str | None, around: Members) -> Observation:
    """`said` is the sign-in, `around` what a diagnostic setting wrote about it."""
    agent = unified(said.get("agent"))
    user = first_text(said, "userprincipalname", "userid")
    account = first_text(said, "serviceprincipalid", "agentserviceprincipalid")
    is_agents_account = (text(agent.get("agentsubjecttype")) or "").lower() == AGENT_USER
    identity = first_text(said, "id", "originalrequestid")
    trace = first_text(said, "correlationid") or first_text(around, "correlationid") or identity or record.sha256
    status, error = _outcome(said, around)
    return Observation(
        event_id=identify("entra", identity or record.sha256),
        trace_id=trace,
        kind="tool_call",
        operation=category or "signIn",
        session_id=first_text(said, "sessionid"),
        agent_id=first_text(said, "serviceprincipalname", "appdisplayname", "appid", "serviceprincipalid")
        or first_text(agent, "agentserviceprincipalid", "parentappid"),
        service=first_text(said, "appdisplayname"),
        started_at=nanoseconds(
            first_text(said, "createddatetime") or first_text(around, "time") or first_text(said, "timegenerated")
        ),
        tool="sign_in",
        arguments=_arguments(said, agent),
        status=status,
        error=error,
        principal=user or account,
        credential_id=first_text(said, "serviceprincipalcredentialkeyid", "federatedcredentialid")
        or first_text(unified(said.get("managedserviceidentity")), "federatedtokenid")
        or first_text(said, "uniquetokenidentifier", "serviceprincipalcredentialthumbprint"),
        # An agent's own user account is no human: Entra marks it as the subject of the token.
        on_behalf_of=None if is_agents_account else user,
        source_host=address(first_text(said, "ipaddress") or first_text(around, "calleripaddress")),
        target=first_text(said, "resourcedisplayname", "resourceid", "resourceidentity", "resourceserviceprincipalid"),
        approval="cannot_record",
        source=record.source,
        source_sha256=record.sha256,
        witness="log",
    )


def _arguments(said: Members, agent: Members) -> str | None:
    return only(
        {
            "appId": said.get("appid"),
            "servicePrincipalId": said.get("serviceprincipalid"),
            "resourceId": said.get("resourceid") or said.get("resourceidentity"),
            "agentType": agent.get("agenttype"),
            "agentSubjectType": agent.get("agentsubjecttype"),
            "agentSubjectParentId": agent.get("agentsubjectparentid"),
            "parentAppId": agent.get("parentappid"),
            "clientAppUsed": said.get("clientappused"),
            "clientCredentialType": said.get("clientcredentialtype"),
            "credentialThumbprint": said.get("serviceprincipalcredentialthumbprint"),
            "uniqueTokenIdentifier": said.get("uniquetokenidentifier"),
            "signInEventTypes": said.get("signineventtypes"),
            "incomingTokenType": said.get("incomingtokentype"),
            "conditionalAccessStatus": said.get("conditionalaccessstatus"),
            "riskLevelDuringSignIn": said.get("risklevelduringsignin"),
            "riskEventTypes": said.get("riskeventtypesv2"),
        }
    )


def _outcome(said: Members, around: Members) -> tuple[Status, str | None]:
    stated = unified(said.get("status"))
    code = first_text(stated, "errorcode") or first_text(said, "resulttype", "errorcode")
    code = code or first_text(around, "resulttype")
    why = first_text(stated, "failurereason", "additionaldetails") or first_text(said, "resultdescription")
    if code is None:
        return "unknown", None
    if code in ("0", "Success"):
        return "ok", None
    error = f"AADSTS{code}: {why}" if why and code.isdigit() else why or code
    if code in _INTERRUPTS:
        return "pending", error
    refused = code in _REFUSALS or first_text(said, "conditionalaccessstatus") in ("failure", "2")
    return ("denied" if refused else "error"), error
