"""The sandbox's voice: lines to the terminal, written by a thread so that a slow terminal holds up no request."""

from __future__ import annotations

import asyncio
import codecs
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO


_MOST_WAITING = 8_000_000  # characters; a terminal that stands still loses what comes after


class Terminal:
    """Writes marked lines to `stream`. Lines may be left out, and that is said, when nobody reads for long."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stdout
        self._waiting: deque[str] = deque()
        self._size = self._lost = 0
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._write_all, name="terminal", daemon=True)
        self._thread.start()

    def say(self, text: str) -> None:
        """Write `text` as it is, and a line end."""
        self._put(text + "\n")

    def lines(self, mark: str, lines: list[str]) -> None:
        """Write each line behind the mark of the function it comes from."""
        self._put("".join(f"{mark} | {line}\n" for line in lines))

    def close(self, patience: float = 1.0) -> None:
        """Write what waits, for at most `patience` seconds."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(patience)

    def _put(self, text: str) -> None:
        with self._changed:
            if self._size + len(text) > _MOST_WAITING:
                self._lost += text.count("\n")
                return
            if self._lost:
                text = f"… {self._lost} lines left out: the terminal did not keep up\n{text}"
                self._lost = 0
            self._waiting.append(text)
            self._size += len(text)
            self._changed.notify()

    def _write_all(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    if self._closing:
                        return
                    self._changed.wait()
                text = "".join(self._waiting)
                self._waiting.clear()
            try:
                self._stream.write(text)
                self._stream.flush()
            except UnicodeEncodeError:
                encoding = self._stream.encoding or "ascii"
                self._stream.write(text.encode(encoding, "replace").decode(encoding))
                self._stream.flush()
            except (OSError, ValueError):
                return  # The terminal has gone.
            with self._changed:
                self._size -= len(text)


_LONGEST = 16_384  # characters of one line before it is cut
_PATIENCE = 0.2  # seconds that a line without an end waits for it


class Output:
    """Turns a worker's bytes into marked lines; `hold()` keeps them back until `release()` or `discard()`."""

    def __init__(self, terminal: Terminal, mark: str) -> None:
        self._terminal, self._mark = terminal, mark
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        self._discarding = False
        self._held: list[str] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def hold(self) -> None:
        """Keep lines back: a process that only starts may have read a half-written file."""
        self._held = []

    def release(self) -> None:
        """Write what was kept back, and write at once from now on."""
        held, self._held = self._held, None
        if held:
            self._terminal.lines(self._mark, held)

    def discard(self) -> None:
        """Forget everything, now and later."""
        self._held, self._rest = None, ""
        self._discarding = True

    def feed(self, data: bytes) -> None:
        """Take bytes as they come from the pipe."""
        if self._discarding:
            return
        text = self._rest + self._decode(data)
        # awslambdaric joins the lines of a report by carriage returns, indented with no-break spaces.
        text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")
        *lines, self._rest = text.split("\n")
        if len(self._rest) > _LONGEST:
            lines.append(self._rest)
            self._rest = ""
        if lines:
            self._write(lines)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(_PATIENCE, self.flush) if self._rest else None

    def flush(self) -> None:
        """Write the line that has no end yet."""
        if self._rest:
            self._write([self._rest])
            self._rest = ""

    def _write(self, lines: list[str]) -> None:
        if self._held is None:
            self._terminal.lines(self._mark, lines)
        else:
            self._held.extend(lines)
