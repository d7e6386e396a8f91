"""Virtual environments with some of this one's packages, as a user has who installed fewer extras."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import arc

_INSTALLED = Path(sysconfig.get_path("purelib"))
LOCAL_CLOUD = ("boto3", "botocore", "ministack")
"""The packages that only the extra `local` needs."""


class Environment:
    """A virtual environment in `folder`, with this package and links to all installed packages but some."""

    def __init__(self, folder: Path, *, without: tuple[str, ...] = ()) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        self.folder = folder
        self.python = str(folder / "bin/python")
        self.packages = next(folder.glob("lib/python*/site-packages"))
        (self.packages / "arc.pth").write_text(f"{Path(arc.__file__).parents[1]}\n")
        for entry in _INSTALLED.iterdir():
            if entry.suffix != ".pth" and not entry.name.startswith(without):
                self.add(entry.name)

    def add(self, *names: str) -> None:
        """Install the packages whose files begin with these names."""
        for entry in _INSTALLED.iterdir():
            if entry.name.startswith(names) and not (self.packages / entry.name).exists():
                (self.packages / entry.name).symlink_to(entry)

    def has(self, module: str) -> bool:
        """Return whether a module can be imported there."""
        done = subprocess.run([self.python, "-c", f"import {module}"], capture_output=True, check=False)
        return done.returncode == 0


def write_wheel(folder: Path, name: str, version: str = "1.0") -> None:
    """Write a wheel with one module of this name, whose `NAME` is it."""
    folder.mkdir(exist_ok=True)
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"NAME = {name!r}\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
