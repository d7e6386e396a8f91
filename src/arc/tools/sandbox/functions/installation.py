"""`arc sandbox --install`: installs an app's requirements into the environment of the interpreter that runs `arc`."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.inventory.places import shell_path
from arc.tools.sandbox.functions.requirements import REPLACED, names_in, needs_pip, requirement_files, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from arc.inventory import Inventory

_SECONDS_TO_END = 5  # that pip has to end by itself after Ctrl-C


def is_environment() -> bool:
    """Return whether packages may be installed: in a virtual environment, or in one of conda."""
    return sys.prefix != sys.base_prefix or (Path(sys.prefix) / "conda-meta").is_dir()


def install_command(root: Path, otherwise: str) -> str:
    """Return the command that installs the requirements of the app in `root`.

    Outside a virtual environment, where the sandbox installs nothing, it is `pip install` and the words `otherwise`.
    """
    if not is_environment():
        return f"pip install {otherwise}"
    folder = shell_path(root)
    return "arc sandbox --install" if folder == "." else f"arc sandbox {folder} --install"


def install(inventory: Inventory, say: Callable[[str], None]) -> None:
    """Install the requirements of an app and its functions that are missing. pip shows its progress itself.

    Raises `ToolError` outside a virtual environment, without pip, and when pip fails.
    """
    files = requirement_files(inventory.root, [route.folder for route in inventory.routes])
    names = ", ".join(shown(file, inventory.root) for file in files)
    for file in files:
        if REPLACED in names_in(file):
            place = shown(file, inventory.root)
            raise ToolError(f"{place} names {REPLACED}, which arc-sessions replaces. Remove that line.")
    if not is_environment():
        raise ToolError(
            f"--install needs a virtual environment, and arc runs on {sys.executable}, which is in none. Create one, "
            "activate it, and install arc-sessions there: python3 -m venv .venv"
        )
    if not any(map(needs_pip, files)):
        say(f"Nothing to install: {names or 'there is no requirements.txt'}.")
        return
    say(f"Installing {names} into {sys.prefix}")
    _run([*_installer(), *(word for file in files for word in ("-r", str(file)))], names)


def _installer() -> list[str]:
    """Return the command that installs into this environment: pip's, or uv's in an environment without pip."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    uv = shutil.which("uv")
    if uv is None:
        raise ToolError(
            f"--install needs pip, which {sys.executable} does not have. Run: {sys.executable} -m ensurepip"
        )
    return [uv, "pip", "install", "--python", sys.executable]


def _run(command: list[str], names: str) -> None:
    with subprocess.Popen(command) as process:  # noqa: S603  # the interpreter's own pip
        try:
            code = process.wait()
        except KeyboardInterrupt:  # The terminal has sent it to pip too.
            with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
                process.wait(_SECONDS_TO_END)
            process.kill()
            raise
    if code in (-signal.SIGINT, 130):
        raise KeyboardInterrupt
    if code:
        raise ToolError(
            f"The packages in {names} could not be installed; the reason is above. Correct it and run this again."
        )
