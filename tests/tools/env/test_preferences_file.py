"""Testing's variables in the text of a preferences file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.tools.env.preferences_file import can_hold, variables_of, with_variable, without_variable
from tests.tools.env.test_any_value import VALUES

TEXT = """# of this machine
@sandbox
no-hydrate true

@env
staging
  A1 other # theirs
# first
testing # mine
  A1 one # why
  B2 "two
# lines"  # and why

# between
production
  A1 third
"""


def test_a_comment_after_a_replaced_value_is_kept() -> None:
    """Only the value is replaced, also one that spans several lines."""
    assert with_variable(TEXT, "A1", "uno") == TEXT.replace("A1 one", "A1 uno")
    assert with_variable(TEXT, "B2", "due") == TEXT.replace('B2 "two\n# lines"', "B2 due")
    assert with_variable(TEXT, "A1", 'a "b" \\\n# c') == TEXT.replace("A1 one", "A1 'a \"b\" \\\n# c'")


@pytest.mark.parametrize("old", ["'a \\' # b'", '"a\\\\"', "`a\\b\\`\n# `", '"\\\'"', "it's"])
def test_an_old_value_ends_at_its_quote(old: str) -> None:
    """A quote after a backslash does not end it."""
    text = f"@env\ntesting\n  A1 {old} # c\n  B2 'b'\n"
    assert with_variable(text, "A1", "new") == text.replace(old, "new")
    assert without_variable(text, "A1") == "@env\ntesting\n  B2 'b'\n"


def test_a_new_variable_is_the_last_of_testing() -> None:
    """It is below a value of several lines, and above the comment of the next environment."""
    changed = with_variable(TEXT, "C3", "new value")
    assert changed == TEXT.replace("# and why\n", '# and why\n  C3 "new value"\n')


def test_a_variable_is_removed_with_its_whole_value() -> None:
    """A line of the value that looks like a comment is removed too."""
    assert without_variable(TEXT, "B2") == TEXT.replace('  B2 "two\n# lines"  # and why\n', "")
    assert without_variable(TEXT, "A1") == TEXT.replace("  A1 one # why\n", "")


def test_testing_is_removed_with_its_last_variable() -> None:
    """A name without entries would be a fault; comments around it are kept."""
    text = '@env\ntesting\n  # mine\n  A1 "one"\n  # end\nstaging\n  A1 1\n'
    assert without_variable(text, "A1") == "@env\n  # mine\n  # end\nstaging\n  A1 1\n"
    assert without_variable("@env\ntesting\n  A1 one", "A1") == "@env\n"


HIDDEN = "@env\ntesting # mine\n  A1 one\n\n  B2 two # why\n  # more\n  C3\n    one\n    below # x\nstaging\n  A1 x\n"


def test_a_variable_that_architect_would_not_read_is_moved_to_the_top() -> None:
    """For Architect a blank or comment line ends the variables of testing; a comment after the value moves too."""
    assert with_variable(HIDDEN, "A1", "x") == HIDDEN.replace("A1 one", "A1 x")
    top = "testing # mine\n"
    without_b2 = HIDDEN.replace("  B2 two # why\n", "")
    assert with_variable(HIDDEN, "B2", "x") == without_b2.replace(top, f"{top}  B2 x # why\n")
    without_c3 = HIDDEN.replace("  C3\n    one\n    below # x\n", "")
    assert with_variable(HIDDEN, "C3", "x") == without_c3.replace(top, f"{top}  C3 x # x\n")
    assert with_variable(HIDDEN, "D4", "x") == HIDDEN.replace(top, f"{top}  D4 x\n")
    assert with_variable("@env\ntesting\n\n  A1 one", "A1", "x") == "@env\ntesting\n  A1 x\n\n"


@pytest.mark.parametrize("indent", ["  ", "\t"])
def test_indentation_is_kept(indent: str) -> None:
    """Also that of a new line, and of a new environment."""
    text = f"@env\n{indent}staging\n{indent}  A1 x\n"
    testing = f"{indent}testing\n{indent}  A1 y\n"
    assert with_variable(text, "A1", "y") == text.replace("@env\n", f"@env\n{testing}")
    assert with_variable(f"@env\n{testing}", "B2", "z") == f"@env\n{testing}{indent}  B2 z\n"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("plain/value", "plain/value"),
        ("00123", '"00123"'),
        ("-Infinity", '"-Infinity"'),
        ("0x1F", '"0x1F"'),
        ("1.", '"1."'),
        ("2024-01-01", "2024-01-01"),
        ("true", '"true"'),
        ("", '""'),
        ('say "hi"', "'say \"hi\"'"),
        ('it\'s "so"', '`it\'s "so"`'),
        ('it\'s "so" `now`', '"it\'s" \'"so"\' "`now`"'),
        ("a'b\"c`d", "a'b\"c`d"),
        ("C:\\new x", '"C:\\new x"'),
    ],
)
def test_a_value_is_written_for_both_parsers(value: str, words: str) -> None:
    """It is in the first quotes that it lacks, or word by word where it has all three."""
    assert can_hold(value)
    assert with_variable("", "A1", value) == f"@env\ntesting\n  A1 {words}\n"
    assert variables_of(f"@env\ntesting\n  A1 {words}\n") == {"A1": value}


@pytest.mark.parametrize("value", ["C:\\", "\\\\server", "a\\ 'b'\"c`d", "0'\"`", "'\"`"])
def test_a_value_that_architect_would_change_is_not_written(value: str) -> None:
    """Architect keeps both of two backslashes, and takes one before the closing quote as an escape."""
    assert not can_hold(value)
    assert with_variable(TEXT, "A1", value) is None


TWICE = '@env\ntesting\n  A1 1\n"testing"\n  A1 2\n  B2 2\n'


def test_testing_may_have_several_blocks() -> None:
    """The last one counts where both set a variable, and only one is left."""
    assert with_variable(TWICE, "A1", "x") == '@env\n"testing"\n  A1 x\n  B2 2\n'
    assert with_variable(TWICE, "B2", "x") == TWICE.replace("B2 2", "B2 x")
    assert with_variable(TWICE, "C3", "x") == f"{TWICE}  C3 x\n"
    assert with_variable(TWICE.replace("  A1 2\n", ""), "A1", "x") == '@env\n"testing"\n  A1 x\n  B2 2\n'
    assert without_variable(TWICE, "A1") == '@env\n"testing"\n  B2 2\n'
    assert without_variable(TWICE, "B2") == TWICE.replace("  B2 2\n", "")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "@env\ntesting\n  A1 x\n"),
        ("# mine", "# mine\n\n@env\ntesting\n  A1 x\n"),
        ("@sandbox\nport 1\n", "@sandbox\nport 1\n\n@env\ntesting\n  A1 x\n"),
        ("@env", "@env\ntesting\n  A1 x\n"),
        ("@env # c\nstaging\n  B2 2", "@env # c\ntesting\n  A1 x\nstaging\n  B2 2"),
        ("@env\ntesting\n  B2 2", "@env\ntesting\n  B2 2\n  A1 x\n"),
        ("@env\r\ntesting\r\n  B2 2\r\n", "@env\r\ntesting\r\n  B2 2\r\n  A1 x\r\n"),
        ("@env\r\ntesting\n  B2 2\n", "@env\r\ntesting\n  B2 2\n  A1 x\r\n"),
        ("@env\r\n", "@env\r\ntesting\r\n  A1 x\r\n"),
        ("\ufeff@env\ntesting\n  A1 'y'", "\ufeff@env\ntesting\n  A1 x"),
        ("@env\ntesting\n  `A1` `y`#c\n", "@env\ntesting\n  `A1` x#c\n"),
    ],
)
def test_missing_parts_are_added(text: str, wanted: str) -> None:
    """The pragma, testing and a line end, with the file's line ends and byte order mark."""
    assert with_variable(text, "A1", "x") == wanted


