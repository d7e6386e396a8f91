"""A clock that advances only when it sleeps."""

from __future__ import annotations

import threading


class Clock:
    """Tells `now`, in seconds; `sleeps` are the pauses that were taken, in order. Every sleep lasts `late` longer."""

    def __init__(self, *, late: float = 0.0) -> None:
        self.now, self.late = 1000.0, late
        self.sleeps: list[float] = []
        self._lock = threading.Lock()

    def __call__(self) -> float:
        """The time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        with self._lock:
            self.sleeps.append(seconds)
            self.now += seconds + self.late
