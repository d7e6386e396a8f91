"""A machine for tests of the setup: a copy of the project, its own PATH, and fake interpreters."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Creates environments whose interpreter records every call of pip and then follows the test's instructions.
INTERPRETER = r"""
real={real}
case "$1 $2" in
"-m venv")
    echo "venv" >>{calls}
    rm -rf .venv
    mkdir -p .venv/bin
    cat >.venv/bin/python <<'STAND_IN'
#!/bin/sh
[ "$1 $2" = "-m pip" ] || exec {real} "$@"
echo "pip $*" >>{calls}
case "$(cat {behaviour} 2>/dev/null)" in
fails) echo "ERROR: No matching distribution found for hatchling" >&2; exit 1 ;;
dies) kill -KILL $PPID ;;
esac
STAND_IN
    chmod +x .venv/bin/python
    ;;
*) exec "$real" "$@" ;;
esac
"""


class Machine:
    """A machine with a checkout in a folder whose name has a space, and without any interpreter."""

    def __init__(self, folder: Path) -> None:
        self.programs = folder / "some programs"
        self.checkout = folder / "a project"
        self.calls = folder / "calls"
        self.behaviour = folder / "behaviour"
        self.programs.mkdir()
        (self.checkout / "scripts").mkdir(parents=True)
        shutil.copy(ROOT / "scripts/setup", self.checkout / "scripts")
        for name in ("Makefile", "pyproject.toml"):
            shutil.copy(ROOT / name, self.checkout)
        for name in ("python3.14", "python3.13", "python3.12", "python3.11", "python3"):
            self.install(name, "exit 127")

    def install(self, name: str, script: str) -> Path:
        """Write a program with this name, which runs `script`, to a folder on PATH, and return its path."""
        program = self.programs / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return program

    def install_python(self, name: str) -> Path:
        """Write a fake interpreter, whose environments only record calls of pip, to PATH, and return its path."""
        calls, behaviour, real = (shlex.quote(str(path)) for path in (self.calls, self.behaviour, sys.executable))
        return self.install(name, INTERPRETER.format(calls=calls, behaviour=behaviour, real=real))

    def run(self, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout."""
        env = {"PATH": f"{self.programs}:/usr/bin:/bin", "HOME": str(self.programs), **environ}
        return subprocess.run(
            command, cwd=self.checkout, env=env, capture_output=True, text=True, timeout=120, check=False
        )

    def setup(self, wanted: str = "test", **environ: str) -> subprocess.CompletedProcess[str]:
        """Run `scripts/setup`."""
        return self.run("/bin/sh", "scripts/setup", wanted, **environ)

    def called(self) -> list[str]:
        """Return the calls since the last time, such as "venv" and "pip"."""
        if not self.calls.exists():
            return []
        lines = self.calls.read_text().splitlines()
        self.calls.unlink()
        return [line.split()[0] for line in lines]
