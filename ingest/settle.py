"""Observations of whole traces -> rows: each step once, with its agent, its session and its place in order.

A trace is settled from its observations alone, together with the traces that tell of the same steps
(`ingest/joins.py`), so that the order in which files arrive does not matter: what was inherited or merged is
kept apart in `own`, and a late record settles all of them anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from operator import attrgetter
from typing import Final

import msgspec

from ingest.agent_key import DEFAULT, name_agents
from ingest.approved_calls import bind_approvals
from ingest.event import KINDS, OBSERVED, Observation, Row
from ingest.joins import grouped, keys_in
from ingest.witnesses import merge, parents_of, told_together

_KIND_RANK: Final = {kind: rank for rank, kind in enumerate(KINDS)}
_said: Final = attrgetter(*OBSERVED)
_content: Final = attrgetter(*(name for name in OBSERVED if name not in ("source", "source_sha256")))
_SUPPORTED: Final = (
    "tool", "result", "error", "model", "principal", "credential_id", "target", "input_tokens", "output_tokens",
)  # fmt: skip
_RUNS: Final = ("invoke_agent", "executor.process")
_INHERITED: Final = ("session_id", "agent_id", "agent_version", "on_behalf_of")
_encode: Final = msgspec.json.Encoder(order="deterministic").encode
_pack: Final = msgspec.msgpack.Encoder().encode


def content_key(observation: Observation) -> str:
    """A hash of what the observation says, wherever it was written: equal keys are one and the same witness."""
    return blake2b(_pack(_content(observation)), digest_size=12).hexdigest()


def settle(observations: Iterable[tuple[str, Observation]], agent_key: tuple[str, ...] = DEFAULT) -> list[Row]:
    """Settle whole traces, given as (content key, observation), in any order; rows in no order."""
    traces: dict[str, dict[str, Observation]] = defaultdict(dict)
    keys: dict[str, list[str]] = defaultdict(list)
    for key, observation in observations:
        traces[observation.trace_id][key] = observation
        if observation.joins is not None:
            keys[observation.trace_id] += keys_in(observation.joins)
    rows: list[Row] = []
    for group in grouped(keys):
        joined = traces.pop(group[0])
        for trace_id in group[1:]:
            joined |= traces.pop(trace_id)
        rows.extend(_Trace(joined).settled(agent_key))
    for trace in traces.values():
        rows.extend(_Trace(trace).settled(agent_key))
    return rows


def observed(row: Row) -> Observation:
    """The observation that a row was made of: what its record said, before settling."""
    said = dict(zip(OBSERVED, _said(row), strict=True))
    if row.own is not None:
        said |= msgspec.json.decode(row.own)
    return Observation(**said)


class _Trace:
    """One trace while it is being settled, or several that tell of the same steps."""

    def __init__(self, observations: dict[str, Observation]) -> None:
        self.observations = observations
        self.rows = [
            Row(
                **dict(zip(OBSERVED, _said(said), strict=True)),
                kind_rank=_KIND_RANK[said.kind],
                content_key=key,
            )
            for key, said in observations.items()
        ]
        self.events: dict[str, Row] = {}
        self.also: dict[str, str] = {}
        """The event ids of other tellings -> the id under which the event stands."""

    def settled(self, agent_key: tuple[str, ...]) -> list[Row]:
        self._merge_witnesses()
        bind_approvals(self.events.values())
        topmost_first = self._topmost_first()
        self._fold_supporting(topmost_first)
        standing = [row for row in topmost_first if row.witness_of is None]
        self._inherit(standing)
        self._join_hand_offs(standing)
        self._clock()
        if agent_key != DEFAULT:
            name_agents(standing, agent_key)
        for row in self.rows:
            if row.witness_of is not None:
                event = self.events[row.witness_of]
                row.session_id, row.agent_id, row.ordered_at = (
                    event.session_id,
                    event.agent_id,
                    event.ordered_at,
                )
        for row in self.rows:
            said, settled = _said(self.observations[row.content_key]), _said(row)
            if said != settled:
                own = {name: b for name, b, a in zip(OBSERVED, said, settled, strict=True) if b != a}
                row.own = _encode(own).decode()
        return self.rows

    def _merge_witnesses(self) -> None:
        """Several records of one step: the first is filled from the others, which stay as its witnesses."""
        told: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows:
            told[row.event_id].append(row)
        parents: dict[str, list[str]] = {}
        for witnesses in told_together(told):
            event = merge(witnesses)
            self.events[event.event_id] = event
            ids = {row.event_id for row in witnesses} - {event.event_id}
            if ids:
                self.also |= dict.fromkeys(ids, event.event_id)
                parents[event.event_id] = parents_of(witnesses)
        for row in self.events.values() if self.also else ():
            named = parents.get(row.event_id) or [row.parent_event_id or ""]
            above = [self.also.get(parent, parent) for parent in named if parent]
            row.parent_event_id = next((parent for parent in above if parent != row.event_id), None)

    def _topmost_first(self) -> list[Row]:
        """The events, every parent before its children, with `depth` set. A cycle is cut at its smallest id.

        Siblings stand in an order that arrival does not change, infrastructure first: what it says of the
        call above (its tool, say) is known before the calls beside it are compared with that call.
        """
        children: dict[str | None, list[Row]] = defaultdict(list)
        for row in self.events.values():
            children[row.parent_event_id if row.parent_event_id in self.events else None].append(row)
        ordered: list[Row] = []
        placed: set[str] = set()

        def place(roots: list[Row]) -> None:
            pending = [(row, 0) for row in _last_first(roots)]
            while pending:
                row, depth = pending.pop()
                if row.event_id not in placed:
                    placed.add(row.event_id)
                    row.depth = depth
                    ordered.append(row)
                    pending.extend((child, depth + 1) for child in _last_first(children.get(row.event_id, ())))

        place(children[None])
        while len(placed) < len(self.events):
            smallest = min(event_id for event_id in self.events if event_id not in placed)
            self.events[smallest].parent_event_id = None
            place([self.events[smallest]])
        return ordered

    def _fold_supporting(self, topmost_first: list[Row]) -> None:
        """Rows that tell of the step above them become its witnesses, the topmost first.

        Infrastructure below a call supports the call. A model call whose one model child it is, or a tool
        call with a child for the same tool, is one call that two layers recorded.
        """
        model_children: dict[str, int] = defaultdict(int)
        for row in topmost_first:
            if row.kind == "model_call" and row.parent_event_id:
                model_children[row.parent_event_id] += 1
        stands_for: dict[str, Row] = {}
        for row in topmost_first:
            above = stands_for.get(row.parent_event_id or "")
            if row.parent_event_id in stands_for and above is not None:
                row.parent_event_id = above.event_id
                row.depth = above.depth + 1
            stands_for[row.event_id] = row
            if above is None or above.witness == "infrastructure":
                continue
            if row.witness == "infrastructure":
                supports = above.kind in ("model_call", "tool_call", "handoff")
            elif row.kind == above.kind == "model_call":
                tokens = {above.input_tokens, row.input_tokens} - {None}
                supports = model_children[above.event_id] == 1 and len(tokens) < 2
            else:
                supports = row.kind == above.kind == "tool_call" and row.tool == above.tool
            if supports:
                for name in _SUPPORTED:
                    if getattr(above, name) is None:
                        setattr(above, name, getattr(row, name))
                if row.kind == above.kind and (row.status in ("error", "denied") or above.status == "unknown"):
                    above.status = row.status
                row.witness_of = above.event_id
                above.witnesses += row.witnesses
                model_children[above.event_id] += model_children[row.event_id] - (row.kind == "model_call")
                stands_for[row.event_id] = above
        for row in self.rows:
            if row.witness_of is not None:
                row.witness_of = stands_for[self.also.get(row.witness_of, row.witness_of)].event_id
        for row in topmost_first:
            if row.witness_of is None and row.kind == "model_call" and model_children[row.event_id] > 1:
                row.input_tokens = row.output_tokens = None

    def _inherit(self, topmost_first: list[Row]) -> None:
        """Session, agent, version and human from the nearest ancestor that has one, else the trace's only one."""
        traces: dict[str, list[Row]] = defaultdict(list)
        for row in topmost_first:
            traces[row.trace_id].append(row)
        sole_of = {trace: {name: _sole(rows, name) for name in _INHERITED} for trace, rows in traces.items()}
        for row in topmost_first:
            above = self.events.get(row.parent_event_id or "")
            if row.operation == "invoke_agent" and above is not None and above.operation == "executor.process":
                above.agent_id = above.agent_id or row.agent_id  # a workflow's step acts as the agent that it runs
        acting: dict[str, str | None] = {}
        for row in topmost_first:
            sole = sole_of[row.trace_id]
            parent = row.parent_event_id or ""
            above = self.events.get(parent)
            caller = acting.get(parent)
            acting[row.event_id] = agent = row.agent_id or caller or sole["agent_id"]
            row.agent_id = agent or row.service
            row.session_id = row.session_id or (above and above.session_id) or sole["session_id"] or row.trace_id
            row.on_behalf_of = row.on_behalf_of or (above and above.on_behalf_of) or sole["on_behalf_of"]
            if row.agent_version is None and above is not None and caller == agent:
                row.agent_version = above.agent_version
            if row.agent_version is None and agent == sole["agent_id"]:
                row.agent_version = sole["agent_version"]
            is_handed_over = above is not None and above.kind == "handoff"
            is_run = row.kind == "lifecycle" and row.operation in _RUNS
            if is_run and caller and caller != agent and not is_handed_over:
                row.kind, row.kind_rank = "handoff", _KIND_RANK["handoff"]
                row.target = row.target or agent
                row.agent_id = caller
                row.agent_version = above.agent_version if above is not None and above.agent_id == caller else None

    def _join_hand_offs(self, standing: list[Row]) -> None:
        """A hand-off by tool and the run beside it that it started are one hand-off: the tool's, to that agent."""
        by_tool = sorted((r for r in standing if r.kind == "handoff" and r.operation not in _RUNS), key=_by_start)
        runs = sorted((r for r in standing if r.kind == "handoff" and r.operation in _RUNS), key=_by_start)
        for run in runs:
            told = [
                tool
                for tool in by_tool
                if tool.agent_id == run.agent_id
                and tool.target in (None, run.target)
                and (tool.started_at or 0) <= (run.started_at or 0)
            ]
            if told:
                by_tool.remove(told[-1])
                told[-1].target = run.target
                run.kind, run.kind_rank = "lifecycle", _KIND_RANK["lifecycle"]
                run.agent_id, run.target = run.target, self.observations[run.content_key].target

    def _clock(self) -> None:
        """`ordered_at`: by sequence a running maximum of start times; else never before the parent's.

        A step that is told in another trace too lends its time to the steps around it in this one.
        """
        numbered: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows:
            if row.sequence is not None:
                numbered[row.trace_id].append(row)
        for rows in numbered.values():
            latest: int | None = None
            for row in sorted(rows, key=lambda r: (r.sequence or 0, r.event_id, r.content_key)):
                event = row if row.witness_of is None else self.events[row.witness_of]
                if event.trace_id == row.trace_id and event is not row:
                    continue
                if event.started_at is not None and (latest is None or event.started_at > latest):
                    latest = event.started_at
                row.ordered_at = latest
        events = [row for row in self.events.values() if row.witness_of is None and row.sequence is None]
        for row in sorted(events, key=lambda r: r.depth):
            above = self.events.get(row.parent_event_id or "")
            times = [t for t in (row.started_at, above.ordered_at if above else None) if t is not None]
            row.ordered_at = max(times, default=None)


def _last_first(siblings: Sequence[Row]) -> Sequence[Row]:
    """Siblings in the order in which a stack wants them."""
    if len(siblings) < 2:
        return siblings
    return sorted(siblings, key=lambda row: (row.witness == "infrastructure", row.event_id))


def _by_start(row: Row) -> tuple[int, str]:
    return (row.started_at or 0, row.event_id)


def _sole(rows: list[Row], name: str) -> str | None:
    """The one value that a trace's rows name, or None where they name none or several."""
    values = {v for row in rows if (v := getattr(row, name))}
    return str(values.pop()) if len(values) == 1 else None
