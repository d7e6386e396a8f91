"""The sandbox's terminal, and the output of workers on its way there."""

from __future__ import annotations

import asyncio
import codecs
import os
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO


_BUFFER_LIMIT = 8_000_000  # characters
_LONGEST_LINE = 16_384  # characters
_FLUSH_DELAY = 0.2  # seconds that an unfinished line waits for its end


class Terminal:
    """Writes to `stream` from a thread of its own, so that a slow terminal does not delay requests.

    It is not a `QueueHandler` of `logging`, because the buffer is limited by its size, and lines beyond that are
    counted and dropped.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stdout
        self._waiting: deque[str] = deque()
        self._written: set[tuple[str, str]] = set()
        self._size = self._lost = 0
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._write_all, name="terminal", daemon=True)
        self._thread.start()

    @property
    def is_colored(self) -> bool:
        """True if the stream shows colors and links (https://no-color.org)."""
        return self._stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def say(self, text: str) -> None:
        """Write `text` and a line break."""
        self._put(text + "\n")

    def write_lines(self, label: str, lines: list[str]) -> None:
        """Write each line with a label in front, such as the name of the route that printed it."""
        self._put("".join(f"{label} | {line}\n" for line in lines))

    def write_once(self, label: str, line: str) -> None:
        """Write a labeled line, unless this method has written it before."""
        if (label, line) not in self._written:
            self._written.add((label, line))
            self.write_lines(label, [line])

    def close(self, patience: float = 1.0) -> None:
        """Write what is buffered, for at most `patience` seconds."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(patience)

    def _put(self, text: str) -> None:
        with self._changed:
            if self._size + len(text) > _BUFFER_LIMIT:
                self._lost += text.count("\n")
                return
            if self._lost:
                text = f"… {self._lost} lines dropped: the terminal did not keep up\n{text}"
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
                self._write(text)
            except (OSError, ValueError):
                return  # The terminal is closed.
            with self._changed:
                self._size -= len(text)

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
        except UnicodeEncodeError:
            encoding = self._stream.encoding or "ascii"
            self._stream.write(text.encode(encoding, "replace").decode(encoding))
        self._stream.flush()


class Output:
    """Splits a worker's output into labeled lines. `hold()` keeps them back until `release()` or `discard()`.

    It is not an `asyncio.StreamReader`, which would neither show unfinished lines nor limit their length.
    """

    def __init__(self, terminal: Terminal, label: str) -> None:
        self._terminal, self._label = terminal, label
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        self._discarding = False
        self._held: list[str] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def hold(self) -> None:
        """Keep lines back: a starting process may have read a half-written file."""
        self._held = []

    def release(self) -> None:
        """Write the lines that were kept back, and write immediately from now on."""
        held, self._held = self._held, None
        if held:
            self._terminal.write_lines(self._label, held)

    def discard(self) -> None:
        """Drop all lines, including future ones."""
        self._held, self._rest = None, ""
        self._discarding = True

    def feed(self, data: bytes) -> None:
        """Add bytes from the worker's pipe."""
        if self._discarding:
            return
        text = self._rest + self._decode(data)
        # awslambdaric separates the lines of an error report by carriage returns, and indents with no-break spaces.
        text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")
        *lines, self._rest = text.split("\n")
        if len(self._rest) > _LONGEST_LINE:
            lines.append(self._rest)
            self._rest = ""
        if lines:
            self._write(lines)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(_FLUSH_DELAY, self.flush) if self._rest else None

    def flush(self) -> None:
        """Write an unfinished line."""
        if self._rest:
            self._write([self._rest])
            self._rest = ""

    def _write(self, lines: list[str]) -> None:
        if self._held is None:
            self._terminal.write_lines(self._label, lines)
        else:
            self._held.extend(lines)
