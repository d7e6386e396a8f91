"""The local cloud: AWS services on this machine, provided by ministack in a separate process."""

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
LOSS = "The tables are unavailable until you restart the sandbox."
_SERVICES = "dynamodb,dynamodbstreams,ssm,lambda,apigateway,cloudformation,tagging,iam,s3,sts,logs"
_PROCESS = str(Path(__file__).with_name("process.py"))
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "SYSTEMROOT", "VIRTUAL_ENV")
_SECONDS_TO_START = 30
_SECONDS_TO_END = 10
_SECONDS_TO_ANSWER = 10  # on a busy machine
_LINES_KEPT = 12
_PORTS_TRIED = 3


def is_installed() -> bool:
    """Return True if the extra `local` is installed."""
    return all(importlib.util.find_spec(package) is not None for package in ("ministack", "boto3"))


class LocalCloud:
    """A local cloud at `url`, a port of 127.0.0.1, with the data of `state`.

    If it ends unexpectedly, `notify` is called with a message, from a separate thread; `loss` is the sentence in it
    about the consequences. The cloud's health check returns `token`, which identifies it. `popen` takes the arguments
    of `subprocess.Popen`.
    """

    def __init__(
        self,
        state: CloudState,
        notify: Callable[[str], None],
        *,
        loss: str = LOSS,
        port: int | None = None,
        environ: Mapping[str, str] = os.environ,
        python: str = sys.executable,
        popen: Callable[..., subprocess.Popen[bytes]] = subprocess.Popen,
    ) -> None:
        """Start the cloud at `port` or any free port, which takes about a second.

        Raises `ToolError` if the port is in use, and with the cloud's last lines if it does not start.
        """
        if port is not None and _is_taken(port):
            raise ToolError(
                f"Port {port}, configured for the tables, is in use. Choose another one in the preferences "
                "(@sandbox, ports, tables) or ARC_TABLES_PORT."
            )
        self._state, self._notify, self._loss, self._popen = state, notify, loss, popen
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
        """The cloud's process id."""
        return self._process.pid

    @property
    def failure(self) -> str | None:
        """A message with the last lines of a cloud that has ended; None while it runs."""
        if self._process.poll() is None:
            return None
        self._reader.join(1)
        return f"{self._exit_message()}{self._last_lines() or ' It printed nothing.'}"

    def close(self) -> None:
        """Stop the cloud and its functions, and wait until its data is saved."""
        self._closing = True
        interrupt = None
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        self._process.stdin.close()  # This is the signal to end.
        end = time.monotonic() + _SECONDS_TO_END
        while self._process.poll() is None and time.monotonic() < end:
            try:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(max(0.0, end - time.monotonic()))
            except KeyboardInterrupt as pressed:  # Ending now would lose data.
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
        _kill_group(process)  # Functions may ignore SIGTERM.
        if self._ready and not self._closing:
            self._notify(f"{self._exit_message()} {self._loss}{self._last_lines()}")

    def _exit_message(self) -> str:
        return f"The local cloud (ministack) ended with exit code {self._process.returncode}."

    def _last_lines(self) -> str:
        lines = "".join(f"\n  {line}" for line in self._lines)
        return f" Its last lines:{lines}" if lines else ""

    def _wait(self) -> None:
        end = time.monotonic() + _SECONDS_TO_START
        while time.monotonic() < end:
            if self.failure is not None:
                raise ToolError(f"{self.failure}\nIf the installation is damaged, reinstall it: {INSTALL}")
            if answers(self.port, self.token):
                self._ready = True
                return
            time.sleep(0.02)
        raise ToolError(f"The local cloud did not answer within {_SECONDS_TO_START} seconds. Try again.")

    def _kill(self) -> None:
        """Kill the process and its children if it is still running, and close its pipes."""
        if self._process.poll() is None:
            _kill_group(self._process)
            self._process.wait()
        self._reader.join(1)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its children, or only the process where process groups are not available."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL) if os.name == "posix" else process.kill()


def answers(port: int, token: str) -> bool:
    """Return True if the local cloud with this token answers at `port` of 127.0.0.1."""
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
    """Return the cloud's environment, which is also that of its functions.

    It has few of the shell's variables, because others may open ports, reach Docker or contain credentials.
    """
    return {name: environ[name] for name in _INHERITED if name in environ} | {
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
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(state.folder / "s3"),
        "STATE_DIR": str(state.folder),
        "TMPDIR": str(state.scratch),
        "LOG_LEVEL": "WARNING",
        "LAMBDA_EXECUTOR": "local",
        "DOCKER_HOST": f"unix://{state.scratch / 'none'}",
    }


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
