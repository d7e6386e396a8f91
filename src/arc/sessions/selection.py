"""Selecting the session of a request that sent several session cookies, or one that is refused."""

from __future__ import annotations

from arc.sessions.record import Refused
from arc.sessions.session import WITHHELD, Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from arc.sessions.manager import SessionManager
    from arc.sessions.record import Record
    from arc.sessions.visit import Visit

_LATE = 60  # seconds for which requests may still arrive with the id from before a sign-in
_LATE_BLOCKS = "the visitor's session has just been given a new id, and this request sent the old one"


def select(
    manager: SessionManager, found: Sequence[Record | Refused], cookie_count: int, now: int, visit: Visit
) -> Session:
    """Return the session for what was `found` with the last of `cookie_count` cookies, or a new session."""
    records = [one for one in found if not isinstance(one, Refused)]
    refusals = [one for one in found if isinstance(one, Refused)]
    record = _choose(manager, records, cookie_count) if cookie_count > 1 else None
    reason = "clock" if any(one.reason == "clock" for one in refusals) else refusals[-1].reason if refusals else ""
    replaced = [one.replaced for one in refusals if one.replaced is not None]
    late = tuple([one.id for one in replaced if now - (one.issued or 0) < _LATE])
    if (late or reason == "clock") and record is not None and record.user_id is None:
        record = None  # An anonymous session must not take the place of the visitor's own, which was refused.
    session = Session(record, now, manager, visit, (*records, *replaced), cookie_count)
    session._progress.replaced_ids = late
    if record is not None:
        manager.lifecycle.emit("loaded", "", record.id)
        manager.report_left_out(record)
        return session
    blocked = _LATE_BLOCKS if late else ""
    if reason == "clock":
        manager.lifecycle.emit("clock", "the token's time is in the future: this machine's clock or another's is wrong")
        blocked = "the visitor's own session has a time in the future and is not replaced"
    elif reason and (late or not records):
        manager.lifecycle.emit("refused", reason)
    if blocked or not records:
        manager.lifecycle.step("absent")
    withheld = (blocked or not records) and visit.withheld(manager.settings.same_site)
    session._progress.blocked = WITHHELD if withheld else blocked
    return session


def _choose(manager: SessionManager, records: list[Record], cookie_count: int) -> Record | None:
    """Choose among the sessions of several cookies.

    Signed-in sessions come before anonymous ones, and those of the current store before those of the old one. Among
    these it is the newest sealed session, or the last signed id. With several principals it is None.
    """
    records = [record for record in records if record.user_id is not None] or records
    if len({record.user_id for record in records}) > 1:
        reason = f"{cookie_count} session cookies of different principals: none was used"
        manager.lifecycle.emit("ambiguous", reason)
        return None
    manager.lifecycle.emit("ambiguous", f"{cookie_count} session cookies, {len(records)} of them valid")
    if not records:
        return None
    records = [record for record in records if not record.foreign] or records
    if manager.store.on_server:
        return records[-1]
    return max(reversed(records), key=lambda record: record.issued or 0)
