"""The traps of the reference's grammar, none of which is ours, and what every fault says."""

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
    """Every key of the map is there, whatever the ends of lines."""
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
        ("@app\nname\n@app\nother\n", 3, 1, "there twice"),
        ("  @app\nname\n", 1, 3, "indented"),
        ("@\nname\n", 1, 1, "pragma"),
    ],
)
def test_a_fault_names_its_place_and_what_to_write(text: str, line: int, column: int, says: str) -> None:
    """The error has file, line, column, the line with a caret under it, and a hint."""
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


def test_quoted_strings_take_escapes_and_may_span_lines() -> None:
    r"""`\"` and `\\` are a quote and a backslash; each kind of quote holds the others, `#` and line ends."""
    text = '@env\na "say \\"hi\\" \\\\ # no comment"\nb \'it "is"\'\nc `two\nlines`\n'
    assert parse(text).to_plain() == {"env": [["a", 'say "hi" \\ # no comment'], ["b", 'it "is"'], ["c", "two\nlines"]]}


def test_scalars_are_booleans_numbers_or_text() -> None:
    """What is not exactly a boolean or a number keeps every character."""
    text = '@x\ntrue\nfalse\n42\n-1.5\n00123\n+1\nTrue\n"42"\n1.2.3\n'
    assert parse(text).to_plain() == {"x": [True, False, 42, -1.5, "00123", "+1", "True", "42", "1.2.3"]}


def test_a_bom_is_ignored_and_a_tab_counts_two_spaces() -> None:
    """A manifest from an editor that writes a BOM and tabs parses like any other."""
    text = "\N{BYTE ORDER MARK}@tables\nsession\n\t_idx *String\n\t\n"
    assert parse(text).to_plain() == {"tables": [{"session": {"_idx": "*String"}}]}


def test_every_shape_of_the_grammar_has_its_value() -> None:
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
    """What is indented below them counts from there; the next pragma begins afresh."""
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
    """Below it, what is indented belongs to it."""
    text = "@x\n  one\n  two\n    a\nthree\n  b\n"
    assert parse(text).to_plain() == {"x": ["one", {"two": ["a"]}, {"three": ["b"]}]}


def test_one_value_alone_below_a_key_is_that_value() -> None:
    """As if it were on the key's line; below a name it is still a list."""
    assert parse("@x\na\n  b\n    c\n  d e\n").to_plain() == {"x": [{"a": {"b": "c", "d": "e"}}]}
    assert parse("@x\na\n  b\n").to_plain() == {"x": [{"a": ["b"]}]}


def test_every_value_knows_its_place() -> None:
    """Positions count from 1, in characters."""
    pragma = parse("# first\n@http\n\nget /ключ\n").pragma("http")
    assert pragma is not None
    assert (pragma.line, pragma.column) == (2, 1)
    (route,) = pragma.items
    assert [(word.line, word.column) for word in route.items] == [(4, 1), (4, 5)]  # type: ignore[union-attr]  # an array


def test_parse_all_goes_on_after_a_fault() -> None:
    """Five faults in one text are five errors, in the order of their lines, and what is good is read."""
    text = "stray\n@app\nname\n@http\nget /\n get /indented\nge{t /x\n@tables\nt\n  a 1\n  key\n@app\nagain\n"
    manifest, faults = parse_all(text)
    assert [fault.line for fault in faults] == [1, 6, 7, 11, 12]
    assert manifest.to_plain()["app"] == ["name"]
    assert manifest.file == "app.arc"


def test_an_unclosed_quote_is_told_where_it_opens() -> None:
    """The rest of the text is not taken for faults of its own."""
    _, faults = parse_all('@app\n"name\n@http\nget /\n')
    assert [(fault.line, fault.column) for fault in faults] == [(2, 1)]


def test_of_a_very_long_line_only_the_place_is_shown() -> None:
    """The caret still stands under the character, and the whole line is in `source`."""
    text = "@app\n" + "x" * 5000 + "{" + "y" * 5000 + "\n"
    with pytest.raises(ManifestError) as raised:
        parse(text)
    _, shown, caret, _ = str(raised.value).splitlines()
    assert len(shown) <= 102
    assert shown[caret.index("^")] == "{"
    assert len(raised.value.source) == 10_001
