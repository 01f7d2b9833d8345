"""Days without anything to tell: every agent's own sessions, with habits, retries, hand-offs and approvals."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from bench.second_fleet.cast import recipe
from bench.second_fleet.estate import filled
from bench.second_fleet.model import Agent, Approval, Identity, Session, Step, Tool, hexes, letters
from bench.second_fleet.results import answer, failure
from bench.second_fleet.settings import DAY_NS, HOUR_NS, SECOND_NS, Settings


def life(settings: Settings, agents: list[Agent], share: float) -> Iterator[Session]:
    """All sessions of all days; `share` scales how many there are."""
    for agent in agents:
        rng = Random(f"{settings.seed}/life/{agent.name}")
        for day in range(max(0, agent.born), min(settings.days, agent.dies)):
            for _ in range(_poisson(rng, agent.rate * share * _busy(agent, day, rng))):
                yield session(settings, agents, agent, rng, day, _moment(settings, agent, rng, day))


def session(
    settings: Settings, agents: list[Agent], agent: Agent, rng: Random, day: int, start_ns: int
) -> Session:  # fmt: skip
    """One ordinary session, laid out in time."""
    bound: dict[str, str] = {}
    steps = plan(settings, agent, rng, day, bound)
    made = begun(agent, rng, day, start_ns, steps, bound)
    helpers = [
        other
        for other in agents
        if other.role.name in agent.role.helpers and _same_kind(agent, other) and other.born <= day < other.dies
    ]
    if helpers and rng.random() < 0.18:
        other = helpers[min(int(rng.expovariate(1.2)), len(helpers) - 1)]
        given = [step for step in plan(settings, other, rng, day, bound) if step.approval is None]
        made.steps.append(handed_over(made, other, rng, given[:4]))
    made.lay_out(rng)
    _assume(made, rng)
    return made


def begun(
    agent: Agent, rng: Random, day: int, start_ns: int, steps: list[Step], bound: dict[str, str]
) -> Session:  # fmt: skip
    """A session of these steps, with an id in the agent's way and what it was asked."""
    asked = filled(rng.choice(agent.role.asked or ("Scheduled run",)), agent, rng, day, bound)
    human = rng.choice(agent.owners) if agent.role.hours == "office" or rng.random() < 0.3 else ""
    return Session(agent, session_id(agent, rng, day), start_ns, day, steps, asked, human, agent.version(day))


def session_id(agent: Agent, rng: Random, day: int) -> str:
    """An id as the agent's framework makes them."""
    drawn = hexes(f"{rng.random()}", 32)
    match "workflow" if agent.form == "temporal" else agent.id_style:
        case "workflow":
            return f"{agent.name[:1].lower()}{agent.name[1:]}-{day:02d}-{drawn[:8]}"
        case "conv":
            return f"conv_{drawn[:24]}"
        case "thread":
            return f"thread-{int(drawn[:12], 16)}"
        case "date":
            return f"run/{day:02d}/{drawn[:10]}"
    return f"{drawn[:8]}-{drawn[8:12]}-4{drawn[13:16]}-a{drawn[17:20]}-{drawn[20:]}"


def handed_over(parent: Session, other: Agent, rng: Random, steps: list[Step]) -> Step:
    """A step that gives the rest to another agent, whose run is inside of it."""
    identity = parent.id if other.form != "temporal" else session_id(other, rng, parent.day)
    sub = Session(
        other, identity, 0, parent.day, steps, parent.asked, parent.human, other.version(parent.day),
        parent=(parent.id, run_id(parent.id)),
    )  # fmt: skip
    return Step(f"transfer_to_{other.name}", {"reason": parent.asked}, {"ok": True}, sub=sub, is_literal=True)


def run_id(workflow_id: str) -> str:
    """The run of a workflow id."""
    drawn = hexes(f"run/{workflow_id}", 32)
    return f"{drawn[:8]}-{drawn[8:12]}-7{drawn[13:16]}-8{drawn[17:20]}-{drawn[20:]}"


