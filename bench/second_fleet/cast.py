"""The agents of one fleet: which of the roles' names there are, in which form they log, what each is used to."""

from __future__ import annotations

from random import Random
from typing import Final

from bench.second_fleet.estate import ACCOUNTS, person
from bench.second_fleet.model import Agent, Role, Tool, hexes
from bench.second_fleet.roles import roles
from bench.second_fleet.settings import Settings

_STYLES: Final = ("snake", "mcp", "claude", "dotted", "camel", "pascal", "kebab", "slash")
_TEMPORAL_STYLES: Final = ("snake", "camel", "pascal", "dotted")
_MODELS: Final = ("gpt-5.2", "claude-sonnet-5", "gemini-3-flash", "mistral-large-3", "harlow-70b-ft2")
_AGENTS_ON_WIRE: Final = (
    "Boto3/1.42.11 md/Botocore#1.42.11 lang/python#3.12",
    "aws-sdk-go-v2/1.39.2 os/linux lang/go#1.25 md/GOOS#linux",
    "aws-cli/2.31.4 md/awscrt#0.27 exec-env/AWS_ECS_FARGATE",
    "APN/1.0 HashiCorp/1.0 Terraform/1.13.3 aws-sdk-go-v2/1.39.0",
    "aws-sdk-js/3.901.0 ua/2.1 os/linux lang/js md/nodejs#22",
)
_HOSTED: Final = ("k8s-agents-{n:02d}", "agentpool-{n:x}", "vm-ai-{n:03d}", "ip-10-44-{n}-17")


def cast(settings: Settings) -> list[Agent]:
    """The fleet, in order of role and name. Every role has at least one agent as long as there is room."""
    rng = Random(f"{settings.seed}/cast")
    known = roles()
    places = [(role, name) for role in known for name in role.names]
    first = [(role, role.names[0]) for role in known][: settings.agents]
    rest = [place for place in places if place not in first]
    rng.shuffle(rest)
    chosen = first + rest[: max(0, settings.agents - len(first))]
    for copy in range(max(0, settings.agents - len(places))):
        role, name = places[copy % len(places)]
        chosen.append((role, f"{name}-{copy // len(places) + 2}b"))
    order = {role.name: place for place, role in enumerate(known)}
    chosen.sort(key=lambda place: (order[place[0].name], place[1]))
    agents = [_agent(settings, number, role, name) for number, (role, name) in enumerate(chosen)]
    _comings_and_goings(settings, agents)
    return agents


def _agent(settings: Settings, number: int, role: Role, name: str) -> Agent:
    rng = Random(f"{settings.seed}/agent/{name}")
    form = rng.choice(role.forms)
    slug = "".join(c if c.isalnum() else "-" for c in name.lower()).strip("-")
    shows_aws = form == "cloudtrail" or any(tool.mirror for tool in role.tools)
    account = rng.choice(ACCOUNTS[:6])
    is_user = "longkey" in role.tags
    agent = Agent(
        name=_workflow_type(name) if form == "temporal" else name,
        role=role,
        form=form,
        style=rng.choice(_TEMPORAL_STYLES if form == "temporal" else _STYLES),
        number=number,
        account=account,
        host=rng.choice(_HOSTED).format(n=rng.randrange(1, 90)),
        ip=f"10.44.{rng.randrange(1, 200)}.{rng.randrange(2, 250)}",
        user_agent=rng.choice(_AGENTS_ON_WIRE),
        model=rng.choice(_MODELS),
        is_user=is_user,
        zone_h=rng.choice((-5, 0, 0, 1, 1, 2, 8)),
        rate=role.rate * rng.lognormvariate(0, 0.35),
        owners=[person(number) for number in Random(f"owners/{role.team}").sample(range(500), 5)],
        id_style=rng.choice(("uuid", "conv", "thread", "date")),
        shows_content=rng.random() < 0.8,
    )
    if shows_aws:
        kind, suffix = ("user", "") if is_user else ("role", rng.choice(("-task", "-exec", "-role", "")))
        agent.arn = f"arn:aws:iam::{account}:{kind}/{slug}{suffix}"
        agent.session_name = rng.choice((slug, f"i-0{hexes(name, 16)}", f"{slug}-{hexes(name, 6)}", "agent"))
        agent.key_hours = rng.choice((1, 4, 6, 12))
    agent.versions = _versions(rng, settings.days)
    _habits(agent, rng, settings)
    return agent


