"""`make demo`, interrupted as a terminal does it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_ctrl_c_ends_make_demo_without_an_error(tmp_path: Path) -> None:
    """An interrupt of the foreground process group prints neither an error of make nor a traceback."""
    for folder in ("examples", "scripts"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "scripts/setup").write_text("# The environment of this test is the one it runs in.\n")
    command = ["make", "demo", f"BIN={Path(sys.executable).parent}"]
    environ = {**os.environ, "AWS_ACCESS_KEY_ID": "dummy", "AWS_SECRET_ACCESS_KEY": "dummy", "AWS_REGION": "us-east-1"}
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        listening = next((line for line in process.stdout if "listens on" in line), "")
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stdout.read()
        process.wait(30)
    assert "counter listens on" in listening
    assert rest == ""