@pytest.mark.parametrize("text", ["@env\ntesting\n  A1\n", "@env\ntesting\n", "@env\ntesting\n  A1 'a\n"])
def test_a_file_with_faults_is_left_alone(text: str) -> None:
    """Its content is unknown, so it cannot be kept."""
    assert variables_of(text) is None
    assert with_variable(text, "B2", "x") is None
    assert without_variable(text, "A1") is None


def test_a_value_of_several_words_is_replaced_whole() -> None:
    """On one line or below its key; the comment after it is kept."""
    text = "@env\ntesting\n  A1 two words # why\n  B2\n    one\n    below\n  C3\n    alone\n"
    assert variables_of(text) == {"A1": "two words", "B2": "one below", "C3": "alone"}
    assert with_variable(text, "A1", "x") == text.replace("two words", "x")
    assert with_variable(text, "B2", "x") == text.replace("B2\n    one\n    below", "B2 x")
    assert with_variable(text, "C3", "x") == text.replace("C3\n    alone", "C3 x")
    assert without_variable(text, "B2") == text.replace("  B2\n    one\n    below\n", "")


def test_an_invalid_name_is_not_written() -> None:
    """It would set something else."""
    assert with_variable(TEXT, "C 3", "x") is None
    assert with_variable(TEXT, "C3 x\n  D4", "x") is None


PIECES = ["testing\n  A1 one # c\n", "# a comment\n", "\n", "staging\n  A1 1\n", 'testing\n  # c\n\n  B2 "x\n# y"\n']
STEPS = st.lists(st.tuples(st.sampled_from(["A1", "B2", "C3"]), VALUES | st.just("") | st.none()), max_size=5)


@given(st.lists(st.sampled_from(PIECES), max_size=6), STEPS)
def test_any_changes_keep_every_other_line(pieces: list[str], steps: list[tuple[str, str | None]]) -> None:
    """After any changes the text reads as a dict would, and once all are removed the rest is left."""
    text: str | None = "@app\nx\n@env\n" + "".join(pieces)
    assert text is not None
    rest = "@app\nx\n@env\n" + "".join(pieces)
    for line in ("testing\n", "  A1 one # c\n", '  B2 "x\n# y"\n'):
        rest = rest.replace(line, "")
    wanted = variables_of(text) or {}
    for name, value in [*steps, ("A1", None), ("B2", None), ("C3", None)]:
        if value is not None and not can_hold(value):
            assert with_variable(text, name, value) is None
            continue
        changed = without_variable(text, name) if value is None else with_variable(text, name, value)
        assert changed is not None
        wanted = {**wanted, name: value} if value is not None else {key: wanted[key] for key in wanted if key != name}
        text = changed
        assert variables_of(text) == wanted
    assert text == rest
