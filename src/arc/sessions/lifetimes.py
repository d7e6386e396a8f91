"""How long sessions live, and when their end is moved."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from arc.sessions.record import Record

NODES_WEEK = 604_800
"""Node's fixed lifetime of what it writes, whatever ours is: of a token from its `iat`, of a row to its `_ttl`."""


BROWSER = "browser"
"""The lifetime of a session whose cookie ends with the browser; on the server the idle lifetime holds."""


def lifetime_of(value: object) -> int | str | None:
    """The lifetime that a stored `value` stands for, None for anything that no sign-in asks for."""
    if value == BROWSER:
        return BROWSER
    return value if type(value) is int and value > 0 else None


class Lifetimes:
    """The `idle` and the `absolute` lifetime (None: unlimited) of sessions, in seconds.

    A sign-in may have asked for an idle lifetime of its own.
    """

    __slots__ = ("_absolute", "_idle")

    def __init__(self, idle: int, absolute: int | None) -> None:
        self._idle, self._absolute = idle, absolute

    def end(self, record: Record) -> int:
        """When `record` ends: the first of its idle and absolute lifetimes and what its store was told."""
        end = record.expires
        if record.issued is not None:
            idle_end = record.issued + self._idle_of(record.lifetime)
            end = idle_end if end is None or idle_end < end else end
        if self._absolute:
            last = record.created + self._absolute
            end = last if end is None or last < end else end
        return end or 0

    def is_over(self, record: Record, now: int, *, may_have_moved: bool) -> bool:
        """True when `record` has ended, `may_have_moved` aside: then another request may have moved its idle end."""
        if may_have_moved:
            return self._absolute is not None and now >= record.created + self._absolute
        return now >= self.end(record)

    def new_end(self, created: int, lifetime: int | str | None, now: int) -> int:
        """The end of a session written now: that of the shorter lifetime."""
        end = now + self._idle_of(lifetime)
        return min(end, created + self._absolute) if self._absolute else end

    def renewal_due(self, record: Record, now: int, *, on_server: bool) -> bool:
        """True when a tenth of the idle lifetime has passed, or the end is not where we would put it."""
        end, target = self.end(record), self.new_end(record.created, record.lifetime, now)
        if record.stale or target - end >= max(1, self._idle_of(record.lifetime) // 10) or end > target:
            return True
        if record.issued is None or on_server:
            return False
        # Node reads sealed tokens for a week after `iat` or until `exp`: keep its idea in step with ours.
        return now - record.issued >= NODES_WEEK // 10 or (end < record.issued + NODES_WEEK and record.expires != end)

    def half_gone(self, record: Record, now: int) -> bool:
        """True when half of the time for which Node and we read an unchanged sealed session has passed."""
        return record.issued is None or now - record.issued >= min(self._idle_of(record.lifetime), NODES_WEEK) // 2

    def _idle_of(self, lifetime: int | str | None) -> int:
        return lifetime if isinstance(lifetime, int) else self._idle
