"""What the fleet deals with: accounts, hosts, people, secrets … and how they grow."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Final

from bench.fleet.settings import Settings, chance, load

_GIVEN: Final[list[str]] = load().raw["words"]["given"].split()
_FAMILY: Final[list[str]] = load().raw["words"]["family"].split()
_SITES: Final = ("fin", "hr", "web", "erp", "dev", "ml", "pos", "plant", "mail", "dc", "sap", "crm")
_USES: Final = ("db", "app", "api", "job", "fs", "cache", "queue", "gw", "build", "edge")
_STAGES: Final = ("prod", "stage", "shared", "sec", "data", "dr")
_POLICIES: Final = (
    "arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/SecurityAudit",
    "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", "arn:aws:iam::aws:policy/CloudWatchLogsReadOnlyAccess",
    "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore", "arn:aws:iam::aws:policy/AWSSupportAccess",
)  # fmt: skip
KINDS: Final = (
    "host", "instance", "user", "service_user", "secret", "sg", "bucket", "role", "role_name", "cluster",
    "namespace", "k8s_account", "volume", "database", "function", "app", "group", "repo", "mailbox", "stream",
    "fqdn", "zone", "policy", "account", "trail", "detector",
)  # fmt: skip
"""Kinds of things with an identity of their own, of which an agent has its beat."""


def weighted(rng: random.Random, weights: Mapping[str, float]) -> str:
    return rng.choices(list(weights), list(weights.values()))[0]


class World:
    """Pools of names. A pool grows from day to day; names of later days did not exist before."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        said = settings.raw["world"]
        rng = chance(settings, "world")
        self._beats = {"hosts": said["beat_hosts"], "small": said["beat_small"]}
        self.accounts = [f"{rng.randrange(10**11, 10**12 - 1)}" for _ in range(said["accounts"])]
        self.people = sorted({f"{rng.choice(_GIVEN)}.{rng.choice(_FAMILY)}" for _ in range(60)})
        self.on_call = self.people[:24]
        counts = dict.fromkeys(KINDS, 60) | {
            "host": said["hosts"], "instance": said["hosts"], "user": said["users"], "service_user": 120,
            "secret": said["secrets"], "sg": said["groups_an_account"] * said["accounts"],
            "role": said["roles_an_account"] * said["accounts"],
            "role_name": said["roles_an_account"] * said["accounts"], "cluster": said["clusters"],
            "policy": len(_POLICIES), "account": said["accounts"], "mailbox": said["users"],
            "volume": said["hosts"], "zone": 24, "trail": 14, "detector": 14,
        }  # fmt: skip
        self.pools: dict[str, list[str]] = {}
        self.grown: dict[str, list[int]] = {}
        for kind in KINDS:
            maker = chance(settings, "pool", kind)
            first = counts[kind]
            fixed = kind in ("policy", "account", "zone", "cluster", "trail", "detector")
            growth = 0.0 if fixed else said["growth_a_day"]
            sizes = [first + int(first * growth * day) for day in range(settings.days + 1)]
            self.pools[kind] = [self._make(kind, maker, number) for number in range(sizes[-1])]
            self.grown[kind] = sizes

    def alive(self, kind: str, day: int) -> int:
        """How many of a pool exist on a day."""
        return self.grown[kind][min(max(day, 0), self.settings.days)]

    def beat(self, rng: random.Random, role: str) -> dict[str, tuple[str, ...]]:
        """What an agent usually deals with."""
        found = {}
        for kind in KINDS:
            alive = self.pools[kind][: self.alive(kind, 0)]
            many = kind in ("host", "instance", "user", "mailbox", "volume")
            count = min(len(alive), self._beats["hosts" if many else "small"])
            if kind in ("cluster", "account", "policy", "zone", "trail", "detector"):
                count = min(count, 3)
            start = rng.randrange(len(alive))
            found[kind] = tuple(alive[(start + place) % len(alive)] for place in range(count))
        return found

    def fresh(self, kind: str, rng: random.Random, avoid: Sequence[str], day: int) -> str:
        """Something that is not on the beat."""
        alive = self.alive(kind, day)
        for _ in range(40):
            found = self.pools[kind][rng.randrange(alive)]
            if found not in avoid:
                return found
        return found

    def newest(self, kind: str, rng: random.Random, day: int) -> str:
        """Something that came up in the last few days, while it is new."""
        alive = self.alive(kind, day)
        return self.pools[kind][rng.randrange(min(self.alive(kind, day - 4), alive - 1), alive)]

    def _make(self, kind: str, rng: random.Random, number: int) -> str:
        site, use, stage = rng.choice(_SITES), rng.choice(_USES), rng.choice(_STAGES)
        hexed = f"{rng.getrandbits(68):017x}"
        given, family = rng.choice(_GIVEN), rng.choice(_FAMILY)
        account = self.accounts[number % len(self.accounts)]
        match kind:
            case "host":
                flat = f"{site.upper()}{use.upper()}{number:04d}"
                forms = (f"{site}-{use}-{number:03d}", flat, f"{use}{number}.{site}.corp.example")
                return forms[number % 3]
            case "instance":
                return f"i-{hexed}"
            case "user":
                return f"{given}.{family}{number if number > 300 else ''}@corp.example"
            case "service_user":
                return f"svc-{site}-{use}-{number}"
            case "secret":
                return f"{stage}/{site}/{use}-{number}"
            case "sg":
                return f"sg-{hexed}" if number % 3 else f"{site}-fw-{number}"
            case "bucket":
                return f"corp-{stage}-{site}-{use}-{number}"
            case "role":
                return (
                    f"arn:aws:iam::{account}:role/{site}-{use}-{('ops', 'fix', 'audit', 'deploy')[number % 4]}-{number}"
                )
            case "role_name":
                return f"{site}-{use}-{('ops', 'fix', 'audit', 'deploy')[number % 4]}-{number}"
            case "cluster":
                return f"{stage}-{('eks', 'aks', 'k3s')[number % 3]}-{number + 1}"
            case "namespace":
                return f"{site}-{use}-{number}"
            case "k8s_account":
                return f"{site}-{use}-{('runner', 'default', 'controller')[number % 3]}-{number}"
            case "volume":
                return f"vol-{hexed}"
            case "database":
                return f"arn:aws:rds:eu-west-1:{account}:db:{site}-{use}-{number}"
            case "function":
                return f"{site}-{use}-handler-{number}"
            case "app":
                return f"{hexed[:8]}-{hexed[8:12]}-4{hexed[12:15]}-9{number:03d}-{rng.getrandbits(48):012x}"
            case "group":
                return f"grp-{site}-{('users', 'admins', 'readers', 'operators')[number % 4]}-{number}"
            case "repo":
                return f"{site}/{use}-{number}"
            case "mailbox":
                return f"{given}.{family}{number}@corp.example"
            case "stream":
                return f"/{stage}/{site}/{use}-{number}"
            case "fqdn":
                return f"{use}-{number}.{site}.corp.example"
            case "zone":
                return f"{site}-{stage}-{number}"
            case "policy":
                return _POLICIES[number % len(_POLICIES)]
            case "account":
                return account
            case "trail":
                return f"{stage}-trail-{number}"
            case _:
                return hexed
