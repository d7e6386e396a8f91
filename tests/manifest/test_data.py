"""Manifests in JSON and YAML have the same values, places and errors."""

from __future__ import annotations

import json

import pytest

from arc.errors import ManifestError
from arc.manifest.data import parse_json, parse_yaml

PLAIN = {
    "app": ["myapp"],
    "aws": [["timeout", 10], {"layers": ["a", "b"]}],
    "http": [["get", "/"], {"/foo": {"method": "get", "src": "src/foo"}}],
}
JSON = {
    "app": "myapp",
    "aws": {"timeout": 10, "layers": ["a", "b"]},
    "http": [["get", "/"], {"/foo": {"method": "get", "src": "src/foo"}}],
}


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_json_is_read_in_any_layout(indent: int | str | None) -> None:
    """On one line, indented with spaces, or with tabs, which YAML refuses."""
    manifest = parse_json(json.dumps(JSON, indent=indent), "arc.json")
    assert manifest is not None
    assert manifest.to_plain() == PLAIN


def test_yaml_is_read() -> None:
    """The same app in YAML, with a comment."""
    text = "app: myapp # mine\naws:\n  timeout: 10\n  layers: [a, b]\n"
    text += "http:\n  - get: /\n  - /foo:\n      method: get\n      src: src/foo\n"
    assert parse_yaml(text, "arc.yaml").to_plain() == PLAIN


def test_package_json_without_an_app_is_none() -> None:
    """Only its `arc` or `architect` key is read."""
    assert parse_json('{"name": "x", "http": "no"}', "package.json", keys=("arc", "architect")) is None
    found = parse_json('{"name": "x", "architect": {"app": "a"}}', "package.json", keys=("arc", "architect"))
    assert found is not None
    assert found.to_plain() == {"app": ["a"]}


def test_json_text_is_kept_exactly() -> None:
    """Text in quotes stays text, and a surrogate pair is one character."""
    manifest = parse_json('{"x": [["a", "42", 42, true], ["b", "\\ud83d\\ude00"]]}', "arc.json")
    assert manifest is not None
    assert manifest.to_plain() == {"x": [["a", "42", 42, True], ["b", "\N{GRINNING FACE}"]]}


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('{"app": "a",\n "http" ["get /"]}', 2, 9),
        ("[]", 1, 1),
        ('{"app": {"a": {"b": {"c": 1}}}}', 1, 21),
        ('{"http": [["get", null]]}', 1, 19),
        ('{"app": "a", "app": "b"}', 1, 14),
        ("[" * 100_000, 1, 1),
        ('{"app": ' + "1" * 5_000 + "}", 1, 1),
    ],
)
def test_invalid_json_is_an_error_with_its_place(text: str, line: int, column: int) -> None:
    """Wrong syntax, wrong shapes, and input that would exhaust the reader."""
    with pytest.raises(ManifestError) as raised:
        parse_json(text, "arc.json")
    assert (raised.value.file, raised.value.line, raised.value.column) == ("arc.json", line, column)


@pytest.mark.parametrize("text", ["a: [", "a: &x [*x]", "--- a\n--- b", "a: \x00", "[" * 3_000, "- a", "a: b: c"])
def test_invalid_yaml_is_a_manifest_error(text: str) -> None:
    """No other exception is raised."""
    with pytest.raises(ManifestError):
        parse_yaml(text, "arc.yaml")


def test_yaml_tags_create_no_objects() -> None:
    """A tag that names a Python object is treated as text."""
    assert parse_yaml(
        "a: !!python/object/apply:os.getcwd []\nb: !!python/name:os.system x\n", "arc.yaml"
    ).to_plain() == {
        "a": [],
        "b": ["x"],
    }
