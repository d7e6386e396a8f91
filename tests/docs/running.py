"""Runs the blocks of a page, and raises an `AssertionError` with the line where the output differs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.docs.blocks import Block, blocks, transcript
from tests.docs.shown import matches
from tests.docs.terminal import DUMMIES, Terminal
from tests.tools import warm

EXAMPLES = Path(__file__).parents[2] / "examples"
_END = "\0"


def run_python(page: Path) -> None:
    """Run the Python blocks of `page` in one fresh process and namespace, and compare their output."""
    found = blocks(page, "python")
    code = "".join(_statement(page, block) for block in found)
    command = [sys.executable, "-W", "error", "-c", code]
    environ = {"ARC_ENV": "testing", **DUMMIES}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{page.name}\n{done.stderr}"
    for block, printed in zip(found, done.stdout.split(_END), strict=False):
        if block.shown is not None:
            assert matches(block.shown, printed), f"{page.name}:{block.line} prints\n{printed}"


def _statement(page: Path, block: Block) -> str:
    lines = "\n" * (block.line - 1) + block.text  # a traceback names the page's own line
    return f"exec(compile({lines!r}, {page.name!r}, 'exec'))\nprint(end={_END!r}, flush=True)\n"


def run_commands(page: Path, folder: Path, *, forked: bool = False) -> None:
    """Run the console and bash blocks of `page` in `folder`, beside a copy of the examples.

    If `forked`, `arc` is a fork of an interpreter that has loaded it.
    """
    found = blocks(page, "console", "bash")
    if not found:
        return
    shutil.copytree(EXAMPLES, folder / "examples")
    with Terminal(folder) as terminal:
        if forked:
            programs = folder / ".programs"
            programs.mkdir()
            warm.install(programs)
            terminal.environ["PATH"] = f"{programs}{os.pathsep}{terminal.environ['PATH']}"
        for block in found:
            steps = transcript(block) if block.language == "console" else [(f"set -e\n{block.text}", block.shown or "")]
            for command, shown in steps:
                code, printed = terminal.run(command)
                place = f"{page.name}:{block.line}: $ {command}\n{printed}"
                assert code == 0 or shown, f"exit {code}, {place}"
                assert not shown or matches(shown, printed), place
