"""A clock for tests, which stands still until it is moved."""

from __future__ import annotations


class Clock:
    """A callable that gives Unix seconds: `Clock(1_800_000_000)`, then `clock.forward(days=8)`."""

    def __init__(self, now: float = 1_800_000_000) -> None:
        self.now = now

    def __call__(self) -> float:
        """The current time, Unix seconds."""
        return self.now

    def forward(self, seconds: float = 0, *, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        """Move the clock forward, or back with negative numbers."""
        self.now += seconds + 60 * minutes + 3600 * hours + 86_400 * days
