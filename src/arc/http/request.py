"""`Request`, the event with its parts as attributes, and the lookup of the request for a bare event."""

from __future__ import annotations

from _contextvars import ContextVar  # these three without imports of their modules
from _thread import RLock, allocate_lock
from _weakref import ref
from collections import deque

from arc.http.events import event_of, shape_of
from arc.http.headers import Query
from arc.http.manager import manager_of_process
from arc.http.visit import RequestVisit
from arc.sessions import cookie
from arc.sessions.foreign_words import FOREIGN_OF_REQUEST, ForeignWord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from arc.http.events import Shape
    from arc.http.headers import Headers
    from arc.http.multipart import File
    from arc.sessions.manager import SessionManager
    from arc.sessions.session import Session

_NO_FILE = "{0!r} is a text field: req.form[{0!r}]. Browsers send files only in a <form enctype='multipart/form-data'>"


class Request(dict[str, "Any"]):
    """The event as a dict, with its parts as attributes.

    The session is loaded when `session` is first used. A request that never uses it does no I/O and gets no cookie.
    `context` is Lambda's. The repr shows none of the event's values.
    """

    __slots__ = (
        "__weakref__",
        "_body",
        "_fields",
        "_json",
        "_load_lock",
        "_manager",
        "_session",
        "_session_values",
        "context",
        "cross_site",
        "csrf_bindings",
        "csrf_cookie",
        "is_finished",
        "shape",
        "without_session",
    )

    def __init__(self, event: Mapping[str, Any], context: object, manager: Callable[[], SessionManager]) -> None:
        if type(event) is not dict:
            event = event_of(event)
        dict.__init__(self, event)
        self.context = context
        self.shape: Shape = shape_of(event)
        self.csrf_cookie: str | None = None
        self.csrf_bindings: list[str] = []
        self.without_session = self.cross_site = self.is_finished = False
        self._manager = manager
        self._load_lock = allocate_lock()
        self._session: Session | None = None
        self._session_values: list[str] | None = None

    def __repr__(self) -> str:
        """Return the method, the path and the event's keys. Its values contain cookies and credentials."""
        return f"<Request {f'{self.method} {self.path}'!r}: {', '.join(map(str, self))}>"

    def __dir__(self) -> list[str]:
        return sorted(set(super().__dir__()).difference(FOREIGN_OF_REQUEST))

    # -- the session

    @property
    def session(self) -> Session:
        """The visitor's session, loaded at first use. Raises `StoreError`."""
        if self._session is None:
            with self._load_lock:
                if self._session is None:
                    manager, shape = self._manager(), self.shape
                    self._session_values = values = cookie.values(shape.cookie_headers(), manager.cookie_name)
                    session = manager.load(values, RequestVisit(shape, self.cross_site))
                    self.without_session = session.is_new
                    self._session = session
        return self._session

    @session.setter
    def session(self, data: dict[str, Any]) -> None:
        """Replace the session's data and keep its id. `{}` destroys the session."""
        self.session.replace(data)

    def start_session(self, data: dict[str, Any]) -> Session:
        """Return a new session with `data`, which takes the place of the visitor's session without changing that."""
        manager = self._manager()
        values = self.cookie_values(manager.settings.cookie_name)
        if self._session is None:
            self.without_session = not values
        session = manager.begin(values, self._visit)
        session.replace(data)
        self.use_session(session)
        return session

    @property
    def _visit(self) -> RequestVisit:
        return RequestVisit(self.shape, self.cross_site)

    def use_session(self, session: Session) -> None:
        """Make `session`, wherever it was read, the session of this request."""
        self._session = session

    @property
    def uses_session(self) -> bool:
        """True once the session was loaded or started."""
        return self._session is not None

    @property
    def is_open(self) -> bool:
        """False once the response was made, or if the event's session cookies were replaced by other ones.

        A test may send the dict of an earlier call again, with another visitor's cookies.
        """
        if self.is_finished or self._session_values is None:
            return not self.is_finished
        values = cookie.values(shape_of(self.shape.event).cookie_headers(), self.manager.settings.cookie_name)
        return not values or values == self._session_values  # A handler may have removed the cookies.

    @property
    def manager(self) -> SessionManager:
        """The session manager of this request."""
        return self._manager()

    @property
    def may_set_csrf_cookie(self) -> bool:
        """True if a CSRF token was made for a visitor without a session, or verified, or the CSRF cookie came."""
        return (
            self.csrf_cookie is not None
            or bool(self.csrf_bindings)
            or "_arc_csrf" in ";".join(self.shape.cookie_headers())
        )

    def cookie_values(self, name: str) -> list[str]:
        """Return the values of all cookies called `name`, in the order sent."""
        return cookie.values(self.shape.cookie_headers(), name)

    # -- the request line and the headers

    @property
    def method(self) -> str:
        """The method in capitals, such as `"GET"`."""
        return self.shape.method()

    @property
    def path(self) -> str:
        """The path, percent-decoded for every event format and without the stage, such as `"/users/7"`."""
        return self.shape.path()

    @property
    def params(self) -> Query[str]:
        """The path parameters, percent-decoded for every event format, such as `{"id": "7"}`.

        The parameter of a catch-all is called `proxy`, and is also found under `"*"`. `params[name]` raises
        `MissingField` for a parameter that the route does not have.
        """
        return self.shape.params()

    @property
    def query(self) -> Query[str]:
        """The query string's fields: `query[name]` is the last value, and `query.getall(name)` returns all.

        `query[name]` raises `MissingField` for an absent field, which becomes a 400 response. Raises `BadRequest` for a
        query string longer than 65,536 characters.
        """
        return self.shape.query()

    @property
    def headers(self) -> Headers:
        """The headers. Lookups ignore case."""
        return self.shape.headers()

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies. Of several with one name, the last."""
        return dict(pair for header in self.shape.cookie_headers() for pair in cookie.parse(header))

    # -- the body

    @property
    def body(self) -> bytes | None:
        """The body's bytes, None if absent. Raises `BadRequest` for invalid base64."""
        try:
            return self._body
        except AttributeError:  # A slot costs nothing until it is set, and few requests have a body.
            pass
        self._body: bytes | None = self.shape.body()
        return self._body

    @property
    def text(self) -> str:
        """The body as text, "" if absent. Raises `BadRequest` for a body that is not UTF-8."""
        from arc.http.body import decode  # few requests have a body

        return decode(self.body)

    @property
    def form(self) -> Query[str]:
        """The text fields of an HTML form, empty for other bodies.

        `form[name]` raises `MissingField` for an absent field, which becomes a 400 response. Raises `BadRequest` for a
        malformed form.
        """
        return self._form_and_files()[0]

    @property
    def files(self) -> Query[File]:
        """The uploaded files of a form with `enctype="multipart/form-data"`: `files[field]` is the last.

        Empty for other bodies. Raises `BadRequest` for a malformed form.
        """
        return self._form_and_files()[1]

    @property
    def json(self) -> Any:
        """The value of a JSON body, None if absent. Raises `BadRequest` for invalid JSON."""
        try:
            return self._json
        except AttributeError:
            pass
        from arc.http.body import parse_json

        self._json: Any = parse_json(self.text) if self.body else None
        return self._json

    def _form_and_files(self) -> tuple[Query[str], Query[File]]:
        try:
            return self._fields
        except AttributeError:
            pass
        self._fields: tuple[Query[str], Query[File]] = self._read_form()
        return self._fields

    def _read_form(self) -> tuple[Query[str], Query[File]]:
        content_type = self.headers.get("content-type", "")
        if content_type.lower().startswith("multipart/form-data"):
            from arc.http.multipart import form_and_files

            return form_and_files(content_type, self.body or b"")
        from arc.http.body import FORM, parse_form

        form = parse_form(self.text) if content_type.lower().startswith(FORM) else Query()
        hints = {field: _NO_FILE.format(field) for field in form}
        return form, Query((), hints, part="form has no file")


