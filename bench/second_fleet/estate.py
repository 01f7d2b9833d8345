"""What the fleet works on: hosts, buckets, tickets. Names are derived from numbers, and there are more every day."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import Final

from bench.second_fleet.model import Agent, hexes

_PLACES: Final = ("fra", "iad", "sin", "lhr", "gru")
_APPS: Final = (
    "checkout", "ledger", "catalog", "auth", "search", "pricing", "billing", "claims", "notify", "media", "geo",
    "fulfil", "identity", "quotes", "returns", "loyalty", "reports", "intake", "partners", "archive",
)  # fmt: skip
_TIERS: Final = ("web", "app", "db", "cache", "mq", "etl", "jump", "ad", "nfs", "bld")
_FIRST: Final = (
    "amara", "bjorn", "chiara", "dmitri", "elif", "farid", "greta", "hanna", "ines", "jonas", "kemi", "luca", "mina",
    "nikos", "olga", "pavel", "quinn", "rosa", "sven", "tala", "umar", "vera", "wanda", "xavi", "yuki", "zoe",
)  # fmt: skip
_LAST: Final = (
    "adeyemi", "brandt", "costa", "dahl", "egger", "fischer", "garcia", "holm", "ito", "jansen", "kaya", "lund",
    "moreau", "novak", "okafor", "petrov", "rossi", "silva", "tanaka", "urban", "varga", "weber", "yilmaz",
)  # fmt: skip
_FIRMS: Final = (
    "northquay", "blueharbor", "ostrava-steel", "kestrel", "fennwick", "tallgrass", "meridian-labs", "copperline",
    "halden", "verdant", "solvay-lake", "pinecrest", "quillon", "brightwater", "stonebridge", "ironvale",
)  # fmt: skip
_TABLES: Final = (
    "orders", "order_lines", "refunds", "customers", "sessions", "events_raw", "inventory", "price_list", "invoices",
    "payouts", "employees", "audit_trail", "features_daily", "shipments", "subscriptions", "support_cases",
)  # fmt: skip
DOMAIN: Final = "harlow-freight.example"
ACCOUNTS: Final = tuple(str(340_118_205_517 + 77_310_402_931 * n % 500_000_000_000) for n in range(14))

POOLED: Final[dict[str, tuple[int, float, Callable[[int], str]]]] = {
    "host": (260, 2.5, lambda n: f"{_PLACES[n % 5]}-{_TIERS[n // 5 % 10]}-{n:03d}"),
    "instance": (180, 3.0, lambda n: f"i-0{hexes(f'instance{n}', 16)}"),
    "bucket": (70, 0.7, lambda n: f"hf-{_APPS[n % 20]}-{('raw', 'curated', 'exports', 'backup')[n // 20 % 4]}-{n:02d}"),
    "ns": (60, 0.4, lambda n: f"{_APPS[n % 20]}-{('prod', 'stage', 'dev')[n // 20 % 3]}"),
    "svc": (60, 0.3, lambda n: f"{_APPS[n % 20]}-{('api', 'worker', 'gateway')[n // 20 % 3]}"),
    "db": (36, 0.2, lambda n: f"{_APPS[n % 20]}_{('main', 'replica')[n // 20 % 2]}"),
    "table": (48, 0.3, lambda n: f"{('core', 'mart', 'stg')[n // 16 % 3]}.{_TABLES[n % 16]}"),
    "repo": (60, 0.5, lambda n: f"harlow/{_APPS[n % 20]}-{('service', 'infra', 'jobs')[n // 20 % 3]}"),
    "customer": (900, 14.0, lambda n: f"cus_{hexes(f'customer{n}', 10)}"),
    "employee": (400, 1.2, lambda n: f"{_FIRST[n % 26]}.{_LAST[n * 7 % 23]}{n // 26 or ''}@{DOMAIN}"),
    "firm": (120, 0.8, lambda n: f"{_FIRMS[n % 16]}{('', '-systems', '-group', '-logistics')[n // 16 % 4]}"),
    "secret": (90, 0.5, lambda n: f"{('prod', 'stage')[n % 2]}/{_APPS[n % 20]}/{('db', 'api-token', 'smtp')[n % 3]}"),
    "cluster": (9, 0.0, lambda n: f"eks-{_PLACES[n % 5]}-{('blue', 'green')[n // 5 % 2]}"),
    "dataset": (60, 0.6, lambda n: f"ds_{_APPS[n % 20]}_{('daily', 'hourly', 'train')[n // 20 % 3]}"),
    "job": (80, 0.6, lambda n: f"{_APPS[n % 20]}-{('load', 'dedupe', 'score', 'rollup')[n // 20 % 4]}"),
    "sg": (50, 0.5, lambda n: f"sg-0{hexes(f'sg{n}', 16)}"),
    "fw": (16, 0.05, lambda n: f"{_PLACES[n % 5]}-edge-fw{n // 5 + 1}"),
    "switch": (50, 0.1, lambda n: f"{_PLACES[n % 5]}-sw{n // 5:02d}"),
    "func": (70, 0.6, lambda n: f"hf-{_APPS[n % 20]}-{('ingest', 'resize', 'webhook', 'cron')[n // 20 % 4]}"),
    "iamuser": (40, 0.1, lambda n: f"svc-{_APPS[n % 20]}-{('ci', 'sync')[n // 20 % 2]}"),
    "iamrole": (70, 0.3, lambda n: f"hf-{_APPS[n % 20]}-{('exec', 'read', 'deploy', 'task')[n // 20 % 4]}"),
    "account": (12, 0.0, lambda n: ACCOUNTS[n % 14]),
    "dbinstance": (30, 0.2, lambda n: f"hf-{_APPS[n % 20]}-{('pg', 'mysql')[n // 20 % 2]}-{n:02d}"),
    "channel": (30, 0.1, lambda n: f"#{_APPS[n % 20]}-{('ops', 'alerts')[n // 20 % 2]}"),
    "domain": (140, 2.0, lambda n: f"{_FIRMS[n % 16]}{n // 16 or ''}.{('example', 'test')[n % 2]}"),
    "mlmodel": (24, 0.2, lambda n: f"{_APPS[n % 20]}-{('ranker', 'forecast')[n // 20 % 2]}"),
    "vol": (90, 1.0, lambda n: f"vol-0{hexes(f'vol{n}', 16)}"),
    "dash": (40, 0.1, lambda n: f"{_APPS[n % 20]}-{('slo', 'cost')[n // 20 % 2]}"),
    "loggroup": (50, 0.3, lambda n: f"/hf/{_APPS[n % 20]}/{('app', 'audit', 'vpc')[n // 20 % 3]}"),
    "kms": (20, 0.0, lambda n: f"{hexes(f'kms{n}', 8)}-{hexes(f'k{n}', 4)}-4{hexes(f'm{n}', 3)}-9{hexes(f's{n}', 3)}"),
    "queue": (30, 0.2, lambda n: f"hf-{_APPS[n % 20]}-{('events', 'dlq')[n // 20 % 2]}"),
    "doc": (200, 4.0, lambda n: f"{_APPS[n % 20]}/{('runbook', 'design', 'minutes', 'faq')[n % 4]}-{n}.md"),
    "srcfile": (
        300,
        5.0,
        lambda n: f"src/{_APPS[n % 20]}/{('main', 'routes', 'store', 'client', 'util')[n % 5]}{n}.py",
    ),
}
"""kind: how many there are on the first day, how many more each day, and the name of the n-th."""

FRESH: Final[dict[str, Callable[[Random, int], str]]] = {
    "ticket": lambda rng, day: f"OPS-{41_000 + day * 130 + rng.randrange(160)}",
    "case": lambda rng, day: str(880_000 + day * 900 + rng.randrange(1000)),
    "change": lambda rng, day: f"CHG{71_200 + day * 24 + rng.randrange(30):07d}",
    "alert": lambda rng, day: f"al-{hexes(f'{rng.random()}', 12)}",
    "invoice": lambda rng, day: f"INV-26-{30_000 + day * 210 + rng.randrange(250)}",
    "pr": lambda rng, day: str(2100 + day * 21 + rng.randrange(30)),
    "sha": lambda rng, day: hexes(f"{rng.random()}", 40),
    "num": lambda rng, day: str(rng.randrange(1000, 99_999)),
    "small": lambda rng, day: str(rng.randrange(1, 40)),
    "amount": lambda rng, day: f"{rng.lognormvariate(6, 1.3):.2f}",
    "ip": lambda rng, day: f"10.{rng.randrange(8, 48)}.{rng.randrange(256)}.{rng.randrange(2, 254)}",
    "extip": lambda rng, day: outside_ip(rng),
    "date": lambda rng, day: f"2026-{9 + (6 + day) // 30:02d}-{(6 + day) % 30 + 1:02d}",
    "objkey": lambda rng, day: f"dt={day:02d}/part-{rng.randrange(2000):05d}.parquet",
    "hash": lambda rng, day: hexes(f"{rng.random()}", 64),
    "cve": lambda rng, day: f"CVE-2026-{rng.randrange(1000, 48_000)}",
}
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_NEW_SHARE: Final = 0.03
"""How often an agent is sent to something that came to the estate in the last days."""
_WIDE_SHARE: Final = 0.02
"""How often it is sent to something old that it does not usually work on."""


def size(kind: str, day: int) -> int:
    """How many things of a kind there are on a day."""
    base, growth, _ = POOLED[kind]
    return base + int(growth * day)


def item(kind: str, number: int) -> str:
    """The n-th thing of a kind."""
    return POOLED[kind][2](number)


def outside_ip(rng: Random) -> str:
    """An address of documentation ranges, as any address outside of the company here."""
    net = rng.choice(("203.0.113", "198.51.100", "192.0.2"))
    return f"{net}.{rng.randrange(1, 255)}"


def target(kind: str, agent: Agent, rng: Random, day: int) -> str:
    """What an agent works on: mostly its own few things, the first ones most; now and then new or strange ones."""
    if kind in FRESH:
        return FRESH[kind](rng, day)
    count = size(kind, day)
    chance = rng.random()
    if chance < _NEW_SHARE and POOLED[kind][1] > 0:
        return item(kind, count - 1 - min(int(rng.expovariate(0.5)), count - 1))
    if chance < _NEW_SHARE + _WIDE_SHARE:
        return item(kind, rng.randrange(count))
    area = agent.areas.get(kind)
    if area is None:
        own = Random(f"area/{agent.name}/{kind}")
        area = agent.areas[kind] = own.sample(range(POOLED[kind][0]), min(POOLED[kind][0], own.randrange(5, 26)))
    return item(kind, area[min(int(rng.paretovariate(0.9)) - 1, len(area) - 1)])


def filled(template: str, agent: Agent, rng: Random, day: int, bound: dict[str, str]) -> str:
    """A template with things in place of kinds; within a session the same word stands for the same thing, mostly."""

    def put(found: re.Match[str]) -> str:
        kind = found[1]
        if kind not in bound or rng.random() < 0.12:
            bound[kind] = target(kind, agent, rng, day)
        return bound[kind]

    return _PLACEHOLDER.sub(put, template)


def person(number: int) -> str:
    """One of the people who ask, approve and own."""
    return f"{_FIRST[number * 11 % 26]}.{_LAST[number * 5 % 23]}@{DOMAIN}"
