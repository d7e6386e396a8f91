"""A command with `--local` in a separate process, which uses the app's local cloud until `finish()`."""

from __future__ import annotations

import queue
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.engines import client_of
from tests.tools import warm
from tests.tools.sandbox.running import PATIENCE, ROOT, surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_COMMAND = """
import sys
from pathlib import Path
from arc.errors import ToolError
from arc.tools.sandbox.cloud.shared_cloud import open_local_cloud

def say(kind, text=""):
    print(kind, text, flush=True)

try:
    patience = {"patience": float(sys.argv[2])} if sys.argv[2:] else {}
    with open_local_cloud(Path(sys.argv[1]), notify=lambda message: say("notice", message), **patience) as url:
        say("url", url)
        sys.stdin.readline()
        say("done")
    say("ended")
except ToolError as error:
    say("error", error)
except KeyboardInterrupt:
    say("interrupted")
"""


class Command:
    """A command for the app in `folder`."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.process = warm.Process.piped(_COMMAND, [str(folder), *words], ROOT, surroundings())
        self._said: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def said(self, kind: str) -> str:
        """Return the next message, which must be a `url`, `notice`, `done`, `ended`, `error` or `interrupted`."""
        line = self._said.get(timeout=PATIENCE)
        assert line.startswith(f"{kind} "), line
        return line.removeprefix(f"{kind} ")

    def finish(self) -> None:
        """Let the command finish its work on the cloud."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        self.said("done")

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def ends(self) -> None:
        """Wait for the end, and check that no message is left."""
        self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        assert list(self._said.queue) == []

    def close(self) -> None:
        """Stop the command if it is running."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join(PATIENCE)
        for stream in (self.process.stdin, self.process.stdout):
            stream.close()

    def _read(self) -> None:
        for line in self.process.stdout:
            self._said.put(line.decode().rstrip("\n"))


@contextmanager
def command(folder: Path, *words: str) -> Iterator[Command]:
    """Run a command until the block ends; `words` may be the patience for an unresponsive cloud, in seconds."""
    started = Command(folder, *words)
    try:
        yield started
    finally:
        started.close()


def write(url: str, name: str) -> None:
    """Write something to the cloud."""
    client_of(url, "ssm").put_parameter(Name=name, Value="x", Type="String")


def written(url: str) -> list[str]:
    """Return what was written to the cloud."""
    return sorted(one["Name"] for one in client_of(url, "ssm").describe_parameters()["Parameters"])
