"""Runs `arc`, and Python code that uses it, in forks of one interpreter that has already imported it."""

from __future__ import annotations

import atexit
import contextlib
import functools
import io
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Self

from tests import engines

_SECONDS = 120
_PROGRAM = """
import json, os, signal, socket, sys, tempfile

connection = socket.socket(socket.AF_UNIX)
connection.connect({path!r})
with tempfile.TemporaryFile() as request:
    arguments = {{"words": sys.argv[1:], "folder": os.getcwd(), "environ": dict(os.environ), "code": None}}
    request.write(json.dumps(arguments).encode())
    request.seek(0)
    socket.send_fds(connection, [b"x"], [0, 1, 2, request.fileno()])
with connection.makefile() as answer:
    process = int(answer.readline())
    signal.signal(signal.SIGINT, lambda *_: os.kill(process, signal.SIGINT))
    code = int(answer.readline())
sys.exit(code if code >= 0 else 128 - code)
"""
_ENVIRON = {"PATH", "HOME", "TMPDIR", "SYSTEMROOT"}


def is_warm(environ: Mapping[str, str]) -> bool:
    """Return True for an environment without variables that an interpreter reads when it starts."""
    return all(name in _ENVIRON or name.startswith("AWS_") for name in environ)


class Process:
    """A running fork, with the methods of `subprocess.Popen` that tests use."""

    def __init__(
        self, code: str | None, words: Sequence[str], folder: Path, environ: Mapping[str, str], streams: Sequence[int]
    ) -> None:
        """Start `arc`, or `code` as `python -c` does; `streams` are the descriptors of its standard streams."""
        self.returncode: int | None = None
        self.stdin: IO[bytes] = io.BytesIO()
        self.stdout: IO[bytes] = io.BytesIO()
        self._answer = b""
        self._waiting = threading.Lock()  # Several threads may wait for the end.
        self._connection = socket.socket(socket.AF_UNIX)
        with tempfile.TemporaryFile() as request:
            arguments = {"words": list(words), "folder": str(folder), "environ": dict(environ), "code": code}
            request.write(json.dumps(arguments).encode())
            request.seek(0)
            self._connection.settimeout(_SECONDS)
            self._connection.connect(str(_interpreter()))
            socket.send_fds(self._connection, [b"x"], [*streams, request.fileno()])
            while b"\n" not in self._answer:
                self._receive()
        pid, _, self._answer = self._answer.partition(b"\n")
        self.pid = int(pid)

    @classmethod
    def piped(cls, code: str, words: Sequence[str], folder: Path, environ: Mapping[str, str]) -> Self:
        """Start `python -c code` with pipes: `stdin`, and `stdout`, which receives standard error too."""
        (child_stdin, stdin), (stdout, child_stdout) = os.pipe(), os.pipe()
        try:
            process = cls(code, words, folder, environ, (child_stdin, child_stdout, child_stdout))
        finally:
            os.close(child_stdin)
            os.close(child_stdout)
        process.stdin, process.stdout = os.fdopen(stdin, "wb"), os.fdopen(stdout, "rb")
        return process

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float = _SECONDS) -> int:
        """Wait for its end and return the exit code. Raises `subprocess.TimeoutExpired`."""
        if not self._waiting.acquire(timeout=timeout):
            raise subprocess.TimeoutExpired("a warm process", timeout)
        try:
            while not self._answer.endswith(b"\n"):  # The code may have arrived with the process id.
                self._connection.settimeout(timeout)
                self._receive()
            self.returncode = int(self._answer)
            self._connection.close()
        except (BlockingIOError, TimeoutError):
            raise subprocess.TimeoutExpired("a warm process", timeout) from None
        finally:
            self._waiting.release()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)

    def _receive(self) -> None:
        received = self._connection.recv(64)
        if not received:
            raise RuntimeError("The warm interpreter has ended.")
        self._answer += received


class Captured(Process):
    """A fork with standard input, output and error in files; a `with` block waits for its end."""

    def __init__(
        self, code: str | None, words: Sequence[str], folder: Path, environ: Mapping[str, str], given: str
    ) -> None:
        """Start `arc`, or `code` as `python -c` does, with `given` on standard input."""
        self._files = [tempfile.TemporaryFile() for _ in range(3)]  # noqa: SIM115 - the end closes them
        self._files[0].write(given.encode())
        self._files[0].seek(0)
        super().__init__(code, words, folder, environ, [file.fileno() for file in self._files])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()
        for file in self._files:
            file.close()

    def communicate(self, timeout: float = _SECONDS) -> tuple[str, str]:
        """Wait for its end, and return what it wrote to standard output and standard error."""
        self.wait(timeout)
        written = []
        for file in self._files[1:]:
            file.seek(0)
            written.append(file.read().decode())
        return written[0], written[1]


def arc(words: Sequence[str], folder: Path, environ: Mapping[str, str], given: str) -> subprocess.CompletedProcess[str]:
    """Run `arc` with `words` in `folder`, with `given` on standard input."""
    return _completed(None, words, folder, environ, given)


def install(folder: Path) -> None:
    """Write an executable `arc` to `folder`, which runs such a fork and passes an interrupt on to it."""
    program = folder / "arc.py"
    program.write_text(_PROGRAM.format(path=str(_interpreter())))
    command = folder / "arc"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -IS {shlex.quote(str(program))} "$@"\n')
    command.chmod(0o755)


def python(
    code: str, words: Sequence[str], folder: Path, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run `python -c code` with `words` in `folder`."""
    return _completed(code, words, folder, environ, "")


def _completed(
    code: str | None, words: Sequence[str], folder: Path, environ: Mapping[str, str], given: str
) -> subprocess.CompletedProcess[str]:
    with Captured(code, words, folder, environ, given) as process:
        texts = process.communicate()
        return subprocess.CompletedProcess(["arc", *words], process.wait(), *texts)


@functools.cache
def _interpreter() -> Path:
    """Return the socket of the interpreter, which ends with the tests."""
    folder = tempfile.mkdtemp(prefix="arc-warm-")
    path = Path(folder) / "socket"
    command = [sys.executable, "-P", "-W", "error", str(Path(__file__).with_name("warm_interpreter.py")), str(path)]
    process = subprocess.Popen(  # of the tests' own
        command,
        env=engines.environ_of("http://127.0.0.1:9", Path(folder)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )

    def end() -> None:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    assert process.stdout is not None
    with process.stdout as ready:
        assert ready.readline() == b"ready\n"
    return path
