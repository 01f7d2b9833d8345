"""A tool call, and for each tool what it says of itself and which service stands behind it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from _cast import REGION, Agent

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Call:
    """One tool call as the agent made it. With `error` it failed; `key` is the access key on the wire."""

    tool: str
    arguments: Mapping[str, Any]
    result: Any = None
    error: str | None = None
    key: str | None = None
    attempts: int = 1
    delegate: Callable[[str], None] | None = None
    """Runs another agent inside the call; given the id of the call's span."""


@dataclass(frozen=True)
class Log:
    """The records of one session: in which format, whose, from when."""

    format: str
    agent: Agent
    at: datetime
    records: list[dict[str, Any]]


class Clock:
    """Time within one session; only moves forward."""

    def __init__(self, rng: Random, at: datetime) -> None:
        self.rng = rng
        self.ns = round((at - EPOCH) / timedelta(microseconds=1)) * 1000 + rng.randrange(1000)

    def wait(self, low_s: float, high_s: float) -> int:
        """Let some time pass; the new time in nanoseconds."""
        self.ns += int(self.rng.uniform(low_s, high_s) * 1e9)
        return self.ns

    @property
    def at(self) -> datetime:
        return EPOCH + timedelta(microseconds=self.ns // 1000)


def rfc3339(ns: int, zone: str = "Z") -> str:
    return f"{EPOCH + timedelta(microseconds=ns // 1000):%Y-%m-%dT%H:%M:%S.%f}{zone}"


def spaced(value: Any) -> str:
    """JSON text as Python's own writer spaces it."""
    return json.dumps(value, sort_keys=True)


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


@dataclass(frozen=True)
class Tool:
    """What a tool says it does, and its service: an AWS API, or a web API of the company."""

    description: str
    service: str
    method: str
    path: str = ""

    @property
    def is_aws(self) -> bool:
        return not self.path

    @property
    def address(self) -> str:
        return f"{self.service.lower()}.{REGION}.amazonaws.com" if self.is_aws else f"{self.service}.corp.example"


TOOLS = {
    "enrich_alert": Tool("Fetch an alert with its context.", "siem", "GET", "/api/alerts"),
    "search_logs": Tool("Search the logs of a host.", "Athena", "StartQueryExecution"),
    "lookup_ip": Tool("Look up the reputation of an IP address.", "intel", "GET", "/v2/ip"),
    "get_user": Tool("Read a person's directory entry.", "directory", "GET", "/v1/users"),
    "get_host": Tool("Read a host's inventory entry.", "SSM", "DescribeInstanceInformation"),
    "get_owner": Tool("Look up who owns a host.", "directory", "GET", "/v1/assets"),
    "create_ticket": Tool("Open a ticket.", "tickets", "POST", "/rest/issues"),
    "run_remote_command": Tool("Run a command on a host.", "SSM", "SendCommand"),
    "list_rules": Tool("List a firewall's rules.", "Network-Firewall", "DescribeRuleGroup"),
    "check_exposure": Tool("Check which ports of a host are reachable.", "EC2", "DescribeNetworkInsightsAnalyses"),
    "modify_firewall_rule": Tool("Change a firewall rule.", "Network-Firewall", "UpdateRuleGroup"),
    "verify_rule": Tool("Check that a rule is in force.", "Network-Firewall", "DescribeRuleGroup"),
    "rotate_credentials": Tool("Give a service user a new key.", "IAM", "CreateAccessKey"),
    "list_cases": Tool("List open cases.", "tickets", "GET", "/rest/search"),
    "update_case": Tool("Write a note into a case.", "tickets", "POST", "/rest/issues/comment"),
}
