"""The README names what there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from detect.run import all_detectors

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


@pytest.mark.parametrize("detector", [detector.name for detector in all_detectors()])
def test_every_detector_is_named(detector: str) -> None:
    assert f"`{detector}`" in README
