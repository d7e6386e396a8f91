"""Why a visitor's cookie was not taken."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from arc.sessions.record import Record


class Refused(Exception):  # not an error: a visitor may send anything
    """A token or signed id that opens no session; never leaves the core.

    `reason` is one of `malformed`, `too-long`, `forged`, `expired`, `clock`, `unknown-id` and `ended`.
    `replaced` is set for a session that other sessions have replaced, at first at its `issued`, Unix seconds: nothing
    can be read from it, but a sign-out passes it to the store's `destroy`, which ends those.
    """

    def __init__(self, reason: str, replaced: Record | None = None) -> None:
        self.reason, self.replaced = reason, replaced
        super().__init__(reason)
