"""The visitor's request: the event itself, with the parts of it that handlers want."""

from __future__ import annotations

from _thread import RLock, allocate_lock
from collections import deque
from contextvars import ContextVar
from weakref import ref

from arc.http.body import FORM, decode, parse_form, parse_json
from arc.http.events import event_of, shape_of
from arc.http.headers import Query
from arc.http.manager import manager_of_process
from arc.http.visit import RequestVisit
from arc.sessions import cookie

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from arc.http.events import Shape
    from arc.http.headers import Headers
    from arc.http.multipart import File
    from arc.sessions.manager import SessionManager
    from arc.sessions.session import Session


_MISSING = object()
_NO_FILE = "{0!r} is a text field: req.form[{0!r}]. Browsers send files of a <form enctype='multipart/form-data'> alone"


class Request(dict[str, "Any"]):
    """The event as a dict, plus its parts as attributes. Printed, it shows none of the event's values.

    The session is loaded when `session` is first taken; a request that never takes it does no I/O and
    gets no cookie. `context` is Lambda's.
    """

    __slots__ = (
        "__weakref__",
        "_body",
        "_came",
        "_fields",
        "_json",
        "_loading",
        "_manager",
        "_session",
        "answered",
        "came_without_session",
        "context",
        "cross_site",
        "csrf_bindings",
        "csrf_cookie",
        "shape",
    )

    def __init__(self, event: Mapping[str, Any], context: object, manager: Callable[[], SessionManager]) -> None:
        event = event_of(event)
        super().__init__(event)
        self.context = context
        self.shape: Shape = shape_of(event)
        self.csrf_cookie: str | None = None
        self.csrf_bindings: list[str] = []
        self.came_without_session = self.cross_site = self.answered = False
        self._manager = manager
        self._loading = allocate_lock()
        self._session: Session | None = None
        self._came: list[str] | None = None
        self._body: object = _MISSING
        self._json: object = _MISSING
        self._fields: tuple[Query[str], Query[File]] | None = None

    def __repr__(self) -> str:
        """The method, the path and the names of the event's keys: their values hold cookies and credentials."""
        return f"<Request {f'{self.method} {self.path}'!r}: {', '.join(map(str, self))}>"

    # -- the session

    @property
    def session(self) -> Session:
        """The visitor's session, loaded now if it was not yet. Raises `StoreError`."""
        if self._session is None:
            with self._loading:
                if self._session is None:
                    manager = self._manager()
                    self._came = self.cookie_values(manager.settings.cookie_name)
                    session = manager.load(self._came, self._visit)
                    self.came_without_session = session.is_new
                    self._session = session
        return self._session

    @session.setter
    def session(self, data: dict[str, Any]) -> None:
        """Replace the session's data, keeping its id; `{}` destroys it."""
        self.session.replace(data)

    def start_session(self, data: dict[str, Any]) -> Session:
        """A new session with `data` in place of the visitor's own, which is left as it is."""
        manager = self._manager()
        values = self.cookie_values(manager.settings.cookie_name)
        if self._session is None:
            self.came_without_session = not values
        session = manager.begin(values, self._visit)
        session.replace(data)
        self.use_session(session)
        return session

    @property
    def _visit(self) -> RequestVisit:
        return RequestVisit(self.shape, cross_site=self.cross_site)

    def use_session(self, session: Session) -> None:
        """Take `session` for this request's, with all that was done to it, wherever it was read."""
        self._session = session

    @property
    def touched(self) -> bool:
        """True once the session was taken."""
        return self._session is not None

    @property
    def is_open(self) -> bool:
        """False once it was answered, and when its event has got another visitor's cookies, for another call."""
        if self.answered or self._came is None:
            return not self.answered
        now = cookie.values(shape_of(self.shape.event).cookie_headers(), self.manager.settings.cookie_name)
        return not now or now == self._came  # a handler may have taken the cookies out

    @property
    def manager(self) -> SessionManager:
        """The session manager that serves this request."""
        return self._manager()

    @property
    def may_set_csrf_cookie(self) -> bool:
        """True when a form's token was made for a visitor without a session, now or maybe before, or was verified."""
        return (
            self.csrf_cookie is not None
            or bool(self.csrf_bindings)
            or "_arc_csrf" in ";".join(self.shape.cookie_headers())
        )

    def cookie_values(self, name: str) -> list[str]:
        """The value of every cookie called `name`, in the order they were sent."""
        return cookie.values(self.shape.cookie_headers(), name)

    # -- the request line and headers

    @property
    def method(self) -> str:
        """The method in capitals: `"GET"`."""
        return self.shape.method()

    @property
    def path(self) -> str:
        """The path, percent-decoded whatever sent the event, and without the stage: `"/users/7"`."""
        return self.shape.path()

    @property
    def params(self) -> dict[str, str]:
        """The parameters of the route's path, percent-decoded whatever sent the event: `{"id": "7"}`."""
        return self.shape.params()

    @property
    def query(self) -> Query[str]:
        """The query string's fields: `query[k]` the last value, `query.getall(k)` all.

        Raises `BadRequest` for one over 65,536 characters.
        """
        return self.shape.query()

    @property
    def headers(self) -> Headers:
        """The headers, found whatever their case."""
        return self.shape.headers()

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies, the last of each name."""
        return dict(pair for header in self.shape.cookie_headers() for pair in cookie.parse(header))

    # -- the body

    @property
    def body(self) -> bytes | None:
        """The body's bytes, None when absent. Raises `BadRequest` for broken base64."""
        if self._body is _MISSING:
            self._body = self.shape.body()
        return self._body  # type: ignore[return-value]  # bytes | None by the line above

    @property
    def text(self) -> str:
        """The body as UTF-8 text, empty when absent. Raises `BadRequest` when it is no UTF-8."""
        return decode(self.body)

    @property
    def form(self) -> Query[str]:
        """The text fields of an HTML form, empty when the body is none. Raises `BadRequest`."""
        return self._form_and_files()[0]

    @property
    def files(self) -> Query[File]:
        """The files that the visitor chose in a form of `enctype="multipart/form-data"`: `files[field]` the last.

        Each has `field`, `name`, `type` and `bytes`. Raises `BadRequest`.
        """
        return self._form_and_files()[1]

    @property
    def json(self) -> Any:
        """The body as JSON, None when absent. Raises `BadRequest` when malformed."""
        if self._json is _MISSING:
            self._json = parse_json(self.text) if self.body else None
        return self._json

    def _form_and_files(self) -> tuple[Query[str], Query[File]]:
        if self._fields is None:
            content_type = self.headers.get("content-type", "")
            if content_type.lower().startswith("multipart/form-data"):
                from arc.http.multipart import form_and_files

                self._fields = form_and_files(content_type, self.body or b"")
            else:
                form = parse_form(self.text) if content_type.lower().startswith(FORM) else Query()
                self._fields = form, Query((), {field: _NO_FILE.format(field) for field in form})
        return self._fields


