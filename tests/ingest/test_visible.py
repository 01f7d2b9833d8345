"""What a log line says is what a person sees."""

from __future__ import annotations

import pytest

from ingest.visible import for_plotly, payload, visible


@pytest.mark.parametrize(
    "character", "\x00\x07\x1b\x7f\x9b\u00ad\u061c\u200b\u200f\u202e\u2066\ufeff\U000e0041\ud800\r"
)
def test_a_deceiving_character_is_shown_by_its_code_point(character: str) -> None:
    assert visible(f"a{character}b") == f"a⟦U+{ord(character):04X}⟧b"


def test_text_in_any_script_stays_as_it_is() -> None:
    assert visible("Zürich 東京 שלום ☂ =1+1") == "Zürich 東京 שלום ☂ =1+1"


def test_a_cell_is_one_line_and_a_payload_keeps_its_lines() -> None:
    assert visible("a\nb\tc") == "a⏎b c"
    assert visible("a\nb\tc", lines=True) == "a\nb\tc"


def test_what_is_cut_off_is_counted() -> None:
    assert visible("x" * 1_500, cap=500) == "x" * 500 + " … (+1,000 characters)"
    assert visible(None) == "–"


def test_a_figure_gets_no_markup() -> None:
    assert for_plotly("<a href='http://evil.example'>&") == "&lt;a href=&#x27;http://evil.example&#x27;&gt;&amp;"
    assert for_plotly("x" * 50, 10) == "x" * 10 + "…"


def test_a_payload_is_laid_out_without_losing_what_was_written() -> None:
    assert payload('{"a":1,"a":2,"n":12345678901234567890123}') == (
        '{\n  "a": 1,\n  "a": 2,\n  "n": 12345678901234567890123\n}'
    )
    assert payload('"line one\\nline two\\u202e"') == "line one\nline two⟦U+202E⟧"
    assert payload("not json \u202e") == "not json ⟦U+202E⟧"
    assert payload("[" * 100_000, cap=10).startswith("[[[[")
