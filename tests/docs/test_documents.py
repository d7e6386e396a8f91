"""The README and the pages in docs/: their Python code, their commands and their links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import found
from tests.docs.running import run_commands, run_python

ROOT = Path(__file__).parents[2]
RUN = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = sorted({*RUN, *ROOT.glob("*.md")})


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_every_python_block_runs(page: Path) -> None:
    """The blocks of a page run one after the other, in one namespace."""
    run_python(page)


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_every_command_prints_the_shown_output(page: Path, tmp_path: Path) -> None:
    """Servers run in the background. Only the README's commands start interpreters, because a fork is faster."""
    if "$ curl " in page.read_text():
        found("curl", ("curl",), "sudo apt-get install curl")
    run_commands(page, tmp_path, forked=page.name != "README.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_has_a_target(page: Path) -> None:
    """A relative link names an existing file, and a fragment one of its headings."""
    for target in re.findall(r"\]\((?!https?://)([^)]+)\)", page.read_text()):
        name, _, fragment = target.partition("#")
        linked = page.parent / name if name else page
        assert linked.exists(), target
        assert not fragment or fragment in headings(linked), target


def headings(page: Path) -> set[str]:
    """Return the fragments of a page's headings."""
    lines = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}
