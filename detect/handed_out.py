"""What a step hands out, whom it is for, and as whom a step acts: read from one step alone.

A secret is remembered by a digest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from detect.step import Step
from detect.toolnames import says
from ingest.arguments import scalars_in

_GIVEN: Final = re.compile(
    r"""\\*"(access_?key_?id|session_?token|access_?token|refresh_?token|id_?token|api_?key(?:_?id)?|key_?id|token_?id
    |access_?key|token|client_?secret|client_?secret_?id|client_?id|secret_?access_?key|secret_?string|secret_?value
    |secret_?arn|password|private_?key|private_?key_?id|credential(?:_?id)?|certificate_?id)\\*"\s*:\s*\\*"([^"\\]{4,4096})""",
    re.IGNORECASE | re.VERBOSE,
)
HOLDER_KEYS: Final = frozenset(
    {"user", "username", "userid", "member", "principal", "principalid", "principalarn", "subject", "serviceaccount",
     "identity", "grantee", "assignee", "account", "role", "rolename", "owner", "agent", "agentid"}
)  # fmt: skip
"""Argument names under which somebody is given a credential or a right."""
LOGIN_KEYS: Final = frozenset(
    {"login", "username", "user", "account", "accountname", "loginname", "runas", "dbuser", "sshuser", "serviceaccount",
     "clientid", "principal"}
)  # fmt: skip
"""Names under which a result or a call says which account a secret is for."""
_ACCOUNT: Final = re.compile(r"(?=.*[_.\d-])[A-Za-z][\w.@-]{5,80}")
"""An account of somebody's own, and no `root` or `postgres` of every host."""
_OPENS: Final = re.compile(r"password|passwd|secret|private_?key|token|passphrase|\bpwd\b", re.IGNORECASE)
_GRANTS: Final = re.compile(
    r"\"[a-z_]*(?:grant|consent|token|assertion|lease|key|secret|cred)[a-z_]*\"\s*:", re.IGNORECASE
)
"""A result of an ordinary step under such a name may be what somebody acts with later."""
_NAME: Final = re.compile(r"[A-Za-z0-9][\w./:@-]{3,120}")
_HAS_DIGIT: Final = re.compile(r"\d")
_OPAQUE: Final = re.compile(r"(?=.*[a-zA-Z])(?=.*\d)[\w+/=~-]{16,4096}")
_SHAPED: Final = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{12,20}\b|\barn:aws[\w-]*:sts::\d{12}:assumed-role/[\w+=,.@/-]+"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|\b(?:gh[opsu]_|github_pat_|glpat-|xox[abps]-|sk-)[\w-]{16,}"
)
_TEMPORARY: Final = re.compile(r"session_?token|expir|\bASIA", re.IGNORECASE)
IS_TEMPORARY: Final = re.compile(r"ASIA[A-Z0-9]{12}|ey[JK]")
"""A temporary credential is new every time: that no log gave it says nothing."""
_EXPIRY: Final = re.compile(
    r"\"(?:expiration|expires_?at|expiry|valid_?until|not_?after)\\*\"\s*:\s*\\*\"([^\"\\]+)", re.IGNORECASE
)
_MOMENTS: Final = ("", "%b %d, %Y, %I:%M:%S %p", "%b %d, %Y %I:%M:%S %p", "%a %b %d %H:%M:%S UTC %Y")
"""Forms of a moment: ISO 8601, then as CloudTrail writes the expiration of a session."""
OBJECT_KEYS: Final = frozenset({"accesskeyid", "accesskey", "keyid", "apikeyid", "tokenid"})
"""Argument names (lower case, without separators) under which a key-managing tool names the key that it manages."""
_MANAGES_KEYS: Final = re.compile(
    r"(?:key|token|credential)s?(?:[\W_]*(?:disable|delete|deactivate|remove|revoke|rotate|renew|expire|retire|create|update"
    r"|list|get|describe|status|state)\w*)?$",
    re.IGNORECASE,
)
_SERVICE: Final = re.compile(r"[\w-]+(?:\.[\w-]+)*\.amazonaws\.com")
_ASSUMED: Final = re.compile(r"arn:(aws[\w-]*):sts::(\d{12}):assumed-role/([^/]+)(?:/.*)?")


def accounts_in(step: Step) -> tuple[str, ...]:
    """The accounts in a result that hands out a secret: who logs in as one of them holds the secret beside it."""
    if not step.result or _OPENS.search(step.result) is None:
        return ()
    found = dict.fromkeys(v for key, v in scalars_in(step.result) if key in LOGIN_KEYS and _ACCOUNT.fullmatch(v))
    return tuple(found) if len(found) == 1 else ()


