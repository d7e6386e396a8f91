"""The visitor's session: a dict that records what its user intends."""

from __future__ import annotations

from arc.errors import FreshSignInRequired, LateChange
from arc.sessions.cookie import LONGEST
from arc.sessions.foreign_words import FOREIGN, ForeignWord
from arc.sessions.lifetimes import BROWSER
from arc.sessions.record import described
from arc.sessions.snapshot import Snapshot
from arc.sessions.values import own_keys, plain_text, refuse_reserved
from arc.sessions.visit import PLAIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal

    from arc.sessions.changes import Count
    from arc.sessions.delta import Path
    from arc.sessions.record import Record
    from arc.sessions.snapshot import Facts
    from arc.sessions.visit import Visit

WITHHELD = (
    "another site began this request, and the browser withheld the session's cookie from it. "
    "Answer it with a redirect (303) to a GET: that carries the cookie"
)
_MISSING = object()


class Session(dict[str, "Any"]):
    """A dict of the visitor's own keys; its identity, times and principal are attributes.

    Values are JSON: None, bool, int, float, str, list, dict with str keys, at most 30 deep. `id` changes
    when the session is regenerated; `created_at` and `signed_in_at` are Unix seconds. The session only
    records what is wanted: the session manager acts on it at each commit. After the last one, when the response
    has been made, a change raises `LateChange`.
    """

    __slots__ = (
        "_arrived",
        "_came",
        "_closed",
        "_committed_id",
        "_cookies",
        "_counts",
        "_created_at",
        "_destroyed",
        "_earlier",
        "_flashes",
        "_gone",
        "_id",
        "_late",
        "_lifetime",
        "_manager",
        "_mint",
        "_muted",
        "_now",
        "_record",
        "_regenerated",
        "_replaced",
        "_signed_in",
        "_signed_in_at",
        "_snapshot",
        "_user_id",
        "_value",
        "_visit",
    )

    def __init__(
        self,
        record: Record | None,
        *,
        now: int,
        mint: Callable[[], str],
        merges: bool = False,
        bounded: bool = True,
        manager: object = None,
        visit: Visit = PLAIN,
    ) -> None:
        self._record, self._now, self._mint, self._manager, self._visit = record, now, mint, manager, visit
        text = None
        if record is None:
            self._id, self._created_at, self._flashes = mint(), now, []
            self._user_id = self._signed_in_at = self._lifetime = None
        else:
            super().__init__(record.data)
            self._id, self._created_at, self._flashes = record.id, record.created, list(record.flashes)
            self._user_id, self._signed_in_at = record.user_id, record.signed_in_at
            self._lifetime, text = record.lifetime, record.text
        self._counts: dict[Path, Count | None] = {}  # None: assigned, so that counting from it is assigning too
        self._destroyed = self._regenerated = self._replaced = False
        self._signed_in = False
        self._muted = ""  # why this request may neither replace nor clear the visitor's cookie
        self._came = 0  # session cookies
        self._arrived: tuple[Record, ...] = ()  # the sessions that they stood for
        self._late: tuple[str, ...] = ()
        self._closed = self._gone = False  # gone: no longer there when an earlier commit's session was to be changed
        self._value: str | None = None  # the cookie's, as of the latest commit that stored something
        self._committed_id = ""
        self._cookies: tuple[str, ...] | None = None  # of the latest commit, None after a change
        self._earlier: tuple[str, ...] | None = None  # of the commit before, None when there was none
        self._snapshot = Snapshot(self, self._facts(), text=text, merges=merges, bounded=bounded)

    # -- what it is

    @property
    def id(self) -> str:
        """The session's id; never shown or logged, but good for binding other things to the session."""
        return self._id

    @property
    def created_at(self) -> int:
        """When the session began, Unix seconds; regeneration keeps it."""
        return self._created_at

    @property
    def user_id(self) -> str | None:
        """Who is signed in, None when nobody is."""
        return self._user_id

    @property
    def signed_in_at(self) -> int | None:
        """When that was, Unix seconds."""
        return self._signed_in_at

    @property
    def signs_in(self) -> bool:
        """True once `sign_in` was called in this request and nothing ended the session since."""
        return self._signed_in

    @property
    def is_new(self) -> bool:
        """True while the session is not stored anywhere: no valid cookie came, or it was destroyed."""
        return self._record is None or self._destroyed

    @property
    def replaced_ids(self) -> tuple[str, ...]:
        """The ids with which the request came although they were replaced, less than a minute ago."""
        return self._late

    @property
    def cookies(self) -> tuple[str, ...]:
        """The Set-Cookie strings of the latest commit, empty before it and when it sends none."""
        return self._cookies or (self._earlier or () if self._cookies is None else ())

    def __repr__(self) -> str:
        return f"<Session {dict.__repr__(self)}>"

    def __reduce__(self) -> tuple[object, ...]:
        return (dict, (dict(self),))

    # -- what its user intends

    def flash(self, kind: str, message: str) -> None:
        """Keep `message` for the next time `flashes` is asked, usually on the page after a redirect."""
        self._open()
        if not isinstance(kind, str) or not isinstance(message, str):
            raise TypeError(f"flash takes two strings, not {type(kind).__name__} and {type(message).__name__}.")
        self._flashes.append((plain_text(kind, "kind"), plain_text(message, "message")))

    def flashes(self, kind: str | None = None) -> list[str]:
        """The messages kept by `flash`, oldest first, of one kind or of every kind; each is given once.

        A response that nobody sees, to HEAD or a prefetch, leaves them for the one that is seen.
        """
        taken = [message for one, message in self._flashes if kind in (None, one)]
        if taken and self._visit.seen:
            self._open()
            self._flashes = [(one, message) for one, message in self._flashes if kind not in (None, one)]
        return taken

    def sign_in(self, user_id: str, *, lifetime: int | Literal["browser"] | None = None) -> None:
        """Bind the session to `user_id` under a new id; data of a different principal is dropped first.

        `lifetime` is this session's idle lifetime in seconds ("remember me"); with `"browser"` the cookie lasts
        until the browser is closed, and the idle lifetime of all sessions holds on the server. The absolute
        lifetime holds in any case.
        """
        self._open()
        if lifetime not in (None, BROWSER) and (type(lifetime) is not int or not 0 < lifetime <= LONGEST):
            raise ValueError(
                f"sign_in takes a lifetime of 1 to {LONGEST:,} seconds (400 days, which browsers keep at most), "
                f"or 'browser', not {lifetime!r}."
            )
        if not isinstance(user_id, str) or not user_id:
            raise TypeError(f"sign_in takes the user's id as a non-empty string, not {user_id!r}.")
        user_id = plain_text(user_id, "user_id")
        if self._user_id not in (None, user_id):
            self._drop()
        self.regenerate()
        self._user_id, self._signed_in_at, self._signed_in = user_id, self._now, True
        self._lifetime = lifetime

    def sign_out(self) -> None:
        """End the session: data, id and cookie go. Data set afterwards starts a new one."""
        self.destroy()

    def require_fresh(self, seconds: float) -> None:
        """Raise `FreshSignInRequired` unless the visitor signed in at most `seconds` ago.

        Raises `TypeError` unless `seconds` is a number from 0.
        """
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds >= 0:  # NaN is not >= 0
            raise TypeError(f"require_fresh takes a number of seconds, 0 or more, not {seconds!r}.")
        if self._user_id is None or self._signed_in_at is None or self._now - self._signed_in_at > seconds:
            raise FreshSignInRequired(f"Sign in again: this action wants a sign-in of the last {seconds} seconds.")

    def regenerate(self) -> None:
        """Give the session a new id; data and creation time stay, the old id dies where a store can kill it."""
        self._open()
        self._regenerated = True
        self._id = self._mint()

    def destroy(self) -> None:
        """End the session: data, id and cookie go. Data set afterwards starts a new one."""
        self._open()
        self._drop()
        self._destroyed = True
        self._muted = self._muted if self._muted == WITHHELD else ""
        self._user_id = self._signed_in_at = self._lifetime = None
        self._signed_in = False
        self._id, self._created_at = self._mint(), self._now

    def increment(self, key: str | tuple[str, ...], by: float = 1) -> int | float:
        """Add `by` to the number under `key` (0 when absent) and return it as this request sees it.

        A tuple of keys is a path: `increment(("cart", product))` counts within the dict `cart`, which is made when it
        is missing. In a database parallel increments add up. Raises `TypeError` when the value is not a number, when
        something on the path is not a dict, and for another `key`.
        """
        self._open()
        path = (key,) if isinstance(key, str) else key
        if not (isinstance(path, tuple) and path and all(isinstance(one, str) for one in path)):
            raise TypeError(f"session.increment takes a key, or a tuple of keys, which are text, not {key!r}.")
        for one in path:
            refuse_reserved(one)
        parent, missing = self._parent(path)
        current = 0 if missing else parent.get(path[-1], 0)
        for number, fault in ((by, "session.increment adds a number, not"), (current, f"{described(path)} is")):
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
        """The last container on the way to `path` that is there, and the keys of those that are missing."""
        parent: dict[str, Any] = self
        for depth, key in enumerate(path[:-1], start=1):
            if key not in parent:
                return parent, path[depth - 1 : -1]
            parent = parent[key]
            if not isinstance(parent, dict):
                raise TypeError(
                    f"{described(path[:depth])} is a {type(parent).__name__}; session.increment counts within dicts."
                )
        return parent, ()

    def replace(self, data: dict[str, Any]) -> None:
        """Put `data` in place of all data; the id stays. An empty dict destroys the session.

        `_idx`, `_secret`, `_ttl` and `iat`, as other libraries of Architect read them, are left out.
        """
        if data is self:
            return
        if not isinstance(data, dict):
            raise TypeError(f"A session is replaced by a dict, not by {type(data).__name__}.")
        self._refuse_request(data)
        fresh = own_keys(data)
        if not fresh:
            self.destroy()
            return
        for key in fresh:
            refuse_reserved(key)
        self._open()
        self._forget()
        dict.update(self, fresh)

    # -- the dict's own ways to change

    def __setitem__(self, key: str, value: Any) -> None:
        if self._closed or self._cookies is not None:
            self._open()
        refuse_reserved(key)
        if isinstance(value, dict | list):
            if isinstance(value, dict) and self._visit.is_request(value):
                raise TypeError(
                    f"session[{key!r}] was given the whole request, whose headers hold credentials. Store what the "
                    f"session is to keep of it: req.session[{key!r}] = {{'page': req.path}}."
                )
            self._snapshot.assigned(key, value)
        self._counts[(key,)] = None
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        self._open()
        super().__delitem__(key)
        self._counts[(key,)] = None

    def __ior__(self, other: Any) -> Session:  # type: ignore[misc, override]  # noqa: PYI034  # dict's own overloads say no more
        self.update(other)
        return self

    def pop(self, key: str, default: Any = _MISSING) -> Any:
        """Remove `key` and return its value, or `default` when given and the key is absent."""
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
        """The value under `key`, after setting it to `default` when absent."""
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set every given key, as `dict.update` does."""
        data = dict(*args, **kwargs)
        self._refuse_request(data)
        for key, value in data.items():
            self[key] = value

    def clear(self) -> None:
        """End the session, as `destroy` does. To empty it and stay signed in, delete its keys."""
        self.destroy()

    def copy(self) -> dict[str, Any]:
        """A plain dict of the data (shallow)."""
        return dict(self)

    def __dir__(self) -> list[str]:
        return sorted(set(super().__dir__()).difference(FOREIGN))

    # -- for the session manager

    def _refuse_request(self, data: dict[str, Any]) -> None:
        if self._visit.is_request(data):
            raise TypeError(
                "The session was given the whole request as its data, credentials in the headers included. Give it "
                "what the session is to keep: req.session = {'page': req.path}."
            )

    def close(self) -> None:
        """Let every later change raise `LateChange`: the response has been made, and nothing would commit it."""
        self._closed = True

    def _open(self) -> None:
        if self._closed:
            raise LateChange(
                "The session was changed after the response was made, so the change would be lost. Look for what "
                "keeps it beyond the handler, such as a thread, a task or a generator, and change it before the "
                "handler returns."
            )
        if self._cookies is not None:
            self._begin_again()

    def _begin_again(self) -> None:
        """Take what was committed as done: what is intended from now on is for another commit."""
        self._earlier, self._cookies = self._cookies, None
        if self._destroyed:
            self._record, self._arrived = None, ()
        self._destroyed = self._regenerated = self._replaced = self._signed_in = False
        self._counts = {}

    def _drop(self) -> None:
        self._flashes.clear()
        self._forget()

    def _forget(self) -> None:
        """Remove every key: whatever is set from now on replaces all there was."""
        self._replaced = True
        dict.clear(self)

    def _facts(self) -> Facts:
        return (self._user_id, self._signed_in_at, tuple(self._flashes))


for _name in FOREIGN:
    setattr(Session, _name, ForeignWord(_name))
