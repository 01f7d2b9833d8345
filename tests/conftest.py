"""Settings that hold for every test."""

from __future__ import annotations

import os

from hypothesis import settings

# The gate tries the same examples every time; HYPOTHESIS_PROFILE=search looks for new ones, and for longer.
settings.register_profile("gate", derandomize=True, deadline=None)
settings.register_profile("search", max_examples=20_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))
