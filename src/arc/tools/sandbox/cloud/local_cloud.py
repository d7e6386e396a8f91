"""The local cloud: AWS's services on this machine, a ministack in a process of its own. Nothing of it is imported."""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import IO, TYPE_CHECKING

from arc.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from arc.tools.sandbox.cloud.state import CloudState

INSTALL = "pip install 'arc-sessions[local]'"
_SERVICES = "dynamodb,dynamodbstreams,ssm,lambda,apigateway,cloudformation,tagging,iam"
_PROCESS = str(Path(__file__).with_name("process.py"))
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "SYSTEMROOT", "VIRTUAL_ENV")
_SECONDS_TO_START = 30
_SECONDS_TO_END = 10
_SECONDS_TO_ANSWER = 10  # on a busy machine
_LINES_KEPT = 12
_PORTS_TRIED = 3


def is_installed() -> bool:
    """True when the extra `local` is there."""
    return all(importlib.util.find_spec(package) is not None for package in ("ministack", "boto3"))


class LocalCloud:
    """A running local cloud at `url`, on 127.0.0.1 alone, with the data of `state`.

    `told` is called, in a thread of its own, with a sentence when it ends by itself; `loss` says what that means.
    Its health names `token`: what answers at the port is this cloud and no other. `popen` starts the process; it takes
    the arguments of `subprocess.Popen`.
    """

    def __init__(
        self,
        state: CloudState,
        told: Callable[[str], None],
        *,
        loss: str = "the tables are gone until you start the sandbox again",
        port: int | None = None,
        environ: Mapping[str, str] = os.environ,
        python: str = sys.executable,
        popen: Callable[..., subprocess.Popen[bytes]] = subprocess.Popen,
    ) -> None:
        """Start it at `port`, or at any that is free; takes about a second.

        Raises `ToolError` for a port that is taken, and with its last lines when it does not start.
        """
        if port is not None and _is_taken(port):
            raise ToolError(
                f"Port {port}, where the tables are to answer, is taken. Choose another one in the preferences "
                "(@sandbox, ports, tables) or ARC_TABLES_PORT."
            )
        self._state, self._told, self._loss, self._popen = state, told, loss, popen
        self.token = secrets.token_urlsafe(16)
        self._lines: deque[str] = deque(maxlen=_LINES_KEPT)
        self._ready = self._closing = False
        for attempt in range(1, _PORTS_TRIED + 1):
            self.port = port or _free_port()
            self._start(environ, python)
            try:
                self._wait()
            except ToolError:
                self._kill()
                if attempt == _PORTS_TRIED or not _is_taken(self.port):
                    raise
            except BaseException:
                self._kill()
                raise
            else:
                break
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def process_id(self) -> int:
        """The number of its process."""
        return self._process.pid

    @property
    def failure(self) -> str | None:
        """That it has ended by itself, with its last lines; None while it runs."""
        code = self._process.poll()
        if code is None:
            return None
        self._reader.join(1)
        said = "".join(f"\n  {line}" for line in self._lines) or " Nothing."
        return f"The local cloud (ministack) has ended with {code}. Its last words:{said}"

    def close(self) -> None:
        """End it and the functions that it runs, which saves its data."""
        self._closing = True
        interrupt = None
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        self._process.stdin.close()  # Which the process waits for.
        end = time.monotonic() + _SECONDS_TO_END
        while self._process.poll() is None and time.monotonic() < end:
            try:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(max(0.0, end - time.monotonic()))
            except KeyboardInterrupt as pressed:  # Once more, and what is being saved would be lost.
                interrupt = pressed
        self._kill()
        if interrupt is not None:
            raise interrupt

    def _start(self, environ: Mapping[str, str], python: str) -> None:
        self._lines.clear()
        self._process = self._popen(
            [python, "-P", "-X", "utf8", "-W", "ignore", _PROCESS],
            env=_environ(environ, self.port, self.token, self._state),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=self._state.descriptors if os.name == "posix" else (),
        )
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def _read(self, stream: IO[bytes]) -> None:
        process = self._process
        for line in stream:
            self._lines.append(line.decode(errors="replace").rstrip())
        process.wait()
        _kill_group(process)  # Functions that do not end when they are asked to.
        if self._ready and not self._closing:
            said = "".join(f"\n  {line}" for line in self._lines)
            self._told(
                f"The local cloud (ministack) has ended with {process.returncode}: {self._loss}."
                f"{said and f' Its last words:{said}'}"
            )

    def _wait(self) -> None:
        end = time.monotonic() + _SECONDS_TO_START
        while time.monotonic() < end:
            if self.failure is not None:
                raise ToolError(f"{self.failure}\nIf it is damaged, install it again: {INSTALL}")
            if answers(self.port, self.token):
                self._ready = True
                return
            time.sleep(0.02)
        raise ToolError(f"The local cloud did not answer within {_SECONDS_TO_START} seconds. Try again.")

    def _kill(self) -> None:
        """Make sure that it has ended, and its children."""
        if self._process.poll() is None:
            _kill_group(self._process)
            self._process.wait()
        self._reader.join(1)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and those that it has started; where there are no such groups, the process."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL) if os.name == "posix" else process.kill()


def answers(port: int, token: str) -> bool:
    """True when the local cloud whose token this is answers at `port` of 127.0.0.1."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS_TO_ANSWER)
    try:
        connection.request("GET", "/_ministack/health")
        health = json.loads(connection.getresponse().read())
        return isinstance(health, dict) and health.get("edition") == token
    except (OSError, ValueError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _environ(environ: Mapping[str, str], port: int, token: str, state: CloudState) -> dict[str, str]:
    """Only what is chosen here: a variable of the developer's shell may open a port or reach out to Docker.

    Functions have it too, and so find no credentials but these.
    """
    return {name: environ[name] for name in _PASSED_ON if name in environ} | {
        "AWS_ACCESS_KEY_ID": "dummy",
        "AWS_SECRET_ACCESS_KEY": "dummy",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "MINISTACK_EDITION": token,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "SERVICES": _SERVICES,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state.folder),
        "TMPDIR": str(state.scratch),
        "LOG_LEVEL": "WARNING",
        "LAMBDA_EXECUTOR": "local",
        "DOCKER_HOST": f"unix://{state.scratch / 'none'}",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
