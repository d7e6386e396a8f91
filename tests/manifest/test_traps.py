"""The `.arc` grammar, without the traps of Architect's, and its faults."""

from __future__ import annotations

import pytest

from arc.errors import ManifestError
from arc.manifest import parse, parse_all

TABLES = """\
@tables
session
  _idx *String

  # a comment inside the map
  _ttl TTL  # and one behind a value
# one without an indent
  stream true
"""


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_blank_and_comment_lines_do_not_end_a_map(end: str) -> None:
    """Every key of the map is read, with every kind of line end."""
    plain = parse(TABLES.replace("\n", end)).to_plain()
    assert plain == {"tables": [{"session": {"_idx": "*String", "_ttl": "TTL", "stream": True}}]}


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("@tables\nsession\n _idx *String\n", 3, 2, "indented by one space"),
        ("@tables\nsession\n   _idx *String\n", 3, 4, "indented by 3 spaces"),
        ("@tables\nsession\n    _idx *String\n", 3, 5, "indented too far"),
        ('@app\n"name\n', 2, 1, "quote"),
        ("@app\nna{me\n", 2, 3, "{"),
        ("name\n@app\n", 1, 1, "before the first pragma"),
        ("@tables\nsession\n  _idx *String\n  _ttl\n", 4, 3, "'_ttl' has no value"),
        ("@app\nname\n@app\nother\n", 3, 1, "already declared"),
        ("  @app\nname\n", 1, 3, "indented"),
        ("@\nname\n", 1, 1, "pragma"),
    ],
)
def test_fault_has_place_and_hint(text: str, line: int, column: int, says: str) -> None:
    """The error has the file, the line, the column, the line's text with a caret, and a hint."""
    with pytest.raises(ManifestError) as raised:
        parse(text, file="some.arc")
    fault = raised.value
    assert (fault.file, fault.line, fault.column) == ("some.arc", line, column)
    assert says in fault.message
    place, source, caret, hint = str(fault).splitlines()
    assert place.startswith(f"some.arc:{line}:{column}: ")
    assert source == "  " + text.splitlines()[line - 1]
    assert caret == "  " + " " * (column - 1) + "^"
    assert hint.strip() == fault.hint
    assert fault.hint


def test_quoted_strings_have_escapes_and_may_span_lines() -> None:
    r"""`\"` and `\\` are a quote and a backslash; each kind of quote holds the others, `#` and line ends."""
    text = '@env\na "say \\"hi\\" \\\\ # no comment"\nb \'it "is"\'\nc `two\nlines`\n'
    assert parse(text).to_plain() == {"env": [["a", 'say "hi" \\ # no comment'], ["b", 'it "is"'], ["c", "two\nlines"]]}


def test_scalars_are_booleans_numbers_or_text() -> None:
    """Anything but an exact boolean or number keeps every character."""
    text = '@x\ntrue\nfalse\n42\n-1.5\n00123\n+1\nTrue\n"42"\n1.2.3\n'
    assert parse(text).to_plain() == {"x": [True, False, 42, -1.5, "00123", "+1", "True", "42", "1.2.3"]}


def test_a_bom_is_ignored_and_a_tab_counts_two_spaces() -> None:
    """A manifest with a BOM and tabs parses like any other."""
    text = "\N{BYTE ORDER MARK}@tables\nsession\n\t_idx *String\n\t\n"
    assert parse(text).to_plain() == {"tables": [{"session": {"_idx": "*String"}}]}


def test_every_shape_has_its_value() -> None:
    """Scalars, arrays, vectors, maps, and maps with several values on a line or below a key."""
    text = "@all\none\nget /users\nvector\n  a\n  b\nmap\n  key value\n  keys 1 2\n  below\n    c\n    d\n"
    assert parse(text).to_plain() == {
        "all": [
            "one",
            ["get", "/users"],
            {"vector": ["a", "b"]},
            {"map": {"key": "value", "keys": [1, 2], "below": ["c", "d"]}},
        ]
    }


@pytest.mark.parametrize("indent", [" ", "  ", "\t", "     "])
def test_items_may_be_indented_below_their_pragma(indent: str) -> None:
    """Their children are indented relative to them; the next pragma starts again."""
    lines = ["@app", f"{indent}name", "@tables", f"{indent}session # c", f"{indent}  _idx *String", f"{indent}log"]
    text = "\n".join(
        [*lines, f"{indent}  id *", f"{indent}  keys", f"{indent}    1", f"{indent}    2", "@http", "get /"]
    )
    assert parse(text).to_plain() == {
        "app": ["name"],
        "tables": [{"session": {"_idx": "*String"}}, {"log": {"id": "*", "keys": [1, 2]}}],
        "http": [["get", "/"]],
    }


def test_an_item_further_left_moves_the_margin() -> None:
    """Lines that are indented below it belong to it."""
    text = "@x\n  one\n  two\n    a\nthree\n  b\n"
    assert parse(text).to_plain() == {"x": ["one", {"two": ["a"]}, {"three": ["b"]}]}


def test_single_value_below_a_key_is_not_a_list() -> None:
    """Below a name it is a list."""
    assert parse("@x\na\n  b\n    c\n  d e\n").to_plain() == {"x": [{"a": {"b": "c", "d": "e"}}]}
    assert parse("@x\na\n  b\n").to_plain() == {"x": [{"a": ["b"]}]}


def test_values_have_line_and_column() -> None:
    """Both count from 1, columns in characters."""
    pragma = parse("# first\n@http\n\nget /ключ\n").pragma("http")
    assert pragma is not None
    assert (pragma.line, pragma.column) == (2, 1)
    (route,) = pragma.items
    assert [(word.line, word.column) for word in route.items] == [(4, 1), (4, 5)]  # type: ignore[union-attr]  # an array


def test_parse_all_continues_after_a_fault() -> None:
    """Five faults are five errors, in the order of their lines, and the valid parts are returned."""
    text = "stray\n@app\nname\n@http\nget /\n get /indented\nge{t /x\n@tables\nt\n  a 1\n  key\n@app\nagain\n"
    manifest, faults = parse_all(text)
    assert [fault.line for fault in faults] == [1, 6, 7, 11, 12]
    assert manifest.to_plain()["app"] == ["name"]
    assert manifest.file == "app.arc"


def test_unclosed_quote_is_reported_where_it_opens() -> None:
    """The text after it causes no further faults."""
    _, faults = parse_all('@app\n"name\n@http\nget /\n')
    assert [(fault.line, fault.column) for fault in faults] == [(2, 1)]


def test_long_line_is_cut_around_the_fault() -> None:
    """The caret is under the character, and `source` has the whole line."""
    text = "@app\n" + "x" * 5000 + "{" + "y" * 5000 + "\n"
    with pytest.raises(ManifestError) as raised:
        parse(text)
    _, shown, caret, _ = str(raised.value).splitlines()
    assert len(shown) <= 102
    assert shown[caret.index("^")] == "{"
    assert len(raised.value.source) == 10_001
