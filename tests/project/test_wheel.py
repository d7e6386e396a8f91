"""The wheel that users install."""

from __future__ import annotations

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
