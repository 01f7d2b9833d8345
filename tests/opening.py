"""A page as a browser would open it, by Streamlit's AppTest, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard import queries

APP = Path(dashboard.__file__).with_name("app.py")
INERT = {"text", "code", "json", "arrow_data_frame", "dataframe", "plotly_chart"}
"""What shows text as text (seen with a real browser); the figures' texts are escaped (test_charts)."""
EVIL = ("evil", "APPROVED", "<script", "HYPERLINK")


def opened(data: Path, monkeypatch: pytest.MonkeyPatch, page: str, **parameters: str) -> AppTest:
    """The page, without an exception."""
    monkeypatch.setenv(queries.DATA, str(data))
    at = AppTest.from_file(APP, default_timeout=60)
    for name, value in parameters.items():
        at.query_params[name] = value
    at.switch_page(f"pages/{page}.py").run()
    assert not at.exception, at.exception
    return at


def elements(block: Any) -> Iterator[Any]:
    for child in block.children.values():
        if hasattr(child, "children"):
            yield from elements(child)
        else:
            yield child


def said(at: AppTest) -> str:
    """All that the page says outside of tables and figures."""
    shown = [str(element.proto.json) for element in at.get("bidi_component")]
    return "\n".join(
        shown + [e.value for kind in ("text", "code", "title", "subheader", "caption") for e in at.get(kind)]
    )


def assert_inert(at: AppTest) -> None:
    """No hostile text stands where it could be rendered."""
    found = list(elements(at.main))
    assert found
    for element in found:
        if element.type == "page_link":
            assert not any(bad in element.proto.label for bad in EVIL)
        elif element.type == "text_input":
            assert not any(bad in element.proto.label + element.proto.help for bad in EVIL)
        elif element.type == "bidi_component":
            assert element.proto.component_name == "custodiet.stepper"  # text nodes only: see test_inert
        elif element.type not in INERT:
            assert not any(bad in str(element.proto) for bad in EVIL), element
