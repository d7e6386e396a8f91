"""A machine that lives a browser's life: one jar, tabs whose requests overlap, settings that change, other sites.

A request is sent with the cookies of that moment, loaded later, committed later, and its answer arrives later still.
Whoever its cookies and the present ones say the visitor is, is compared before and after each step.
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
IDLE, LATE = 1000, 60  # seconds; LATE: for how long a request with the id of a session that has gone sets no cookie
PLACES = ((None, "/"), ("shop.example", "/"), (HOST, "/"), (None, "/app"), ("shop.example", "/app/"))
OWN, OTHER = "same-origin", "cross-site"
# Method, Sec-Fetch-Site, Sec-Fetch-Mode, Sec-Purpose.
READING = (
    *[("GET", "none", "navigate", ""), ("GET", OWN, "cors", ""), ("HEAD", OWN, "cors", "")],
    *[("GET", "none", "navigate", "prefetch"), ("GET", OTHER, "navigate", ""), ("GET", OTHER, "no-cors", "")],
)
WRITING = (("POST", OWN, "navigate", ""), ("POST", OWN, "cors", ""), ("POST", OTHER, "navigate", ""))
CHANGES = ("set", "increment", "flash", "flashes", "write")
# By POST a visitor signs in and out, never by GET: a browser fetches links ahead of its user.
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
    """A request, with the cookies that the jar gave it."""

    def __init__(self, kind: Kind, actions: list[str], pairs: list[str], arrivals: int, *, strict: bool) -> None:
        (self.method, self.site, self.mode, self.purpose), self.actions, self.pairs = kind, actions, pairs
        self.ids = {value.partition(".")[0] for value in values(pairs, "_idx")}
        self.arrivals = arrivals  # how many answers had arrived when it was sent
        self.embedded = self.site == OTHER and self.mode != "navigate"
        self.is_withheld = self.site == OTHER and (strict or self.embedded or self.method == "POST")  # its cookie
        asked = [action for action in actions if action in ("ada", "bob", "sign_out")]
        self.asks = asked[-1] if asked else ""
        self.session: Session | None = None
        self.request: Request | None = None
        self.is_late = False
        self.loaded = ""  # the id of the session that was taken
        self.ends: set[str] = set()
        self.cookies: tuple[str, ...] | None = None
        self.before: str | None = None  # who was signed in before it was committed


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
        self.replaced: dict[str, int] = {}  # id → when; of an ended session no store knows anything
        self.parents: dict[str, set[str]] = {}  # id → the ids that came with the request that began it
        self.origins: dict[str, str] = {}  # id → the id of the session that it replaced
        self.signed_out: set[str] = set()  # the ids of sessions that a sign-out whose answer arrived had to end

    @initialize(
        same_site=st.sampled_from(["Lax", "Strict"]),
        place=st.sampled_from(PLACES),
        first=st.sampled_from([[], ["set"], ["ada"]]),
    )
    def open(self, same_site: str, place: tuple[str | None, str], first: list[str]) -> None:
        """The browser is opened, with an empty jar, and its user comes to the site."""
        self.same_site = same_site
        self.deploy(place)
        self.visit((WRITING[0], first))

    # -- what happens

    @rule(place=st.sampled_from(PLACES))
    def deploy(self, place: tuple[str | None, str]) -> None:
        """ARC_SESSION_DOMAIN and ARC_SESSION_PATH change; who is signed in does not."""
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
        """Another host of the site sets a cookie of our name: nonsense, or an anonymous session of the same app."""
        if self.jar.send("shop.example", "/", secure=True):
            return  # what lies there is ours, and a sibling may replace it
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
        """Time passes, up to nearly an idle lifetime; no answer is on its way for that long."""
        self.clock.forward(seconds)

    @rule(handler=HANDLERS)
    def visit(self, handler: Handler) -> None:
        """A request is answered at once."""
        sent = self._send(*handler)
        self._load(sent)
        self._commit(sent)
        self._arrive(sent)

    @rule(slow=HANDLERS, fast=st.lists(HANDLERS, max_size=2), slower=HANDLERS, loads_first=st.booleans())
    def overtake(self, slow: Handler, fast: list[Handler], slower: Handler, *, loads_first: bool) -> None:
        """A slow request is overtaken by others, before or after its session is loaded; one of them is slower still."""
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
        """A tab sends a request, which is on its way for a while."""
        self.in_flight.append(self._send(*handler))

    @precondition(lambda self: self.in_flight)
    @rule(pick=st.integers(0, _IN_FLIGHT - 1))
    def go_on(self, pick: int) -> None:
        """One of them gets on: it is loaded, or committed, or its answer arrives."""
        sent = self.in_flight[pick % len(self.in_flight)]
        if sent.request is None:
            self._load(sent)
        elif sent.cookies is None:
            self._commit(sent)
            # Until the answer arrives, a browser whose session got a new id has none: that is no time to look.
            if sent.asks not in ("", "sign_out") or "regenerate" in sent.actions:
                self._finish(sent)
        else:
            self._finish(sent)

    def _finish(self, sent: Sent) -> None:
        self.in_flight.remove(sent)
        self._arrive(sent)

    # -- a request's way

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
        """Nobody is signed in after a sign-out with our cookie; one whose cookie was withheld changes nothing."""
        if sent.is_withheld:
            assert after == before
        elif sent.ids:
            assert after is None
            self.signed_out |= sent.ends
        else:
            assert after in (None, before)

    def _check_change(self, sent: Sent, after: str | None, current: str) -> None:
        """A request that asked for nothing changed who is signed in: only where the store could not know better."""
        assert not sent.is_late, "a late request changed who is signed in"
        assert not sent.is_withheld, "a request from another site changed who is signed in"
        assert sent.session is not None
        if after is not None:  # another of the visitor's sessions, which no sign-out ended
            assert sent.session.id not in self.signed_out, f"{after} was signed out, and is signed in again"
        elif sent.session.id in self.living:  # else it was replaced while its answer was on the way
            related = sent.ids & self.line(current)
            assert all(self.now - self.replaced.get(one, self.now - LATE) >= LATE for one in related)

    # -- what is known

    @property
    def now(self) -> int:
        """The time, in Unix seconds."""
        return int(self.clock())

    def _now(self) -> Session:
        pairs = self.jar.send(HOST, PATH, secure=True)
        return self.manager.load(values(pairs, "_idx"))

    def who(self) -> str | None:
        """Who a page of ours would greet now."""
        return self._now().user_id

    def current(self) -> str:
        """The id of the visitor's session, "" without one."""
        session = self._now()
        return "" if session.is_new else session.id

    def know(self, value: str, parents: set[str]) -> None:
        """Remember a session by its cookie's value."""
        if self.knows:
            session_id = value.partition(".")[0]
            self.living[session_id] = value
            self.parents.setdefault(session_id, parents - {session_id})

    def line(self, session_id: str) -> set[str]:
        """The session's id and those from which it came."""
        found, todo = set(), [session_id]
        while todo:
            one = todo.pop()
            if one not in found:
                found.add(one)
                todo += self.parents.get(one, ())
        return found

    def _follows(self, session_id: str, ids: set[str]) -> bool:
        """True when the session replaced one of `ids` a moment ago, so that a sign-out has to find it."""
        origin = self.origins.get(session_id, "")
        return origin in ids and self.now - self.replaced.get(origin, self.now - LATE) < LATE

    def _bury(self) -> None:
        """Forget the sessions that have gone, and remember when they were replaced."""
        for session_id, value in list(self.living.items()):
            try:
                self.store.load(value, self.now)
            except Refused as refusal:
                del self.living[session_id]
                if refusal.replaced is not None:
                    self.replaced[session_id] = self.now
