"""Loading a session when a request first uses it, and committing it before the response."""

from __future__ import annotations

import os
import time
from binascii import b2a_base64

from arc.errors import SessionTooLarge, StoreError
from arc.sessions import lifecycle
from arc.sessions.cookie import MOST_TRIED, SessionCookie
from arc.sessions.lifecycle import Lifecycle
from arc.sessions.record import BROWSER, IdTaken, Lifetimes, Record, Refused, describe
from arc.sessions.session import WITHHELD, Session
from arc.sessions.snapshot import new_text
from arc.sessions.visit import PLAIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Literal

    from arc.sessions.delta import Delta
    from arc.sessions.keyring import Keyring
    from arc.sessions.lifecycle import Event
    from arc.sessions.snapshot import Normalized
    from arc.sessions.stores.store import Store, Written
    from arc.sessions.visit import Visit
    from arc.settings import Settings

_MOST_IDS = 3
_TO_URL = bytes.maketrans(b"+/", b"-_")


class SessionManager:
    """Loads sessions from one store and commits them to it.

    `clock()` returns Unix seconds, `random(n)` returns n bytes, and `on_event` is called with every lifecycle `Event`.
    A manager keeps no session, so one instance can serve any number of requests, threads and tasks.
    """

    def __init__(
        self,
        settings: Settings,
        keyring: Keyring,
        store: Store,
        *,
        clock: Callable[[], float] = time.time,
        random: Callable[[int], bytes] = os.urandom,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        self.settings, self.keyring, self.store = settings, keyring, store
        self.clock, self.random = clock, random
        # Only a sealed session that cannot end up in a table takes numbers of any size. In testing the limits of tables
        # apply as well, because the app may move to a table later.
        self.merges = store.merges
        self.is_bounded = store.on_server or store.merges or settings.testing
        self.cookie_name = settings.cookie_name
        self.cookie, self._host_only = SessionCookie(settings), SessionCookie(settings, host_only=True)
        self._reported: set[str] = set()
        self.lifetimes = Lifetimes(settings.idle, settings.absolute)
        self.lifecycle = Lifecycle(on_event, self._hash)
        # Sealed cookies have a shorter way for a change of nothing but data.
        self._reseal: Callable[[Record, str, int, int], str] | None
        self._reseal = None if self.is_bounded else getattr(store, "reseal", None)

    # -- load

    def load(self, values: Sequence[str], visit: Visit = PLAIN) -> Session:
        """Return the session that one of the session cookies' `values` identifies, or a new session.

        Invalid values never raise, because visitors can send anything. `visit` describes the rest of the request.
        Raises `StoreError` when the store fails.
        """
        now = int(self.clock())
        try:
            if len(values) == 1:
                record = self._load(values[0], now)
                if not isinstance(record, Refused):
                    self.lifecycle.emit("loaded", "", record.id)
                    if record.left_out:
                        self.report_left_out(record)
                    return Session(record, now, self, visit, (record,), 1)
                found: list[Record | Refused] = [record]
            else:
                found = [self._load(value, now) for value in values[-MOST_TRIED:]]
        except StoreError as error:
            self.lifecycle.emit("unavailable", str(error))
            raise
        if found:
            from arc.sessions.selection import select  # which few requests need

            return select(self, found, len(values), now, visit)
        self.lifecycle.step("absent")
        session = Session(None, now, self, visit)
        session._progress.blocked = WITHHELD if visit.withheld(self.settings.same_site) else ""
        return session

    def _load(self, value: str, now: int) -> Record | Refused:
        try:
            record = self.store.load(value, now)
        except Refused as refusal:
            return refusal
        return record if now < self.lifetimes.end(record) else Refused("expired")

    def report_left_out(self, record: Record) -> None:
        """Emit an event for each value of `record` that its new store cannot store."""
        for path in record.left_out:
            self.lifecycle.emit("dropped", f"{describe(path)} cannot be stored in the new session store", record.id)

    def begin(self, values: Sequence[str], visit: Visit) -> Session:
        """Return a new session that replaces the ones in `values` in the browser. The stored ones are not ended."""
        # With one cookie there is nothing else to clear, and an app may call this for every response.
        return Session(None, int(self.clock()), self, visit, cookie_count=len(values) if len(values) > 1 else 0)

    # -- commit

    def commit(
        self, session: Session, *, explicit: bool = False, failed: bool = False, touch: bool | Literal["always"] = True
    ) -> tuple[str, ...]:
        """Store the session's changes and return its Set-Cookie strings, the session's own first.

        A second commit stores the changes since the first. It returns strings that replace those of the first, the
        same ones when nothing changed.

        `explicit` writes a session that did not change, too. `failed` (a 5xx response) stores nothing, but ends a
        destroyed session. `touch=False` forbids a renewal. A sealed session is renewed on navigations, on other safe
        requests after half of its lifetime, and with `touch="always"` on any request.

        Raises `TypeError` and `ValueError` for data that cannot be stored, `SessionTooLarge`, `StoreError`, and
        `LateChange` for a change after `close`.
        """
        progress = session._progress
        if progress.cookies is not None:
            session._snapshot.renew(session, session._facts)
            if not session._snapshot.differs(session, session._facts):
                return progress.cookies
            session._open(renewed=True)
        now, earlier = max(int(self.clock()), session._now), progress.earlier
        try:
            if earlier is not None:
                self._reload(session, now)
            loaded = session._record
            if (
                loaded is not None
                and loaded is session._facts
                and session._taken is None
                and self._reseal is not None
                and session._cookie_count == 1
                and not failed
            ):
                cookies = self._commit_data(session, loaded, now, explicit=explicit, touch=touch)
            else:
                cookies = self._commit(session, now, explicit=explicit, failed=failed, touch=touch)
        except StoreError as error:
            self.lifecycle.emit("unavailable", str(error), session.id)
            raise
        except (SessionTooLarge, TypeError, ValueError) as error:
            self.lifecycle.refuse(session, error)
            raise
        # A browser that rejects the cookie sends none, except one that was set before the domain was.
        if cookies and (not session._cookie_count or self.settings.domain):
            self._report_rejected(session._visit)
        if earlier:
            cookies = earlier if cookies is None else cookies and tuple(dict.fromkeys((*cookies, *earlier[1:])))
        if self.merges:
            session._snapshot.follow_containers(session)
        session._is_open = False
        progress.cookies = cookies = cookies or ()
        return cookies

    def _commit_data(
        self, session: Session, loaded: Record, now: int, *, explicit: bool, touch: bool | Literal["always"]
    ) -> tuple[str, ...] | None:
        """Do what `_commit` does in fewer steps, for a session that has the facts of `loaded`, as most have."""
        progress, text, reseal = session._progress, new_text(session, loaded), self._reseal
        if text and reseal is not None and now == session._now:
            expires = self.lifetimes.new_end(loaded.created, loaded.lifetime, now)
            value = reseal(loaded, text, now, expires)
            if lifecycle.observer is not None:
                self.lifecycle.step("saved")
            progress.text, progress.stored = text, (value, loaded.id)
            max_age = None if loaded.lifetime == BROWSER else expires - now
            cookie = self._cookie_for(session) if self.settings.domain else self.cookie
            return (cookie.build_token(value, max_age, now),)
        if text == "" and not explicit:
            progress.text = loaded.text
            return self._renew(session, loaded, now, touch) if touch else None
        return self._commit(session, now, explicit=explicit, failed=False, touch=touch)

    def _commit(
        self, session: Session, now: int, *, explicit: bool, failed: bool, touch: bool | Literal["always"]
    ) -> tuple[str, ...] | None:
        """Store or renew the session and return the Set-Cookie strings of this commit; None when nothing was done."""
        progress, loaded = session._progress, session._record
        if failed:
            normalized = None
            if session._snapshot.differs(session, session._facts) and (session or not progress.destroyed):
                self.lifecycle.emit(
                    "dropped", "the response is a 5xx, so the session's changes were not stored", session.id
                )
        else:
            normalized = session._snapshot.change(session, session._facts)
        if loaded is None or progress.destroyed or (failed and not explicit):
            cookies = self._begin_or_end(session, now, normalized, explicit=explicit, failed=failed)
        elif normalized is not None or explicit or progress.regenerated:
            cookies = self._change(session, loaded, now, normalized)
        else:
            cookies = self._renew(session, loaded, now, touch) if touch else None
        if cookies and (session._cookie_count or progress.blocked):  # Only a sign-in passes a block.
            new_id = loaded is None or session._facts.id != loaded.id
            if new_id or session._cookie_count > 1 or progress.blocked:
                elsewhere = self._cookie_for(session).clear_elsewhere(session._visit.places())
                return tuple(dict.fromkeys((*cookies, *elsewhere)))
        return cookies

    def _reload(self, session: Session, now: int) -> None:
        """Load what an earlier commit of this request stored, so that the next commit builds on it."""
        if session._progress.stored is None:
            return
        (value, session_id), loaded = session._progress.stored, session._record
        record = self._load(value, now)
        if isinstance(record, Refused):
            in_store = loaded is not None and loaded in session._sent_records and not loaded.foreign
            # The store itself finds out what happened to a record that it loaded. Any other session is gone.
            if loaded is None or not in_store or loaded.id != session_id:
                session._progress.gone = True
                session._sent_records = () if record.replaced is None else (record.replaced,)
        else:
            session._record, session._sent_records = record, (record,)
        session._progress.stored = None

    def _begin_or_end(
        self, session: Session, now: int, normalized: Normalized | None, *, explicit: bool, failed: bool
    ) -> tuple[str, ...] | None:
        """End the stored session, create a new one, or both, as the request intends; None when it intends neither."""
        progress = session._progress
        ended, is_new = progress.destroyed, session._record is None or progress.destroyed
        if ended:
            for record in session._sent_records:
                self.store.destroy(record, now)
                self.lifecycle.emit("destroyed", session_id=record.id)
        has_content = session or session._facts.flashes or session._facts.user_id is not None
        if is_new and has_content and (explicit or not failed):
            return self._create(session, self._new_record(session, now, normalized), now)
        return self._cookie_for(session).clear() if (ended or explicit) and not progress.blocked else None

    def _create(self, session: Session, record: Record, now: int) -> tuple[str, ...] | None:
        progress = session._progress
        if progress.blocked and not progress.signed_in:
            self.lifecycle.emit("dropped", progress.blocked)
            return None
        value = self._with_free_id(session, record, lambda: self.store.create(record, now))
        session._record, progress.destroyed = record, False
        self.lifecycle.emit("created", session_id=record.id)
        return self._cookies(session, value, record, now)

    def _change(
        self, session: Session, loaded: Record, now: int, normalized: Normalized | None
    ) -> tuple[str, ...] | None:
        """Write the session over the `loaded` one."""
        # The load has refused a session that had ended in that second.
        if session._progress.gone or (now > session._now and self._is_over(loaded, now)):
            return self._change_ended(session, loaded, now, normalized)
        record = self._new_record(session, now, normalized)
        delta = self._changes(session, record) if self.store.merges else None
        if not session._progress.regenerated:
            return self._finish(session, loaded, self.store.update(loaded, record, delta, now), record, now)
        signing_in = session._progress.signed_in
        written = self._with_free_id(
            session, record, lambda: self.store.replace(loaded, record, delta, now, signing_in=signing_in)
        )
        if written is not None:
            self.lifecycle.emit("regenerated", session_id=record.id)
        return self._finish(session, loaded, written, record, now)

    def _change_ended(
        self, session: Session, loaded: Record, now: int, normalized: Normalized | None
    ) -> tuple[str, ...] | None:
        """Write a session whose stored one has ended. Only a sign-in stores anything: a new session."""
        if not session._progress.signed_in:
            return self._finish(session, loaded, None, self._new_record(session, now, normalized), now)
        session._facts = session._facts.but(created=now)
        record = self._new_record(session, now, normalized)
        own, _ = self._changes(session, record).rebase({})
        record.set_values(own.ours)
        return self._create(session, record, now)

    def _is_over(self, loaded: Record, now: int) -> bool:
        """True when the session has expired since its load and its store would not notice."""
        return self.lifetimes.is_over(loaded, now, may_have_moved=self.store.on_server and not loaded.foreign)

    def _finish(
        self, session: Session, loaded: Record, written: Written | None, record: Record, now: int
    ) -> tuple[str, ...]:
        """Emit the events of a write and return the Set-Cookie strings."""
        if written is None:
            self.lifecycle.emit("write_after_destroy", "the session ended while this request ran", loaded.id)
            return ()
        for path in written.lost:
            self.lifecycle.emit("conflict", f"two requests changed {describe(path)} at once", record.id)
        if written.stayed:
            self.lifecycle.emit("stayed", "it does not fit into a cookie and stays in its table", record.id)
        self.lifecycle.step("saved")
        return self._cookies(session, written.value, record, now)

    def _with_free_id(self, session: Session, record: Record, insert: Callable[[], Any]) -> Any:
        """Call `insert` until the session's id is not in use, with a new id each time.

        Only a broken source of randomness mints an id that is in use.
        """
        for _ in range(_MOST_IDS):
            try:
                return insert()
            except IdTaken:
                record.id = self.mint()
                session._facts = session._facts.but(id=record.id)
        raise StoreError(f"{_MOST_IDS} new session ids in a row were in use: this machine's randomness is broken.")

    def _changes(self, session: Session, record: Record) -> Delta:
        from arc.sessions.changes import find_changes  # imports all of merging, which sealed sessions never need

        flashes = [list(pair) for pair in session._snapshot.facts.flashes], [list(pair) for pair in record.flashes]
        replaced = session._progress.replaced
        return find_changes(session._snapshot, session, record.data, flashes, session._counts, replaced=replaced)

    def _renew(
        self, session: Session, loaded: Record, now: int, touch: bool | Literal["always"]
    ) -> tuple[str, ...] | None:
        """Move the session's end if that is due; return None if not.

        A failure is an event and not an error, because the visitor changed nothing.
        """
        on_server, visit = self.store.on_server, session._visit
        if not self.lifetimes.renewal_due(loaded, now, on_server=on_server):
            return None
        # A renewal that is not urgent must not overwrite a parallel change with older data.
        harmless = touch == "always" or on_server or visit.navigation
        if not harmless and not (visit.safe and self.lifetimes.half_elapsed(loaded, now)):
            return None
        try:
            record = self._new_record(session, now, None)
            written = None if self._is_over(loaded, now) else self.store.renew(loaded, record, now)
        except (StoreError, SessionTooLarge, TypeError, ValueError) as error:
            self.lifecycle.emit("renewal_failed", str(error), loaded.id)
            return ()
        if written is not None:
            self.lifecycle.emit("renewed", session_id=loaded.id)
        return self._finish(session, loaded, written, record, now)

    def _new_record(self, session: Session, now: int, normalized: Normalized | None) -> Record:
        data, text = normalized or session._snapshot.normalized(session)
        facts = session._facts
        created, lifetime = facts.created, facts.lifetime
        expires, user_id = self.lifetimes.new_end(created, lifetime, now), facts.user_id
        record = Record(facts.id, data, created, now, expires, user_id, facts.signed_in_at, facts.flashes, lifetime)
        record.text = text
        return record

    def _cookies(self, session: Session, value: str, record: Record, now: int) -> tuple[str, ...]:
        session._progress.stored = (value, record.id)
        max_age = None if record.lifetime == BROWSER else (record.expires or now) - now
        cookie = self._cookie_for(session) if self.settings.domain else self.cookie
        return (cookie.build(value, max_age, now),)

    def _cookie_for(self, session: Session) -> SessionCookie:
        """Return the cookie with its domain. In testing, a host outside the domain gets a cookie without one."""
        without_domain = self.settings.testing and not self.cookie.accepts_host(session._visit.host)
        return self._host_only if without_domain else self.cookie

    def _report_rejected(self, visit: Visit) -> None:
        """Emit why browsers reject the session's cookie, once per kind of reason and process."""
        for kind, reason in self.cookie.rejections(visit):
            if kind not in self._reported:
                self._reported.add(kind)
                self.lifecycle.emit("cookie_rejected", reason)

    def mint(self) -> str:
        """Return a new id: 18 random bytes as 24 characters, as Node makes them (ASVS 7.2.3 requires 16 bytes)."""
        return b2a_base64(self.random(18), newline=False).translate(_TO_URL).decode()

    def _hash(self, session_id: str) -> str:
        from hashlib import blake2b

        return blake2b(session_id.encode(), key=self.keyring.derived("event")[0], digest_size=8).hexdigest()


def manager_of(session: Session) -> SessionManager:
    """Return the manager that loaded `session`."""
    return session._manager
