"""The templates of `arc init`: the files of a new app, and its first tests."""

from __future__ import annotations

import re
from pathlib import Path

TEMPLATES = ("counter", "shop", "empty")
DEV_REQUIREMENTS = "requirements-dev.txt"
_TESTS = "tests/test_app.py"
# The shop is the repository's example, which a wheel contains as a part of the package.
_SHOPS = (Path(__file__).parents[2] / "examples/shop", Path(__file__).parents[4] / "examples/shop")
_NOT_COPIED = ("__pycache__", ".gitignore", ".env", ".arc-sandbox")


def template_files(template: str, name: str, runtime: str | None) -> dict[str, str]:
    """Return the text of each file of a new app called `name` by its path, without its tests.

    The manifest is the last one: until it is written, another run begins the same app again.
    """
    files = {"app.arc": f"@app\n{name}\n\n@http\n{'get /' if template == 'counter' else ''}".rstrip() + "\n"}
    if template == "shop":
        files = {path: text for path, text in _shop_files().items() if not path.startswith("tests/")}
        manifest = files.pop("app.arc")
        files["app.arc"] = re.sub(r"^@app\n\S+", f"@app\n{name}", manifest, flags=re.MULTILINE)
    if runtime:
        files["app.arc"] += f"\n@aws\nruntime {runtime}\n"
    return files


def first_tests(template: str | None, page: str) -> dict[str, str]:
    """Return the text of the first tests and of their requirements by its path.

    An app without a `template` was there before. Its test opens `page`, the path of a route.
    """
    if template == "shop":
        tests = {path: text for path, text in _shop_files().items() if path.startswith("tests/")}
    elif template == "counter":
        tests = {_TESTS: _FIXTURES + _COUNTER}
    elif template == "empty":
        tests = {_TESTS: _FIXTURES + _EMPTY}
    else:
        tests = {_TESTS: _FIXTURES + _ANY % page}
    return {**tests, DEV_REQUIREMENTS: _REQUIREMENTS}


def _shop_files() -> dict[str, str]:
    folder = next(folder for folder in _SHOPS if folder.is_dir())
    files = (file for file in sorted(folder.rglob("*")) if file.is_file())
    paths = {file.relative_to(folder): file for file in files}
    return {
        path.as_posix(): file.read_text(encoding="utf-8")
        for path, file in paths.items()
        if not set(path.parts) & set(_NOT_COPIED)
    }


_REQUIREMENTS = """\
# Packages that the tests need, one on each line. Install them: pip install -r requirements-dev.txt
pytest
"""

_FIXTURES = '''\
"""The app's tests. Run them in the app's folder: pytest"""

from pathlib import Path

import pytest

from arc.testing import App


@pytest.fixture
def app():
    with App(Path(__file__).parents[1]) as app:
        yield app


'''

_COUNTER = """\
def test_visits_are_counted(app):
    browser = app.browser()
    assert "Visits: 1" in browser.get("/").text
    assert "Visits: 2" in browser.get("/").text


def test_each_visitor_has_a_session(app):
    app.browser().get("/")
    assert "Visits: 1" in app.browser().get("/").text
"""

_EMPTY = """\
def test_unknown_page_is_not_found(app):
    assert app.browser().get("/no-such-page").status == 404
"""

_ANY = """\
def test_page_opens(app):
    assert app.browser().get("%s").status < 500
"""
