"""The site that `make docs` builds of the pages in docs/."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import zlib
from html import unescape
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from arc import inventory, manifest
from arc.tools.cli.command_line import app
from tests.test_public_names import PUBLIC

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
# Documented elsewhere under another name: modules, the second names of two functions, and annotations.
ALIASES = {"arc.http.session_read", "arc.http.session_write", "arc.manifest.Item", "arc.manifest.Plain"}
MODULES = {"arc.http.csrf", "arc.http.session", *(f"arc.{name}" for name in PUBLIC["arc"] if name.islower())}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it; skipped where Sphinx is not installed, failed under CI."""
    if importlib.util.find_spec("sphinx") is None:
        missing = "Sphinx is not installed: make setup-docs"
        if os.environ.get("CI") == "true":
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("site")
    options = re.search(r"^SPHINX = \S+ (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert options
    command = [sys.executable, *options[1].split(), "-b", "html", "-d", str(folder / "doctrees"), str(DOCS)]
    done = subprocess.run(
        [*command, str(folder / "html")], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


def documented(site: Path) -> set[str]:
    """Every Python name in the site's list of link targets."""
    listed = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    lines = zlib.decompress(listed).decode().splitlines()
    return {line.split(" ")[0] for line in lines if line.split(" ")[1].startswith("py:")}


@pytest.mark.exhaustive
def test_the_site_builds_and_documents_every_public_name(site: Path) -> None:
    """No link, heading or docstring is a warning, and the reference has all names that are pinned as public."""
    public = {f"{module}.{name}" for module in PUBLIC for name in PUBLIC[module]}
    public |= {f"arc.manifest.{name}" for name in manifest.__all__}
    public |= {f"arc.inventory.{name}" for name in inventory.__all__}
    assert public - ALIASES - MODULES <= documented(site)


@pytest.mark.exhaustive
def test_docstrings_show_code_as_code(site: Path) -> None:
    """Single backticks, which mean something else to Sphinx, are nowhere left in the text of the reference."""
    for page in (site / "reference").glob("*.html"):
        text = re.sub(r"<pre>.*?</pre>|<[^>]+>", "", page.read_text(), flags=re.DOTALL)
        assert "`" not in text, page.name


@pytest.mark.exhaustive
def test_the_site_shows_the_help_of_every_command(site: Path) -> None:
    """Each command has a heading and its `--help`, as a terminal shows it."""
    page = unescape(re.sub(r"<[^>]+>", "", (site / "reference/command-line.html").read_text()))
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    for name in group.commands:
        assert f"Usage: arc {name} " in page


@pytest.mark.exhaustive
def test_the_site_contains_the_pages_beside_the_folder(site: Path) -> None:
    """SECURITY.md, CHANGELOG.md and the settings of the README are on it, with links that lead to its own pages."""
    security = (site / "security.html").read_text()
    assert "Reporting a vulnerability" in security
    assert 'href="changelog.html"' in security
    assert "Unreleased" in (site / "changelog.html").read_text()
    assert "<wbr>SECRET" in (site / "reference/settings.html").read_text()


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("Take `a` or `b=1`.", "Take ``a`` or ``b=1``."),
        ("Two `record`s.", r"Two ``record``\ s."),
        ("A `long\nname`, cut.", "A ``long name``, cut."),
        ("Pass *args, **options and `**more`.", r"Pass \*args, \*\*options and ``**more``."),
        ("Not a link: name_ or a|b, but _idx stays.", r"Not a link: name\_ or a\|b, but _idx stays."),
        ("Prose\nof two lines.\n\n- An item\n  of two.", "Prose\nof two lines.\n\n- An item\n  of two."),
        (
            "Write:\n\nclass A(B):\n    x = `1`",
            "Write:\n\n.. code-block:: python\n    :force:\n\n    class A(B):\n        x = `1`",
        ),
    ],
)
def test_a_docstring_becomes_what_autodoc_expects(docstring: str, expected: str) -> None:
    """Code in backticks is a literal, an example is a block, and no other character has a meaning."""
    spec = importlib.util.spec_from_file_location("docstrings", DOCS / "extensions/docstrings.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    lines = docstring.split("\n")
    module.convert(None, "", "", None, None, lines)
    assert lines == [*expected.split("\n"), ""]


def test_every_public_name_is_in_the_reference() -> None:
    """A new name is documented where it belongs."""
    pages = "".join(page.read_text() for page in (DOCS / "reference").glob("*.md"))
    assert {f"{module}.{name}" for module in PUBLIC for name in PUBLIC[module]} <= set(re.findall(r"[\w.]+", pages))


def test_every_page_is_in_the_table_of_contents() -> None:
    """Each page of a folder is named by its index."""
    for index in DOCS.rglob("index.md"):
        entries = re.findall(r"^```\{toctree\}\n(?::.*\n)*\n((?:.+\n)+?)```", index.read_text(), re.MULTILINE)
        named = {f"{entry}.md" for entry in "".join(entries).split()}
        pages = {path.relative_to(index.parent).as_posix() for path in index.parent.rglob("*.md")}
        own = {page for page in pages if "/" not in page or page.endswith("/index.md")} - {"index.md"}
        assert named == own
