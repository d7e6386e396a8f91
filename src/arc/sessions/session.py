"""The visitor's session: a dict that records changes and intents until they are committed."""

from __future__ import annotations

from arc.errors import FreshSignInRequired, LateChange
from arc.sessions import lifecycle
from arc.sessions.cookie import LONGEST
from arc.sessions.foreign_words import FOREIGN, ForeignWord
from arc.sessions.record import BROWSER, Facts, describe
from arc.sessions.snapshot import Progress, Snapshot
from arc.sessions.values import ADDED, RESERVED, RESERVED_PREFIX, drop_foreign_keys, plain_text, refuse_reserved
from arc.sessions.visit import PLAIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from typing import Any, Literal

    from arc.sessions.changes import Count
    from arc.sessions.delta import Path
    from arc.sessions.manager import SessionManager
    from arc.sessions.record import Record
    from arc.sessions.visit import Visit

WITHHELD = (
    "another site began this request, and the browser withheld the session's cookie from it. "
    "Answer it with a redirect (303) to a GET: that carries the cookie"
)
_MISSING = object()
_CONTAINERS = (dict, list)


class Session(dict[str, "Any"]):
    """A dict of the app's own keys; the session's identity, times and principal are attributes.

    Values are JSON: None, bool, int, float, str, list, and dict with str keys, at most 30 deep. Times are Unix
    seconds. The session only records changes, and the session manager stores them at each commit. A change after
    the last commit, when the response has been made, raises `LateChange`.
    """

    __slots__ = (
        "_cookie_count",
        "_counts",
        "_facts",
        "_is_open",
        "_manager",
        "_now",
        "_progress",
        "_record",
        "_sent_records",
        "_taken",
        "_visit",
    )

    def __init__(
        self,
        record: Record | None,
        now: int,
        manager: SessionManager,
        visit: Visit = PLAIN,
        sent_records: Sequence[Record] = (),
        cookie_count: int = 0,
    ) -> None:
        """Make the session of `record`, or a new one. The request's session cookies identify `sent_records`."""
        self._record, self._now, self._manager, self._visit = record, now, manager, visit
        self._sent_records, self._cookie_count = sent_records, cookie_count
        self._progress = Progress()
        self._is_open = True
        self._counts: dict[Path, Count | None] = {}  # None: the value was assigned, so counting from it assigns too
        self._taken: Snapshot | None = None
        if record is None:
            self._facts = Facts(manager.mint(), now)
        else:
            dict.__init__(self, record.data)
            self._facts = record
            if record.text is None:
                self._taken = self._snapshot
        if manager.merges:
            self._snapshot.follow_containers(self)

    # -- attributes

    @property
    def id(self) -> str:
        """The session's id. Bind other things to it, but never show or log it."""
        return self._facts.id

    @property
    def created_at(self) -> int:
        """When the session began, in Unix seconds. Regeneration does not change it."""
        return self._facts.created

    @property
    def user_id(self) -> str | None:
        """The id of the signed-in user, None when no one is signed in."""
        return self._facts.user_id

    @property
    def signed_in_at(self) -> int | None:
        """When the user signed in, in Unix seconds."""
        return self._facts.signed_in_at

    @property
    def signs_in(self) -> bool:
        """True after `sign_in` in this request, until the session is destroyed."""
        return self._progress.signed_in

    @property
    def is_new(self) -> bool:
        """True when the session is not stored: the request sent no valid cookie, or the session was destroyed."""
        return self._record is None or self._progress.destroyed

    @property
    def replaced_ids(self) -> tuple[str, ...]:
        """The ids in the request's cookies that were replaced less than a minute ago."""
        return self._progress.replaced_ids

    @property
    def cookies(self) -> tuple[str, ...]:
        """The Set-Cookie strings of the latest commit; empty before the first."""
        latest = self._progress.cookies
        return latest or (self._progress.earlier or () if latest is None else ())

    def __repr__(self) -> str:
        return f"<Session {dict.__repr__(self)}>"

    def __await__(self) -> Generator[None, None, Session]:
        """Return the session, for `await arc.http.session.read(req)` as in Node."""
        yield from ()
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return (dict, (dict(self),))

    # -- intents

    def flash(self, kind: str, message: str) -> None:
        """Store `message` for the next call of `flashes`, usually on the page after a redirect."""
        self._open()
        if not isinstance(kind, str) or not isinstance(message, str):
            raise TypeError(f"flash takes two strings, not {type(kind).__name__} and {type(message).__name__}.")
        pair = (plain_text(kind, "kind"), plain_text(message, "message"))
        self._facts = self._facts.but(flashes=(*self._facts.flashes, pair))

    def flashes(self, kind: str | None = None) -> list[str]:
        """Return the messages stored by `flash` and remove them: those of one kind, or all, the oldest first.

        The response to a HEAD request or a prefetch is not displayed, so the messages stay for the next one.
        """
        before = self._facts.flashes
        messages = [message for one, message in before if kind in (None, one)]
        if messages and self._visit.displayed:
            self._open()
            self._facts = self._facts.but(flashes=tuple([pair for pair in before if kind not in (None, pair[0])]))
        return messages

    def sign_in(self, user_id: str, *, lifetime: int | Literal["browser"] | None = None) -> None:
        """Bind the session to `user_id` and give it a new id. Data of a different user is removed first.

        `lifetime` is this session's idle lifetime in seconds ("remember me"). With `"browser"` the cookie lasts
        until the browser is closed, and the default idle lifetime applies on the server. The absolute lifetime
        always applies.
        """
        self._open()
        if lifetime not in (None, BROWSER) and (type(lifetime) is not int or not 0 < lifetime <= LONGEST):
            raise ValueError(
                f"sign_in takes a lifetime of 1 to {LONGEST:,} seconds (400 days, the limit of browsers) or 'browser', "
                f"not {lifetime!r}."
            )
        if not isinstance(user_id, str) or not user_id:
            raise TypeError(f"sign_in takes the user's id as a non-empty string, not {user_id!r}.")
        user_id = plain_text(user_id, "user_id")
        flashes = self._facts.flashes
        if self._facts.user_id not in (None, user_id):
            flashes = ()
            self._remove_keys()
        self.regenerate()
        self._facts = self._facts.but(user_id=user_id, signed_in_at=self._now, lifetime=lifetime, flashes=flashes)
        self._progress.signed_in = True

    def sign_out(self) -> None:
        """End the session and remove its data, id and cookie. Data set afterwards starts a new session."""
        self.destroy()

    def require_fresh(self, seconds: float) -> None:
        """Raise `FreshSignInRequired` unless the visitor signed in at most `seconds` ago.

        Raises `TypeError` unless `seconds` is a number from 0.
        """
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds >= 0:  # NaN is not >= 0
            raise TypeError(f"require_fresh takes a number of seconds, 0 or more, not {seconds!r}.")
        signed_in_at = self._facts.signed_in_at
        if self._facts.user_id is None or signed_in_at is None or self._now - signed_in_at > seconds:
            raise FreshSignInRequired(
                f"This action requires a sign-in within the last {seconds} seconds. Sign in again."
            )

    def regenerate(self) -> None:
        """Give the session a new id. Data and creation time stay; a store on the server revokes the old id."""
        self._open()
        self._progress.regenerated = True
        self._facts = self._facts.but(id=self._manager.mint())

    def destroy(self) -> None:
        """End the session and remove its data, id and cookie. Data set afterwards starts a new session."""
        self._open()
        self._remove_keys()
        self._progress.destroyed = True
        self._progress.blocked = self._progress.blocked if self._progress.blocked == WITHHELD else ""
        self._progress.signed_in = False
        self._facts = Facts(self._manager.mint(), self._now)

    def increment(self, key: str | tuple[str, ...], by: float = 1) -> int | float:
        """Add `by` to the number under `key` (0 when missing) and return the sum.

        A tuple of keys is a path: `increment(("cart", product))` counts within the dict `cart`, which is created when
        it is missing. In a database, parallel increments add up. Raises `TypeError` for a value that is not a number, a
        path through something that is not a dict, and any other `key`.
        """
        self._open()
        path = (key,) if isinstance(key, str) else key
        if not (isinstance(path, tuple) and path and all(isinstance(one, str) for one in path)):
            raise TypeError(f"session.increment takes a string or a tuple of strings as the key, not {key!r}.")
        for one in path:
            refuse_reserved(one)
        parent, missing = self._parent(path)
        current = 0 if missing else parent.get(path[-1], 0)
        for number, fault in ((by, "session.increment adds a number, not"), (current, f"{describe(path)} is")):
            if isinstance(number, bool) or not isinstance(number, int | float):
                raise TypeError(f"{fault} {number!r}, which is not a number.")
        for one in missing:
            parent[one] = {}
            parent = parent[one]
        total: int | float = current + by
        count = self._counts.get(path, (0, current, current))
        parent[path[-1]] = total
        self._counts[path] = None if count is None or count[2] != current else (count[0] + by, count[1], total)
        return total

    def _parent(self, path: tuple[str, ...]) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return the innermost existing container on the way to `path`, and the keys of the missing ones."""
        parent: dict[str, Any] = self
        for depth, key in enumerate(path[:-1], start=1):
            if key not in parent:
                return parent, path[depth - 1 : -1]
            parent = parent[key]
            if not isinstance(parent, dict):
                raise TypeError(
                    f"{describe(path[:depth])} is a {type(parent).__name__}; session.increment counts within dicts."
                )
        return parent, ()

    def replace(self, data: dict[str, Any]) -> None:
        """Replace all data with `data`. The id stays. An empty dict destroys the session.

        The keys `_idx`, `_secret`, `_ttl` and `iat` are ignored, because Architect's other libraries add them to the
        data that they read.
        """
        if data is self:
            return
        if not isinstance(data, dict):
            raise TypeError(f"A session is replaced by a dict, not by {type(data).__name__}.")
        self._refuse_request(data)
        fresh = drop_foreign_keys(data)
        if not fresh:
            self.destroy()
            return
        for key in fresh:
            refuse_reserved(key)
        if (observer := lifecycle.observer) is not None:
            observer.assigned(self, None)
        self._open()
        self._remove_keys()
        dict.update(self, fresh)

    # -- methods of dict that change it

    def __setitem__(self, key: str, value: Any) -> None:
        if not self._is_open:
            self._open()
        if type(key) is not str or key in RESERVED or key[:5] == RESERVED_PREFIX:
            refuse_reserved(key)
        if (observer := lifecycle.observer) is not None:
            observer.assigned(self, key)
        if isinstance(value, _CONTAINERS):
            if isinstance(value, dict) and self._visit.is_request(value):
                raise TypeError(
                    f"session[{key!r}] was set to the whole request, whose headers contain credentials. Store only the "
                    f"parts that you need: req.session[{key!r}] = {{'page': req.path}}."
                )
            if self._manager.merges:
                self._snapshot.record_assignment(key, value)
        self._counts[(key,)] = None
        dict.__setitem__(self, key, value)

    def __delitem__(self, key: str) -> None:
        if key in ADDED and key not in self:  # Handlers written for Architect's other libraries may delete these.
            return
        self._open()
        super().__delitem__(key)
        self._counts[(key,)] = None

    def __ior__(self, other: Any) -> Session:  # type: ignore[misc, override]  # noqa: PYI034  # dict's own overloads say no more
        self.update(other)
        return self

    def pop(self, key: str, default: Any = _MISSING) -> Any:
        """Remove `key` and return its value. Without such a key, return `default` or raise `KeyError`."""
        self._open()
        self._counts[(key,)] = None
        return super().pop(key) if default is _MISSING else super().pop(key, default)

    def popitem(self) -> tuple[str, Any]:
        """Remove and return the newest key and its value."""
        self._open()
        key, value = super().popitem()
        self._counts[(key,)] = None
        return key, value

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value under `key`, after setting it to `default` when it is missing."""
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set several keys, as `dict.update` does."""
        data = dict(*args, **kwargs)
        self._refuse_request(data)
        for key, value in data.items():
            self[key] = value

    def clear(self) -> None:
        """End the session, as `destroy` does. To stay signed in, delete its keys instead."""
        self.destroy()

    def copy(self) -> dict[str, Any]:
        """Return a shallow copy of the data as a plain dict."""
        return dict(self)

    def __dir__(self) -> list[str]:
        return sorted(set(super().__dir__()).difference(FOREIGN))

    # -- for the session manager

    @property
    def _snapshot(self) -> Snapshot:
        """The session as it was loaded or last committed. Most sealed sessions need only the token's text for that."""
        if self._taken is None:
            self._taken = Snapshot.of(self._record, self._progress.text, bounded=self._manager.is_bounded)
        return self._taken

    def _refuse_request(self, data: dict[str, Any]) -> None:
        if self._visit.is_request(data):
            raise TypeError(
                "The session's data was set to the whole request, whose headers contain credentials. Store only the "
                "parts that you need: req.session = {'page': req.path}."
            )

    def close(self) -> None:
        """Make later changes raise `LateChange`, because the response has been made and nothing would commit them."""
        self._progress.closed, self._is_open = True, False

    def _open(self, *, renewed: bool = False) -> None:
        """Prepare for a change. `renewed` is true if the snapshot is of the latest commit."""
        if self._is_open:
            return
        progress = self._progress
        if progress.closed:
            if renewed:
                self._snapshot.forget_change()
            raise LateChange(
                "The session was changed after the response was made, so the change would be lost. Look for a thread, "
                "a task or a generator that outlives the handler, and make the change before the handler returns."
            )
        # Everything so far is committed, and another commit has to follow.
        if not renewed:
            self._snapshot.renew(self, self._facts)
        progress.earlier, progress.cookies = progress.cookies, None
        if progress.destroyed:
            self._record, self._sent_records = None, ()
        progress.destroyed = progress.regenerated = progress.replaced = progress.signed_in = False
        self._counts, self._is_open = {}, True

    def _remove_keys(self) -> None:
        """Remove every key, so that the keys set from now on replace all data."""
        self._progress.replaced = True
        dict.clear(self)


for _name, _advice in FOREIGN.items():
    setattr(Session, _name, ForeignWord("session", _name, _advice))
