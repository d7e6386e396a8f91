"""The project's commands and files in its documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_in_the_documentation_exists(page: Path) -> None:
    """The Makefile has each `make target` of a page."""
    named = set(re.findall(r"`(?:\S+=\S+ )?make ([a-z-]+)", page.read_text()))
    assert named <= TARGETS


def test_readme_names_make_demo_and_make_test() -> None:
    """Newcomers need both."""
    readme = (ROOT / "README.md").read_text()
    assert "`make demo`" in readme
    assert "`make test`" in readme


def test_readme_is_short_and_shows_a_small_picture() -> None:
    """It has at most 150 lines, and its pictures have at most 150 KB."""
    readme = (ROOT / "README.md").read_text()
    assert len(readme.splitlines()) <= 150
    pictures = re.findall(r"!\[[^\]]+\]\((docs/static/[^)]+\.png)\)", readme)
    assert pictures
    assert all((ROOT / picture).stat().st_size <= 150_000 for picture in pictures)


def test_every_target_is_phony() -> None:
    """A file called test or clean in the project's folder has no effect."""
    declared = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert declared
    assert set(declared[1].split()) == TARGETS
