"""The addresses of static files, in each environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import arc
from arc.errors import ConfigurationError


def sandbox(folder: Path, *ignore: str) -> dict[str, str]:
    """Variables of a function in the sandbox of an app with this static folder."""
    return {"ARC_ENV": "testing", "ARC_SANDBOX": json.dumps({"static": {"folder": str(folder), "ignore": ignore}})}


def deployed(root: Path, names: dict[str, str]) -> dict[str, str]:
    """Variables of a deployed function with the fingerprinted names of files."""
    file = root / "vendor/shared/static.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(names), encoding="utf-8")
    return {"ARC_ENV": "production", "LAMBDA_TASK_ROOT": str(root)}


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("site.css", "/_static/site.css"),
        ("/css/site.css", "/_static/css/site.css"),
        ("/", "/_static/"),
        ("a b/é.png", "/_static/a%20b/%C3%A9.png"),
        ("icons.svg#cart", "/_static/icons.svg#cart"),
        ("site.css?v=1", "/_static/site.css?v=1"),
    ],
)
def test_an_address_is_relative_to_the_root(path: str, address: str) -> None:
    """With or without a slash at the beginning; a query and a fragment stay."""
    assert arc.http.static(path, {}) == address
    assert arc.http.static(path, {"ARC_ENV": "production"}) == address


def test_a_deployed_function_knows_the_fingerprinted_names(tmp_path: Path) -> None:
    """A file that the manifest lacks keeps its name."""
    environ = deployed(tmp_path, {"css/site.css": "css/site-6bf1794b4c.css", "icons.svg": "icons-21ef14208c.svg"})
    assert arc.http.static("css/site.css", environ) == "/_static/css/site-6bf1794b4c.css"
    assert arc.http.static("/icons.svg#cart", environ) == "/_static/icons-21ef14208c.svg#cart"
    assert arc.http.static("other.css", environ) == "/_static/other.css"


def test_the_sandbox_reports_an_unknown_file(tmp_path: Path) -> None:
    """The error names the file and the folder."""
    (tmp_path / "site.css").write_text("", encoding="utf-8")
    assert arc.http.static("site.css", sandbox(tmp_path)) == "/_static/site.css"
    with pytest.raises(ConfigurationError) as unknown:
        arc.http.static("/sight.css", sandbox(tmp_path))
    assert str(unknown.value) == f"Unknown static file 'sight.css'. Create it in {tmp_path}, or correct the name."


@pytest.mark.parametrize("place", [".env", "css/.hidden/x.css", "draft.css", "node_modules/x.js", "../app.arc"])
def test_the_sandbox_reports_a_file_that_is_not_served(tmp_path: Path, place: str) -> None:
    """Hidden files, ignored ones, and places outside the folder."""
    with pytest.raises(ConfigurationError, match="is not served: it is hidden, or `ignore` in @static excludes it"):
        arc.http.static(place, sandbox(tmp_path, "draft"))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"static": 1}', '{"static": {"folder": "x"}}'])
def test_a_malformed_variable_of_another_sandbox_changes_nothing(text: str) -> None:
    """Architect's sandbox sets ARC_SANDBOX without these keys."""
    assert arc.http.static("x.css", {"ARC_ENV": "testing", "ARC_SANDBOX": text}) == "/_static/x.css"
