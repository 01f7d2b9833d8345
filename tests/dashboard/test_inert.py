"""No text of a log can reach a place that renders: the pages' source says so."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

import dashboard

FILES = sorted(Path(dashboard.__file__).parent.rglob("*.py"))

CONSTANT_ONLY = {
    "markdown", "write", "caption", "title", "header", "subheader", "latex", "badge", "toast", "error", "warning",
    "info", "success", "button", "link_button", "page_link", "toggle", "checkbox", "radio", "selectbox", "multiselect",
    "pills", "segmented_control", "number_input", "text_input", "text_area", "slider", "expander", "tabs", "popover",
    "metric", "download_button", "dialog", "status", "spinner", "nothing",
}  # fmt: skip
"""Their first argument, and `label` and `help`, render markdown: constants, or whole numbers through `counted`."""

OPTIONS = {"radio", "selectbox", "multiselect", "pills", "segmented_control", "select_slider"}
"""Their options render too: constants, or a table in capitals."""

PLAIN = {
    "text", "code", "json", "plotly_chart", "columns", "container", "form", "form_submit_button",
    "date_input", "stop", "switch_page", "fragment", "rerun", "navigation", "Page", "set_page_config",
}  # fmt: skip
"""What shows text as text, or shows none. With `CONSTANT_ONLY` this is all of Streamlit that pages may call: another
element must be looked at with a hostile log in a real browser first."""

FORBIDDEN = {
    "html", "iframe", "table", "dataframe", "data_editor", "image", "ImageColumn", "MarkdownColumn", "LinkColumn", "HtmlColumn", "graphviz_chart",
    "echo", "feedback", "write_stream", "chat_message",
}  # fmt: skip


def calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]


def is_harmless(node: ast.expr) -> bool:
    """A constant, one of two constants, a choice from a table in capitals, or `counted` over a constant."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.IfExp):
        return is_harmless(node.body) and is_harmless(node.orelse)
    if isinstance(node, ast.Subscript):
        return is_harmless(node.value)
    if isinstance(node, ast.Name | ast.Attribute):
        return (node.id if isinstance(node, ast.Name) else node.attr).isupper()
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "counted":
        return is_harmless(node.args[0])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
        return is_harmless(node.func.value) and len(node.args) == 2 and is_harmless(node.args[1])
    return False


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_renders_gets_constants_only(file: Path) -> None:
    rendering: list[str] = []
    for call in calls(ast.parse(file.read_text())):
        name = call.func.attr  # type: ignore[attr-defined]
        if name not in CONSTANT_ONLY:
            continue
        rendered = [*call.args[:1], *(k.value for k in call.keywords if k.arg in ("label", "help", "body"))]
        if name == "page_link":
            rendered = [k.value for k in call.keywords if k.arg in ("label", "help")]
        bad = [part for part in rendered if not is_harmless(part)]
        rendering += [f"{file.name}:{call.lineno} {name}({ast.unparse(part)})" for part in bad]
    allowed = {"parts.py caption(label)", "parts.py subheader(title)"}
    assert [found for found in rendering if f"{found.split(':')[0]} {found.split(' ', 1)[1]}" not in allowed] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_page_uses_what_can_fetch_or_run(file: Path) -> None:
    tree = ast.parse(file.read_text())
    used = {
        f"{file.name}:{node.lineno} {node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in FORBIDDEN and ast.unparse(node.value).startswith("st")
    }
    keywords = {
        f"{file.name}:{call.lineno} {keyword.arg}"
        for call in calls(tree)
        for keyword in call.keywords
        if keyword.arg in ("unsafe_allow_html", "unsafe_allow_javascript", "layout_images")
    }
    assert used | keywords == set()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_streamlit_is_called_by_its_name_and_only_what_was_judged(file: Path) -> None:
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] != "streamlit" or file.name in SERVING, "import streamlit as st"
        if isinstance(node, ast.Import):
            assert all(a.asname == "st" for a in node.names if a.name == "streamlit")
    used = {
        call.func.attr for call in calls(tree)
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "st"
    }  # fmt: skip
    assert used - PLAIN - CONSTANT_ONLY - ({"App"} if file.name in SERVING else set()) == set()
    # The same on a column or a container, whatever it is called.
    elsewhere = {
        f"{file.name}:{call.lineno} {call.func.attr}" for call in calls(tree)
        if isinstance(call.func, ast.Attribute) and call.func.attr in FORBIDDEN
        and ast.unparse(call.func) != "listing.table"
    }  # fmt: skip
    assert elsewhere == set()


