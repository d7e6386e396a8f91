"""The architecture and the rules of the runtime."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.test_dependencies import RUNTIME as PARTS

ROOT = Path(__file__).parents[2]
RUNTIME = [
    path
    for part in PARTS
    for path in ((ROOT / "src/arc" / part).rglob("*.py") if "." not in part else [ROOT / "src/arc" / part])
]
HEAVY = (
    *("boto3", "botocore", "typer", "rich", "starlette", "uvicorn", "watchfiles", "yaml", "dotenv", "awslambdaric"),
    *("dataclasses", "asyncio", "http.client", "http.cookies", "email", "urllib.request", "inspect", "jinja2"),
    *("arc.tools", "arc.inventory", "arc.manifest"),
)


def lint(project: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter in a copy of the project."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    environ = {"PYTHONPATH": str(project / "src"), "PATH": ""}
    return subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True, timeout=120, check=False)


def copy_of_the_project(folder: Path) -> Path:
    """Copy the files that import-linter reads."""
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_import_contracts_are_kept_and_cover_new_modules(tmp_path: Path) -> None:
    """A module without a layer breaks a contract."""
    project = copy_of_the_project(tmp_path)
    held = lint(project)
    assert "0 broken" in held.stdout, held.stdout + held.stderr
    (project / "src/arc/stray.py").write_text('"""A module without a floor."""\n')
    assert lint(project).returncode != 0


@pytest.mark.parametrize(
    ("file", "upper"),
    [
        ("sessions/cookie.py", "arc.http.events"),
        ("tools/sandbox/functions/changes.py", "arc.tools.sandbox.front.event"),
        ("http/manager.py", "arc.testing.app"),
        ("testing/browser.py", "arc.inventory"),
    ],
)
def test_upward_import_breaks_a_contract(tmp_path: Path, file: str, upper: str) -> None:
    """Neither the core nor the sandbox's functions may import HTTP, nor deployed code or a browser the tools."""
    project = copy_of_the_project(tmp_path)
    with (project / "src/arc" / file).open("a") as module:
        module.write(f"\nimport {upper}\n")
    broken = lint(project)
    assert broken.returncode != 0
    assert "BROKEN" in broken.stdout


def test_s44_the_runtime_imports_nothing_heavy() -> None:
    """A handler and a sealed session import neither boto3, nor a tool, nor what is slow to load.

    What logging imports (dataclasses, from Python 3.14 on) costs nothing: Lambda's own runtime has loaded it.
    """
    code = f"""
import logging, sys
before = set(sys.modules)
import arc
arc.http.handler, arc.http.session, arc.services, arc.tables.table
arc.events.publish, arc.queues.publish, arc.ws.send
manager = arc.http.build_manager(arc.Settings(environment="testing"))
session = manager.load([])
session["a"] = 1
manager.commit(session)
@arc.http.handler(manager=manager)
def handler(req):
    return {{"html": str(req.session.get("a"))}}
handler({{"version": "2.0", "headers": {{}}, "requestContext": {{"http": {{"method": "GET"}}}}}}, None)
below = tuple(f"{{one}}." for one in {HEAVY!r})
print(*sorted(name for name in set(sys.modules) - before if name in {HEAVY!r} or name.startswith(below)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={}, timeout=60)
    assert done.stdout.strip() == ""


def test_s44_sealed_session_imports_no_other_service() -> None:
    """Its cold start includes no tables, events, queues, web sockets or service map."""
    code = """
import sys
import arc
@arc.http.handler
def handler(req):
    return {"text": str(req.session.increment("visits"))}
answer = handler({"version": "2.0", "headers": {}, "requestContext": {"http": {"method": "GET"}}}, None)
besides = ("events", "messaging", "queues", "service_map", "services", "tables", "testing", "ws")
print(answer["statusCode"], *(name for name in besides if f"arc.{name}" in sys.modules))
"""
    environ = {"ARC_ENV": "testing"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ, timeout=60
    )
    assert done.stdout == "200\n"


@pytest.mark.parametrize("path", RUNTIME, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_s40_no_pickle_eval_or_yaml_in_the_runtime(path: Path) -> None:
    """No file of the runtime uses a name that executes or deserializes code."""
    forbidden = {"pickle", "marshal", "shelve", "yaml", "eval", "exec", "compile", "__import__"}
    for node in ast.walk(ast.parse(path.read_text())):
        used = {alias.name.split(".")[0] for alias in node.names} if isinstance(node, ast.Import) else set()
        if isinstance(node, ast.ImportFrom):
            used = {(node.module or "").split(".")[0]}
        elif isinstance(node, ast.Name):
            used = {node.id}
        assert not used & forbidden, f"{path.name}:{getattr(node, 'lineno', 0)}"


def test_s40_lint_rules_refuse_pickle(tmp_path: Path) -> None:
    """Ruff, as configured, also refuses eval and yaml.load."""
    (tmp_path / "bad.py").write_text(
        "import pickle\nimport yaml\n\npickle.loads(b'')\neval('1')\nyaml.load('a', Loader=yaml.Loader)\n"
    )
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--config",
        str(ROOT / "pyproject.toml"),
        "--no-cache",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    for rule in ("TID251", "S301", "S307", "S506"):
        assert rule in done.stdout


@pytest.mark.parametrize(
    "path", sorted((ROOT / "src").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT / "src"))
)
def test_file_has_a_specific_name_and_a_readable_size(path: Path) -> None:
    """The limit is 400 lines."""
    assert len(path.read_text().splitlines()) <= 400
    assert path.stem not in {"utils", "util", "helpers", "common", "base"}
