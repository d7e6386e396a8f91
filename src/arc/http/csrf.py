"""`arc.http.csrf`: proof that a form was sent from the application's own page.

A token binds the visitor's session (the session's id; without a session, a random value in a separate
sealed cookie), a purpose and the time under a MAC with a key of its own. It is new on every call, and a
sign-in makes the old ones void. The response that begins a session binds the visitor's cookie to that
session: forms shown before stay good, and a cookie that a sibling host sets later is worth nothing.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

from arc.errors import ForgedRequest
from arc.http._current import request_of
from arc.http.visit import SAFE
from arc.sessions import cookie, jwe
from arc.sessions.refused import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from arc.http.request import Request

FIELD = "_csrf"
HEADER = "x-csrf-token"
COOKIE = "_arc_csrf"  # with the prefix `__Host-` wherever cookies are secure (RFC 6265bis §4.1.3.2)
MAX_AGE = 43_200  # seconds: twelve hours, a working day with a form left open
_NONCE = 8
_SKEW = 300  # seconds that two machines' clocks may differ
_LENGTH = 8 + _NONCE + 32
_CHARACTERS = _LENGTH * 4 // 3  # in base64, which needs no padding for a multiple of three bytes


def token(req: dict[str, Any], *, purpose: str = "") -> str:
    """A token for a form or a header of this visitor; `purpose` ties it to one action.

    Counts as taking the session. A visitor without a session gets a separate cookie and no session.
    """
    request = request_of(req)
    session, manager = request.session, request.manager
    binding = session.id
    if session.is_new:
        binding = (_anonymous(request) if request.came_without_session else None) or session.id
        request.csrf_cookie = _set_cookie(request, binding)
    now = int(manager.clock())
    stamp = now.to_bytes(8, "big") + manager.random(_NONCE)
    return urlsafe_b64encode(stamp + _mac(request, 0, binding, purpose, stamp)).decode()


def field(req: dict[str, Any], *, purpose: str = "") -> str:
    """The hidden `<input>` with a token, for the inside of a `<form>`."""
    return f'<input type="hidden" name="{FIELD}" value="{token(req, purpose=purpose)}">'


def verify(req: dict[str, Any], *, purpose: str = "", max_age: int = MAX_AGE) -> None:
    """Raise `ForgedRequest` (403) unless the request comes from the application's own page.

    GET, HEAD, OPTIONS and TRACE pass. `Sec-Fetch-Site`, else `Origin`, is looked at first: only the
    same origin counts, scheme included. Then the token in the field `_csrf` or the header `x-csrf-token` must be this
    visitor's, for this `purpose`, at most `max_age` seconds old.
    """
    request = request_of(req)
    if request.method in SAFE:
        return
    if _is_foreign(request):
        raise ForgedRequest("This request came from another site, so it was not carried out.")
    given = request.headers.get(HEADER) or request.form.get(FIELD) or ""
    if not _is_valid(request, given, purpose, max_age):
        raise ForgedRequest("This form is too old or was not made for you. Reload the page and send it again.")


def _is_foreign(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    if origin is None:
        return False
    hosts = (request.headers.get("host"), request.headers.get("x-forwarded-host"))
    scheme, _, host = origin.partition("://")
    return scheme not in _schemes(request) or (host or "null") not in hosts


def _schemes(request: Request) -> tuple[str, ...]:
    """The schemes of the application's own pages: where cookies are secure, no other page has them."""
    if request.manager.settings.secure:
        return ("https",)
    forwarded = request.headers.get("x-forwarded-proto")
    return (forwarded,) if forwarded else ("https", "http")


def _is_valid(request: Request, given: str, purpose: str, max_age: int) -> bool:
    if len(given) != _CHARACTERS:
        return False
    try:
        raw = urlsafe_b64decode(given.encode("ascii"))
    except ValueError:
        return False
    if len(raw) != _LENGTH:  # characters outside the alphabet are passed over
        return False
    stamp, mac = raw[: 8 + _NONCE], raw[8 + _NONCE :]
    age = int(request.manager.clock()) - int.from_bytes(stamp[:8], "big")
    if not -_SKEW <= age <= max_age:
        return False
    valid = False
    for key in range(len(request.manager.keyring.derived("csrf"))):
        for binding in _bindings(request):
            valid |= hmac.compare_digest(mac, _mac(request, key, binding, purpose, stamp))
    return valid


def _bindings(request: Request) -> list[str]:
    """What this visitor's tokens may be bound to."""
    session_id = "" if request.session.is_new else request.session.id
    return [binding for binding in (session_id, _anonymous(request, session_id)) if binding]


def _mac(request: Request, key: int, binding: str, purpose: str, stamp: bytes) -> bytes:
    secret = request.manager.keyring.derived("csrf")[key]
    message = b"\0".join((binding.encode(), purpose.encode(), stamp))
    return hmac.digest(secret, message, "sha256")


# -- the visitor without a session


def cookie_for_reply(request: Request) -> str | None:
    """The Set-Cookie string that a response of this request carries, None when it carries none.

    It gives a visitor the value that a form's token is bound to, or binds that value to the session begun.
    """
    session = request.session
    if session.is_new:
        return request.csrf_cookie
    anonymous = _anonymous(request) if request.came_without_session and session.user_id is None else None
    return _set_cookie(request, anonymous, session.id) if anonymous else None


def _anonymous(request: Request, session_id: str = "") -> str | None:
    """The value in the visitor's CSRF cookie, None without a valid one for the session of `session_id`.

    "" stands for no session. Of two cookies none is valid, because a sibling host may have set one of them.
    """
    values = request.cookie_values(_name(request))
    if len(values) != 1:
        return None
    try:
        raw, _ = jwe.unseal(values[0], _ciphers(request), "A256GCM")
    except Refused:
        return None
    binding, _, bound_to = raw.decode("utf-8", "replace").partition("\0")
    return binding if bound_to == session_id else None


def _set_cookie(request: Request, binding: str, session_id: str = "") -> str:
    manager = request.manager
    value = jwe.seal(f"{binding}\0{session_id}".encode(), _ciphers(request)[0], "A256GCM", manager.random(12))
    return cookie.set_cookie(
        _name(request),
        value,
        max_age=MAX_AGE,
        now=int(manager.clock()),
        domain=None,
        path="/",
        secure=manager.settings.secure,
        same_site="Lax",
    )


def _name(request: Request) -> str:
    return f"__Host-{COOKIE}" if request.manager.settings.secure else COOKIE


def _ciphers(request: Request) -> list[Any]:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return [AESGCM(key) for key in request.manager.keyring.derived("csrf cookie")]
