"""What the core knows about a request besides its cookies: of what kind it is, and how long it may still run."""

from __future__ import annotations

from _contextvars import ContextVar  # contextvars, without its import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


class Visit:
    """A request as a session manager sees it. This class is a plain navigation, and web frameworks override it.

    `navigation` is true when the browser asks for a page. `safe` is true for a method that changes nothing (RFC 9110
    §9.2.1). `displayed` is false when no one sees the response, as after HEAD or a prefetch. `host` is the host's name
    in lower case, "" when it is unknown. `plain_http` is true for a request without TLS.
    """

    __slots__ = ()

    navigation = True
    safe = True
    displayed = True
    host = ""
    plain_http = False

    def withheld(self, same_site: str) -> bool:  # noqa: ARG002  # for subclasses
        """True when the browser withheld a cookie with this SameSite, so that its absence means nothing."""
        return False

    def is_request(self, data: dict[str, Any]) -> bool:  # noqa: ARG002  # for subclasses
        """True when `data` is a whole request with its headers, which must not be stored in a session."""
        return False

    def places(self) -> Iterable[tuple[str | None, str]]:
        """Return the domain (None: host-only) and path of every other cookie of the name that may have been sent."""
        return ()


PLAIN = Visit()

# A store has to give up in time for a response.
MARGIN = 0.5  # seconds reserved for the response

clock: ContextVar[Callable[[], float] | None] = ContextVar("arc_time_left", default=None)
"""A function that returns the milliseconds left, such as `context.get_remaining_time_in_millis`."""


def time_left() -> float | None:
    """Return the seconds that a store may still take, None when they are not limited."""
    get_milliseconds = clock.get()
    return None if get_milliseconds is None else get_milliseconds() / 1000 - MARGIN
