"""LangGraph state histories: the checkpoints of a thread as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ingest.event import Observation, Rejected
from ingest.readers import reader
from ingest.readers._export_fields import REMEDY, opened
from ingest.readers._langgraph_state_thread import Snapshot, Thread, snapshot
from ingest.records import Record


def _claims(first: object) -> bool:
    if isinstance(first, list):
        return bool(first) and all(_claims(part) for part in first)
    if not isinstance(first, dict) or "values" not in first or not {"next", "metadata"} & first.keys():
        return isinstance(first, dict) and isinstance(first.get("history"), list) and _claims(first["history"])
    config, checkpoint = first.get("config"), first.get("checkpoint")
    where = config.get("configurable") if isinstance(config, dict) else checkpoint
    return isinstance(where, dict) and bool({"thread_id", "checkpoint_id"} & where.keys())


@reader(claims=_claims)
def langgraph_state(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """LangGraph state histories: `get_state_history` as JSON, or the server's thread history.

    A checkpoint repeats every message before it; each message is told once, at the first checkpoint that
    holds it, and a call together with its answer. An interrupt is an approval that is pending; a `__resume__`
    write is its answer. Order is the checkpoint's step, then the message's place.
    """
    threads: dict[str, list[Snapshot]] = {}
    for found in opened(records, "history", own="values"):
        if isinstance(found, Rejected):
            yield found
            continue
        said = snapshot(*found)
        if said is None:
            yield Rejected(found[0].line, f"a checkpoint without a thread or a checkpoint id; {REMEDY}")
        else:
            threads.setdefault(said.thread, []).append(said)
    for snapshots in threads.values():
        yield from Thread(snapshots).observations()
