"""What the pages say about the project's own commands and files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_on_a_page_exists(page: Path) -> None:
    """`make thing` in a page is a thing that make knows."""
    named = set(re.findall(r"`(?:\S+=\S+ )?make ([a-z-]+)", page.read_text()))
    assert named <= TARGETS


def test_the_readme_names_the_two_commands() -> None:
    """A newcomer finds make demo and make test."""
    readme = (ROOT / "README.md").read_text()
    assert "`make demo`" in readme
    assert "`make test`" in readme


def test_every_target_is_phony() -> None:
    """A file called test or clean beside the Makefile changes nothing."""
    declared = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert declared
    assert set(declared[1].split()) == TARGETS
