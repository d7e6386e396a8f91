"""How fast a command may call."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Pace:
    """At most `per_second` turns in any second, for all threads together, evenly spaced.

    `clock` tells seconds; `sleep` may raise, which gives up the turn and nobody else's.
    """

    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._gap, self._clock, self._sleep = 1 / per_second, clock, sleep
        self._lock = threading.Lock()
        self._next: float | None = None

    def wait(self) -> None:
        """Return when it is the caller's turn."""
        # Who waits keeps the lock: a gap is counted from when the turn before really came, which may be late.
        with self._lock:
            now = self._clock()
            if self._next is not None and self._next > now:
                self._sleep(self._next - now)
                now = max(self._next, self._clock())
            self._next = now + self._gap