def plan(settings: Settings, agent: Agent, rng: Random, day: int, bound: dict[str, str]) -> list[Step]:
    """The steps of an ordinary session: a recipe with something left out, doubled or added, and things that fail."""
    tools = [
        tool for tool in agent.role.tools if all(tool is not late for since, late in agent.late_tools if day < since)
    ]
    if rng.random() < 0.85:
        drawn = [tool for tool in rng.choice(agent.recipes) if rng.random() < 0.93]
    else:
        drawn = recipe(tools, rng, rng.randrange(1, 9))
    for since, late in agent.late_tools:
        if day >= since and rng.random() < 0.25:
            drawn.append(late)
    if rng.random() < 0.15:
        drawn.insert(rng.randrange(len(drawn) + 1), rng.choices(tools, [tool.weight for tool in tools])[0])
    steps: list[Step] = []
    for tool in drawn or [agent.role.tools[0]]:
        step = step_of(tool, agent, rng, day, bound)
        if rng.random() < settings.error_share:
            step.error, step.result = failure(rng), None
            steps.append(step)
            if rng.random() < 0.6:
                again = Step(step.tool, dict(step.args), answer(tool.name, rng), mirror=step.mirror)
                again.gap_s = rng.uniform(2, 40)
                steps.append(again)
            continue
        steps.append(step)
    return steps


def step_of(tool: Tool, agent: Agent, rng: Random, day: int, bound: dict[str, str]) -> Step:
    """A call of a tool as this agent would make it."""
    args = {key: filled(text, agent, rng, day, bound) for key, text in tool.args.items()}
    step = Step(tool.name, args, answer(tool.name, rng))
    for action, pairs in tool.mirror:
        step.mirror.append((action, {key: filled(text, agent, rng, day, bound) for key, text in pairs}, None))
    if tool.needs_approval and rng.random() < 0.93:
        step.approval = Approval(rng.choice(agent.owners), asked_for_s(rng))
        if agent.form in ("maf", "temporal") and rng.random() < 0.05:
            step.approval = replace(step.approval, is_yes=False)
        step.approval = _automatic(step.approval, rng)
    return step


def asked_for_s(rng: Random) -> float:
    """How long a person takes to answer: minutes mostly, now and then seconds or hours."""
    return min(max(rng.lognormvariate(5.4, 1.3), 4.0), 6 * 3600.0)


def _automatic(said: Approval, rng: Random) -> Approval:
    if rng.random() > 0.06:
        return said
    return Approval("policy:low-risk", rng.uniform(0.1, 0.9), by_machine=True)


def assumed(role_arn: str, name: str, rng: Random, at_ns: int) -> Identity:
    """The session that an AssumeRole gives."""
    account = role_arn.split(":")[4]
    return Identity(
        role_arn, account, name, "ASIA" + letters(f"{rng.random()}", 16), "AROA" + letters(role_arn, 17), at_ns
    )


def credentials(identity: Identity) -> dict[str, object]:
    """What AssumeRole answers."""
    account, role = identity.account, identity.arn.rsplit("/", 1)[-1]
    return {
        "credentials": {"accessKeyId": identity.access_key, "expiration": "Sep 30, 2026, 11:00:00 PM"},
        "assumedRoleUser": {
            "assumedRoleId": f"{identity.principal_id}:{identity.session_name}",
            "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{identity.session_name}",
        },
    }


def _assume(made: Session, rng: Random) -> None:
    """What follows an AssumeRole is done in that role for a while."""
    if made.agent.form != "cloudtrail":
        return
    held, left = None, 0
    for step in made.steps:
        if step.tool == "sts:AssumeRole" and not step.error:
            held = assumed(step.args["roleArn"], step.args["roleSessionName"], rng, step.at_ns)
            step.result, left = credentials(held), rng.randrange(0, 6)
        elif left:
            step.identity, left = held, left - 1


def _same_kind(agent: Agent, other: Agent) -> bool:
    spans = ("otlp", "maf")
    return other is not agent and (agent.form == other.form or (agent.form in spans and other.form in spans))


def _busy(agent: Agent, day: int, rng: Random) -> float:
    quiet = {"office": 0.12, "round": 0.75, "nightly": 0.9, "weekly": 0.3}[agent.role.hours]
    factor = quiet if day % 7 in (5, 6) else 1.0
    if agent.role.hours == "weekly":
        factor *= 3.0 if day % 7 == agent.number % 5 else 0.4
    return factor * rng.lognormvariate(0, 0.25)


def _moment(settings: Settings, agent: Agent, rng: Random, day: int) -> int:
    match agent.role.hours:
        case "office" | "weekly":
            hour = min(max(rng.gauss(13.0, 2.6), 6.5), 20.5) - agent.zone_h
        case "nightly":
            hour = 1.0 + agent.number % 5 + abs(rng.gauss(0, 0.7))
        case _:
            hour = rng.uniform(0, 24)
    return settings.start_ns + day * DAY_NS + int((hour % 23.6) * HOUR_NS) + rng.randrange(60) * SECOND_NS


def _poisson(rng: Random, mean: float) -> int:
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count
