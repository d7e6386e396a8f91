"""Formatted manifests parse back to the same value, and any text raises only manifest errors."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.errors import ManifestError
from arc.manifest import format as format_manifest
from arc.manifest import parse, parse_all

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
WORDS = TEXT | st.sampled_from(
    ["true", "42", "00123", "-1.5", "#", "@app", "a b", '"', "'", "`", "\\", "1e999", "\n", "\r\n", "\r", ""]
)
SCALARS = WORDS | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(-1e9, 1e9)
LISTS = st.lists(SCALARS, min_size=1, max_size=4)
NAMES = TEXT
MAPS = st.dictionaries(NAMES, SCALARS | LISTS.filter(lambda values: len(values) > 1), min_size=1, max_size=4)
ITEMS = (
    SCALARS
    | st.lists(SCALARS, min_size=2, max_size=4)
    | st.builds(lambda name, below: {name: below}, NAMES, LISTS | MAPS)
)
PRAGMAS = st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True)
MANIFESTS = st.dictionaries(PRAGMAS, st.lists(ITEMS, max_size=5), max_size=4)


@given(MANIFESTS)
def test_a_formatted_manifest_parses_back(plain: dict[str, list[Any]]) -> None:
    """Every shape survives, and text that looks like a number or contains quotes, line ends or `#`."""
    text = format_manifest(plain)
    again = parse(text).to_plain()
    assert again == plain
    assert repr(again) == repr(plain)
    assert format_manifest(parse(text)) == text


@given(st.text() | st.text("@ab \t\n\r#\"'`\\{}12.", max_size=60))
def test_any_text_raises_only_manifest_errors(text: str) -> None:
    """The result is a manifest, or an error with its place."""
    manifest, faults = parse_all(text)
    assert all(fault.line >= 1 and fault.column >= 1 and fault.hint for fault in faults)
    if faults:
        with pytest.raises(ManifestError, match=re.escape(faults[0].message)):
            parse(text)
    else:
        assert parse(text) == manifest


@pytest.mark.parametrize(
    "value", [[], [{}], [{"a": []}], [{"a": {}}], [["alone"]], [{"a": {"b": ["alone"]}}], [{"a": 1, "b": 2}]]
)
def test_unsupported_shapes_are_refused(value: list[Any]) -> None:
    """Shapes without a text form raise an error; an empty pragma is valid."""
    if value:
        with pytest.raises((TypeError, ValueError)):
            format_manifest({"x": value})
    else:
        assert format_manifest({"x": value}) == "@x\n"
