"""The world: the people, the agents, what they hold, what they work on, and when they work.

Everything here is invented. Access key ids end in EXAMPLE, as AWS writes made-up ones; host names end in
corp.example; account numbers are the repeated digits of AWS's own documentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random

FIRST_DAY, LAST_DAY = date(2026, 10, 5), date(2026, 10, 30)
REGION = "eu-central-1"


def when(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment in October 2026, UTC."""
    return datetime(2026, 10, day, hour, minute, tzinfo=UTC)


@dataclass(frozen=True)
class Agent:
    """An agent: where it runs, its versions and tools since when, with which key it acts since when."""

    name: str
    service: str
    host: str
    model: str
    role: str
    versions: tuple[tuple[datetime, str], ...]
    keys: tuple[tuple[datetime, str], ...]
    toolbox: tuple[tuple[datetime, tuple[str, ...]], ...] = ()

    def version(self, at: datetime) -> str:
        return [version for since, version in self.versions if since <= at][-1]

    def key(self, at: datetime) -> str:
        return [key for since, key in self.keys if since <= at][-1]

    def tools(self, at: datetime) -> list[str]:
        """Every tool that the agent has by then; a version may add some."""
        return [tool for since, tools in self.toolbox if since <= at for tool in tools]


START = when(1, 0)
TRIAGE = Agent(
    "triage-agent", "soc-triage", "agents-a-1", "sonnet-4.5", "soc-triage-read",
    ((START, "2.3.0"), (when(14, 7), "2.4.0")),
    ((START, "AKIA5QF7XK2MZEXAMPLE"), (when(13, 6), "AKIAR3WN6TD2VEXAMPLE")),
    ((START, ("enrich_alert", "search_logs", "lookup_ip", "get_user", "get_host", "run_remote_command",
              "rotate_credentials", "create_ticket")), (when(14, 7), ("get_owner",))),
)  # fmt: skip
PHISHING = Agent(
    "phishing-agent", "soc-phishing", "agents-a-2", "gpt-5.1", "soc-phishing",
    ((START, "1.2.1"),), ((START, "AKIAY6LPC4HU7EXAMPLE"),),
)  # fmt: skip
FIREWALL = Agent(
    "firewall-agent", "soc-firewall", "agents-b-1", "gpt-5.1", "soc-firewall-change",
    ((START, "3.0.4"),), ((START, "AKIAJ2MEV7OQ4EXAMPLE"), (when(21, 6), "AKIA4ZKT5GRX2EXAMPLE")),
    ((START, ("list_rules", "check_exposure", "modify_firewall_rule", "verify_rule")),),
)  # fmt: skip
ROTATION = Agent(
    "credential-rotation-agent", "soc-rotation", "agents-b-2", "sonnet-4.5", "soc-credential-rotation",
    ((START, "1.5.0"),), ((START, "AKIA6WCN3BPY5EXAMPLE"),),
)  # fmt: skip
CLOUD = Agent(
    "cloud-remediation-agent", "soc-cloud", "agents-b-3", "sonnet-4.5", "soc-remediation-hub",
    ((START, "1.8.2"), (when(21, 7), "1.9.0")), ((START, "AKIAU7RS2DKH6EXAMPLE"),),
)  # fmt: skip
ORCHESTRATOR = Agent(
    "soc-orchestrator", "soc-orchestrator", "agents-a-3", "sonnet-4.5", "soc-orchestrator",
    ((START, "0.9.3"),), ((START, "AKIAX4VJ6FTA3EXAMPLE"),),
    ((START, ("list_cases", "transfer_to_triage_agent", "transfer_to_firewall_agent", "update_case")),),
)  # fmt: skip
AGENTS = (TRIAGE, PHISHING, FIREWALL, ROTATION, CLOUD, ORCHESTRATOR)

EARLY = ("anna.keller@soc.example", "jonas.meier@soc.example")
LATE = ("priya.nair@soc.example", "tomas.silva@soc.example")
NOW_AND_THEN = ("lena.hofmann@soc.example", "marco.rossi@soc.example")
ON_CALL = ("jonas.meier@soc.example", "anna.keller@soc.example", "priya.nair@soc.example",
           "tomas.silva@soc.example")  # fmt: skip


