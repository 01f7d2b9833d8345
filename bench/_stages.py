"""Stages of a bench, each in a process of its own, so that CPU seconds and memory are that stage's alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_TELL: Final = """
import resource
used = resource.getrusage(resource.RUSAGE_SELF)
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(f"\\n{used.ru_utime + used.ru_stime} {int(peak) // 1024}")
"""


def measure(script: str, *folders: Path) -> tuple[float, int]:
    """(CPU seconds, user and system; peak memory in MB) of a script that finds the folders in `sys.argv[1:]`."""
    command = [sys.executable, "-c", script + _TELL, *map(str, folders)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    seconds, megabytes = done.stdout.strip().rsplit("\n", 1)[-1].split()
    return float(seconds), int(megabytes)


def table(stages: Mapping[str, str], events: int, *folders: Path) -> list[dict[str, Any]]:
    """A row a stage, each beside the first one."""
    rows: list[dict[str, Any]] = []
    for name, script in stages.items():
        seconds, megabytes = measure(script, *folders)
        floor = rows[0]["cpu_s"] if rows else seconds
        rows.append(
            {
                "stage": name,
                "cpu_s": round(seconds, 2),
                "events_per_cpu_s": round(events / seconds),
                "times_the_first": round(seconds / floor, 2),
                "peak_memory_mb": megabytes,
            }
        )
    return rows
