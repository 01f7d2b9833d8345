"""A page as a browser would open it, by Streamlit's AppTest, and what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard import queries

APP = Path(dashboard.__file__).with_name("app.py")
INERT = {"text", "code", "json", "plotly_chart"}
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
    shown = [str(element.proto.json) for element in at.get("bidi_component") if not is_table(element)]
    return "\n".join(
        shown + [e.value for kind in ("text", "code", "title", "subheader", "caption") for e in at.get(kind)]
    )


def tables(at: AppTest) -> list[dict[str, list[Any]]]:
    """The tables of the page in their order, each as its columns by name."""
    given = [json.loads(element.proto.json)[0] for element in at.get("bidi_component") if is_table(element)]
    return [
        {column["name"]: [row[place] for row in table["rows"]] for place, column in enumerate(table["columns"])}
        for table in given
    ]


def rows_in(at: AppTest) -> int:
    """How many rows the page's first table has."""
    return len(next(iter(tables(at)[0].values())))


def links(at: AppTest, column: str) -> list[str | None]:
    """Where the cells of this column of the page's first table that has links there lead."""
    given = [json.loads(element.proto.json)[0] for element in at.get("bidi_component") if is_table(element)]
    return next(list(table["links"][column]) for table in given if column in table["links"])


def is_table(element: Any) -> bool:
    return bool(element.proto.component_name == "custodiet.rows")


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
            assert element.proto.component_name in (
                "custodiet.stepper",
                "custodiet.rows",
            )  # text nodes only: test_inert
        elif element.type not in INERT:
            assert not any(bad in str(element.proto) for bad in EVIL), element
