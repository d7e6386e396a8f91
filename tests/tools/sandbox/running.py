"""A real sandbox in a separate process: `with running(folder) as sandbox: sandbox.get("/")`."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.tools import warm

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[3]
PATIENCE = 30.0  # seconds: a busy machine is slow, and a passing test never waits that long
_LISTENS = "0A"  # in /proc/net/tcp
START = (
    "import os, pathlib, sys; from arc.tools.sandbox.server import serve; "
    "serve(pathlib.Path(sys.argv[1]), port=int(sys.argv[2]) if sys.argv[2] != 'any' else None,"
    " quiet='quiet' in sys.argv, verbose='verbose' in sys.argv, pure='pure' in sys.argv, fresh='fresh' in sys.argv,"
    " debug='debug' in sys.argv, debug_only=[word[5:] for word in sys.argv if word.startswith('only=')],"
    " hosts=[word.removeprefix('host=') for word in sys.argv if word.startswith('host=')],"
    " variables={word[4:]: os.environ[word[4:]] for word in sys.argv if word.startswith('env=')})"
)


@dataclass(frozen=True)
class Answer:
    """A response; `headers` are in order, with names in lower case."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key == name]


class Sandbox:
    """A running sandbox. `port` and `url`, without a trailing slash, are set once it listens."""

    def __init__(self, process: subprocess.Popen[bytes] | warm.Process) -> None:
        self.process = process
        self._chunks: list[bytes] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def listens(self) -> None:
        """Wait until the sandbox listens."""
        self.port = int(self.wait_for(r"listens on http://127\.0\.0\.1:(\d+)")[1])
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        """Everything that the sandbox has printed."""
        return b"".join(self._chunks).decode(errors="replace")

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until the output matches `pattern`, and return the first match."""
        end = time.monotonic() + PATIENCE
        while True:
            ended = self.process.poll() is not None and not self._reader.is_alive()
            found = re.search(pattern, self.output)
            if found:
                return found
            if ended or time.monotonic() > end:
                raise AssertionError(f"The sandbox did not print {pattern!r}, but:\n{self.output}")
            time.sleep(0.005)

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Return the response to a request on a new connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return Answer(
                response.status, [(name.lower(), value) for name, value in response.getheaders()], response.read()
            )
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        """Return the response to a GET; headers are arguments such as `accept="text/html"`."""
        return self.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal, wait for the end, and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            while chunk := os.read(stream.fileno(), 65536):
                self._chunks.append(chunk)


@contextmanager
def running(
    folder: Path,
    *options: str,
    port: int | str = 0,
    environ: Mapping[str, str] | None = None,
    python: Sequence[str] = (),
) -> Iterator[Sandbox]:
    """A sandbox of the app in `folder` that listens, ended with the block.

    `options`: "quiet", "verbose", "pure", "fresh", "debug", "only=ROUTE", "host=NAME", "env=NAME".

    `python` is the interpreter, with its options; without it a fork of one that has loaded the sandbox.
    """
    with starting(folder, *options, port=port, environ=environ, python=python) as sandbox:
        sandbox.listens()
        yield sandbox
        sandbox.stop()


@contextmanager
def starting(
    folder: Path,
    *options: str,
    port: int | str = 0,
    environ: Mapping[str, str] | None = None,
    python: Sequence[str] = (),
) -> Iterator[Sandbox]:
    """Start a sandbox without waiting until it listens, and kill it when the block ends."""
    process = _process([str(folder), str(port), *options], surroundings(environ), python)
    try:
        yield Sandbox(process)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _process(
    words: Sequence[str], environ: Mapping[str, str], python: Sequence[str]
) -> subprocess.Popen[bytes] | warm.Process:
    if not python:
        process = warm.Process.piped(START, words, ROOT, environ)
        process.stdin.close()
        return process
    return subprocess.Popen(
        [*python, "-c", START, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
        env=environ,
    )


def failed_start(
    app: Path, *options: str, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a sandbox that fails to start."""
    if not options:
        return warm.python(START, [str(app), "0"], ROOT, surroundings(environ))
    return subprocess.run(
        [sys.executable, *options, "-c", START, str(app), "0"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=surroundings(environ),
        timeout=PATIENCE,
        check=False,
    )


def surroundings(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return a developer's environment without variables of AWS or Architect, except those in `environ`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ARC_", "AWS_", "SESSION_"))}
    dummies = {"AWS_ACCESS_KEY_ID": "dummy", "AWS_SECRET_ACCESS_KEY": "dummy", "AWS_REGION": "us-east-1"}
    return kept | dummies | dict(environ or {})


def ends(process: int) -> bool:
    """Wait until the process has ended or is a zombie; return False if it keeps running."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            with Path(f"/proc/{process}/stat").open(encoding="utf-8") as stat:
                if stat.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except OSError:
            return True
        time.sleep(0.005)
    return False


def children_of(process: int) -> list[int]:
    """Return the child processes of a process, recursively."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]
            if int(parent) == process:
                child = int(stat.parent.name)
                found += [child, *children_of(child)]
    return found


def listening_addresses(process: int) -> set[str]:
    """Return the TCP addresses on which a process listens and those of its UDP sockets, as in `127.0.0.1:3333`."""
    inodes = set()
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes |= set(re.findall(r"socket:\[(\d+)\]", str(descriptor.readlink())))
    found = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{process}/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if rest[5] in inodes and (state == _LISTENS or table.startswith("udp")):
                address, _, port = local.partition(":")
                words = [bytes.fromhex(address[start : start + 8])[::-1] for start in range(0, len(address), 8)]
                family = socket.AF_INET if len(words) == 1 else socket.AF_INET6
                found.add(f"{socket.inet_ntop(family, b''.join(words))}:{int(port, 16)}")
    return found
