"""`arc.http.session`: read and write a session by hand.

Under `@arc.http.handler`, `read(req)` is `req.session` and `write` commits early. In a bare
`handler(event, context)` these two, with `arc.http.res`, are the whole API.
"""

from __future__ import annotations

from arc.http.manager import manager_of_process
from arc.http.request import handled, request_of
from arc.http.visit import is_request
from arc.sessions.manager import manager_of
from arc.sessions.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def read(req: Mapping[str, Any]) -> Session:
    """The session of `req`, an event or a `Request`, the same in every thread; a new one for a visitor without.

    Raises `ConfigurationError` when the operator's settings are wrong, `StoreError` when the store fails.
    """
    return request_of(req).session


def write(session: dict[str, Any]) -> str:
    """Commit `session` now and return its Set-Cookie string, the clearing one after `destroy`.

    A plain dict starts a new session with that data. An empty one ends the visitor's session in a decorated
    handler. In a bare handler it only clears the cookie, because nothing says whose session it is. The string is
    empty when another request ended the session meanwhile: then no cookie may be sent. Raises what a
    commit raises: `TypeError`, `ValueError`, `SessionTooLarge`, `StoreError`, `LateChange`.
    """
    if not isinstance(session, Session):
        if isinstance(session, dict) and is_request(session):
            raise TypeError(
                "arc.http.session.write was given the whole request, whose headers hold credentials. Give it the "
                "session: arc.http.session.write(req.session), or what arc.http.session.read(event) returned."
            )
        session = _from_plain(session)
    return next(iter(manager_of(session).commit(session, explicit=True)), "")


def _from_plain(data: dict[str, Any]) -> Session:
    request = handled.get()
    if request is not None and data:
        return request.start_session(data)
    session = request.session if request is not None else manager_of_process().load(())
    session.replace(data)
    return session
