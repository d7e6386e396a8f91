"""What the runtime may import: the standard library, cryptography, and a few packages in one place each."""

from __future__ import annotations

import ast
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLACES = {
    "brotli": ("http/content.py",),
    "boto3": ("sessions/stores/dynamodb/", "service_map.py"),
    "botocore": ("sessions/stores/dynamodb/", "service_map.py"),
    "cryptography": ("sessions/", "http/csrf.py"),
    "orjson": ("sessions/text.py",),
}
RUNTIME = (
    "sessions",
    "http",
    "testing",
    "errors.py",
    "hosts.py",
    "settings.py",
    "service_map.py",
    "messaging.py",
    "events.py",
    "queues.py",
    "services.py",
    "tables.py",
    "ws.py",
    "__init__.py",
)


def packages(code: str) -> set[str]:
    """Return the top-level names of all imports in `code`."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
    return found


def strays(package: Path) -> list[str]:
    """Return every file of `package` with an import that is not allowed there."""
    files = [path for part in RUNTIME for path in [package / part, *(package / part).rglob("*.py")] if path.is_file()]
    assert len(files) >= len(RUNTIME)
    return [
        f"{place} imports {name}"
        for path, place in ((path, path.relative_to(package).as_posix()) for path in files)
        for name in sorted(packages(path.read_text()) - sys.stdlib_module_names - {"arc"})
        if name not in PLACES or not place.startswith(PLACES[name])
    ]


def test_runtime_imports_only_allowed_packages() -> None:
    """Cryptography, brotli and orjson are each allowed in certain files."""
    assert strays(ROOT / "src/arc") == []


@pytest.mark.parametrize(
    ("file", "line", "found"),
    [
        ("http/request.py", "import cryptography", ["http/request.py imports cryptography"]),
        ("sessions/cookie.py", "    from requests import get", ["sessions/cookie.py imports requests"]),
        ("errors.py", "import os", []),
        ("service_map.py", "    import boto3", []),
        ("tables.py", "    import boto3", ["tables.py imports boto3"]),
    ],
)
def test_disallowed_import_is_found(tmp_path: Path, file: str, line: str, found: list[str]) -> None:
    """It may be an unknown package or a known one elsewhere, at the top or inside a function."""
    for part in (
        "http/request.py",
        "sessions/cookie.py",
        "errors.py",
        "hosts.py",
        "settings.py",
        "service_map.py",
        "messaging.py",
        "events.py",
        "queues.py",
        "services.py",
        "tables.py",
        "ws.py",
        "__init__.py",
        "testing/browser.py",
    ):
        (tmp_path / part).parent.mkdir(exist_ok=True)
        (tmp_path / part).write_text("import os\n")
    (tmp_path / file).write_text(f"def late():\n    import json\n{line}\n")
    assert strays(tmp_path) == found


def test_cryptography_is_the_only_dependency() -> None:
    """All other packages belong to extras."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    (only,) = project["dependencies"]
    assert only.startswith("cryptography")


def test_every_lint_exception_has_a_reason() -> None:
    """Each exception has its own line."""
    section = (
        (ROOT / "pyproject.toml").read_text().partition("[tool.ruff.lint]")[2].partition("[tool.ruff.lint.flake8")[0]
    )
    rules = [line for line in section.splitlines() if line.lstrip().startswith('"') and not line.rstrip().endswith("[")]
    assert len(rules) > 20
    unexplained = [line for line in rules if "#" not in line and "TID253" not in line]
    assert unexplained == []