# A dict has no weak references: the event is found by its identity while one of the two below it keeps its request,
# which keeps it. The context that met it first does until it meets another; a thread or a task may end before, so the
# newest are kept until they are answered, which is one at a time on Lambda. Nothing is found by anything but the very
# same event.
_lock = RLock()  # which a thread that holds it may take again: the collector may forget a request at any moment
_by_identity: dict[int, _Reference] = {}
_of_context: ContextVar[Request | None] = ContextVar("arc_bare_request", default=None)
_unanswered: deque[Request] = deque(maxlen=4)

handled: ContextVar[Request | None] = ContextVar("arc_handled_request", default=None)
"""The request that a decorated handler is working on, None outside of one."""


class _Reference(ref[Request]):
    """A weak reference to the request of a bare event, found under the event's identity while the request lives."""

    __slots__ = ("key",)

    key: int


def request_of(event: Mapping[str, Any], *, to_answer: bool = False) -> Request:
    """`event` when it is a `Request`, else the one made for it before, in any thread or task, else a new one.

    An event whose request was answered stands for another one, except where that is `to_answer` again; so does one
    that was given another visitor's cookies, as a test may do with the dict of an earlier call.
    """
    if isinstance(event, Request):
        return event
    found = _of_context.get()
    if found is not None and found.shape.event is event and (to_answer or found.is_open):
        return found
    event = event_of(event)
    with _lock:
        reference = _by_identity.get(id(event))
        request = None if reference is None else reference()
        if request is None or not (to_answer or request.is_open):
            request = Request(event, None, manager_of_process)
            reference = _by_identity[id(event)] = _Reference(request, _forget)
            reference.key = id(event)
            _unanswered.append(request)
            _of_context.set(request)
    return request


def answered(request: Request) -> None:
    """Take the event of `request` for another one's from now on, and keep it no longer than the context that met it."""
    request.answered = True
    with _lock:
        kept = [one for one in _unanswered if one is not request]
        _unanswered.clear()
        _unanswered.extend(kept)


def _forget(reference: _Reference) -> None:
    with _lock:  # between the two lines the event might be met again
        if _by_identity.get(reference.key) is reference:
            del _by_identity[reference.key]
