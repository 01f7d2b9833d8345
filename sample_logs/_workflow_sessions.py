"""Sessions of the two agents that run as Temporal workflows: credential rotation and cloud remediation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import Any

from _calls import Call, Log
from _cast import (
    ACCOUNTS,
    CLOUD,
    HOME_ACCOUNT,
    NOTIFY_SECRETS,
    ROTATION,
    access_key,
    asking,
    deciding,
    resource,
    role_arn,
    some_service_user,
)  # fmt: skip
from _temporal import TIMED_OUT, History

SOON, LATER = (70.0, 900.0), (200.0, 2400.0)
DOWN = "503 Service Unavailable: the control plane is degraded"


def secret_of(user: str) -> str:
    return f"prod/{user.removeprefix('svc-')}/access-key"


def approval(call: Call, target: str, approver: str, approved: bool = True, **more: Any) -> dict[str, Any]:
    """The portal's signal: who decided what, about which call with which arguments."""
    arguments = {k: v for k, v in call.arguments.items() if k not in ("credential_id", "acting_as")}
    return {"approved": approved, "approved_by": approver, "action": call.tool, "target": target,
            "arguments": arguments | more}  # fmt: skip


# --- credential rotation --------------------------------------------------------------------------


def minting(rng: Random, user: str, own: dict[str, str], key: str) -> Call:
    made = {
        "AccessKey": {
            "UserName": user,
            "AccessKeyId": key,
            "Status": "Active",
            "SecretAccessKey": "[redacted]",
        }
    }
    return Call("create_access_key", {"user_name": user, "account_id": HOME_ACCOUNT} | own, made)


def rotation(
    rng: Random, at: datetime, *, users: Sequence[str] = (), approver: str | None = None,
    approved: bool = True,
    new_keys: Mapping[str, str] | None = None, failures: int = 0, then: Sequence[Call] = (),
) -> Log:  # fmt: skip
    """Keys replaced, each after a person's yes for that user: made, stored, tried, the old one disabled.

    `failures` is how often the new key could not be made before it could; `then` is done at the end.
    """
    own = {"credential_id": ROTATION.key(at), "acting_as": role_arn(HOME_ACCOUNT, ROTATION.role)}
    users = users or [some_service_user(rng)]
    run = History(rng, ROTATION, at, f"rotate-{at:%m%d}-{rng.getrandbits(32):08x}", {
        "task": "Replace keys that are due", "requested_by": asking(rng, at), "account_id": HOME_ACCOUNT,
    })  # fmt: skip
    listing = Call("list_credentials", {"account_id": HOME_ACCOUNT} | own, {"due": list(users)},
                   attempts=rng.choice((1, 1, 1, 1, 2)))  # fmt: skip
    run.think("Which keys are due?", listing)
    run.act(listing)
    for user in users:
        key = (new_keys or {}).get(user) or access_key(rng)
        if not _replace_key(run, user, own, key, approver, approved, failures, len(users) > 1):
            return Log("temporal", ROTATION, at, [run.document()])
    for call in then:
        run.act(call)
    run.think("All due keys are replaced.")
    run.complete({"status": "done", "rotated": list(users)})
    return Log("temporal", ROTATION, at, [run.document()])


def _replace_key(
    run: History, user: str, own: dict[str, str], key: str, approver: str | None, approved: bool,
    failures: int, in_a_row: bool,
) -> bool:  # fmt: skip
    """One user's key; False where the person said no."""
    rng, named = run.rng, {"user_name": user, "account_id": HOME_ACCOUNT}
    secret, at_once = {"secret_id": secret_of(user)}, rng.random() < 0.4
    make = minting(rng, user, own, key)
    if at_once:
        make = Call("rotate_credentials", named | own, make.result)
    run.act(Call("get_credential_age", {"user_name": user} | own, {"user_name": user, "age_days": 91}))
    run.think(f"{user} is due; this needs a person's approval.", make)
    decided_by = approver or deciding(rng, run.clock.at, run.asked_by)
    answer = approval(make, user, decided_by, approved, **secret)
    run.signal("approve_rotation", answer, SOON if in_a_row else LATER)
    if not approved:
        run.complete({"status": "stopped", "reason": f"{decided_by} said no"})
        return False
    for _ in range(failures):
        run.act(replace(make, result=None, error=rng.choice((DOWN, DOWN, TIMED_OUT)), attempts=4))
        run.clock.wait(60, 200)
    tried = {"user_name": user, "credential_id": key}
    steps = [make, Call("verify_rotation", tried, {"user_name": user, "works": True})]
    if not at_once:
        steps.insert(1, Call("update_secret", secret | own, {"Name": secret["secret_id"]}))
        old = {"user_name": user, "access_key_id": access_key(rng)}
        steps.append(Call("disable_access_key", old | own, {"Status": "Inactive"}))
    for step in steps:
        run.act(step)
    return True


# --- cloud remediation ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Held:
    """What the agent acts with: the key, the identity behind it, and the account that it is in."""

    key: str
    identity: str
    account: str

    def arguments(self) -> dict[str, str]:
        return {"credential_id": self.key, "acting_as": self.identity}


def hub(at: datetime) -> Held:
    """The agent's own standing identity."""
    return Held(CLOUD.key(at), role_arn(HOME_ACCOUNT, CLOUD.role), HOME_ACCOUNT)


