"""Values for arguments and results, by kind: of the agent's beat, seldom beyond it, never invented twice alike."""

from __future__ import annotations

import random
from typing import Any, Final

from bench.fleet.cast import Agent, external_ip, long_key, session_key
from bench.fleet.settings import Settings, load
from bench.fleet.world import World

_WORDS: Final[list[str]] = load().raw["words"]["filler"].split()
_CVES: Final = ("CVE-2025-", "CVE-2026-")
_COMMANDS: Final = (
    "uptime", "df -h", "systemctl status sshd", "ls -la /var/log", "cat /etc/os-release", "ps aux --sort=-%mem",
    "journalctl -u nginx --since -1h", "Get-Service WinDefend", "ipconfig /all", "netstat -ant", "rpm -qa | wc -l",
    "systemctl restart filebeat", "Get-HotFix | Select -First 5", "docker ps",
)  # fmt: skip
_DOCUMENTS: Final = ("AWS-RunPatchBaseline", "AWS-RunShellScript", "AWS-GatherSoftwareInventory", "corp-FixAgent")
_PORTS: Final = (443, 443, 443, 22, 5432, 8443, 3306, 8080, 3389, 9093)
_FIXED: Final[dict[str, Any]] = {
    "implement": "Implement", "pass": "pass", "yes": True, "no": False, "zero": 0, "two_hundred": 200,
    "inactive": "Inactive", "deny": "deny", "region": "eu-central-1",
}  # fmt: skip


class Values:
    """Draws values for one agent on one day."""

    def __init__(self, settings: Settings, world: World) -> None:
        self.world = world
        self.stray, self.newest = settings.raw["world"]["stray"], settings.raw["world"]["newest"]

    def draw(self, kind: str, agent: Agent, rng: random.Random, day: int) -> Any:
        """A value of a kind; what an agent deals with follows its own habits, the first of its beat the most."""
        beat = agent.beat.get(kind)
        if beat is not None:
            if rng.random() < self.stray * (0.3 if kind in ("role", "secret", "account", "policy") else 1):
                return self.world.fresh(kind, rng, beat, day)
            if rng.random() < self.newest:
                return self.world.newest(kind, rng, day)
            return beat[int(len(beat) * rng.random() ** 2.2)]
        if kind in _FIXED:
            return _FIXED[kind]
        made = _MAKERS.get(kind)
        if made is None:
            raise KeyError(f"no maker for values of the kind {kind!r}")
        return made(rng, agent)


def sentence(rng: random.Random, _agent: Agent | None = None) -> str:
    return " ".join(rng.choices(_WORDS, k=rng.randrange(3, 9)))


def _rows(rng: random.Random, agent: Agent) -> list[str]:
    return [sentence(rng) for _ in range(rng.randrange(1, 4))]


def _policy(rng: random.Random, agent: Agent) -> str:
    return f'{{"Statement":[{{"Effect":"Deny","Action":"s3:*","Resource":"{agent.beat["bucket"][0]}"}}]}}'


def _trust(rng: random.Random, agent: Agent) -> str:
    return f'{{"Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{agent.account}"}},"Action":"sts:AssumeRole"}}]}}'


