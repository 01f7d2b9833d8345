"""Harmless things that happen to be new: a tool used for the first time, a strange host, a detour, a big night."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final

from bench.second_fleet.estate import POOLED, item, size
from bench.second_fleet.life import begun, plan, step_of
from bench.second_fleet.model import Agent, Session, Step, Tool
from bench.second_fleet.settings import DAY_NS, HOUR_NS, Settings

_RARE: Final = {
    "shell": ("shell.run", ("df -h", "uname -a", "cat /etc/os-release", "du -sh .", "env | sort | head", "id")),
    "ssh": ("ssh.run_command", ("uptime", "journalctl -u sshd --since -1h", "cat /etc/hosts", "ss -ltnp")),
    "kubectl": ("kubectl.run", ("kubectl get nodes", "kubectl auth can-i --list", "kubectl get events -A")),
    "dba": ("sql.query", ("show all", "select version()", "select * from pg_roles", "select now()")),
    "drive": ("drive.get_file", ("hr/holidays.md", "it/new-laptops.md", "legal/nda.md")),
    "awsread": ("iam:GetAccountSummary", ("",)),
    "awsadmin": ("organizations:DescribeOrganization", ("",)),
    "directory": ("directory.get_group", ("all-staff", "contractors", "on-call")),
}


def oddities(settings: Settings, agents: list[Agent]) -> Iterator[Session]:
    """Some a day, all through the time, by agents taken at random."""
    rng = Random(f"{settings.seed}/oddities")
    for day in range(settings.days):
        alive = [agent for agent in agents if agent.born <= day < agent.dies]
        for _ in range(rng.randint(*settings.oddities_a_day)):
            yield _oddity(settings, rng.choice(alive), rng, day)


def _oddity(settings: Settings, agent: Agent, rng: Random, day: int) -> Session:
    bound: dict[str, str] = {}
    steps = plan(settings, agent, rng, day, bound)
    match rng.randrange(5):
        case 0:
            steps.insert(rng.randrange(len(steps) + 1), _first_use(agent, rng, day))
        case 1:
            steps = [_elsewhere(step, rng, day) for step in steps]
        case 2:
            steps.insert(rng.randrange(len(steps) + 1), _detour(agent, rng, day))
        case 3:
            for _ in range(rng.randrange(2, 5)):
                steps += plan(settings, agent, rng, day, {})
        case _:
            borrowed = rng.choice(agent.role.tools)
            steps += [step_of(borrowed, agent, rng, day, {}) for _ in range(rng.randrange(4, 15))]
    start_ns = settings.start_ns + day * DAY_NS + int(rng.uniform(0, 23) * HOUR_NS)
    made = begun(agent, rng, day, start_ns, steps, bound)
    made.lay_out(rng)
    return made


def _first_use(agent: Agent, rng: Random, day: int) -> Step:
    """The tool of its role that it uses least."""
    least = min(agent.role.tools, key=lambda tool: (tool.weight, tool.name))
    return step_of(least if rng.random() < 0.7 else rng.choice(agent.role.tools), agent, rng, day, {})


def _elsewhere(step: Step, rng: Random, day: int) -> Step:
    """The same call on something that is new to everyone, or old and strange to this agent."""
    for key, value in step.args.items():
        for kind in POOLED:
            if value == item(kind, 0) or value in _names(kind, day):
                step.args[key] = item(kind, rng.randrange(size(kind, day)))
                return step
    return step


def _names(kind: str, day: int) -> set[str]:
    return {item(kind, number) for number in range(size(kind, day))} if POOLED[kind][0] < 100 else set()


def _detour(agent: Agent, rng: Random, day: int) -> Step:
    """A look around with a tool that it has, for no reason that is written anywhere."""
    for tag, (tool, values) in _RARE.items():
        if tag in agent.role.tags and (agent.form != "cloudtrail" or ":" in tool):
            known = next((made for made in agent.role.tools if made.name == tool), Tool(tool, 1, {"name": ""}))
            step = step_of(known, agent, rng, day, {})
            step.approval, value = None, rng.choice(values)
            step.args = {**step.args, list(step.args)[-1]: value} if value else {}
            return step
    return step_of(agent.role.tools[-1], agent, rng, day, {})
