"""Whether git leaves a file alone, as far as the lines of one `.gitignore` tell."""

from __future__ import annotations

import pytest

from arc.tools.env.testing_variables import is_ignored, with_line


@pytest.mark.parametrize(
    ("text", "is_there"),
    [
        (".env\n", True),
        ("/.env\n", True),
        (".env*", True),
        ("*.env\n", True),
        ("**/.env\n", True),
        ("*\n", True),
        ("\ufeff.env\r\nsrc\r\n", True),
        (".env  \n", True),
        ("/**/.env\n", True),
        (" .env\n", False),
        ("# .env\n", False),
        (".env.local\n", False),
        (".ENV\n", False),
        (".env/\n", False),
        ("src/.env\n", False),
        ("", False),
        (".env\n!.env\n", False),
        (".env\n!.env.*\n", True),
        (".env*\n!/.env\n", False),
        ("!.env\n.env\n", True),
    ],
)
def test_the_last_matching_line_counts(text: str, *, is_there: bool) -> None:
    """A line has the name, a path from the folder or a pattern, and `!` reverses it."""
    assert is_ignored(text, ".env") is is_there


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("", ".env\n"), ("src\n", "src\n.env\n"), ("src", "src\n.env\n"), ("src\r\nlib", "src\r\nlib\r\n.env\r\n")],
)
def test_a_line_is_added_at_the_end(text: str, wanted: str) -> None:
    """It has the file's line ends, and the file is ignored then."""
    assert with_line(text, ".env") == wanted
    assert is_ignored(with_line(f"{text}\n!.env", ".env"), ".env")
