"""How long the current invocation may still run, so that a store gives up while an answer can be given."""

from __future__ import annotations

from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MARGIN = 0.5  # seconds kept for the answer itself

clock: ContextVar[Callable[[], float] | None] = ContextVar("arc_time_left", default=None)
"""A function that gives the milliseconds left, as `context.get_remaining_time_in_millis` does."""


def time_left() -> float | None:
    """The seconds that a store may still take, None where nothing limits it."""
    ask = clock.get()
    return None if ask is None else ask() / 1000 - MARGIN
