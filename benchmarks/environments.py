"""The interpreters that are measured, the variables they run with, and what is installed in them."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
SECRET = "a secret of the benchmark, long enough for AES-256"
FUNCTION = {
    "ARC_APP_SECRET": SECRET,
    "ARC_ENV": "production",
    "ARC_SESSION_TABLE_NAME": "jwe",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
}
_VERSIONS = """
import sys
from importlib.metadata import distributions
names = set(sys.argv[1:])
versions = {one.name.lower(): one.version for one in distributions() if one.name.lower() in names}
print(*(f"{name} {version}" for name, version in sorted(versions.items())), sep="\\n")
"""


class BenchmarkError(Exception):
    """A benchmark cannot run; the message says why and what to do."""


class Environment:
    """An interpreter with its packages; `path` is a folder with more packages, for PYTHONPATH."""

    def __init__(self, python: str, path: Path | None = None) -> None:
        self.python, self.path = python, path

    def variables(self, **more: str) -> dict[str, str]:
        """Return the variables of a function's process; of the shell's own it has PATH alone."""
        packages = {"PYTHONPATH": str(self.path)} if self.path else {}
        return {"PATH": os.environ["PATH"], **FUNCTION, **packages, **more}

    def versions(self, *names: str) -> list[str]:
        """Return "name version" for those of `names` that are installed."""
        command = [self.python, "-c", _VERSIONS, *names]
        done = subprocess.run(command, env=self.variables(), cwd=ROOT, check=True, capture_output=True, text=True)
        return done.stdout.splitlines()


OURS = Environment(sys.executable)


def with_speed(root: Path = ROOT) -> Environment:
    """Return our environment with the extra `speed`. Raises `BenchmarkError` if it is missing."""
    folder = root / ".venv/speed"
    if not (folder / "orjson").is_dir():
        raise BenchmarkError(
            f"{folder.relative_to(root)} does not contain orjson. Run `make bench`, which installs it."
        )
    return Environment(sys.executable, folder)


def peers(root: Path = ROOT) -> Environment:
    """Return the peers' environment. Raises `BenchmarkError` if it is incomplete."""
    folder = root / ".venv/peers"
    if not (folder / "installed").exists():
        raise BenchmarkError(
            f"{folder.relative_to(root)}, the peers' environment, is missing or incomplete. Run `make bench`, which "
            "sets it up."
        )
    return Environment(str(folder / "bin/python"))


def describe_machine() -> str:
    """Return the model of the processor, the number of cores, and the operating system."""
    try:
        model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:
        model = None
    name = model[1] if model else platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores, {platform.system()}"


def list_versions() -> dict[str, list[str]]:
    """Return the versions of what is measured, by environment."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    names = [re.split(r"[<>=~!;\[ ]", line, maxsplit=1)[0].lower() for line in groups["peers"]]
    return {
        "arc-sessions": OURS.versions("arc-sessions", "cryptography", "boto3", "starlette", "uvicorn"),
        "the extra speed": with_speed().versions("orjson"),
        "peers": peers().versions(*names),
    }