_MAKERS: Final[dict[str, Any]] = {
    "query": lambda rng, a: (
        f"{rng.choice(('host', 'user', 'src', 'event.code'))}:{rng.choice(_WORDS)} {rng.choice(_WORDS)}"
    ),
    "small": lambda rng, a: rng.randrange(1, 60),
    "rows": _rows,
    "sentence": sentence,
    "mailbody": sentence,
    "page": sentence,
    "external_ip": lambda rng, a: external_ip(rng),
    "external_cidr": lambda rng, a: f"{external_ip(rng)}/32",
    "internal_ip": lambda rng, a: f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}",
    "cidr": lambda rng, a: f"10.{a.style % 40 + rng.randrange(3)}.{rng.randrange(256)}.0/24",
    "port": lambda rng, a: rng.choice(_PORTS),
    "alert": lambda rng, a: f"{('ALR', 'INC', 'DET', 'case')[a.style % 4]}-{rng.randrange(10**6):06d}",
    "ticket": lambda rng, a: f"{('SEC', 'SOC', 'INC00', 'REQ')[a.style % 4]}-{rng.randrange(10**5):05d}",
    "change": lambda rng, a: f"CHG{rng.randrange(10**7):07d}",
    "window": lambda rng, a: f"{rng.randrange(8, 20):02d}:00-{rng.randrange(20, 24)}:00",
    "closing": lambda rng, a: rng.choice(("false positive", "benign", "true positive, contained", "duplicate")),
    "department": lambda rng, a: rng.choice(("finance", "sales", "engineering", "legal", "operations")),
    "human": lambda rng, a: rng.choice(a.people),
    "message": lambda rng, a: f"<{rng.getrandbits(64):016x}@mx{rng.randrange(4)}.example>",
    "outsider": lambda rng, a: f"{rng.choice(_WORDS)}@{rng.choice(_WORDS)}{rng.randrange(99)}.example.net",
    "url": lambda rng, a: f"https://{rng.choice(_WORDS)}{rng.randrange(99)}.example.net/{rng.getrandbits(24):x}",
    "api_url": lambda rng, a: f"https://graph.example.com/v1.0/{rng.choice(('users', 'groups', 'sites', 'devices'))}",
    "verb": lambda rng, a: rng.choice(("GET", "GET", "GET", "POST")),
    "hash": lambda rng, a: f"{rng.getrandbits(256):064x}",
    "cve": lambda rng, a: f"{rng.choice(_CVES)}{rng.randrange(1000, 60000)}",
    "word": lambda rng, a: rng.choice(_WORDS),
    "path": lambda rng, a: (
        f"{rng.choice(_WORDS)}/{rng.choice(_WORDS)}-{rng.randrange(40)}.{rng.choice(('yaml', 'json', 'zip', 'tf'))}"
    ),
    "rule": lambda rng, a: f"sgr-{rng.getrandbits(48):012x}",
    "benign_command": lambda rng, a: rng.choice(_COMMANDS),
    "ssm_document": lambda rng, a: rng.choice(_DOCUMENTS),
    "snapshot": lambda rng, a: f"snap-{rng.getrandbits(68):017x}",
    "copied_snapshot": lambda rng, a: f"snap-{rng.getrandbits(68):017x}",
    "token": lambda rng, a: f"tok-{rng.getrandbits(64):016x}",
    "keyid": lambda rng, a: long_key(rng),
    "keyid_known": lambda rng, a: long_key(rng),
    "session_key": lambda rng, a: session_key(rng),
    "new_user": lambda rng, a: f"{rng.choice(_WORDS)}.{rng.choice(_WORDS)}{rng.randrange(900)}@corp.example",
    "policy_text": _policy,
    "trust_text": _trust,
    "scopes": lambda rng, a: rng.choice(("User.Read", "User.Read email", "Calendars.Read", "Files.Read")),
    "os": lambda rng, a: rng.choice(("Windows Server 2022", "Windows 11", "Ubuntu 24.04", "RHEL 9")),
    "login": lambda rng, a: ("svc-deploy", "soc-admin", "ops", "Administrator", "ec2-user")[a.style % 5],
    "k8s_role": lambda rng, a: rng.choice(("view", "edit", "metrics-reader", "log-reader")),
    "secret_path": lambda rng, a: a.beat["secret"][0].rsplit("/", 1)[0],
    "sql": lambda rng, a: f"show statistics of {rng.choice(_WORDS)} for the last {rng.randrange(30)} days",
    "self": lambda rng, a: a.name,
    "tool_list": lambda rng, a: rng.sample(_WORDS, 3),
}
