"""What a server does before it says that it is ready, so that nobody's first page waits for it."""

from __future__ import annotations

import gc
import pkgutil
import threading
from contextlib import suppress
from importlib import import_module
from typing import Final

import dashboard
from ingest.errors import Trouble

_SCRIPTS: Final = ("app", "commands", "pages", "server", "warming")
"""What is run, not imported."""


def warm() -> None:
    """Import what the pages import, open the store and count what every page counts; then tell the collector to leave
    all that alone, for Streamlit collects garbage in full after every run of a page.

    Data that cannot be read is not told here but on the page.
    """
    asking = threading.Thread(target=_ask, name="warm")
    asking.start()
    for module in pkgutil.iter_modules(dashboard.__path__):
        if module.name not in _SCRIPTS:
            import_module(f"dashboard.{module.name}")
    asking.join()
    gc.collect()
    gc.freeze()


def _ask() -> None:
    from baseline.beside import capability_of
    from dashboard import queries
    from dashboard.queries_of_cases import with_approvals
    from dashboard.triage import with_people

    capability_of("")
    with suppress(Trouble):
        queries.totals()
        with_people(with_approvals(queries.cases()))
