"""What benign sessions showed: counts by task, so that one task more or less cannot tip them."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import repeat

from baseline.scoring.asking import Asking, Lifts, asking_of, counted
from baseline.scoring.drawn import Weighed
from baseline.scoring.provenance import origins_of
from baseline.scoring.sessions import Session
from baseline.scoring.words import named, text_of

Like = tuple[float, int, frozenset[str], frozenset[str]]
"""How like a task of the past is, its number among the agent's tasks, its words, the changing tools that it took."""


@dataclass
class Task:
    """The sessions of one agent that were asked the same, as counts."""

    group: str
    agent: str
    asked: frozenset[str]
    taken: frozenset[str]
    """The changing tools that the task takes: those of at least a fifth of its sessions."""
    changing: frozenset[str]
    tools: frozenset[str]
    words: frozenset[str]
    """Of the request and of all answers."""
    asked_counts: Counter[str]
    answered_counts: Counter[str]
    values: frozenset[tuple[str, str, str]]
    follows: Counter[tuple[tuple[str, ...], str]]
    origins: Counter[tuple[str, str, str]]
    """(tool, argument, origin), each session weighing its share of the task."""
    sessions: int
    example: str
    """One of its sessions."""


def tasks_of(sessions: Iterable[Session], group: Mapping[str, str]) -> list[Task]:
    """Sessions put together by their task (`group` of `baseline.scoring.tasks`), in the order of their groups."""
    by_task: dict[str, list[Session]] = defaultdict(list)
    for session in sessions:
        by_task[group[session.asked_key]].append(session)
    return [_task_of(name, by_task[name]) for name in sorted(by_task)]


