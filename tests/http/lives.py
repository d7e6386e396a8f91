"""A state machine of a browser's history: one jar, overlapping requests of tabs, changing settings, other sites.

A request is sent with the cookies of that moment, loaded later, committed later, and its response arrives later still.
Before and after each step the tests compare who the visitor is by the request's cookies and by the browser's.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

import arc
from arc.http.request import Request
from arc.sessions.cookie import values
from arc.sessions.keyring import Keyring
from arc.sessions.record import Refused
from arc.sessions.stores.memory import MemoryStore
from arc.sessions.stores.sealed import SealedStore
from arc.testing import Clock, payload_v2
from arc.testing.jar import CookieJar
from tests.sessions.making import SECRET, value_of
from tests.sessions.stores.tables import Kept

if TYPE_CHECKING:
    Kind = tuple[str, str, str, str]
    Handler = tuple[Kind, list[str]]

    from arc.sessions.manager import SessionManager
    from arc.sessions.session import Session
    from arc.sessions.stores.store import Store
    from tests.engines import Engine

HOST, PATH = "www.shop.example", "/app/page"
IDLE, LATE = 1000, 60  # seconds; for LATE a request with the id of an ended session sets no cookie
PLACES = ((None, "/"), ("shop.example", "/"), (HOST, "/"), (None, "/app"), ("shop.example", "/app/"))
OWN, OTHER = "same-origin", "cross-site"
# Method, Sec-Fetch-Site, Sec-Fetch-Mode, Sec-Purpose.
READING = (
    *[("GET", "none", "navigate", ""), ("GET", OWN, "cors", ""), ("HEAD", OWN, "cors", "")],
    *[("GET", "none", "navigate", "prefetch"), ("GET", OTHER, "navigate", ""), ("GET", OTHER, "no-cors", "")],
)
WRITING = (("POST", OWN, "navigate", ""), ("POST", OWN, "cors", ""), ("POST", OTHER, "navigate", ""))
CHANGES = ("set", "increment", "flash", "flashes", "write")
# A visitor signs in and out by POST, never by GET, because browsers prefetch links.
HANDLERS = st.one_of(
    st.tuples(st.sampled_from(READING), st.lists(st.sampled_from(CHANGES), max_size=2)),
    st.tuples(
        st.sampled_from(WRITING),
        st.lists(st.sampled_from((*CHANGES, "ada", "bob", "sign_out", "regenerate")), max_size=2),
    ),
    st.tuples(st.sampled_from(WRITING), st.sampled_from((["ada"], ["bob"], ["sign_out"], ["set"], ["increment"]))),
)
_IN_FLIGHT = 4


class Sent:
    """A request, with the cookies that the jar sent."""

    def __init__(self, kind: Kind, actions: list[str], pairs: list[str], arrivals: int, *, strict: bool) -> None:
        (self.method, self.site, self.mode, self.purpose), self.actions, self.pairs = kind, actions, pairs
        self.ids = {value.partition(".")[0] for value in values(pairs, "_idx")}
        self.arrivals = arrivals  # the number of responses that had arrived when it was sent
        self.embedded = self.site == OTHER and self.mode != "navigate"
        self.is_withheld = self.site == OTHER and (strict or self.embedded or self.method == "POST")  # its cookie
        requested = [action for action in actions if action in ("ada", "bob", "sign_out")]
        self.asks = requested[-1] if requested else ""
        self.session: Session | None = None
        self.request: Request | None = None
        self.is_late = False
        self.loaded = ""  # the id of the loaded session
        self.ends: set[str] = set()
        self.cookies: tuple[str, ...] | None = None
        self.before: str | None = None  # the user before it was committed


class Lives(RuleBasedStateMachine):
    """One browser in front of one site, on one store."""

    def __init__(self, engine: Engine | None, table: str | None, *, sealed: bool = False) -> None:
        super().__init__()
        self.clock = Clock()
        self.jar = CookieJar(self.clock)
        keyring = Keyring(arc.Settings(environment="production", secret=SECRET))
        self.store: Store = SealedStore(keyring, "_idx", random=os.urandom) if sealed else MemoryStore(keyring)
        if engine is not None:
            self.store = Kept(engine, table=table).store
        self.knows = self.store.on_server
        self.in_flight: list[Sent] = []
        self.arrivals = 0
        self.living: dict[str, str] = {}  # id → the newest value of its cookie
        self.replaced: dict[str, int] = {}  # id → when; no store remembers an ended session
        self.parents: dict[str, set[str]] = {}  # id → the ids in the request that began it
        self.origins: dict[str, str] = {}  # id → the id of the session that it replaced
        self.signed_out: set[str] = set()  # the ids that sign-outs ended, once their responses arrived

    @initialize(
        same_site=st.sampled_from(["Lax", "Strict"]),
        place=st.sampled_from(PLACES),
        first=st.sampled_from([[], ["set"], ["ada"]]),
    )
    def open(self, same_site: str, place: tuple[str | None, str], first: list[str]) -> None:
        """The browser is opened with an empty jar, and its user visits the site."""
        self.same_site = same_site
        self.deploy(place)
        self.visit((WRITING[0], first))

    # -- events

    @rule(place=st.sampled_from(PLACES))
    def deploy(self, place: tuple[str | None, str]) -> None:
        """ARC_SESSION_DOMAIN and ARC_SESSION_PATH change, and sign-ins do not."""
        domain, path = place
        settings = arc.Settings(
            environment="production",
            secret=SECRET,
            idle=IDLE,
            domain=domain,
            path=path,
            same_site=self.same_site,
        )
        before = self.who() if hasattr(self, "manager") else None
        self.manager: SessionManager = arc.http.build_manager(
            settings, store=self.store, clock=self.clock, random=os.urandom
        )
        assert self.who() == before

    @rule(valid=st.booleans(), same_site=st.sampled_from(["Lax", "None"]))
    def sibling(self, *, valid: bool, same_site: str) -> None:
        """Another host of the site sets a cookie of the name: an invalid one, or an anonymous session of the app."""
        if self.jar.send("shop.example", "/", secure=True):
            return  # The cookie there is the app's, and a sibling may replace it.
        before, value = self.who(), "nonsense"
        if valid:
            session = self.manager.load([])
            session["sibling"] = True
            value = value_of(self.manager.commit(session)[0])
            self.know(value, set())
            same_site = self.same_site
        cookie = f"_idx={value}; Domain=shop.example; Path=/; Secure; SameSite={same_site}"
        self.jar.receive(cookie, "admin.shop.example", secure=True)
        assert self.who() == before

    @precondition(lambda self: all(sent.cookies is None for sent in self.in_flight))
    @rule(seconds=st.sampled_from([1, 30, 59, 60, 150, 600, 999]))
    def wait(self, seconds: int) -> None:
        """Time passes, up to nearly an idle lifetime. No response is pending for that long."""
        self.clock.forward(seconds)

    @rule(handler=HANDLERS)
    def visit(self, handler: Handler) -> None:
        """A request is handled at once."""
        sent = self._send(*handler)
        self._load(sent)
        self._commit(sent)
        self._arrive(sent)

    @rule(slow=HANDLERS, fast=st.lists(HANDLERS, max_size=2), slower=HANDLERS, loads_first=st.booleans())
    def overtake(self, slow: Handler, fast: list[Handler], slower: Handler, *, loads_first: bool) -> None:
        """Other requests overtake a slow one, before or after its session is loaded. One of them is slower still."""
        sent = self._send(*slow)
        if loads_first:
            self._load(sent)
        for handler in fast:
            self.visit(handler)
        last = self._send(*slower)
        if loads_first:
            self._load(last)
        for one in (sent, last):
            if not loads_first:
                self._load(one)
            self._commit(one)
            self._arrive(one)

    @precondition(lambda self: len(self.in_flight) < _IN_FLIGHT)
    @rule(handler=HANDLERS)
    def send(self, handler: Handler) -> None:
        """A tab sends a request, which stays pending."""
        self.in_flight.append(self._send(*handler))

    @precondition(lambda self: self.in_flight)
    @rule(pick=st.integers(0, _IN_FLIGHT - 1))
    def proceed(self, pick: int) -> None:
        """A pending request proceeds: it is loaded, or committed, or its response arrives."""
        sent = self.in_flight[pick % len(self.in_flight)]
        if sent.request is None:
            self._load(sent)
        elif sent.cookies is None:
            self._commit(sent)
            # A browser whose session got a new id has none until the response arrives, so nothing is checked.
            if sent.asks not in ("", "sign_out") or "regenerate" in sent.actions:
                self._finish(sent)
        else:
            self._finish(sent)

    def _finish(self, sent: Sent) -> None:
        self.in_flight.remove(sent)
        self._arrive(sent)

    # -- the steps of a request

    def _send(self, kind: Kind, actions: list[str]) -> Sent:
        method, site, mode, _ = kind
        same_site = ("strict", "lax", "none")
        if site == OTHER:
            same_site = ("lax", "none") if method == "GET" and mode == "navigate" else ("none",)  # type: ignore[assignment]
        pairs = self.jar.send(HOST, PATH, secure=True, same_site=same_site)
        return Sent(kind, actions, pairs, self.arrivals, strict=self.same_site == "Strict")

    def _load(self, sent: Sent) -> None:
        headers = {"host": HOST, "sec-fetch-site": sent.site, "sec-fetch-mode": sent.mode}
        if sent.purpose:
            headers["sec-purpose"] = sent.purpose
        manager = self.manager
        sent.request = Request(
            payload_v2(sent.method, PATH, headers=headers, cookies=sent.pairs), None, lambda: manager
        )
        session = sent.session = sent.request.session
        sent.is_late = any(self.now - self.replaced[one] < LATE for one in sent.ids if one in self.replaced)
        sent.loaded = "" if session.is_new else session.id
        for action in sent.actions:
            if action == "set":
                session["cart"] = ["book"]
            elif action == "increment":
                session.increment("visits")
            elif action == "flash":
                session.flash("info", "Saved")
            elif action in ("ada", "bob"):
                session.sign_in(action)
            elif action != "write":
                getattr(session, action)()

    def _commit(self, sent: Sent) -> None:
        assert sent.request is not None
        assert sent.session is not None
        before = sent.before = self.who()
        if sent.asks == "sign_out":
            sent.ends = {one for one in self.living if one in sent.ids or self._follows(one, sent.ids)}
        if "write" in sent.actions:
            arc.http.session.write(sent.session)
        arc.http.res(sent.request, {"text": "", "session": sent.session})
        sent.cookies = sent.session.cookies
        for cookie in sent.cookies:
            if value := value_of(cookie):
                self.know(value, sent.ids)
                if sent.loaded and sent.asks != "sign_out":
                    self.origins.setdefault(value.partition(".")[0], sent.loaded)
        self._bury()
        assert self.who() == before or sent.asks or "regenerate" in sent.actions

    def _arrive(self, sent: Sent) -> None:
        assert sent.cookies is not None
        before, current = self.who(), self.current()
        if "regenerate" in sent.actions:
            before = sent.before
        for cookie in sent.cookies:
            self.jar.receive(cookie, HOST, secure=True, path=PATH, embedded=sent.embedded)
        after, undisturbed = self.who(), self.arrivals == sent.arrivals
        self.arrivals += 1
        if sent.asks == "sign_out":
            self._check_sign_out(sent, before, after)
        elif sent.asks:
            assert after == sent.asks or sent.embedded or not (undisturbed or sent.ids)
        elif after != before:
            assert not undisturbed, f"a request that asked for nothing made {after} of {before}"
            if self.knows:
                self._check_change(sent, after, current)

    def _check_sign_out(self, sent: Sent, before: str | None, after: str | None) -> None:
        """No one is signed in after a sign-out with the cookie. One whose cookie was withheld changes nothing."""
        if sent.is_withheld:
            assert after == before
        elif sent.ids:
            assert after is None
            self.signed_out |= sent.ends
        else:
            assert after in (None, before)

    def _check_change(self, sent: Sent, after: str | None, current: str) -> None:
        """A request changed who is signed in without asking, which is allowed only where the store cannot detect it."""
        assert not sent.is_late, "a late request changed who is signed in"
        assert not sent.is_withheld, "a request from another site changed who is signed in"
        assert sent.session is not None
        if after is not None:  # another session of the visitor that no sign-out ended
            assert sent.session.id not in self.signed_out, f"{after} was signed out, and is signed in again"
        elif sent.session.id in self.living:  # Otherwise it was replaced before its response arrived.
            related = sent.ids & self.line(current)
            assert all(self.now - self.replaced.get(one, self.now - LATE) >= LATE for one in related)

    # -- records

    @property
    def now(self) -> int:
        """The time in Unix seconds."""
        return int(self.clock())

    def _now(self) -> Session:
        pairs = self.jar.send(HOST, PATH, secure=True)
        return self.manager.load(values(pairs, "_idx"))

    def who(self) -> str | None:
        """The user whom a page would greet now."""
        return self._now().user_id

    def current(self) -> str:
        """The id of the visitor's session, "" without one."""
        session = self._now()
        return "" if session.is_new else session.id

    def know(self, value: str, parents: set[str]) -> None:
        """Record a session by its cookie's value."""
        if self.knows:
            session_id = value.partition(".")[0]
            self.living[session_id] = value
            self.parents.setdefault(session_id, parents - {session_id})

    def line(self, session_id: str) -> set[str]:
        """The session's id and those of its predecessors."""
        found, todo = set(), [session_id]
        while todo:
            one = todo.pop()
            if one not in found:
                found.add(one)
                todo += self.parents.get(one, ())
        return found

    def _follows(self, session_id: str, ids: set[str]) -> bool:
        """True if the session replaced one of `ids` so recently that a sign-out must find it."""
        origin = self.origins.get(session_id, "")
        return origin in ids and self.now - self.replaced.get(origin, self.now - LATE) < LATE

    def _bury(self) -> None:
        """Remove expired sessions, and record when sessions were replaced."""
        for session_id, value in list(self.living.items()):
            try:
                self.store.load(value, self.now)
            except Refused as refusal:
                del self.living[session_id]
                if refusal.replaced is not None:
                    self.replaced[session_id] = self.now
