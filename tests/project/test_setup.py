"""`scripts/setup`, which `make` runs: it finds an interpreter, says what is missing, and leaves a made .venv alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def project(folder: Path) -> Path:
    """A copy of the project's set-up, in a folder whose name has a space."""
    made = folder / "a project"
    (made / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts/setup", made / "scripts")
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, made)
    return made


def setup(folder: Path, path: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """The outcome of `scripts/setup test` with only the programs in `path` and the shell's own."""
    env = {"PATH": f"{path}:/usr/bin:/bin", "HOME": str(folder), **environ}
    command = ["/bin/sh", "scripts/setup", "test"]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)


def program(folder: Path, name: str, script: str) -> None:
    """A program of this name that runs `script`."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_without_an_interpreter_one_line_says_what_was_found(tmp_path: Path) -> None:
    """A stand-in that fails, an old Python and one without ensurepip: one line names what to install."""
    programs = tmp_path / "programs"
    program(programs, "python3.13", "echo not this one >&2; exit 127")
    program(programs, "python3", 'case "$2" in *ensurepip*) exit 1;; *"print("*) echo 3.9.2;; *) exit 1;; esac')
    program(programs, "python3.12", 'case "$2" in *ensurepip*) exit 1;; *"print("*) echo 3.12.1;; *) exit 0;; esac')
    for name in ("python3.14", "python3.11"):
        program(programs, name, "exit 127")
    done = setup(project(tmp_path), programs)
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "python3.12 is 3.12.1 but has no ensurepip; python3 is 3.9.2;" in line
    assert "apt-get install python3 python3-venv" in line


def test_a_current_stamp_touches_nothing(tmp_path: Path) -> None:
    """With a stamp of this pyproject.toml nothing is run and nothing downloaded; a changed one is noticed."""
    made = project(tmp_path)
    bin_folder = made / ".venv/bin"
    bin_folder.mkdir(parents=True)
    program(bin_folder, "python", "echo ran >>../ran; exit 1")
    key = subprocess.run(  # noqa: S602
        "cat pyproject.toml scripts/setup | cksum",
        shell=True,
        cwd=made,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (made / ".venv/installed-test").write_text(key)
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    done = setup(made, nothing)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (made / "pyproject.toml").write_text((made / "pyproject.toml").read_text() + "\n")
    assert setup(made, nothing, PYTHON="/nonexistent").returncode == 1


def test_a_failed_download_is_one_line_and_leaves_no_stamp(tmp_path: Path) -> None:
    """When packages cannot be had, the last line says so and where the details are; the next run tries again."""
    made = project(tmp_path)
    nowhere = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/",
        "PIP_RETRIES": "0",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_TIMEOUT": "1",
    }
    done = setup(made, tmp_path / "none", PYTHON=sys.executable, **nowhere)
    assert done.returncode == 1
    announced, failure = done.stderr.splitlines()
    assert announced.startswith("Setting up .venv for make test")
    assert failure.startswith("Setting up failed: pip could not install the packages")
    assert failure.endswith("Details: .venv/pip.log")
    assert (made / ".venv/pip.log").exists()
    assert not (made / ".venv/installed-test").exists()


def test_bare_make_prints_every_target() -> None:
    """`make` alone is help."""
    done = subprocess.run(["make", "-s"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    for target in ("demo", "test", "check", "bench", "vectors", "clean"):
        assert f"make {target}" in done.stdout
