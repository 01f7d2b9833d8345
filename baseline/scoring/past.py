"""What benign sessions showed: counts by task, so that one task more or less cannot tip them."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from baseline.scoring.provenance import origins_of
from baseline.scoring.sessions import Session
from baseline.scoring.words import named


@dataclass
class Past:
    """Counts over the benign sessions of all agents; a task that ran often counts once for what it asks."""

    sessions: Counter[str] = field(default_factory=Counter)
    tasks: int = 0
    token_tasks: Counter[str] = field(default_factory=Counter)
    """In how many tasks a word stood in a request or in a result."""
    tool_tasks: Counter[tuple[str, str]] = field(default_factory=Counter)
    changing_tasks: Counter[tuple[str, str]] = field(default_factory=Counter)
    agent_tasks: Counter[str] = field(default_factory=Counter)
    follows: dict[tuple[str, ...], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    word_tool: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(word of the request, word of a changing tool): in how many tasks both were there."""
    word_tasks: Counter[str] = field(default_factory=Counter)
    tool_word_tasks: Counter[str] = field(default_factory=Counter)
    values: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """(agent, argument, value) by tasks: what recurs is known."""
    origins: dict[tuple[str, ...], dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    """Where the values of an argument came from: agent and tool and argument, then tool, then argument."""
    requests: dict[str, list[tuple[frozenset[str], frozenset[str]]]] = field(default_factory=lambda: defaultdict(list))
    """By agent, each task's words and the changing tools that it took."""

    def tools(self, agent: str) -> set[str]:
        """The changing tools that the agent was seen to have."""
        return {tool for of, tool in self.changing_tasks if of == agent}

    def weight(self, token: str) -> float:
        """How much a word tells: rare words tell more (inverse document frequency over tasks)."""
        return math.log((self.tasks + 1) / (self.token_tasks.get(token, 0) + 0.5))

    def association(self, asked: frozenset[str], tool: str) -> float:
        """The strongest log-lift of any word of the request with any word of the tool, shrunk."""
        best = 0.0
        for t in named(tool):
            with_t = self.tool_word_tasks.get(t, 0)
            if with_t <= 0:
                continue
            for word in asked:
                n = self.word_tasks.get(word, 0)
                if n > 0:
                    share = (self.word_tool.get((word, t), 0) + with_t / max(1, self.tasks)) / (n + 1)
                    best = max(best, math.log(max(share, 1e-9) * max(1, self.tasks) / with_t))
        return best

    def nearest(self, agent: str, asked: frozenset[str]) -> list[tuple[float, frozenset[str], frozenset[str]]]:
        """(likeness, words, tools) of the agent's tasks, the most similar first."""
        scored = []
        for number, (words, tools) in enumerate(self.requests.get(agent, ())):
            common = sum(self.weight(w) for w in words & asked)
            shorter = min(sum(self.weight(w) for w in words), sum(self.weight(w) for w in asked))
            scored.append((-(common / shorter if shorter > 0 else 0.0), number, words, tools))
        scored.sort(key=lambda s: s[:2])
        return [(-like, words, tools) for like, _, words, tools in scored]

    def without(self, agent: str, number: int) -> Past:
        """The same with one task's request taken off (the counts that say which tool it took)."""
        asked, taken = self.requests[agent][number]
        words = frozenset(w for t in taken for w in named(t))
        rest = Past(
            self.sessions, self.tasks - 1, self.token_tasks, self.tool_tasks,
            changing_tasks=self.changing_tasks - Counter((agent, t) for t in taken),
            agent_tasks=self.agent_tasks - Counter([agent]),
            word_tool=self.word_tool - Counter((w, t) for w in asked for t in words),
            word_tasks=self.word_tasks - Counter(asked),
            tool_word_tasks=self.tool_word_tasks - Counter(words),
        )  # fmt: skip
        rest.requests = {agent: [r for i, r in enumerate(self.requests[agent]) if i != number]}
        return rest


def past_of(sessions: Iterable[Session]) -> Past:
    """Count benign sessions. Sessions of one task are first put together."""
    past = Past()
    by_task: dict[str, list[Session]] = defaultdict(list)
    for session in sessions:
        by_task[session.group].append(session)
    for task in sorted(by_task):
        _add_task(past, by_task[task])
    return past


def _add_task(past: Past, runs: list[Session]) -> None:
    agent, asked = runs[0].agent_id, runs[0].asked
    past.tasks += 1
    past.sessions[agent] += len(runs)
    past.agent_tasks[agent] += 1
    seen: set[str] = set(runs[0].asked_tokens)
    tools: Counter[str] = Counter()
    values: set[tuple[str, str, str]] = set()
    part = 1.0 / len(runs)
    for run in runs:
        before: tuple[str, ...] = ()
        tools.update({s.tool for s in run.steps if s.changes})
        for step in run.steps:
            seen.update(step.result_tokens)
            values.update((agent, v.name, v.text) for v in step.values)
            state = step.tool if step.ok else f"{step.tool} failed"
            for length in range(len(before) + 1):
                past.follows[(agent, *before[len(before) - length :])][step.tool] += 1
            before = (*before, state)[-2:]
        for step, name, origin in origins_of(run):
            for key in ((agent, step.tool, name), (step.tool, name), (name,), ()):
                counts = past.origins[key]
                counts[origin] = counts.get(origin, 0.0) + part
    past.token_tasks.update(seen)
    past.tool_tasks.update({(agent, s.tool) for r in runs for s in r.steps})
    past.values.update(values)
    # A tool that few runs of a task took was somebody's slip, not what the task asks for.
    taken = frozenset(t for t, n in tools.items() if n >= max(1, len(runs) // 5))
    past.changing_tasks.update((agent, t) for t in tools)
    past.requests[agent].append((asked, taken))
    words = frozenset(w for t in taken for w in named(t))
    past.word_tasks.update(asked)
    past.tool_word_tasks.update(words)
    past.word_tool.update((w, t) for w in asked for t in words)
