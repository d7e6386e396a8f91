"""What a worker prints, cut into lines and marked with its route."""

from __future__ import annotations

import asyncio
import codecs
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arc.tools.sandbox.terminal import Terminal

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
