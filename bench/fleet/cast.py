"""The fleet's agents: who they are, how they are logged, how they name things, and what they usually deal with."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import cache

from bench.fleet.settings import DAY_NS, Action, Settings, chance
from bench.fleet.steps import Identity
from bench.fleet.world import World, weighted

_FAMILIES = {
    "triage": ("alert-triage", "TriageAgent", "soc.l1", "tier1_analyst", "siem-first-look"),
    "phishing": ("phish-responder", "MailSentry", "soc.phishing", "abuse_box", "inbox-guard"),
    "firewall": ("fw-changer", "PerimeterAgent", "net.policy", "rule_keeper", "edge-guard"),
    "rotation": ("cred-rotator", "KeyKeeper", "iam.rotation", "secret_hygiene", "key-turner"),
    "remediation": ("cloud-fixer", "PostureAgent", "cloud.remediation", "cspm_actor", "guardrail-bot"),
    "identity": ("joiner-leaver", "IdentityDesk", "iam.lifecycle", "access_desk", "people-sync"),
    "vulnerability": ("vuln-manager", "PatchPilot", "vm.agent", "exposure_desk", "patch-planner"),
    "edr": ("endpoint-responder", "EndpointGuard", "edr.actions", "contain_bot", "host-medic"),
    "backup": ("backup-keeper", "SnapshotAgent", "bcp.backup", "vault_runner", "copy-keeper"),
    "deploy": ("release-agent", "ShipIt", "platform.deploy", "rollout_bot", "gitops-runner"),
    "forensic": ("case-examiner", "ForensicAide", "dfir.collector", "evidence_bot", "dfir-aide"),
    "bystander": ("AWSReservedSSO_Admin", "github-ci", "AWSReservedSSO_PowerUser", "contractor", "terraform"),
    "orchestrator": ("soc-conductor", "CaseLead", "soc.orchestrator", "dispatch_agent", "shift-lead"),
}
_PLACES = ("eu", "us", "apac", "core", "cloud", "retail", "labs", "plant", "hq", "edge")
_MODELS = ("claude-sonnet-4-5", "gpt-5.2", "gemini-3-pro", "mistral-large-3", "claude-haiku-4-5", "nova-premier")


@dataclass(eq=False)
class Agent:
    """One agent of the fleet."""

    name: str
    role: str
    medium: str
    platform: str
    host: str
    service: str
    model: str
    account: str
    aws_role: str
    is_witnessed: bool
    people: tuple[str, ...]
    versions: tuple[tuple[int, str], ...]
    """(from which ns on, version), oldest first."""
    added: tuple[str, ...]
    """Actions that later versions bring, one a version, "" where none."""
    beat: dict[str, tuple[str, ...]]
    style: int
    skew_ns: int = 0
    signal: str = "approve"
    shared_user: str = ""
    since_day: int = 0
    seldom: tuple[str, ...] = ()
    """What it can do and does now and then, the most usual first."""
    tools: dict[str, str] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)

    def version(self, at_ns: int) -> str:
        return [version for since, version in self.versions if since <= at_ns][-1]

    def tool(self, action: Action) -> str:
        """What this agent calls the tool for an action: one name, for good."""
        if (name := self.tools.get(action.name)) is None:
            if self.medium == "cloudtrail" and action.api:
                name = action.api
            else:
                name = random.Random(f"{self.name}/{action.name}").choice(action.names)
            self.tools[action.name] = name
        return name

    def key(self, spellings: tuple[str, ...]) -> str:
        return spellings[self.style % len(spellings)]

    def identity(self, session: str, human: str, rng: random.Random) -> Identity:
        """The role that this agent's runs have, with the run's own key; some still share a user's long-lived one."""
        if self.shared_user:
            key = long_key(random.Random(f"{self.account}/{self.shared_user}"))
            return Identity(self.account, self.shared_user, key, None, self.host)
        host = external_ip(rng) if self.role == "bystander" and rng.random() < 0.15 else self.host
        told = human if self.style % 3 == 0 and human != "scheduler" else None
        return Identity(self.account, self.aws_role, session_key(rng), session[:64], host, told)

    @property
    def uses_aws(self) -> bool:
        return self.platform == "aws"


def session_key(rng: random.Random) -> str:
    return "ASIA" + _letters(rng, 16)


def long_key(rng: random.Random) -> str:
    return "AKIA" + _letters(rng, 16)


def external_ip(rng: random.Random) -> str:
    """An address that is nobody's own."""
    first = rng.choice((45, 91, 103, 141, 185, 193, 198, 203))
    return f"{first}.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"


def _letters(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=count))


def cast(settings: Settings, world: World) -> list[Agent]:
    """The agents in a fixed order; each from a stream of chance of its own."""
    shares = {role.name: role.share for role in settings.roles.values() if role.share > 0}
    total = sum(shares.values())
    wanted = [(name, max(1, round(settings.agents * share / total))) for name, share in shares.items()]
    names = [name for name, count in wanted for _ in range(count)]
    rng = chance(settings, "cast")
    while len(names) < settings.agents:
        names.append(rng.choice(list(shares)))
    while len(names) > settings.agents:
        most = max(shares, key=lambda name: (names.count(name), name))
        names.remove(most)
    seen: dict[str, int] = {}
    return [_agent(settings, world, role, seen) for role in names]


