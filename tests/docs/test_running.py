"""The runner of the pages, and the differences that it detects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.docs.blocks import blocks
from tests.docs.running import run_commands, run_python
from tests.docs.shown import matches

if TYPE_CHECKING:
    from pathlib import Path

SERVER = "python -m http.server 3333 --bind 127.0.0.1 &"
ASK = """python -c "import urllib.request as u; print(u.urlopen('http://127.0.0.1:3333/one/').status)" """.strip()


def write(folder: Path, *parts: tuple[str, str]) -> Path:
    """Write a page with these blocks."""
    page = folder / "page.md"
    page.write_text("# A page\n\n" + "\n".join(f"```{language}\n{text}\n```\n" for language, text in parts))
    return page


@pytest.mark.parametrize(
    ("shown", "real", "same"),
    [
        ("a … c", "a b c", True),
        ("a … c", "a b d", False),
        ("a … c", "a\nc", False),
        ("a", "a b", False),
        ("a\n…\nd", "a\nb\nc\nd\n", True),
        ("a\n…\nd", "a\nd", True),
        ("a\n…\nd", "a\nb", False),
        ("…", "", True),
        ("head: 1\n\nbody", "head: 1\r\n\r\nbody", True),
        ("(.*)", "anything", False),
    ],
)
def test_ellipsis_matches_a_part_of_a_line_or_lines(shown: str, real: str, same: bool) -> None:
    """Everything else has to match exactly."""
    assert matches(shown, real) is same


def test_blocks_of_a_page_share_a_namespace(tmp_path: Path) -> None:
    """A block can use the names of earlier blocks; a text block is not run."""
    run_python(write(tmp_path, ("python", "x = 1"), ("text", "raise"), ("python", "print(x)"), ("output", "1")))


@pytest.mark.parametrize("wrong", ["raise ValueError", "assert y", "print(2)"])
def test_wrong_python_block_fails(tmp_path: Path, wrong: str) -> None:
    """An exception or a different output is reported with the page's line."""
    page = write(tmp_path, ("python", "y = 0"), ("python", wrong), ("output", "1"))
    with pytest.raises(AssertionError, match=r"page\.md(:|\", line )8"):
        run_python(page)


def test_output_belongs_to_the_block_directly_above(tmp_path: Path) -> None:
    """Text between them separates them."""
    page = write(tmp_path, ("python", "print(1)"), ("output", "1\n```\n\nWords.\n\n```output\n2"))
    (block,) = blocks(page, "python")
    assert block.shown == "1\n"
    assert [apart.text for apart in blocks(page, "output")] == ["2\n"]


def test_commands_share_a_folder_and_reach_servers(tmp_path: Path) -> None:
    """`cd` affects later commands, and a server in the background has a free port and ends with the page."""
    run_commands(
        write(
            tmp_path,
            ("console", f"$ mkdir -p app/one\n$ cd app\n$ {SERVER}\n$ {ASK}\n200\n$ basename $PWD\na…p"),
            ("bash", "ls one\nls"),
            ("output", "one"),
        ),
        tmp_path,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        ("console", "$ echo one\ntwo"),
        ("console", "$ false"),
        ("console", "$ exit 3 &"),
        ("bash", "false\ntrue"),
        ("console", "no command"),
    ],
)
def test_wrong_command_fails(tmp_path: Path, wrong: tuple[str, str]) -> None:
    """The output may differ, the command may fail, or a server may not start."""
    with pytest.raises(AssertionError, match=r"page\.md:4|line 4"):
        run_commands(write(tmp_path, wrong), tmp_path)
