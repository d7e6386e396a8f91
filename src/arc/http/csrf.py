"""`arc.http.csrf`: proof that a form was sent from the application's own page.

A token binds the visitor's session (the session's id; without a session, a random value in a separate
sealed cookie), a purpose and the time under a MAC with a key of its own. It is new on every call, and a
sign-in makes the old ones void.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

from arc.errors import ForgedRequest
from arc.http._current import request_of
from arc.sessions import cookie, jwe
from arc.sessions.refused import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from arc.http.request import Request

FIELD = "_csrf"
HEADER = "x-csrf-token"
COOKIE = "_arc_csrf"
MAX_AGE = 43_200  # seconds: twelve hours, a working day with a form left open
_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")  # RFC 9110 §9.2.1
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
        binding = _anonymous(request) or session.id
        request.csrf_cookie = _sealed(request, binding)
    now = int(manager.clock())
    stamp = now.to_bytes(8, "big") + manager.random(_NONCE)
    return urlsafe_b64encode(stamp + _mac(request, 0, binding, purpose, stamp)).decode()


def field(req: dict[str, Any], *, purpose: str = "") -> str:
    """The hidden `<input>` with a token, for the inside of a `<form>`."""
    return f'<input type="hidden" name="{FIELD}" value="{token(req, purpose=purpose)}">'


def verify(req: dict[str, Any], *, purpose: str = "", max_age: int = MAX_AGE) -> None:
    """Raise `ForgedRequest` (403) unless the request comes from the application's own page.

    GET, HEAD, OPTIONS and TRACE pass. `Sec-Fetch-Site`, else `Origin`, is looked at first: only the
    same origin counts. Then the token in the field `_csrf` or the header `x-csrf-token` must be this
    visitor's, for this `purpose`, at most `max_age` seconds old.
    """
    request = request_of(req)
    if request.method in _SAFE:
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
    return (origin.partition("://")[2] or "null") not in hosts


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
    """What this visitor's tokens may be bound to; who signed in is bound to the session alone."""
    session = request.session
    bindings = [] if session.is_new else [session.id]
    if session.user_id is None:
        anonymous = _anonymous(request)
        bindings += [anonymous] if anonymous else []
    return bindings


def _mac(request: Request, key: int, binding: str, purpose: str, stamp: bytes) -> bytes:
    secret = request.manager.keyring.derived("csrf")[key]
    message = b"\0".join((binding.encode(), purpose.encode(), stamp))
    return hmac.digest(secret, message, "sha256")


# -- the visitor without a session


def _anonymous(request: Request) -> str | None:
    """The value in the visitor's CSRF cookie, None without a valid one."""
    for value in request.cookie_values(COOKIE)[-4:]:
        try:
            raw, _ = jwe.unseal(value, _ciphers(request), "A256GCM")
        except Refused:
            continue
        return raw.decode("ascii", "replace")
    return None


def _sealed(request: Request, binding: str) -> str:
    manager = request.manager
    value = jwe.seal(binding.encode(), _ciphers(request)[0], "A256GCM", manager.random(12))
    return cookie.set_cookie(
        COOKIE,
        value,
        max_age=MAX_AGE,
        now=int(manager.clock()),
        domain=None,
        path="/",
        secure=manager.settings.secure,
        same_site="Lax",
    )


def _ciphers(request: Request) -> list[Any]:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return [AESGCM(key) for key in request.manager.keyring.derived("csrf cookie")]