def logins_in(step: Step) -> tuple[str, ...]:
    """As whom a step says that it logs in."""
    return tuple(
        dict.fromkeys(v for key, v in scalars_in(step.arguments) if key in LOGIN_KEYS and _ACCOUNT.fullmatch(v))
    )


def holders_in(step: Step) -> tuple[str, ...]:
    """Whom a step that gives something names as the one to have it."""
    return tuple(value for key, value in scalars_in(step.arguments) if key in HOLDER_KEYS and len(value) >= 4)


def named_alone(step: Step) -> str | None:
    """The one name among the arguments of a step without a target: what it gives is for that."""
    names = dict.fromkeys(v for _, v in scalars_in(step.arguments) if _NAME.fullmatch(v) and not v.isdigit())
    return next(iter(names)) if len(names) == 1 else None


@lru_cache(maxsize=1 << 14)
def is_service(agent: str) -> bool:
    """Whether this is a cloud's own service, which takes a role so that what runs in it may act: nobody's root."""
    return _SERVICE.fullmatch(agent) is not None


def acting_as(step: Step) -> str | None:
    """The credential, else the principal, that the step acts with."""
    return credential_of(step) or step.principal


def credential_of(step: Step) -> str | None:
    """The credential that the step acts with; a key that a key-managing tool names as its object is none."""
    if step.credential_id is None or not manages_keys(step):
        return step.credential_id
    objects = {value for key, value in scalars_in(step.arguments) if key in OBJECT_KEYS}
    return None if step.credential_id in objects else step.credential_id


def manages_keys(step: Step) -> bool:
    """Whether the step is about keys: those that it names are what it works on."""
    return says(_MANAGES_KEYS, step.tool)


@lru_cache(maxsize=64)
def given(result: str | None) -> tuple[str, ...]:
    """The credentials that a result hands out: under a telling key, or in the shape of one; a plain word is none.

    Cached, as several ask about the one step that is judged.
    """
    if not result:
        return ()
    found = dict.fromkeys((*(found[1] for found in _GIVEN.findall(result)), *_SHAPED.findall(result)))
    return tuple(v for v in found if len(v) >= 20 or (len(v) >= 8 and _HAS_DIGIT.search(v)))


def may_grant(step: Step) -> bool:
    """Whether the result may hold what somebody acts with later, whatever it is called."""
    if step.capability in ("credential", "permission"):
        return True
    return step.capability != "read" and step.result is not None and _GRANTS.search(step.result) is not None


def opaque_in(step: Step) -> Iterator[str]:
    """What a step that gives credentials or permissions returned and nobody could know before: who acts with it later
    holds what was given, whatever the result calls it."""
    asked = {value for _, value in scalars_in(step.arguments)}
    for _, value in scalars_in(step.result):
        if _OPAQUE.fullmatch(value) and value not in asked and value != step.credential_id:
            yield value


def acted_with(value: str) -> str:
    """Where a value is remembered that counts as a credential only if somebody acts with it."""
    return f"acts {fingerprint(value)}"


def logged_in_as(login: str) -> str:
    """Where an account is remembered whose secret was handed out."""
    return f"logs in as {fingerprint(login)}"


@lru_cache(maxsize=64)
def fingerprint(credential: str) -> str:
    """A digest of a credential: what memory and state files hold of it. Cached for the one step that is judged."""
    return blake2b(credential.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


@lru_cache(maxsize=1 << 14)
def role_of(principal: str) -> str | None:
    """The role behind an assumed-role session of AWS, as IAM names it."""
    found = _ASSUMED.fullmatch(principal)
    return f"arn:{found[1]}:iam::{found[2]}:role/{found[3]}" if found else None


def is_temporary(step: Step) -> bool:
    """Whether what the step handed out ends by itself."""
    return until(step) is not None


def until(step: Step) -> int | None:
    """The end of a temporary credential; 0 where only the window says it; None for a key that stays."""
    result = step.result or ""
    if _TEMPORARY.search(result) is None:
        return None
    said = _EXPIRY.search(result)
    if said is None:
        return 0
    for form in _MOMENTS:
        try:
            moment = datetime.strptime(said[1], form) if form else datetime.fromisoformat(said[1])
            return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * 1_000_000_000
        except (ValueError, OverflowError):
            continue
    return 0
