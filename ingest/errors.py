"""Trouble: what stops a run, in one line that names the place and the remedy."""

from __future__ import annotations


class Trouble(Exception):
    """Settings, disk or database trouble. Shown as one line; never a traceback."""

    exit_code = 4


class AlreadyRunning(Trouble):
    """Another process is writing to the same data directory."""

    exit_code = 75