def on_call(at: datetime, line: int = 0) -> str:
    """Who carries the phone: one person a week, and as second line the one whose week is next."""
    return ON_CALL[((at.date() - FIRST_DAY).days // 7 + line) % len(ON_CALL)]


def asking(rng: Random, at: datetime) -> str:
    """Who gives an agent its task at that hour."""
    return on_call(at, line=1) if _is_quiet(at) else rng.choice(EARLY if at.hour < 14 else LATE)


def deciding(rng: Random, at: datetime, asked_by: str) -> str:
    """Who says yes or no at that hour: never who asked; now and then a colleague who stands in."""
    if _is_quiet(at):
        return on_call(at) if on_call(at) != asked_by else on_call(at, line=1)
    if rng.random() < 0.05:
        return rng.choice(NOW_AND_THEN)
    return rng.choice([person for person in (EARLY if at.hour < 14 else LATE) if person != asked_by])


def _is_quiet(at: datetime) -> bool:
    return at.weekday() >= 5 or not 6 <= at.hour < 22


HOUR_WEIGHTS = (1, 1, 1, 1, 1, 2, 5, 14, 34, 40, 42, 38, 30, 36, 40, 38, 34, 26, 12, 6, 4, 3, 2, 1)


def moment_of_day(rng: Random, day: date) -> datetime:
    """Working hours mostly, a few at night."""
    hour = rng.choices(range(24), HOUR_WEIGHTS)[0]
    start = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    return start + timedelta(seconds=rng.randrange(3600), microseconds=rng.randrange(1_000_000))


HOSTS = (
    "web-fe-01", "web-fe-02", "web-fe-03", "pay-api-01", "pay-api-02", "pay-db-01", "crm-app-01", "crm-db-01",
    "mail-gw-01", "mail-gw-02", "vpn-gw-01", "jump-01", "ci-runner-01", "ci-runner-02", "file-01", "print-02",
    "wks-0142", "wks-0177", "wks-0203", "wks-0261",
)  # fmt: skip
FIREWALLED = (*HOSTS[:14], "lb-01", "lb-02", "proxy-01", "dns-02")
FIREWALLS = ("fw-edge-1", "fw-edge-2", "fw-dc-1", "fw-cloud-1")
STAFF = ("u.brandt", "k.osei", "m.lindqvist", "r.costa", "s.ivanova", "d.moreau", "p.nowak", "h.tanaka",
         "e.fischer", "l.adeyemi", "c.jensen", "f.marino")  # fmt: skip
SERVICE_USERS = (
    "svc-backup", "svc-ci-deploy", "svc-crm-sync", "svc-mail-relay", "svc-metrics", "svc-log-shipper",
    "svc-pay-export", "svc-invoice", "svc-image-build", "svc-cdn-purge", "svc-dns-update", "svc-inventory",
    "svc-patching", "svc-search-index", "svc-web-session", "svc-vpn-audit", "svc-lb-health", "svc-data-sync",
)  # fmt: skip
HOME_ACCOUNT = "111122223333"
ACCOUNTS = {HOME_ACCOUNT: "shared", "444455556666": "web", "555566667777": "pay"}
GRANTED_ACCOUNT, UNKNOWN_ACCOUNT = "777788889999", "888899990000"
NOTIFY_SECRETS = ("soc/remediation/chat-webhook", "soc/remediation/ticket-token")
NOT_YET_REACHED = ("hr-db-01", "erp-db-02", "bak-vault-01", "erp-app-03")
"""Hosts of the same estate that nobody touches in the four weeks."""


def role_arn(account: str, role: str = "SocRemediation") -> str:
    return f"arn:aws:iam::{account}:role/{role}"


def some_host(rng: Random, known: tuple[str, ...] = HOSTS, new: float = 0.05) -> str:
    """A usual host; with chance `new` one that was never named before."""
    if rng.random() >= new:
        return rng.choice(known)
    return f"{rng.choice(('web-fe', 'crm-app', 'wks', 'pay-api', 'file', 'print'))}-{rng.randrange(10, 99):02}"


def some_service_user(rng: Random, new: float = 0.08) -> str:
    if rng.random() >= new:
        return rng.choice(SERVICE_USERS)
    return f"svc-{rng.choice(('report', 'batch', 'sync', 'export'))}-{rng.choice(('a', 'b', 'c', 'd'))}"


def resource(rng: Random, account: str, kind: str, new: float = 0.08) -> str:
    """A security group, bucket, instance, role or network ACL of an account: usual ones, seldom a new one."""
    name = ACCOUNTS.get(account, "data")
    number = rng.randrange(1, 6) if rng.random() >= new else rng.randrange(6, 40)
    return {
        "group_id": f"sg-0{account[0]}{number:02}c4d7e9a1b35f2",
        "bucket": f"{name}-{('assets', 'exports', 'logs', 'backups', 'uploads')[number % 5]}-{number:02}",
        "instance_id": f"i-0{account[0]}{number:02}9b8a7c6d5e4f31",
        "role_arn": role_arn(account, f"{name}-app-{number:02}"),
        "resource_arn": f"arn:aws:ec2:{REGION}:{account}:network-acl/acl-0{account[0]}{number:02}77d2c1b0",
    }[kind]


def access_key(rng: Random, kind: str = "AKIA") -> str:
    return kind + "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=9)) + "EXAMPLE"


def outside_ip(rng: Random) -> str:
    """An address of the ranges that RFC 5737 keeps for documentation."""
    return f"{rng.choice(('203.0.113', '198.51.100', '192.0.2'))}.{rng.randrange(1, 255)}"


def uuid(rng: Random) -> str:
    bits = f"{rng.getrandbits(128):032x}"
    return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-a{bits[17:20]}-{bits[20:]}"