def _task_of(group: str, runs: list[Session]) -> Task:
    variants = Counter(r.asked_key for r in runs)
    usual = min(variants, key=lambda v: (-variants[v], v))
    asked = next(r.asked for r in runs if r.asked_key == usual)
    agent = runs[0].agent_id
    tools: Counter[str] = Counter()
    values: set[tuple[str, str, str]] = set()
    follows: Counter[tuple[tuple[str, ...], str]] = Counter()
    origins: Counter[tuple[str, str, str]] = Counter()
    part = 1.0 / len(runs)
    for run in runs:
        before: tuple[str, ...] = ()
        tools.update({s.tool for s in run.steps if s.changes})
        for step in run.steps:
            values.update((agent, v.name, v.text) for v in step.values)
            for length in range(len(before) + 1):
                follows[(agent, *before[len(before) - length :]), step.tool] += 1
            before = (*before, step.tool if step.ok else f"{step.tool} failed")[-2:]
        for step, name, origin in origins_of(run):
            origins[step.tool, name, origin] += part  # type: ignore[assignment]
    answered: Counter[str] = Counter()
    words: set[str] = set().union(*(r.asked_tokens for r in runs))
    for result in sorted({s.result for r in runs for s in r.steps}):
        words |= text_of(result).words
        answered += counted(result)
    request: Counter[str] = Counter()
    for text in min(r.requests for r in runs):
        request += counted(text)
    # A tool that few runs of a task took was somebody's slip, not what the task asks for.
    taken = frozenset(t for t, n in tools.items() if n >= max(1, len(runs) // 5))
    return Task(
        group, agent, asked, taken, frozenset(tools), frozenset(s.tool for r in runs for s in r.steps),
        frozenset(words), request, answered, frozenset(values), follows, origins, len(runs),
        min(r.session_id for r in runs if r.asked_key == usual),
    )  # fmt: skip


@dataclass
class Past:
    """Counts over the benign tasks of all agents; a task that ran often counts once for what it asks."""

    sessions: Counter[str] = field(default_factory=Counter)
    tasks: int = 0
    token_tasks: Counter[str] = field(default_factory=Counter)
    """In how many tasks a word stood in a request or in a result."""
    tool_tasks: Counter[tuple[str, str]] = field(default_factory=Counter)
    changing_tasks: Counter[tuple[str, str]] = field(default_factory=Counter)
    agent_tasks: Counter[str] = field(default_factory=Counter)
    follows: dict[tuple[str, ...], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    word_tool: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Word of a changing tool -> word of the request -> in how many tasks both were there."""
    word_tasks: Counter[str] = field(default_factory=Counter)
    tool_word_tasks: Counter[str] = field(default_factory=Counter)
    values: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """(agent, argument, value) by tasks: what recurs is known."""
    origins: dict[tuple[str, ...], dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    """Where the values of an argument came from: agent and tool and argument, then tool, then argument."""
    requests: dict[str, list[tuple[frozenset[str], frozenset[str]]]] = field(default_factory=lambda: defaultdict(list))
    """By agent, each task's words and the changing tools that it took."""
    examples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """By agent, a session of each of these tasks."""
    asked_counts: Counter[str] = field(default_factory=Counter)
    answered_counts: Counter[str] = field(default_factory=Counter)
    surprisals: dict[tuple[str, tuple[str, ...], str], float] = field(default_factory=dict, repr=False)
    origin_surprisals: dict[tuple[str, str, str, str], float] = field(default_factory=dict, repr=False)
    ordered: dict[tuple[str, str], tuple[float, float, float]] = field(default_factory=dict, repr=False)
    weighed: dict[str, Weighed] = field(default_factory=dict, repr=False)
    """These four remembered as they are asked for."""

    @cached_property
    def agent_tools(self) -> dict[str, frozenset[str]]:
        """The changing tools that each agent was seen to have."""
        found: dict[str, set[str]] = defaultdict(set)
        for agent, tool in self.changing_tasks:
            found[agent].add(tool)
        return {agent: frozenset(tools) for agent, tools in found.items()}

    @cached_property
    def weights(self) -> dict[str, float]:
        """How much a word tells: rare words tell more (inverse document frequency over tasks)."""
        return {w: max(0.0, math.log((self.tasks + 1) / (n + 0.5))) for w, n in self.token_tasks.items()}

    @cached_property
    def seen(self) -> frozenset[str]:
        """Every word of a request or a result."""
        return frozenset(self.token_tasks)

    @cached_property
    def unseen(self) -> float:
        """The weight of a word that no task showed."""
        return math.log((self.tasks + 1) / 0.5)

    @cached_property
    def asking(self) -> Asking:
        return asking_of(self.asked_counts, self.answered_counts, self.token_tasks)

    @cached_property
    def _lifts(self) -> dict[str, Lifts]:
        return {}

    def lifts(self, tool: str) -> Lifts:
        """Of any word of the tool, shrunk: how much more often tasks that say the word take such a tool."""
        found = self._lifts.get(tool)
        if found is None:
            of: dict[str, float] = {}
            for t in named(tool):
                with_t = self.tool_word_tasks.get(t, 0)
                for word in self.word_tool.get(t, ()):
                    lift = self._lift(self.word_tool[t][word], self.word_tasks[word], with_t, self.tasks)
                    of[word] = max(of.get(word, 0.0), lift)
            found = self._lifts[tool] = Lifts(of, max(of.values(), default=0.0))
        return found

    def association(self, asked: frozenset[str], tool: str, without: frozenset[str] | None = None) -> float:
        """The strongest log-lift of any word of the request with any word of the tool.

        `without` are the tools of a task that was asked exactly this and is to be left out of the counts.
        """
        if without is None:
            return max(map(self.lifts(tool).of.get, asked, repeat(0.0)), default=0.0)
        best = 0.0
        words = frozenset(w for t in without for w in named(t))
        for t in named(tool):
            own = t in words
            with_t = self.tool_word_tasks.get(t, 0) - own
            counts = self.word_tool.get(t)
            if with_t <= 0 or not counts:
                continue
            for word in asked:
                n = self.word_tasks.get(word, 0) - 1
                if n > 0:
                    best = max(best, self._lift(counts.get(word, 0) - own, n, with_t, self.tasks - 1))
        return best

    @staticmethod
    def _lift(both: float, word: float, tool: float, tasks: float) -> float:
        share = (both + tool / max(1, tasks)) / (word + 1)
        return math.log(max(share, 1e-9) * max(1, tasks) / tool) if tool > 0 else 0.0

    def nearest(self, agent: str, asked: frozenset[str], without: int = -1) -> list[Like]:
        """(likeness, number, words, tools) of the agent's tasks, the most similar first; one may be left out."""
        tasks, asking = self.requests.get(agent, ()), self._asking_for.get(agent, {})
        common: list[list[float]] = [[] for _ in tasks]
        found = []
        for word in asked:
            weight = self.weights.get(word, self.unseen)
            found.append(weight)
            for number in asking.get(word, ()):
                common[number].append(weight)
        whole = math.fsum(found)
        scored = []
        for number, (weight, parts) in enumerate(zip(self._request_weights.get(agent, ()), common, strict=True)):
            shorter = min(weight, whole)
            if number != without:
                scored.append((-math.fsum(parts) / shorter if shorter > 0 else 0.0, number))
        scored.sort()
        return [(-like, number, *tasks[number]) for like, number in scored]

    @cached_property
    def _asking_for(self) -> dict[str, dict[str, list[int]]]:
        """By agent and word: the numbers of the tasks whose request holds it."""
        found: dict[str, dict[str, list[int]]] = {}
        for agent, requests in self.requests.items():
            tasks = found[agent] = defaultdict(list)
            for number, (words, _) in enumerate(requests):
                for word in words:
                    tasks[word].append(number)
        return found

    @cached_property
    def _request_weights(self) -> dict[str, list[float]]:
        weights, unseen = self.weights, self.unseen
        return {
            a: [math.fsum(weights.get(w, unseen) for w in words) for words, _ in r] for a, r in self.requests.items()
        }


def past_of(tasks: Sequence[Task]) -> Past:
    """The counts of these tasks together."""
    past = Past()
    for task in tasks:
        agent, words = task.agent, frozenset(w for t in task.taken for w in named(t))
        past.tasks += 1
        past.sessions[agent] += task.sessions
        past.agent_tasks[agent] += 1
        past.token_tasks.update(task.words)
        past.tool_tasks.update((agent, t) for t in task.tools)
        past.changing_tasks.update((agent, t) for t in task.changing)
        past.values.update(task.values)
        past.word_tasks.update(task.asked)
        past.tool_word_tasks.update(words)
        past.asked_counts.update(task.asked_counts)
        past.answered_counts.update(task.answered_counts)
        past.requests[agent].append((task.asked, task.taken))
        past.examples[agent].append(task.example)
        for t in words:
            past.word_tool[t].update(task.asked)
        for (state, tool), n in task.follows.items():
            past.follows[state][tool] += n
        for (tool, name, origin), n in task.origins.items():
            for key in ((agent, tool, name), (tool, name), (name,), ()):
                counts = past.origins[key]
                counts[origin] = counts.get(origin, 0.0) + n
    return past
