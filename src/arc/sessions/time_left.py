"""How long the current invocation may still run, so that a store gives up in time for a response."""

from __future__ import annotations

from _contextvars import ContextVar  # contextvars, without its import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MARGIN = 0.5  # seconds reserved for the response

clock: ContextVar[Callable[[], float] | None] = ContextVar("arc_time_left", default=None)
"""A function that returns the milliseconds left, such as `context.get_remaining_time_in_millis`."""


def time_left() -> float | None:
    """Return the seconds that a store may still take, None when they are not limited."""
    get_milliseconds = clock.get()
    return None if get_milliseconds is None else get_milliseconds() / 1000 - MARGIN
