"""The README and the pages in docs/: their Python runs, their commands answer as shown, their links lead somewhere."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.docs.blocks import Block, blocks, matches, transcript

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
AWS = {"AWS_ACCESS_KEY_ID": "dummy", "AWS_SECRET_ACCESS_KEY": "dummy", "AWS_REGION": "us-east-1"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_python_block_runs(page: Path) -> None:
    """The blocks of a page run one after the other, in one namespace, with a function `knows` that says no."""
    code = "def knows(email, password): return False\n"
    for block in blocks(page, "python"):
        lines = "\n" * (block.line - 1) + block.text
        code += f"exec(compile({lines!r}, {str(page.name)!r}, 'exec'))\n"
    environ = {"ARC_ENV": "testing", **AWS}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_console_block_answers_as_shown(page: Path, tmp_path: Path) -> None:
    """Each command is run in one shell, a server in the background, and prints what the page shows."""
    for block in blocks(page, "console"):
        for command, shown, real in run(block, tmp_path):
            assert matches(shown, real), f"{page.name}:{block.line}: $ {command}\n{real}"


def run(block: Block, folder: Path) -> list[tuple[str, str, str]]:
    """Every foreground command with what is shown and what it printed; port 3333 is a free one."""
    assert shutil.which("curl"), "The README's transcript needs curl: apt-get install curl"
    port = free_port()
    script, commands = "", []
    for command, shown in transcript(block):
        real = command.replace("3333", str(port))
        if real.endswith("&"):
            script += f"{real.removesuffix('&')} >server.log 2>&1 &\nserver=$!\n{wait_for(port)}\n"
        else:
            commands.append((command, shown))
            script += f"{real} 2>&1\nprintf '\\001'\n"
    script = f"trap 'kill -INT $server; wait $server' EXIT\n{script}" if "server=" in script else script
    environ = {**AWS, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(folder)}
    done = subprocess.run(
        ["/bin/bash", "-c", script], cwd=folder, env=environ, capture_output=True, text=True, timeout=90, check=False
    )
    printed = done.stdout.split("\001")
    assert len(printed) > len(commands), done.stderr
    return [(command, shown, real) for (command, shown), real in zip(commands, printed, strict=False) if shown]


def wait_for(port: int) -> str:
    """A shell loop that ends when somebody listens on `port`."""
    code = f"import socket; socket.create_connection(('localhost', {port}), 1).close()"
    return f'for _ in $(seq 100); do "{sys.executable}" -c "{code}" 2>/dev/null && break; sleep 0.1; done'


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.mark.parametrize("page", [*PAGES, *ROOT.glob("[A-Z]*.md")], ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    """A relative link names a file that exists."""
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_an_ellipsis_stands_for_any_text() -> None:
    """What is shown is compared to the letter but for ellipses."""
    assert matches("a … c\n…", "a b c\nd\ne\n")
    assert not matches("a … c", "a b d")
    assert not matches("a", "a b")


def test_a_block_that_fails_is_noticed(tmp_path: Path) -> None:
    """The runner sees a Python block that raises and a command that prints something else."""
    page = tmp_path / "page.md"
    page.write_text(
        textwrap.dedent("""\
        ```python
        raise ValueError
        ```
        ```console
        $ echo one
        two
        ```
        """)
    )
    with pytest.raises(AssertionError, match="ValueError"):
        test_every_python_block_runs(page)
    with pytest.raises(AssertionError, match="echo one"):
        test_every_console_block_answers_as_shown(page, tmp_path)