def assume(rng: Random, held: Held, account: str, role: str = "SocRemediation") -> tuple[Call, Held]:
    """Take a role with what is held; the call, and what is held afterwards."""
    arn, key = role_arn(account, role), access_key(rng, "ASIA")
    identity = f"arn:aws:sts::{account}:assumed-role/{role}/{CLOUD.name}"
    result = {
        "Credentials": {"AccessKeyId": key, "SecretAccessKey": "[redacted]", "SessionToken": "[redacted]"},
        "AssumedRoleUser": {"Arn": identity, "AssumedRoleId": f"AROA{rng.getrandbits(40):010X}:{CLOUD.name}"},
    }
    named = {"role_arn": arn, "account_id": account, "role_session_name": CLOUD.name}
    return Call("assume_role", named | held.arguments(), result), Held(key, identity, account)


FIXES = {
    "update_security_group": "group_id",
    "put_bucket_policy": "bucket",
    "isolate_instance": "instance_id",
    "attach_role_policy": "role_arn",
    "update_nacl": "resource_arn",
}
"""Each remedy, and the argument that names what it changes."""
HABIT = (
    ("update_security_group", "put_bucket_policy", "isolate_instance", "attach_role_policy"),
    (50, 25, 17, 8),
)
DETAIL: dict[str, dict[str, Any]] = {
    "update_security_group": {"remove_rule": "0.0.0.0/0:22"},
    "put_bucket_policy": {"policy": "deny-public-read"},
    "isolate_instance": {"quarantine_group": "sg-quarantine"},
    "attach_role_policy": {"policy_arn": "arn:aws:iam::aws:policy/AWSDenyAll"},
    "update_nacl": {"rule_number": 90, "action": "deny"},
}


def fix(tool: str, target: str, held: Held, **more: Any) -> Call:
    named = {FIXES[tool]: target, "account_id": held.account}
    return Call(tool, named | DETAIL[tool] | more | held.arguments(), named | {"status": "applied"})


def finding(rng: Random, run: History, at: datetime, target: str, held: Held) -> None:
    name = {"finding_id": f"F-{rng.getrandbits(40):010x}", "account_id": held.account}
    look = Call("describe_finding", name | hub(at).arguments(), name | {"resource": target,
    "severity": "high"},
                attempts=rng.choice((1, 1, 1, 1, 1, 3)))  # fmt: skip
    run.think("What was found?", look)
    run.act(look)


def begin(rng: Random, at: datetime) -> History:
    return History(rng, CLOUD, at, f"remediate-{at:%m%d}-{rng.getrandbits(32):08x}", {
        "task": "Remedy the finding", "requested_by": asking(rng, at),
    })  # fmt: skip


def remediation(
    rng: Random, at: datetime, *, account: str | None = None, tool: str | None = None,
    approver: str | None = None,
    approved: bool = True, role_approved: bool = False, failures: int = 0, new: float = 0.08,
) -> Log:  # fmt: skip
    """A finding remedied: described, the account's role taken, a person's yes, the remedy, the check.

    With `role_approved` a person first allows the role itself. `new` is the chance of a new resource.
    """
    run, start = begin(rng, at), hub(at)
    accounts = [account or rng.choice(tuple(ACCOUNTS))]
    if account is None and rng.random() < 0.1:
        accounts.append(rng.choice([a for a in ACCOUNTS if a not in accounts]))
    for place in accounts:
        remedy = tool or rng.choices(*HABIT)[0]
        target = resource(rng, place, FIXES[remedy], new)
        taking, held = assume(rng, start, place)
        finding(rng, run, at, target, replace(start, account=place))
        if role_approved:
            run.signal("approve_remediation", approval(
                taking, str(taking.arguments["role_arn"]),
                approver or deciding(rng, run.clock.at, run.asked_by)),
                SOON)  # fmt: skip
        run.act(taking)
        if rng.random() < 0.2:
            run.act(read_secret(rng, held))
        call = fix(remedy, target, held)
        run.think(f"{remedy} on {target} would remedy it; this needs a person's approval.", call)
        decided_by = approver or deciding(rng, run.clock.at, run.asked_by)
        run.signal("approve_remediation", approval(call, target, decided_by, approved), LATER)
        if not approved:
            run.complete({"status": "stopped", "reason": f"{decided_by} said no"})
            return Log("temporal", CLOUD, at, [run.document()])
        for _ in range(failures):
            run.act(replace(call, result=None, error=rng.choice((DOWN, DOWN, TIMED_OUT)), attempts=4))
            run.clock.wait(60, 200)
        run.act(call)
        run.act(
            Call(
                "verify_finding",
                {"resource": target} | held.arguments(),
                {"resource": target, "resolved": True},
            )
        )
    run.think("The finding is remedied.")
    run.complete({"status": "done"})
    return Log("temporal", CLOUD, at, [run.document()])


def read_secret(rng: Random, held: Held) -> Call:
    """The token for the chat or the ticket system, to tell people."""
    name = rng.choice(NOTIFY_SECRETS)
    return Call("get_secret_value", {"secret_id": name} | held.arguments(),
                {"Name": name, "SecretString": "[redacted]"})  # fmt: skip
