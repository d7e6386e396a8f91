"""An operator who runs `arc` in an app's folder, against AWS or a stand-in."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.engines import Engine
from tests.tools import warm

TABLES = """
@tables
session
  _idx *String
  _ttl TTL
"""


class Operator:
    """Runs `arc` in `folder`, which has the manifest of the app `name`, with only the variables in `environ`."""

    def __init__(self, folder: Path, name: str, environ: Mapping[str, str], *, more: str = "") -> None:
        self.folder, self.name, self.environ = folder, name, dict(environ)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "app.arc").write_text(f"@app\n{name}\n\n@http\nget /\npost /login\n{more}", encoding="utf-8")

    def arc(self, *words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run `arc` with these words and with `given` on standard input."""
        if warm.is_warm(self.environ):
            return warm.arc(words, self.folder, self.environ, given or "")
        return self.arc_alone(*words, given=given)

    def arc_alone(self, *words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run `arc` in a fresh interpreter, which takes longer."""
        return subprocess.run(
            self.command(*words),
            cwd=self.folder,
            env=self.environ,
            input=given if given is not None else "",
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            encoding="utf-8",
        )

    def does(self, *words: str, given: str | None = None) -> str:
        """Run `arc`, which must succeed, and return its standard output."""
        done = self.arc(*words, given=given)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def json(self, *words: str) -> Any:
        """Run `arc … --json`, which must succeed, and return its result."""
        return json.loads(self.does(*words, "--json"))

    def start(self, *words: str) -> warm.Captured:
        """Start `arc` without waiting for its end."""
        assert warm.is_warm(self.environ)
        return warm.Captured(None, words, self.folder, self.environ, "")

    def start_alone(self, *words: str, given: str = "") -> subprocess.Popen[str]:
        """Start `arc` in a fresh interpreter, with `given` on standard input."""
        with tempfile.TemporaryFile() as file:
            file.write(given.encode())
            file.seek(0)
            return subprocess.Popen(
                self.command(*words),
                cwd=self.folder,
                env=self.environ,
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )

    def command(self, *words: str) -> list[str]:
        """Return the command line."""
        return [sys.executable, "-W", "error", "-m", "arc", *words]


def parameters(cloud: Engine, app: str, environment: str = "staging") -> dict[str, str]:
    """Return the variables in SSM, read without the tools."""
    pages = cloud.look("ssm").get_paginator("get_parameters_by_path")
    found = pages.paginate(Path=f"/{app}/{environment}", WithDecryption=True)
    return {one["Name"].rpartition("/")[2]: one["Value"] for page in found for one in page["Parameters"]}