def _workflow_type(name: str) -> str:
    words = "".join(c if c.isalnum() else " " for c in name).split()
    joined = "".join(word[0].upper() + word[1:] for word in words)
    return joined if joined.endswith(("Workflow", "Runner")) else joined + "Workflow"


def _versions(rng: Random, days: int) -> list[tuple[int, str]]:
    minor, patch = rng.randrange(1, 20), rng.randrange(0, 9)
    versions = [(-10_000, f"1.{minor}.{patch}")]
    for day in sorted(rng.sample(range(1, max(2, days)), min(rng.randrange(0, 5), max(1, days - 1)))):
        minor, patch = (minor + 1, 0) if rng.random() < 0.4 else (minor, patch + 1)
        versions.append((day, f"1.{minor}.{patch}"))
    return versions


def _habits(agent: Agent, rng: Random, settings: Settings) -> None:
    """A few recipes of its own; some tools it takes up only on the day of a later version."""
    tools = [tool for tool in agent.role.tools if tool.weight >= 1 or rng.random() < 0.7]
    for since, _ in agent.versions[1:]:
        spare = [tool for tool in tools if tool.weight <= 1.5]
        if spare and rng.random() < 0.4:
            late = rng.choice(spare)
            tools.remove(late)
            agent.late_tools.append((since, late))
    for _ in range(rng.randrange(3, 7)):
        agent.recipes.append(recipe(tools, rng, rng.randrange(2, 8)))


def recipe(tools: list[Tool], rng: Random, length: int) -> list[Tool]:
    """Some tools, mostly in the order in which the role's work goes."""
    drawn = rng.choices(tools, [tool.weight for tool in tools], k=length)
    if rng.random() < 0.8:
        drawn.sort(key=tools.index)
    return drawn


def _comings_and_goings(settings: Settings, agents: list[Agent]) -> None:
    """Some agents join later, some are retired, as in any fleet; these alone are told from no chain."""
    rng = Random(f"{settings.seed}/goings")
    by_role: dict[str, int] = {}
    for agent in agents:
        by_role[agent.role.name] = by_role.get(agent.role.name, 0) + 1
    several = [agent for agent in agents if by_role[agent.role.name] > 1]
    for agent in rng.sample(several, min(len(several), 8)):
        if by_role[agent.role.name] < 2:
            continue
        by_role[agent.role.name] -= 1
        if rng.random() < 0.6:
            agent.born = rng.randrange(2, max(3, settings.days - 3))
        else:
            agent.dies = rng.randrange(5, max(6, settings.history_days - 1))


def shown_name(tool: str, style: str) -> str:
    """A canonical tool name in an agent's own style."""
    if ":" in tool:
        service, action = tool.split(":", 1)
        action = "".join(f"_{c.lower()}" if c.isupper() else c for c in action).strip("_")
        tool = f"aws.{service}_{action}"
    server, _, rest = tool.partition(".")
    long = f"{server}_{rest}"
    words = [word for word in long.split("_") if word]
    match style:
        case "snake":
            return rest if "_" in rest else long
        case "mcp":
            return f"{server}__{rest}"
        case "claude":
            return f"mcp__{server}__{rest}"
        case "camel":
            return words[0] + "".join(word.capitalize() for word in words[1:])
        case "pascal":
            return "".join(word.capitalize() for word in words)
        case "kebab":
            return "-".join(words)
        case "slash":
            return f"{server}/{rest}"
        case _:
            return tool
