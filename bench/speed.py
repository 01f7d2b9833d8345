"""How fast: ingest, baseline and detect over generated events, beside DuckDB's own read_json on the same bytes.

First OTLP/JSON, then flat JSON lines through a mapping, each beside what DuckDB takes for those files. Then detection
over the generated fleet at several sizes, beside a bare pass over the same columns (`bench/_fleet_speed.py`).

    python -m bench.speed [--events 1000000] [--fleet 150000 1000000] [--json]

Each stage is a process of its own; CPU seconds are user + system of that process, memory its peak. DuckDB runs in
the same run over the same files, so that the ratio says something where the machine is noisy.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

from bench._fleet_speed import fleet_rows
from bench._logs import write_flat, write_otlp
from bench._stages import table

_STAGES: Final = {
    "DuckDB read_json, bare": """
import sys, duckdb
con = duckdb.connect()
con.execute("select count(*), max(length(resourceSpans::varchar))"
            " from read_json($files, format = 'newline_delimited')",
            {"files": sys.argv[2] + "/*.jsonl"}).fetchall()
""",
    "DuckDB read_json -> unnest, pivot -> Parquet": """
import sys, duckdb
con = duckdb.connect()
columns = "{resourceSpans: 'STRUCT(resource JSON, scopeSpans STRUCT(scope JSON, spans STRUCT(traceId VARCHAR, " \\
    "spanId VARCHAR, parentSpanId VARCHAR, name VARCHAR, kind INT, startTimeUnixNano VARCHAR, " \\
    "endTimeUnixNano VARCHAR, " \\
    "attributes STRUCT(key VARCHAR, value STRUCT(stringValue VARCHAR, intValue VARCHAR))[], status JSON)[])[])[]'}"
con.execute(f'''
copy (
    with spans as (
        select unnest(scope.spans) as s from (
            select unnest(r.scopeSpans) as scope from (
                select unnest(resourceSpans) as r
                from read_json('{sys.argv[2]}/*.jsonl', format = 'newline_delimited', columns = {columns})
            )
        )
    ),
    keyed as (
        select s, map_from_entries(list_transform(s.attributes, lambda a:
            struct_pack(k := a.key, v := coalesce(a.value.stringValue, a.value.intValue)))) as a
        from spans
    )
    select s.traceId, s.spanId, s.parentSpanId, s.name, s.startTimeUnixNano::bigint as started_at,
        s.endTimeUnixNano::bigint as ended_at, a['gen_ai.operation.name'] as operation, a['gen_ai.tool.name'] as tool,
        a['gen_ai.tool.call.arguments'] as arguments, a['gen_ai.tool.call.result'] as result,
        a['gen_ai.agent.name'] as agent_id, a['session.id'] as session_id,
        a['gen_ai.usage.input_tokens'] as input_tokens
    from keyed
) to '{sys.argv[1]}/duckdb.parquet' (format parquet, compression zstd)
''')
""",
    "ingest": """
import sys; from pathlib import Path
from ingest.load import ingest_paths
ingest_paths([Path(sys.argv[2])], Path(sys.argv[1]))
""",
    "ingest again (all known)": """
import sys; from pathlib import Path
from ingest.load import ingest_paths
ingest_paths([Path(sys.argv[2])], Path(sys.argv[1]))
""",
    "baseline": """
import sys; from pathlib import Path
from baseline.capability import Capabilities; from baseline.fold import fold
fold(Path(sys.argv[1]), Capabilities.load())
""",
    "baseline again (all counted)": """
import sys; from pathlib import Path
from baseline.capability import Capabilities; from baseline.fold import fold
fold(Path(sys.argv[1]), Capabilities.load())
""",
    "every agent's profile in a line": """
import sys; from pathlib import Path
from baseline.profiles import profiles; from ingest.database import open_published
profiles(open_published(Path(sys.argv[1])))
""",
    "one agent's whole profile": """
import sys; from pathlib import Path
from baseline.profile import profile; from ingest.database import open_published
profile(open_published(Path(sys.argv[1])), "agent-001")
""",
    "detect": """
import sys; from pathlib import Path
from baseline.capability import Capabilities; from detect.run import detect_in
detect_in(Path(sys.argv[1]), Capabilities.load())
""",
}

_FLAT_STAGES: Final = {
    "DuckDB typed read_json -> Parquet": """
import sys, duckdb
con = duckdb.connect()
columns = "{vendor: 'VARCHAR', id: 'VARCHAR', session: 'VARCHAR', created_at: 'BIGINT', agent: 'VARCHAR', " \\
    "tool: 'VARCHAR', arguments: 'JSON', status: 'VARCHAR'}"
con.execute(f"copy (from read_json('{sys.argv[2]}/*.jsonl', format = 'newline_delimited', columns = {columns})) "
            f"to '{sys.argv[1]}/flat.parquet' (format parquet, compression zstd)")
""",
    "ingest by a mapping": """
import sys; from pathlib import Path
from ingest.load import ingest_paths
logs = Path(sys.argv[2])
ingest_paths([logs], Path(sys.argv[1]), mappings=[logs.parent / "flat.toml"])
""",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument(
        "--fleet", type=int, nargs="*", default=[150_000, 1_000_000], help="sizes of the fleet; none: without"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        logs, data = Path(folder) / "logs", Path(folder) / "data"
        data.mkdir()
        size = sum(path.stat().st_size for path in write_otlp(logs, options.events))
        rows = table(_STAGES, options.events, data, logs)
        flat_data = Path(folder) / "flat-data"
        flat_data.mkdir()
        rows += table(_FLAT_STAGES, options.events, flat_data, write_flat(Path(folder) / "flat", options.events))
        fleet = [row for size in options.fleet for row in _of_fleet(Path(folder) / f"fleet-{size}", size)]
    if options.json:
        print(json.dumps({"events": options.events, "bytes": size, "stages": rows, "fleet": fleet}, indent=2))
        return
    print(f"{options.events:,} events, {size / 1e6:,.0f} MB of OTLP/JSON, peak of the bench itself "
          f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")  # fmt: skip
    print(f"{'stage':<46}{'CPU s':>8}{'events / CPU s':>16}{'x DuckDB':>10}{'peak MB':>9}")
    for row in rows:
        print(f"{row['stage']:<46}{row['cpu_s']:>8.2f}{row['events_per_cpu_s']:>16,}"
              f"{row['times_the_first']:>10.2f}{row['peak_memory_mb']:>9,}")  # fmt: skip
    if fleet:
        print(
            f"\n{'the generated fleet':<40}{'events':>10}{'CPU s':>8}{'events / CPU s':>16}{'beside':>22}{'peak MB':>9}"
        )
    for row in fleet:
        print(f"{row['stage']:<40}{row['fleet_events']:>10,}{row['cpu_s']:>8.2f}{row['events_per_cpu_s']:>16,}"
              f"{row['beside']:>22}{row['peak_memory_mb']:>9,}")  # fmt: skip


def _of_fleet(folder: Path, events: int) -> list[dict[str, Any]]:
    folder.mkdir()
    try:
        return fleet_rows(folder, events)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
