"""`arc` run by forks of one interpreter that has loaded it."""

from __future__ import annotations

import atexit
import functools
import json
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests import engines

_SECONDS = 120
_ENVIRON = {"PATH", "HOME", "TMPDIR", "SYSTEMROOT"}


def is_warm(environ: Mapping[str, str]) -> bool:
    """True for an environment without variables that an interpreter reads when it starts."""
    return all(name in _ENVIRON or name.startswith("AWS_") for name in environ)


def arc(words: Sequence[str], folder: Path, environ: Mapping[str, str], given: str) -> subprocess.CompletedProcess[str]:
    """What `arc` does with `words` in `folder`, with `given` on its standard input."""
    with (
        socket.socket(socket.AF_UNIX) as connection,
        tempfile.TemporaryFile() as read,
        tempfile.TemporaryFile() as told,
        tempfile.TemporaryFile() as complained,
        tempfile.TemporaryFile() as request,
    ):
        read.write(given.encode())
        asked = {"words": list(words), "folder": str(folder), "environ": dict(environ)}
        request.write(json.dumps(asked).encode())
        for file in (read, request):
            file.seek(0)
        connection.settimeout(_SECONDS)
        connection.connect(str(_interpreter()))
        socket.send_fds(connection, [b"x"], [one.fileno() for one in (read, told, complained, request)])
        code = int(connection.recv(16))
        texts = []
        for file in (told, complained):
            file.seek(0)
            texts.append(file.read().decode())
        return subprocess.CompletedProcess(["arc", *words], code, *texts)


@functools.cache
def _interpreter() -> Path:
    """The socket of the interpreter, which ends with the tests."""
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