def bystanders(settings: Settings, world: World) -> list[Agent]:
    """Who else is in the AWS accounts: they leave CloudTrail records only."""
    seen: dict[str, int] = {}
    found = []
    for number in range(settings.raw["world"]["bystanders"]):
        made = _agent(settings, world, "bystander", seen)
        made.medium, made.is_witnessed, made.aws_role = "cloudtrail", True, f"{made.name}-{number}"
        made.since_day = number % 4 * settings.days // 5
        rng = chance(settings, "bystander", number)
        made.host = external_ip(rng) if rng.random() < 0.7 else made.host
        found.append(made)
    return found


def _agent(settings: Settings, world: World, role: str, seen: dict[str, int]) -> Agent:
    number = seen[role] = seen.get(role, 0) + 1
    rng = chance(settings, "agent", role, number)
    family = _FAMILIES[role][number % 5] if number > 1 else _FAMILIES[role][0]
    place = _PLACES[(number * 7 + len(role)) % len(_PLACES)]
    name = {"-": f"{family}-{place}", "_": f"{family}_{place}", ".": f"{family}.{place}"}.get(
        next((mark for mark in "-_." if mark in family), ""), f"{family}{place.title()}"
    )
    if number > 5:
        name += f"{'-' if '-' in name else ''}{number:02d}"
    media = settings.raw["media"]
    kinds = ("temporal", "strands", "maf", "openinference", "cloudtrail")
    platform = weighted(rng, settings.roles[role].platforms)
    if role == "orchestrator":
        medium = weighted(rng, {"temporal": 5, "strands": 4, "maf": 3})
    else:
        medium = weighted(rng, {kind: media[kind] for kind in kinds if kind != "cloudtrail" or platform == "aws"})
        if platform == "aws" and rng.random() < 0.25:
            medium = "cloudtrail"
    time, fleet = settings.raw["time"], settings.raw["fleet"]
    seldom = [action for action in settings.roles[role].seldom if rng.random() < 0.75]
    rng.shuffle(seldom)
    is_new = number > 2 and rng.random() < fleet["newcomers"]
    return Agent(
        name=name,
        role=role,
        medium=medium,
        platform=platform,
        host=f"{rng.choice(('runner', 'agents', 'ip-10-4', 'soc-node', 'k8s-pool'))}-{rng.randrange(4, 240)}",
        service=rng.choice((name, f"{role}-service", "soc-agents", f"{place}-agents")),
        model=rng.choice(_MODELS),
        account=rng.choice(world.accounts),
        aws_role=f"{rng.choice(('agent', 'svc', 'soc', 'automation'))}-{name.replace('.', '-').replace('_', '-')}",
        is_witnessed=rng.random() < media["witnessed"],
        people=tuple(rng.sample(world.people, 6)),
        versions=_versions(settings, rng),
        added=_added(settings, rng),
        beat=world.beat(rng, role),
        style=rng.randrange(1000),
        skew_ns=int(rng.uniform(-1, 1) * time["skew_s"] * 1e9) if rng.random() < time["skewed_hosts"] else 0,
        since_day=rng.randrange(2, max(3, settings.days - 2)) if is_new else 0,
        seldom=tuple(seldom),
        shared_user=f"svc-{role}-shared" if rng.random() < media["shared_keys"] else "",
        signal=rng.choice(("approve", "approval_decision", "human_review", "approvalGranted", "confirm_action")),
    )


def _versions(settings: Settings, rng: random.Random) -> tuple[tuple[int, str], ...]:
    """Deploys fall on working days, in working hours."""
    count = min(4, int(rng.expovariate(1 / settings.raw["deploys"]["mean_a_month"]) * settings.days / 30))
    major, minor = rng.randrange(1, 4), rng.randrange(0, 9)
    found = [(0, f"{major}.{minor}.0")]
    for day in sorted(rng.sample(range(1, max(2, settings.days)), min(count, max(1, settings.days - 1)))):
        minor += 1
        at = settings.start_ns + day * DAY_NS + int(rng.uniform(9, 16) * 3600e9)
        found.append((at, f"{major}.{minor}.{rng.randrange(0, 3)}"))
    return tuple(found)


def _added(settings: Settings, rng: random.Random) -> tuple[str, ...]:
    """What a new version can do that the old could not."""
    harmless = ("cmdb.query", "dns.resolve", "calendar.oncall", "repo.read", "hash.lookup", "data.report", "log.tail")
    strong = ("firewall.remove", "key.disable", "snapshot.create", "secret.rotate", "edr.isolate", "group.remove")
    pick = settings.raw["deploys"]["adds_tool"]
    return tuple(
        rng.choice(harmless + strong if rng.random() < 0.5 else harmless) if rng.random() < pick else ""
        for _ in range(4)
    )


@cache
def families() -> tuple[str, ...]:
    return tuple(_FAMILIES)
