"""What happens to sessions, told to a hook and to `logging`."""

from __future__ import annotations

import logging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger("arc.sessions")

_LEVELS = {
    "created": logging.DEBUG,
    "loaded": logging.DEBUG,
    "renewed": logging.DEBUG,
    "regenerated": logging.INFO,
    "destroyed": logging.INFO,
    "refused": logging.INFO,
    "csrf_refused": logging.WARNING,
    "ambiguous": logging.WARNING,
    "clock": logging.WARNING,
    "cookie_rejected": logging.WARNING,
    "conflict": logging.WARNING,
    "dropped": logging.WARNING,
    "handed_over": logging.WARNING,
    "renewal_failed": logging.WARNING,
    "stayed": logging.WARNING,
    "unavailable": logging.ERROR,
    "cache_overridden": logging.WARNING,
    "cors": logging.WARNING,
    "write_after_destroy": logging.WARNING,
}


class Event:
    """One thing that happened to a session.

    `name` is `created`, `loaded`, `renewed`, `regenerated`, `destroyed`, `refused`, `clock`, `ambiguous`,
    `conflict`, `dropped`, `renewal_failed`, `stayed`, `unavailable`, `cache_overridden`, `cors`,
    `csrf_refused`, `cookie_rejected`, `handed_over` (the database is asked through boto3 from now on) or
    `write_after_destroy`; `reason` says why, `session` is a keyed hash of the id (never the id), empty where no
    session was found.
    """

    __slots__ = ("name", "reason", "session")

    def __init__(self, name: str, reason: str = "", session: str = "") -> None:
        self.name, self.reason, self.session = name, reason, session

    def __repr__(self) -> str:
        return f"Event({self.name!r}, reason={self.reason!r}, session={self.session!r})"


class Lifecycle:
    """Tells events to `on_event`, when given, and to the logger `arc.sessions`."""

    __slots__ = ("_hash", "_on_event")

    def __init__(self, on_event: Callable[[Event], None] | None, hash_id: Callable[[str], str]) -> None:
        self._on_event, self._hash = on_event, hash_id

    def tell(self, name: str, reason: str = "", session_id: str | None = None) -> None:
        """Tell one event; costs next to nothing when nobody listens."""
        level = _LEVELS[name]
        heard = logger.isEnabledFor(level)
        if self._on_event is None and not heard:
            return
        event = Event(name, reason, self._hash(session_id) if session_id else "")
        if heard:
            logger.log(
                level, "session %s%s%s", name, f" {event.session}" if event.session else "", reason and f": {reason}"
            )
        if self._on_event is not None:
            self._on_event(event)
