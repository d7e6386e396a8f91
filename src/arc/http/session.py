"""`arc.http.session`: read and write a session explicitly.

Under `@arc.http.handler`, `read(req)` returns `req.session`, and `write` commits early. A bare
`handler(event, context)` needs only these two and `arc.http.res`.
"""

from __future__ import annotations

from arc.http.manager import manager_of_process
from arc.http.request import current_request, request_of
from arc.http.visit import is_request
from arc.sessions.manager import manager_of
from arc.sessions.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from typing import Any


class SetCookie(str):
    """A Set-Cookie string that may also be awaited, as in Node."""

    __slots__ = ()

    def __await__(self) -> Generator[None, None, SetCookie]:
        """Return the string."""
        yield from ()
        return self


def read(req: Mapping[str, Any]) -> Session:
    """Return the session of `req`, an event or a `Request`. It is a new session for a visitor without one.

    Every thread gets the same object, and `await` returns it too. Raises `ConfigurationError` for invalid settings and
    `StoreError` when the store fails.
    """
    return request_of(req).session


def write(session: dict[str, Any]) -> SetCookie:
    """Commit `session` now and return its Set-Cookie string, which clears the cookie after `destroy`.

    The string may be awaited.

    A plain dict starts a new session with its data. In a decorated handler an empty dict ends the visitor's session.
    In a bare handler it only clears the cookie, because `write` cannot know whose session is meant.

    The string is empty if another request has ended the session; then do not send a cookie. Raises what a commit
    raises: `TypeError`, `ValueError`, `SessionTooLarge`, `StoreError` and `LateChange`.
    """
    if not isinstance(session, Session):
        if isinstance(session, dict) and is_request(session):
            raise TypeError(
                "arc.http.session.write was called with the whole request, whose headers contain credentials. Pass the "
                "session: arc.http.session.write(req.session), or what arc.http.session.read(event) returned."
            )
        session = _session_with(session)
    cookies = manager_of(session).commit(session, explicit=True)
    return SetCookie(cookies[0] if cookies else "")


def _session_with(data: dict[str, Any]) -> Session:
    """Return the session that a plain dict stands for."""
    request = current_request.get()
    if request is not None and data:
        return request.start_session(data)
    session = request.session if request is not None else manager_of_process().load(())
    session.replace(data)
    return session
