"""Variables in the text of a `.env` file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.tools.env.dotenv_file import variables_of, with_variable, without_variable
from tests.tools.env.test_any_value import VALUES


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("A1=old", "A1=new"),
        ("A1=old # why", "A1=new # why"),
        ("A1=old\t#why 'not'", "A1=new\t#why 'not'"),
        ("A1=old#er", "A1=new"),
        ("A1=#old", "A1=new"),
        ("A1= # why", "A1=new # why"),
        ("A1=", "A1=new"),
        ("A1='old # er' # why", "A1=new # why"),
        ("A1='ol\\'d\n# er'", "A1=new"),
        ('A1="ol\\"d" # why', "A1=new # why"),
        ("A1='old'#why", "A1=new #why"),
        ("A1=old   # why", "A1=new   # why"),
        ("A1=  # why", "A1=new  # why"),
        ("  A1 =\told  ", "  A1 =\tnew"),
        ("A1 = ", "A1 =new"),
        ("export A1='old'", "export A1=new"),
        ("export\t'A1'=old # why", "export\tA1=new # why"),
    ],
)
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_the_rest_of_the_line_is_kept(line: str, wanted: str, end: str) -> None:
    """`export`, a comment and the line end are kept, and nothing of the old value."""
    assert with_variable(f"# mine\r\n\n{line}{end}", "A1", "new") == f"# mine\r\n\n{wanted}{end}"
    assert with_variable(f"{line}\nB2='b'{end}", "A1", "new") == f"{wanted}\nB2='b'{end}"


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("00123", "00123"),
        ("a=b", "a=b"),
        ("C:\\new\\", "C:\\new\\"),
        ("https://x.org/?a", "'https://x.org/?a'"),
        ("", "''"),
        ("$HOME ${X}", "'$HOME ${X}'"),
        ("it's", '"it\'s"'),
        (" two\nlines ", "' two\nlines '"),
        ("a \\b", "'a \\b'"),
        ("a'b\"c\\", "a'b\"c\\"),
        ("\\\\server\\a dir", "\\\\server\\a dir"),
    ],
)
def test_a_value_is_quoted_only_where_needed(value: str, form: str) -> None:
    """It is bare, in quotes, or bare again where quotes would change backslashes or quotes."""
    assert with_variable("", "A1", value) == f"A1={form}\n"
    assert variables_of(f"A1={form}\n") == {"A1": value}


def test_line_ends_in_a_value_are_escaped_in_a_windows_file() -> None:
    """An editor that makes all line ends the same does not change the value."""
    assert with_variable("B2=2\r\n", "A1", "a\nb'") == 'B2=2\r\nA1="a\\nb\'"\r\n'
    assert with_variable("B2=2\r\n", "A1", "a b") == "B2=2\r\nA1='a b'\r\n"
    assert with_variable("B2=2\n", "A1", "a\nb") == "B2=2\nA1='a\nb'\n"


@pytest.mark.parametrize("value", ["'a\"b", "\"a'b", " a'b\"c", "a'b\"c#", "a'b\"\nc", "'\\\\'", "a #\\", "`'\"`"])
def test_a_value_that_readers_disagree_about_is_not_written(value: str) -> None:
    """Every way to write it is another value for Node's dotenv or for python-dotenv."""
    assert with_variable("", "A1", value) is None


def test_blank_lines_above_a_removed_variable_are_kept() -> None:
    """They are part of the file, and not of the variable below them."""
    text = "B2=2\n\n \n  A1=1 # why\nC3=3\n\nA1=2"
    assert without_variable(text, "A1") == "B2=2\n\n \nC3=3\n\n"
    assert with_variable(text, "A1", "x") == "B2=2\n\n \nC3=3\n\nA1=x"
    assert without_variable("A1=1\n", "A1") == ""


@pytest.mark.parametrize(
    ("text", "end"), [("B2=2\r\n# c", "\r\n"), ("B2=2\n# c", "\n"), ("# c", "\n"), ("C3=3\r", "\r")]
)
def test_a_new_variable_gets_its_own_line(text: str, end: str) -> None:
    """It has the file's line ends, also after a last line without one."""
    gap = "" if text.endswith("\r") else end
    assert with_variable(text, "A1", "1") == f"{text}{gap}A1=1{end}"


def test_a_byte_order_mark_is_kept() -> None:
    """It is not part of the first name."""
    assert with_variable("\ufeffA1=1\n", "A1", "2") == "\ufeffA1=2\n"
    assert without_variable("\ufeffA1=1\n", "A1") == "\ufeff"


def test_invalid_lines_set_nothing() -> None:
    """After a name alone or an open quote, nothing is written that would become part of it."""
    assert variables_of("A1\nB2='open\nC3=3\n") == {"C3": "3"}
    assert with_variable("B2='open\n", "A1", "it's") is None
    assert with_variable("B2='open\n", "A1", "1") == "B2='open\nA1=1\n"


def is_hard(value: str) -> bool:
    """True for a value that readers of such files may disagree about however it is written."""
    return "\\" in value or {"'", '"'} <= set(value)


OTHERS = ["# a 'comment\n", "\n", "  \t\n", "D4='d\\'\n#' # \"\n", 'export E5="e" # c\n', "F6=f#g $X\n", "G7=\r\n"]
OWN = ["A1=1 # c\n", "export A1='1\n2'\n", 'B2= "b" # d\n', "A1=a'b\r\n", "B2=b\n"]
PIECES = st.lists(st.sampled_from([*OTHERS, *OWN]), max_size=8)
TEXT = (VALUES | st.just("")).map(lambda value: value.replace("\r", ""))
STEPS = st.lists(st.tuples(st.sampled_from(["A1", "B2", "C3"]), TEXT | st.none()), max_size=5)


@given(PIECES, STEPS)
def test_any_changes_keep_every_other_line(pieces: list[str], steps: list[tuple[str, str | None]]) -> None:
    """After any changes the text reads as a dict would, and once all are removed the rest is left."""
    text = "".join(pieces)
    wanted = variables_of(text)
    for name, value in [*steps, ("A1", None), ("B2", None), ("C3", None)]:
        if value is None and name not in wanted:
            continue
        changed = without_variable(text, name) if value is None else with_variable(text, name, value)
        if changed is None:
            assert value is not None
            assert is_hard(value)
            continue
        wanted = {**wanted, name: value} if value is not None else {key: wanted[key] for key in wanted if key != name}
        text = changed
        assert variables_of(text) == wanted
    assert text == "".join(piece for piece in pieces if piece in OTHERS)
