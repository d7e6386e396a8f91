"""What happens to sessions, told to a hook and to `logging`."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from logging import Logger

_DEBUG, _INFO, _WARNING, _ERROR = 10, 20, 30, 40  # the levels of `logging`
_LEVELS = {
    "created": _DEBUG,
    "loaded": _DEBUG,
    "renewed": _DEBUG,
    "regenerated": _INFO,
    "destroyed": _INFO,
    "refused": _INFO,
    "csrf_refused": _WARNING,
    "ambiguous": _WARNING,
    "clock": _WARNING,
    "cookie_rejected": _WARNING,
    "conflict": _WARNING,
    "dropped": _WARNING,
    "handed_over": _WARNING,
    "renewal_failed": _WARNING,
    "stayed": _WARNING,
    "unavailable": _ERROR,
    "cache_overridden": _WARNING,
    "cors": _WARNING,
    "write_after_destroy": _WARNING,
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

    __slots__ = ("_hash", "_logger", "_on_event")

    def __init__(self, on_event: Callable[[Event], None] | None, hash_id: Callable[[str], str]) -> None:
        self._on_event, self._hash = on_event, hash_id
        self._logger: Logger | None = None

    def tell(self, name: str, reason: str = "", session_id: str | None = None) -> None:
        """Tell one event; costs next to nothing when nobody listens."""
        level = _LEVELS[name]
        logger = self._logger
        if logger is None:
            if level < _WARNING and self._on_event is None and "logging" not in sys.modules:
                return  # no one listens below warnings, and a cold start saves the import
            import logging

            logger = self._logger = logging.getLogger("arc.sessions")
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
