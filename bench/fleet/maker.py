"""Calls and asks, as an agent makes them: with its names for tools and keys, about what it deals with."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from bench.fleet.cast import Agent, long_key
from bench.fleet.clock import uuid
from bench.fleet.settings import Action, Settings
from bench.fleet.steps import Ask, Call, Identity, Session
from bench.fleet.values import Values
from bench.fleet.world import World

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_FAILURES: Final = ("Throttling", "ServiceUnavailable", "InternalError", "ResourceNotFound", "ConnectionReset")
_KEYS_FOR_TICKETS: Final = ("change", "ticket_id", "change_request", "approved_change", "reference")


CREDENTIAL_KEYS: Final = ("access_key_id", "credential_id", "credential", "api_key_id", "key_id")
GIVES_CREDENTIALS: Final = ("secret.read", "vault.checkout", "role.assume", "token.mint", "k8s.token", "key.create")
_OF_SECRET: Final = {"secret.read": 0, "vault.checkout": 0, "key.create": 1}
"""What gives out a key: that of the secret in this week, or the one that takes over in the next."""


def key_in(secret: str, week: int) -> str:
    """The key that a secret holds for a week: whoever reads it gets the same."""
    return long_key(random.Random(f"{secret}/{week}"))


class Maker:
    """Makes the steps of sessions."""

    def __init__(self, settings: Settings, world: World) -> None:
        self.settings, self.world = settings, world
        self.values = Values(settings, world)
        self.texture = settings.raw["texture"]
        self.rules = settings.raw["approvals"]

    def call(
        self,
        agent: Agent,
        action: str,
        rng: random.Random,
        day: int,
        *,
        identity: Identity | None = None,
        about: Mapping[str, Any] | None = None,
        smooth: bool = False,
        told: bool = False,
    ) -> Call:
        """A call; `about` fixes values by their kind, `smooth` leaves out failures."""
        said = self.settings.actions[action]
        drawn: dict[str, Any] = dict(about or {})

        def value(kind: str) -> Any:
            if kind not in drawn:
                if kind == "keyid" and action in _OF_SECRET:
                    drawn[kind] = key_in(value("secret"), day // 7 + _OF_SECRET[action])
                else:
                    drawn[kind] = self.values.draw(kind, agent, rng, day)
            return drawn[kind]

        made = Call(
            action,
            self.name(agent, said),
            {agent.key(keys): value(kind) for keys, kind in said.args},
            {agent.key(keys): value(kind) for keys, kind in said.result} or {"status": "ok"},
            seconds=min(40.0, rng.lognormvariate(-0.4, 0.8)),
            told=told,
        )
        if said.api is not None and agent.uses_aws:
            made.api, made.identity = said.api, identity
            made.params = {key: value(kind) for key, kind in said.params}
            made.answer = _answer(said.api, drawn)
        if not smooth:
            self._mishap(made, rng)
        return made

    def name(self, agent: Agent, action: Action) -> str:
        """The agent's own name for a tool, for good; on AWS mostly the API's, in some spelling."""
        if action.name in agent.renamed:
            return agent.renamed[action.name]
        if (
            action.api is not None
            and agent.uses_aws
            and agent.medium != "cloudtrail"
            and action.name not in agent.tools
        ):
            service, event = action.api.split(":")
            snake = _HUMP.sub("_", event).lower()
            form = agent.style % 4
            agent.tools[action.name] = (
                snake, f"{service}.{snake}", f"aws_{service}_{snake}", event[0].lower() + event[1:],
            )[form]  # fmt: skip
        return agent.tool(action)

    def _mishap(self, call: Call, rng: random.Random) -> None:
        luck = rng.random()
        for what in ("error", "timeout", "denied", "retry"):
            luck -= self.texture[what]
            if luck < 0:
                break
        else:
            return
        if what == "retry":
            call.attempts = rng.randrange(2, 5)
            return
        call.result = call.answer = None
        call.denied = what == "denied"
        call.error = {"denied": "AccessDenied: not authorized to perform this", "timeout": "timed out"}.get(
            what, rng.choice(_FAILURES)
        )
        if what == "timeout":
            call.seconds = 60.0

    def credential(self, call: Call) -> str | None:
        """The key or token that a call gave, if it gave one."""
        if call.error is not None or not isinstance(call.result, dict) or call.action not in GIVES_CREDENTIALS:
            return None
        return str(next(iter(call.result.values())))

    def ask(self, session: Session, call: Call, rng: random.Random, at_ns: int) -> Ask | None:
        """How leave for a call is got; None where a standing ticket covers it, which the arguments then name."""
        agent, luck = session.agent, rng.random()
        if luck < self.rules["standing"]:
            call.arguments[_KEYS_FOR_TICKETS[agent.style % 5]] = f"CHG{rng.randrange(10**7):07d}"
            return None
        asked = Ask(call.tool, dict(call.arguments), by=self.person(agent, rng, at_ns))
        if luck < self.rules["standing"] + self.rules["automatic"]:
            asked.automatic, asked.seconds = True, rng.uniform(0.05, 2)
            asked.by = rng.choice(("auto-approve-policy", "change-policy/low-risk", "policy:standing-window"))
            return asked
        asked.seconds = self.latency(rng, at_ns)
        luck = rng.random()
        if luck < self.rules["unanswered"]:
            asked.silent, asked.verdict = True, "pending"
        elif luck < self.rules["refused"]:
            asked.verdict = "denied"
        return asked

    def person(self, agent: Agent, rng: random.Random, at_ns: int) -> str:
        """Whoever is on shift: by day the agent's own people, by night those on call."""
        hour = at_ns // 3_600_000_000_000 % 24
        if 7 <= hour < 18:
            return agent.people[int(len(agent.people) * rng.random() ** 1.6)]
        crew = self.world.on_call
        return crew[(at_ns // (7 * 86_400_000_000_000) * 3 + rng.randrange(3)) % len(crew)]

    def latency(self, rng: random.Random, at_ns: int) -> float:
        hour = at_ns // 3_600_000_000_000 % 24
        median = self.rules["median_s"] if 7 <= hour < 18 else self.rules["night_median_s"]
        return float(min(5 * 3600, 8 + rng.lognormvariate(0, self.rules["sigma"]) * median))

    def session(self, agent: Agent, at_ns: int, rng: random.Random, prompt: str, human: str | None = None) -> Session:
        """A run, its ids as its framework makes them."""
        stamp = f"{rng.getrandbits(48):012x}"
        match agent.medium:
            case "temporal":
                name = f"{agent.role}/{datetime.fromtimestamp(at_ns / 1e9, UTC):%Y%m%d}-{stamp[:10]}"
            case "strands" | "openinference":
                name = uuid(rng)
            case "maf":
                name = f"thread_{stamp}{rng.getrandbits(32):08x}"
            case _:
                name = f"{agent.role[:12]}-{stamp}"
        made = Session(agent, at_ns, name, human or rng.choice((agent.people[0], "scheduler", agent.people[1])), prompt)
        made.version = agent.version(at_ns)
        if agent.uses_aws:
            made.identity = agent.identity(name.replace("/", "-"), made.human, rng)
        return made


def assumed(call: Call, agent: Agent, rng: random.Random) -> Identity | None:
    """The identity that an assume-role call gave, if it worked."""
    if call.api != "sts:AssumeRole" or call.answer is None or call.params is None:
        return None
    arn = str(call.params["roleArn"])
    key = call.answer["credentials"]["accessKeyId"]
    return Identity(arn.split(":")[4], arn.rsplit("/", 1)[-1], key, str(call.params["roleSessionName"]), agent.host)


def _answer(api: str, drawn: Mapping[str, Any]) -> dict[str, Any] | None:
    """What CloudTrail shows of the answer."""
    match api:
        case "sts:AssumeRole":
            role = str(drawn["role"])
            account, name = role.split(":")[4], role.rsplit("/", 1)[-1]
            user = f"arn:aws:sts::{account}:assumed-role/{name}/{drawn['word']}"
            return {
                "credentials": {"accessKeyId": drawn["session_key"], "expiration": "Oct 30, 2026, 11:00:00 PM"},
                "assumedRoleUser": {"assumedRoleId": f"AROA{name.upper()[:12]}:{drawn['word']}", "arn": user},
            }
        case "sts:GetFederationToken":
            return {"credentials": {"accessKeyId": drawn["session_key"], "expiration": "Oct 30, 2026, 11:00:00 PM"}}
        case "iam:CreateAccessKey":
            return {"accessKey": {"accessKeyId": drawn["keyid"], "userName": drawn["service_user"], "status": "Active"}}
        case "ec2:CreateSnapshot":
            return {"snapshotId": drawn["snapshot"], "status": "pending"}
        case "ec2:CopySnapshot":
            return {"snapshotId": drawn["copied_snapshot"]}
        case "ssm:SendCommand":
            return {"command": {"commandId": drawn.get("word"), "instanceIds": [drawn["instance"]]}}
        case "ec2:AuthorizeSecurityGroupIngress":
            return {"_return": True, "securityGroupRuleSet": {"items": [{"securityGroupRuleId": drawn.get("rule")}]}}
        case _:
            return None if api.split(":")[1].startswith(("Get", "List", "Describe", "Filter")) else {"_return": True}