SERVING = {"server.py", "headers.py"}
"""They start the server, and show nothing."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_options_help_and_headings_of_columns_are_constants(file: Path) -> None:
    bad = []
    for call in calls(ast.parse(file.read_text())):
        name = call.func.attr  # type: ignore[attr-defined]
        given = {k.arg: k.value for k in call.keywords}
        checked = [given[k] for k in ("help", "placeholder", "alt", "captions") if k in given]
        if name in OPTIONS:
            checked += [*call.args[1:2], *([given["options"]] if "options" in given else [])]
        if name in ("form_submit_button", "date_input", "form") or name.endswith("Column"):
            checked += call.args[:1]
        if ast.unparse(call.func).startswith("listing.") and name != "table":
            checked += call.args[:1]
        bad += [f"{file.name}:{call.lineno} {name}({ast.unparse(c)})" for c in checked if not is_harmless(c)]
    assert bad == []


TOLD = {
    "visible", "for_plotly", "payload", "count", "counted", "when", "share", "severity", "approval", "approval_short",
    "took", "day_and_minute", "limit", "told", "len", "generation", "analyst", "_end", "_line",
}  # fmt: skip
"""What makes a text of a log visible, or gives a number, a time or a word of ours."""


def is_told(node: ast.expr) -> bool:
    """Whether every part of a text is ours, a number by its format, or went through one of `TOLD`."""
    if is_harmless(node):
        return True
    if isinstance(node, ast.JoinedStr):
        return all(is_told(part) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return node.format_spec is not None or is_told(node.value)
    if isinstance(node, ast.IfExp):
        return is_told(node.body) and is_told(node.orelse)
    if isinstance(node, ast.BinOp):
        return is_told(node.left) and is_told(node.right)
    if isinstance(node, ast.BoolOp):
        return all(is_told(value) for value in node.values)
    if isinstance(node, ast.ListComp | ast.GeneratorExp):
        return is_told(node.elt)
    if isinstance(node, ast.Subscript):
        return is_harmless(node.value)
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name == "join":
            return all(is_told(part) for part in node.args)
        if name == "replace" and isinstance(node.func, ast.Attribute):
            return is_told(node.func.value)
        return name in TOLD
    return False


@pytest.mark.parametrize(
    "text", ["row['tool']", "f'{row}'", "name", "f'{visible(a)} {b}'", "'x' + name", "name or 'x'", "str(name)",
             "name.replace('a', 'b')", "', '.join(names)", "'{}'.format(name)", "'%s' % name"],
)  # fmt: skip
def test_the_lint_sees_what_was_not_made_visible(text: str) -> None:
    node = ast.parse(text, mode="eval").body
    assert not is_told(node)
    assert not is_harmless(node)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_is_shown_as_text_was_made_visible(file: Path) -> None:
    bad = []
    for call in calls(ast.parse(file.read_text())):
        name, owner = call.func.attr, ast.unparse(call.func.value)  # type: ignore[attr-defined]
        if name in ("text", "code") and owner not in ("listing", "response"):
            checked = call.args[:1]
        elif name in ("block", "nothing") and owner == "parts":
            checked = call.args
        else:
            continue
        bad += [f"{file.name}:{call.lineno} {name}({ast.unparse(c)})" for c in checked if not is_told(c)]
    allowed = {"parts.py text(value)", "parts.py text(line)", "parts.py code(text)"}
    assert [b for b in bad if re.sub(r":\d+", "", b) not in allowed] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_code_is_shown_without_a_language_and_facts_have_constant_labels(file: Path) -> None:
    for call in calls(ast.parse(file.read_text())):
        if call.func.attr == "code":  # type: ignore[attr-defined]
            assert any(k.arg == "language" and ast.unparse(k.value) == "None" for k in call.keywords)
        if call.func.attr == "facts":  # type: ignore[attr-defined]
            listed = call.args[0]
            assert isinstance(listed, ast.List)
            assert all(isinstance(fact, ast.Tuple) and is_harmless(fact.elts[0]) for fact in listed.elts)


def test_pages_hold_no_sql_and_only_charts_draws() -> None:
    for file in FILES:
        text = file.read_text()
        if not file.name.startswith("queries"):
            assert "select " not in text.lower().replace("select a", "").replace("selection", ""), file
        assert ("plotly.graph" in text) is file.name.startswith("charts"), file


SCRIPTS = sorted((Path(dashboard.__file__).parent / "component").glob("*.js"))

SINKS = (
    "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "createContextualFragment", "DOMParser", "srcdoc",
    "setHTML", "eval(", "Function(", "import(", "javascript:", "XMLHttpRequest", "WebSocket", "sendBeacon",
    "window.open", "location.assign", "location.href", ".src =", "html:",
)  # fmt: skip
"""What makes markup, code or a request out of a text."""


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_the_component_writes_text_nodes_only(file: Path) -> None:
    text = file.read_text()
    assert [sink for sink in SINKS if sink in text] == []
    tags = set(re.findall(r"""\bel\(\s*"(\w+)\"""", text))
    assert not tags & {"script", "iframe", "img", "object", "embed", "link", "style", "form", "base", "meta", "svg"}
    hrefs = {
        "card.js": ["`case?case=${encodeURIComponent(finding.case)"],
        "rows.js": ["to"],
    }  # `to`: dashboard/links.py
    assert re.findall(r"href: (.*?)[,}]", text) == hrefs.get(file.name, [])
    assert text.count("fetch(`") == (1 if file.name == "store.js" else 0)


def test_the_components_are_the_only_ones_and_their_files_are_packaged() -> None:
    for file in FILES:
        assert ("st.components.v2.component(" in file.read_text()) is (file.name in ("stepper.py", "listing.py"))
    root = Path(dashboard.__file__).parents[1]
    declared = [tomllib.loads((root / place / "pyproject.toml").read_text()) for place in (".", "dashboard")]
    assert declared[0]["tool"]["streamlit"] == declared[1]["tool"]["streamlit"]
    assert declared[0]["project"]["version"] == declared[1]["project"]["version"]
