"""The sandbox's voice: lines to the terminal, written by a thread so that a slow terminal holds up no request."""

from __future__ import annotations

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
