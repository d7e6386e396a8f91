"""The runner of the pages: what it runs, and that it notices what is not so."""

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
    """A page of these blocks: language and text."""
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
def test_an_ellipsis_stands_for_a_part_of_a_line_or_for_lines(shown: str, real: str, same: bool) -> None:
    """Everything else is compared to the letter."""
    assert matches(shown, real) is same


def test_the_blocks_of_a_page_share_one_namespace(tmp_path: Path) -> None:
    """What one block defines, the next may use; a text block is never run."""
    run_python(write(tmp_path, ("python", "x = 1"), ("text", "raise"), ("python", "print(x)"), ("output", "1")))


@pytest.mark.parametrize("wrong", ["raise ValueError", "assert y", "print(2)"])
def test_python_that_is_not_so_is_noticed(tmp_path: Path, wrong: str) -> None:
    """A block that raises or prints something else fails, with the page's line."""
    page = write(tmp_path, ("python", "y = 0"), ("python", wrong), ("output", "1"))
    with pytest.raises(AssertionError, match=r"page\.md(:|\", line )8"):
        run_python(page)


def test_an_output_belongs_to_the_block_right_above(tmp_path: Path) -> None:
    """Text between them parts them."""
    page = write(tmp_path, ("python", "print(1)"), ("output", "1\n```\n\nWords.\n\n```output\n2"))
    (block,) = blocks(page, "python")
    assert block.shown == "1\n"
    assert [apart.text for apart in blocks(page, "output")] == ["2\n"]


def test_commands_share_a_folder_and_talk_to_servers(tmp_path: Path) -> None:
    """A `cd` holds, a server in the background answers on a port of its own, and it ends with the page."""
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
def test_a_command_that_is_not_so_is_noticed(tmp_path: Path, wrong: tuple[str, str]) -> None:
    """Other output than shown, a failure, or a server that does not start."""
    with pytest.raises(AssertionError, match=r"page\.md:4|line 4"):
        run_commands(write(tmp_path, wrong), tmp_path)
