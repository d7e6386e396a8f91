"""`make demo` serves the shop, and ends as a terminal ends it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_make_demo_serves_the_shop_until_ctrl_c(tmp_path: Path) -> None:
    """It has no tables, so no warning asks for a package. An interrupt prints neither an error nor a traceback."""
    for folder in ("examples", "scripts"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "scripts/setup").write_text("# The environment of this test is the one it runs in.\n")
    command = ["make", "demo", f"BIN={Path(sys.executable).parent}"]
    # Below `make test`, another make prints its folder.
    outside = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    environ = {**outside, "AWS_ACCESS_KEY_ID": "dummy", "AWS_SECRET_ACCESS_KEY": "dummy", "AWS_REGION": "us-east-1"}
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
        printed = []
        for line in process.stdout:
            printed.append(line)
            if "listens on" in line:
                break
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stdout.read()
        process.wait(30)
    assert "examples/shop" in printed[0]
    assert "shop listens on" in printed[-1]
    assert not any("tables" in line or "Warning" in line for line in printed)
    assert rest == ""
