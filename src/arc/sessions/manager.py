"""The whole life of a session: load at the first touch, commit once before the response."""

from __future__ import annotations

import os
import time
from binascii import b2a_base64

from arc.errors import SessionTooLarge, StoreError
from arc.sessions.cookie import MOST_TRIED, SessionCookie
from arc.sessions.lifecycle import Lifecycle
from arc.sessions.lifetimes import BROWSER, Lifetimes
from arc.sessions.record import Record, Refused, described
from arc.sessions.session import WITHHELD, Session
from arc.sessions.stores.store import IdTaken
from arc.sessions.visit import PLAIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Literal

    from arc.sessions.delta import Delta
    from arc.sessions.keyring import Keyring
    from arc.sessions.lifecycle import Event
    from arc.sessions.snapshot import Kept
    from arc.sessions.stores.store import Store, Written
    from arc.sessions.visit import Visit
    from arc.settings import Settings

_MOST_IDS = 3
_TO_URL = bytes.maketrans(b"+/", b"-_")
_LATE = 60  # seconds for which requests may still come with the id from before a sign-in


class SessionManager:
    """Loads and commits sessions of one store.

    `clock()` gives Unix seconds, `random(n)` n bytes; `on_event` is called with every lifecycle `Event`.
    A manager holds no session: it may serve any number of requests, threads and tasks at once.
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
        # A sealed session takes any JSON number, unless it may stay in the table that it comes from; in testing an app
        # meets the limits of the table it may move to.
        self._bounded = store.on_server or store.merges or settings.testing
        self.cookie, self._host_only = SessionCookie(settings), SessionCookie(settings, host_only=True)
        self._reported: set[str] = set()
        self.lifetimes = Lifetimes(settings.idle, settings.absolute)
        self.lifecycle = Lifecycle(on_event, self._hash)

    # -- load

    def load(self, values: Sequence[str], visit: Visit = PLAIN) -> Session:
        """The session that one of the session cookies' `values` stands for, a new one when none does.

        Nothing in `values` raises: a visitor sent them. `visit` says what else is known of the request. Raises
        `StoreError` when the store fails.
        """
        now = int(self.clock())
        records: list[Record] = []
        replaced: list[Record] = []
        reason = ""
        for value in values[-MOST_TRIED:]:
            try:
                records.append(self._living(self.store.load(value, now), now))
            except Refused as refusal:
                reason = reason if reason == "clock" else refusal.reason
                if refusal.replaced is not None:
                    replaced.append(refusal.replaced)
            except StoreError as error:
                self.lifecycle.tell("unavailable", str(error))
                raise
        chosen = self._choose(records, len(values)) if len(values) > 1 else records[0] if records else None
        late = tuple([record.id for record in replaced if now - (record.issued or 0) < _LATE])
        if (late or reason == "clock") and chosen is not None and chosen.user_id is None:
            chosen = None  # an anonymous session that came beside may not take the place of the visitor's own
        session = self._open(chosen, now, visit)
        session._arrived, session._came, session._late = (*records, *replaced), len(values), late
        if chosen is not None:
            self.lifecycle.tell("loaded", session_id=session.id)
            for path in chosen.left_out:
                self.lifecycle.tell("dropped", f"{described(path)} cannot be kept where sessions now live", session.id)
        elif late or reason == "clock" or not records:
            session._muted = self._told_refusal(reason, late=bool(late))
            if visit.withheld(self.settings.same_site):
                session._muted = WITHHELD
        return session

    def begin(self, values: Sequence[str], visit: Visit) -> Session:
        """A new session in place of those that the session cookies' `values` stand for, which are left as they are."""
        session = self._open(None, int(self.clock()), visit)
        session._came = len(values) if len(values) > 1 else 0  # An app may write so in every response.
        return session

    def _told_refusal(self, reason: str, *, late: bool) -> str:
        """Why what is set in a session may not replace the visitor's own, whose cookie was refused; "" when it may."""
        if reason == "clock":
            self.lifecycle.tell(
                "clock", "the token is from the future: this machine's clock is behind, or another's ahead"
            )
            return "the visitor's own session is from the future and is not replaced"
        if reason:
            self.lifecycle.tell("refused", reason)
        return "the visitor's session got a new id a moment ago, and this request came with the old one" if late else ""

    def _open(self, record: Record | None, now: int, visit: Visit) -> Session:
        merges, bounded = self.store.merges, self._bounded
        return Session(record, now=now, mint=self._mint, merges=merges, bounded=bounded, manager=self, visit=visit)

    def _choose(self, records: list[Record], arrived: int) -> Record | None:
        """The newest sealed session or the last signed id, the new store's first; none of different principals.

        A session that nobody is signed in to disputes none that somebody is.
        """
        records = [record for record in records if record.user_id is not None] or records
        if len({record.user_id for record in records}) > 1:
            self.lifecycle.tell("ambiguous", f"{arrived} session cookies, of different principals: none was taken")
            return None
        self.lifecycle.tell("ambiguous", f"{arrived} session cookies, {len(records)} of them valid")
        if not records:
            return None
        records = [record for record in records if not record.foreign] or records
        if self.store.on_server:
            return records[-1]
        return max(reversed(records), key=lambda record: record.issued or 0)

    def _living(self, record: Record, now: int) -> Record:
        if now >= self.lifetimes.end(record):
            raise Refused("expired")
        return record

    # -- commit

    def commit(
        self,
        session: Session,
        *,
        explicit: bool = False,
        failed: bool = False,
        touch: bool | Literal["always"] = True,
    ) -> tuple[str, ...]:
        """The Set-Cookie strings for `session`, once what it holds and intends has been stored.

        The session's own is the first. A second commit stores what has changed since the first, and returns the
        strings that stand for both; the same ones when nothing has. `explicit` writes even what did not change;
        `failed` (a 5xx response) stores nothing but an end; `touch=False` forbids a renewal. A sealed session is
        renewed on navigations, on other safe requests once half of its time has gone, and with `touch="always"` on
        any request. Raises `TypeError` and `ValueError` for data that cannot be kept, `SessionTooLarge`,
        `StoreError`, and `LateChange` for a session that was closed and changed.
        """
        if session._cookies is not None:
            if not session._snapshot.differs(session, session._facts()):
                return session._cookies
            session._open()
        now = max(int(self.clock()), session._now)
        earlier = session._earlier
        if earlier is not None:
            self._resume(session, now)
        cookies = self._stored(session, now, explicit=explicit, failed=failed, touch=touch)
        # A browser that rejects the cookie brings none, unless one from before the domain was set.
        if cookies and (not session._came or self.settings.domain):
            self._report_rejected(session._visit)
        if earlier:
            cookies = earlier if cookies is None else cookies and tuple(dict.fromkeys((*cookies, *earlier[1:])))
        session._cookies = cookies or ()
        return session._cookies

    def _stored(
        self, session: Session, now: int, *, explicit: bool, failed: bool, touch: bool | Literal["always"]
    ) -> tuple[str, ...] | None:
        """The strings of one commit; None when there was nothing to do."""
        snapshot, facts = session._snapshot, session._facts()
        touched = snapshot.differs(session, facts)
        kept = snapshot.normalised(session) if touched and not failed else None
        changed = touched and (kept is None or kept[1] is not None or snapshot.differs_from_copy(kept[0], facts))
        ended, loaded = session._destroyed, session._record
        if failed and changed and (session or not ended):
            self.lifecycle.tell("dropped", "the response is a 5xx, so the session's changes were not kept", session.id)
        try:
            cookies = self._act(session, now, kept, ended=ended, changed=changed, explicit=explicit, failed=failed)
        except StoreError as error:
            self.lifecycle.tell("unavailable", str(error), session.id)
            raise
        if cookies is None and not failed and loaded is not None and touch:
            due = self.lifetimes.renewal_due(loaded, now, on_server=self.store.on_server)
            if due and (touch == "always" or self._may_renew(session._visit, loaded, now)):
                cookies = self._renew(session, loaded, now)
        if touched:
            snapshot.renew(session, session._facts())
        changes_hands = session._came > 0 and (loaded is None or session.id != loaded.id)
        if cookies and (changes_hands or session._came > 1 or session._muted):  # muted, only a sign-in sends one
            elsewhere = self._cookie_for(session).clearing_elsewhere(session._visit.places())
            return tuple(dict.fromkeys((*cookies, *elsewhere)))
        return cookies

    def _resume(self, session: Session, now: int) -> None:
        """Take what an earlier commit of this request stored for the session that was loaded."""
        value, loaded = session._value, session._record
        if value is None:
            return
        try:
            record = self._living(self.store.load(value, now), now)
        except StoreError as error:
            self.lifecycle.tell("unavailable", str(error), session.id)
            raise
        except Refused as refusal:
            kept = loaded is not None and loaded in session._arrived and not loaded.foreign
            if loaded is None or not kept or loaded.id != session._committed_id:
                session._gone, session._arrived = True, (refusal.replaced,) if refusal.replaced is not None else ()
            # Else its store finds out what became of the record that it had loaded.
        else:
            session._record, session._arrived = record, (record,)
        session._value = None

    def _act(
        self,
        session: Session,
        now: int,
        kept: Kept | None,
        *,
        ended: bool,
        changed: bool,
        explicit: bool,
        failed: bool,
    ) -> tuple[str, ...] | None:
        """Do what the session intends; None when it intends nothing. `kept` is its data as it is stored, if at hand."""
        loaded = session._record
        if ended:
            for record in session._arrived:
                self.store.destroy(record, now)
                self.lifecycle.tell("destroyed", session_id=record.id)
            loaded = None
        if failed and not explicit:
            return self._cookie_for(session).clearing() if ended and not session._muted else None
        if loaded is None:
            if session or session._flashes or session.user_id is not None:
                return self._create(session, self._record(session, now, kept), now)
            return self._cookie_for(session).clearing() if (ended or explicit) and not session._muted else None
        if not (changed or explicit or session._regenerated):
            return None
        if session._gone or self._is_over(loaded, now):
            return self._after_the_end(session, loaded, now, kept)
        write = self._regenerate if session._regenerated else self._update
        return write(session, loaded, self._record(session, now, kept), now)

    def _create(self, session: Session, record: Record, now: int) -> tuple[str, ...] | None:
        if session._muted and not session._signed_in:
            self.lifecycle.tell("dropped", session._muted)
            return None
        value = self._under_a_free_id(session, record, lambda: self.store.create(record, now))
        session._record, session._destroyed = record, False
        self.lifecycle.tell("created", session_id=record.id)
        return self._cookies(session, value, record, now)

    def _regenerate(self, session: Session, loaded: Record, record: Record, now: int) -> tuple[str, ...]:
        delta = self._changes(session, record) if self.store.merges else None
        signing_in = session._signed_in
        written = self._under_a_free_id(
            session, record, lambda: self.store.replace(loaded, record, delta, now, signing_in=signing_in)
        )
        if written is not None:
            self.lifecycle.tell("regenerated", session_id=record.id)
        return self._written(session, loaded, written, record, now)

    def _is_over(self, loaded: Record, now: int) -> bool:
        """True when a session has expired since its load, as far as its store will not see that by itself."""
        return self.lifetimes.is_over(loaded, now, may_have_moved=self.store.on_server and not loaded.foreign)

    def _after_the_end(self, session: Session, loaded: Record, now: int, kept: Kept | None) -> tuple[str, ...] | None:
        """Keep nothing of a session that has expired since its load; a sign-in begins another one."""
        if session._signed_in:
            session._created_at = now
        record = self._record(session, now, kept)
        if not session._signed_in:
            return self._written(session, loaded, None, record, now)
        own, _ = self._changes(session, record).rebased({})
        record.hold(own.ours)
        return self._create(session, record, now)

    def _update(self, session: Session, loaded: Record, record: Record, now: int) -> tuple[str, ...]:
        delta = self._changes(session, record) if self.store.merges else None
        return self._written(session, loaded, self.store.update(loaded, record, delta, now), record, now)

    def _written(
        self, session: Session, loaded: Record, written: Written | None, record: Record, now: int
    ) -> tuple[str, ...]:
        if written is None:
            self.lifecycle.tell("write_after_destroy", "the session ended while this request ran", loaded.id)
            return ()
        for path in written.lost:
            self.lifecycle.tell("conflict", f"two requests changed {described(path)} at once", record.id)
        if written.stayed:
            self.lifecycle.tell("stayed", "it does not fit into a cookie and is kept in its table", record.id)
        return self._cookies(session, written.value, record, now)

    def _under_a_free_id(self, session: Session, record: Record, insert: Callable[[], Any]) -> Any:
        """What `insert` returns, under another id when the first is in use (which a broken random source does)."""
        for _ in range(_MOST_IDS):
            try:
                return insert()
            except IdTaken:
                session._id = record.id = self._mint()
        raise StoreError(f"{_MOST_IDS} new session ids in a row were in use: this machine's randomness is broken.")

    def _changes(self, session: Session, record: Record) -> Delta:
        from arc.sessions.changes import changes_of  # with all that merges, which a sealed session does without

        *_, before = session._snapshot.facts
        flashes = [list(pair) for pair in before], [list(pair) for pair in record.flashes]
        replaced = session._replaced
        return changes_of(session._snapshot, session, record.data, flashes, session._counts, replaced=replaced)

    # -- renewal

    def _may_renew(self, visit: Visit, loaded: Record, now: int) -> bool:
        """False where a script's request might undo, with old data, what another wrote: until that has to be risked."""
        if self.store.on_server or visit.navigation:
            return True
        return visit.safe and self.lifetimes.half_gone(loaded, now)

    def _renew(self, session: Session, loaded: Record, now: int) -> tuple[str, ...]:
        """Move the session's end. What keeps that from happening is an event: the visitor only came to read."""
        try:
            record = self._record(session, now, None)
            written = None if self._is_over(loaded, now) else self.store.renew(loaded, record, now)
        except (StoreError, SessionTooLarge, TypeError, ValueError) as error:
            self.lifecycle.tell("renewal_failed", str(error), loaded.id)
            return ()
        if written is not None:
            self.lifecycle.tell("renewed", session_id=loaded.id)
        return self._written(session, loaded, written, record, now)

    # -- parts

    def _record(self, session: Session, now: int, kept: Kept | None) -> Record:
        data, text = kept or session._snapshot.normalised(session)
        return Record(
            session._id,
            data,
            created=session._created_at,
            issued=now,
            expires=self.lifetimes.new_end(session._created_at, session._lifetime, now),
            user_id=session._user_id,
            signed_in_at=session._signed_in_at,
            flashes=tuple(session._flashes),
            lifetime=session._lifetime,
            text=text,
        )

    def _cookies(self, session: Session, value: str, record: Record, now: int) -> tuple[str, ...]:
        session._value, session._committed_id = value, session._id
        max_age = None if record.lifetime == BROWSER else (record.expires or now) - now
        return (self._cookie_for(session).carrying(value, max_age=max_age, now=now),)

    def _cookie_for(self, session: Session) -> SessionCookie:
        """The cookie with its domain, in testing only where the browser keeps it: on this machine it would not."""
        if not self.settings.domain or not self.settings.testing or self.cookie.is_kept_by(session._visit.host):
            return self.cookie
        return self._host_only

    def _report_rejected(self, visit: Visit) -> None:
        """Report, once of each kind in a process, that browsers reject the session's cookie."""
        for kind, reason in self.cookie.rejections(visit):
            if kind not in self._reported:
                self._reported.add(kind)
                self.lifecycle.tell("cookie_rejected", reason)

    def _mint(self) -> str:
        """A new id: 18 random bytes as 24 characters, as Node makes them (ASVS 7.2.3 asks for 16)."""
        return b2a_base64(self.random(18), newline=False).translate(_TO_URL).decode()

    def _hash(self, session_id: str) -> str:
        from hashlib import blake2b

        return blake2b(session_id.encode(), key=self.keyring.derived("event")[0], digest_size=8).hexdigest()


def manager_of(session: Session) -> SessionManager:
    """The manager that loaded `session`."""
    manager = session._manager
    if not isinstance(manager, SessionManager):
        raise TypeError("This session was not loaded by a session manager.")
    return manager