# -- the request of a bare event

current_request: ContextVar[Request | None] = ContextVar("arc_current_request", default=None)
"""The request that a decorated handler is serving, None outside of one."""

# Every call with the same event dict must find the same request. A dict cannot have weak references, so requests are
# found by the identity of their event. A request holds its event, and one of these two holds the request: the context
# that first read the event, until it reads another one, and the deque, because that thread or task may end early.
_context_request: ContextVar[Request | None] = ContextVar("arc_bare_request", default=None)
_unfinished: deque[Request] = deque(maxlen=4)
_by_identity: dict[int, ref[Request]] = {}
_MOST_REFERENCES = 100  # to requests that are gone, before these references are removed
_lock = RLock()  # Reentrant, because garbage collection may run code of the app in a thread that holds the lock.


def request_of(event: Mapping[str, Any], *, for_response: bool = False) -> Request:
    """Return `event` if it is a `Request`, else the request for it, which is the same in every thread and task.

    An event gets a new request once its request is no longer open. With `for_response` a finished request is returned
    again.
    """
    if isinstance(event, Request):
        return event
    request = _context_request.get()
    if request is not None and request.shape.event is event and (for_response or request.is_open):
        return request
    if type(event) is not dict:
        event = event_of(event)
    with _lock:
        reference = _by_identity.get(id(event))
        request = None if reference is None else reference()
        if request is None or not (for_response or request.is_open):
            request = Request(event, None, manager_of_process)
            # Another event may have had this identity before, but not while its request, which holds it, exists.
            _by_identity[id(event)] = ref(request)
            if len(_by_identity) > _MOST_REFERENCES:
                for identity in [identity for identity, one in _by_identity.items() if one() is None]:
                    del _by_identity[identity]
            _unfinished.append(request)
            _context_request.set(request)
    return request


def finish(request: Request) -> None:
    """Record that the response was made, so that the event stands for a new request from now on."""
    request.is_finished = True
    with _lock:
        others = [other for other in _unfinished if other is not request]
        _unfinished.clear()
        _unfinished.extend(others)


for _name, _advice in FOREIGN_OF_REQUEST.items():
    setattr(Request, _name, ForeignWord("request", _name, _advice))
