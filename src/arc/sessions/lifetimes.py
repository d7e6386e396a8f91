"""How long sessions last, and when they are renewed."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from arc.sessions.record import Record

NODES_WEEK = 604_800
"""Node's fixed lifetime, whatever ours is: of a token from its `iat`, of a row until its `_ttl`."""

BROWSER = "browser"
"""The lifetime of a session whose cookie ends with the browser. The default idle lifetime applies on the server."""


def parse_lifetime(value: object) -> int | str | None:
    """Return the lifetime in a stored `value`, None for a value that `sign_in` never stores."""
    if value == BROWSER:
        return BROWSER
    return value if type(value) is int and value > 0 else None


class Lifetimes:
    """The `idle` and `absolute` lifetimes of sessions in seconds; `absolute` is None when it is unlimited.

    A session can have an idle lifetime of its own, set by its sign-in.
    """

    __slots__ = ("_absolute", "_idle")

    def __init__(self, idle: int, absolute: int | None) -> None:
        self._idle, self._absolute = idle, absolute

    def end(self, record: Record) -> int:
        """Return when `record` ends: the earliest of its idle end, its absolute end and the end in its store."""
        end, issued = record.expires, record.issued
        if issued is not None:
            lifetime = record.lifetime
            idle_end = issued + (lifetime if isinstance(lifetime, int) else self._idle)
            end = idle_end if end is None or idle_end < end else end
        if self._absolute:
            last = record.created + self._absolute
            end = last if end is None or last < end else end
        return end or 0

    def is_over(self, record: Record, now: int, *, may_have_moved: bool) -> bool:
        """True when `record` has ended. With `may_have_moved`, another request may have extended the idle lifetime."""
        if may_have_moved:
            return self._absolute is not None and now >= record.created + self._absolute
        return now >= self.end(record)

    def new_end(self, created: int, lifetime: int | str | None, now: int) -> int:
        """Return the end of a session that is written now."""
        end = now + (lifetime if isinstance(lifetime, int) else self._idle)
        return min(end, created + self._absolute) if self._absolute else end

    def renewal_due(self, record: Record, now: int, *, on_server: bool) -> bool:
        """True after a tenth of the idle lifetime, and when the stored end is later than the settings allow."""
        end, target = self.end(record), self.new_end(record.created, record.lifetime, now)
        if record.stale or target - end >= max(1, self._idle_lifetime(record.lifetime) // 10) or end > target:
            return True
        if record.issued is None or on_server:
            return False
        # Node accepts a sealed token until its `exp`, or for a week after its `iat`: keep its end in sync with ours.
        return now - record.issued >= NODES_WEEK // 10 or (end < record.issued + NODES_WEEK and record.expires != end)

    def half_elapsed(self, record: Record, now: int) -> bool:
        """True after half of the time for which we and Node accept an unchanged sealed session."""
        return (
            record.issued is None or now - record.issued >= min(self._idle_lifetime(record.lifetime), NODES_WEEK) // 2
        )

    def _idle_lifetime(self, lifetime: int | str | None) -> int:
        return lifetime if isinstance(lifetime, int) else self._idle
