"""The wheel that users install."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_wheel_contains_every_module_and_the_type_marker(wheel: zipfile.ZipFile) -> None:
    """It contains all files of src/arc, including py.typed, and no tests."""
    there = {name for name in wheel.namelist() if ".dist-info/" not in name}
    wanted = {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src/arc").rglob("*.py")}
    assert wanted <= there
    assert "arc/py.typed" in there
    assert all(name.startswith("arc/") for name in there)


def test_runtime_depends_only_on_cryptography(wheel: zipfile.ZipFile) -> None:
    """All other dependencies belong to extras."""
    metadata = next(name for name in wheel.namelist() if name.endswith("/METADATA"))
    required = [
        line.removeprefix("Requires-Dist: ")
        for line in wheel.read(metadata).decode().splitlines()
        if line.startswith("Requires-Dist: ") and "extra ==" not in line
    ]
    assert len(required) == 1
    assert required[0].startswith("cryptography")


def test_installed_wheel_runs_a_handler(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """A session works with the wheel's own files, unpacked elsewhere."""
    wheel.extractall(tmp_path)
    code = """
import arc, sys
from arc.testing import Browser
assert arc.__file__.startswith(sys.argv[1]), arc.__file__
handler = arc.http.handler(lambda req: {"text": str(req.session.increment("visits"))})
browser = Browser(handler)
print(browser.get().text, browser.get().text)
"""
    environ = {"PYTHONPATH": str(tmp_path), "ARC_ENV": "testing"}
    command = [sys.executable, "-W", "error", "-c", code, str(tmp_path)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.strip(), done.stderr) == ("1 2", "")


def test_installed_wheel_contains_the_shop_of_arc_init(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """`arc init --template shop --tests` needs no checkout, and the tests that it writes pass."""
    wheel.extractall(tmp_path / "installed")
    environ = {"PYTHONPATH": str(tmp_path / "installed"), "PATH": os.environ["PATH"], "HOME": str(tmp_path)}

    def run(*words: str, folder: Path) -> str:
        command = [sys.executable, "-m", *words]
        done = subprocess.run(
            command, cwd=folder, env=environ, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "wrote  src/shared/page.py" in run("arc", "init", "store", "-t", "shop", "--tests", folder=tmp_path)
    assert "6 passed" in run("pytest", "-q", "-p", "no:cacheprovider", folder=tmp_path / "store")
    shipped = {name.removeprefix("arc/examples/shop/") for name in wheel.namelist() if name.startswith("arc/examples/")}
    files = {file.relative_to(ROOT / "examples/shop") for file in (ROOT / "examples/shop").rglob("*") if file.is_file()}
    local = {"__pycache__", ".env", ".arc-sandbox", ".pytest_cache"}
    assert shipped == {file.as_posix() for file in files if not local & set(file.parts)}
