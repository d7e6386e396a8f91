"""Lifecycle events of sessions, for a hook and for `logging`."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from logging import Logger
    from typing import Any, Protocol

    from arc.sessions.session import Session

    class Observer(Protocol):
        """Learns what happens to sessions, for a developer's eyes: see `arc.http.development`."""

        def step(self, name: str, reason: str) -> None:
            """Take an event, or one of the steps `saved` and `absent` (a visitor without a session)."""

        def assigned(self, session: Session, key: str | None) -> None:
            """Take an assignment to a key of the session, None for all of its data."""

        def unstorable(self, session: Session, error: Exception) -> None:
            """Take the reason why the session's data cannot be stored."""

        def refused(self, error: Exception) -> None:
            """Take the error that became a 4xx or 503 response."""

        def result(self, request: Any, result: object, response: Any) -> None:
            """Take a handler's result, and the response that was made of it."""


observer: Observer | None = None
"""Set by the sandbox and by `arc.testing`, and None elsewhere. Other threads may change it at any time."""

_DEBUG, _INFO, _WARNING, _ERROR = 10, 20, 30, 40  # the levels of `logging`
_LEVELS = {
    name: level
    for level, names in (
        (_DEBUG, "created loaded renewed"),
        (_INFO, "regenerated destroyed refused"),
        (_WARNING, "csrf_refused ambiguous clock cookie_rejected conflict dropped handed_over renewal_failed"),
        (_WARNING, "stayed cache_overridden cors write_after_destroy"),
        (_ERROR, "unavailable"),
    )
    for name in names.split()
}


class Event:
    """One event of a session's lifecycle.

    `name` is `created`, `loaded`, `renewed`, `regenerated`, `destroyed`, `refused`, `clock`, `ambiguous`,
    `conflict`, `dropped`, `renewal_failed`, `stayed`, `unavailable`, `cache_overridden`, `cors`,
    `csrf_refused`, `cookie_rejected`, `handed_over` (boto3 replaces the lean transport) or `write_after_destroy`.
    `reason` says why. `session` is a keyed hash of the session's id, "" without a session; it is never the id.
    """

    __slots__ = ("name", "reason", "session")

    def __init__(self, name: str, reason: str = "", session: str = "") -> None:
        self.name, self.reason, self.session = name, reason, session

    def __repr__(self) -> str:
        return f"Event({self.name!r}, reason={self.reason!r}, session={self.session!r})"


class Lifecycle:
    """Emits events to `on_event` and to the logger `arc.sessions`."""

    __slots__ = ("_hash", "_logger", "_on_event")

    def __init__(self, on_event: Callable[[Event], None] | None, hash_id: Callable[[str], str]) -> None:
        self._on_event, self._hash = on_event, hash_id
        self._logger: Logger | None = None

    def step(self, name: str) -> None:
        """Report a step that is not an event to the observer, if there is one."""
        if (current := observer) is not None:
            current.step(name, "")

    def refuse(self, session: Session, error: Exception) -> None:
        """Report data that cannot be stored to the observer, if there is one."""
        if (current := observer) is not None:
            current.unstorable(session, error)

    def emit(self, name: str, reason: str = "", session_id: str | None = None) -> None:
        """Emit one event. This costs almost nothing when nothing listens."""
        if (current := observer) is not None:
            current.step(name, reason)
        level, logger = _LEVELS[name], self._logger
        if logger is None:
            if level < _WARNING and self._on_event is None and "logging" not in sys.modules:
                return  # Without `logging`, nothing listens below warnings. A cold start saves its import.
            import logging

            logger = self._logger = logging.getLogger("arc.sessions")
        logged = logger.isEnabledFor(level)
        if self._on_event is None and not logged:
            return
        event = Event(name, reason, self._hash(session_id) if session_id else "")
        if logged:
            logger.log(
                level, "session %s%s%s", name, f" {event.session}" if event.session else "", reason and f": {reason}"
            )
        if self._on_event is not None:
            self._on_event(event)
