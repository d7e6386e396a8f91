"""A terminal for the transcripts of a page, which runs commands one after the other, and servers beside them."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

PORT = "3333"  # the port of the pages; a free one is used for it
PATIENCE = 60.0  # seconds: a busy machine is slow, and a passing test never waits that long
DUMMIES = {"AWS_ACCESS_KEY_ID": "dummy", "AWS_SECRET_ACCESS_KEY": "dummy", "AWS_REGION": "us-east-1"}

_ASSIGNMENT = re.compile(r"(?P<name>[A-Z]+)=\$\((?P<command>.*)\)")


class Terminal:
    """Runs commands in `folder`; a `cd` and `NAME=$(…)` hold for later commands, and servers end with the block.

    Commands have only this machine's essentials in `environ`.
    """

    def __init__(self, folder: Path) -> None:
        self._home = self.folder = folder
        self._port = _free_port()
        self._servers: list[subprocess.Popen[bytes]] = []
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environ = {**DUMMIES, "PATH": path, "HOME": str(folder), "LANG": "C.UTF-8"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGINT)
            try:
                server.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()

    def run(self, command: str) -> tuple[int, str]:
        """Return the exit code of `command` and its output; one that ends in `&` is a server and has no output."""
        command = command.replace(PORT, str(self._port))
        if assignment := _ASSIGNMENT.fullmatch(command):
            code, printed = self.run(assignment["command"])
            self.environ[assignment["name"]] = printed.strip()
            return code, ""
        if command.endswith("&"):
            return self._start(command.removesuffix("&").strip())
        state = self._home / ".folder"
        script = f'{command}\nstatus=$?\npwd >"{state}"\nexit $status'
        done = subprocess.run(
            ["/bin/bash", "-c", script],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        if state.exists():
            self.folder = Path(state.read_text().strip())
            state.unlink()
        return done.returncode, done.stdout.replace(str(self._port), PORT)

    def _start(self, command: str) -> tuple[int, str]:
        log = self._home / f".server-{len(self._servers)}"
        with log.open("wb") as output:
            server = subprocess.Popen(
                ["/bin/bash", "-c", f"exec {command}"],
                cwd=self.folder,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._servers.append(server)
        end = time.monotonic() + PATIENCE
        while not _listens(self._port):
            if server.poll() is not None or time.monotonic() > end:
                return server.poll() or 1, log.read_text()
            time.sleep(0.05)
        return 0, ""


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
