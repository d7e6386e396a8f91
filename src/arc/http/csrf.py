"""`arc.http.csrf`: prove that a form was sent from the application's own page.

A token is a MAC over a binding, a purpose and the time, under a key that is used for nothing else. The binding is the
session's id, or for a visitor without a session a random value in a separate sealed cookie. Each call returns a new
token. A sign-in invalidates the earlier ones.

The response that begins a session binds the visitor's cookie to that session. Forms that were shown before stay valid,
and a cookie that a sibling host sets later is worthless.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

from arc.errors import ForgedRequest
from arc.hosts import origin
from arc.http.request import current_request, request_of
from arc.http.visit import SAFE
from arc.sessions import cookie, jwe
from arc.sessions.record import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from arc.http.request import Request

FIELD = "_csrf"
HEADER = "x-csrf-token"
COOKIE = "_arc_csrf"  # with the prefix `__Host-` wherever cookies are secure (RFC 6265bis §4.1.3.2)
MAX_AGE = 43_200  # seconds: twelve hours, a working day with a form left open
_CLOCK_SKEW = 300  # seconds that two machines' clocks may differ
_STAMP = 16  # bytes: eight of the time, eight of a nonce
_LENGTH = _STAMP + 32  # bytes
_CHARACTERS = _LENGTH * 4 // 3  # in base64, without padding because the length is a multiple of three
_MAX_BINDINGS = 4  # of one visitor, for forms in several tabs
_MAX_QUOTED = 100  # characters of a value in an event
_OTHER_SITE_MESSAGE = (
    "This request came from another site, so it was not carried out. Open the form on this site and send it from there."
)
_NO_TOKEN_MESSAGE = (
    "This request has no CSRF token, so it was not carried out. "
    f"Send a token in the form field {FIELD} or in the header {HEADER}."
)
_NO_COOKIE_MESSAGE = (
    "Your browser sent no cookie with this form, so it was not accepted. "
    "Allow cookies for this site, go back, reload the form and send it again."
)
_OLD_FORM_MESSAGE = (
    "This form is too old, or was opened before you signed in or out. Go back, reload the form and send it again."
)


def token(req: dict[str, Any], *, purpose: str = "") -> str:
    """Return a new token for this visitor, for a form or a header. `purpose` limits it to one action.

    Uses the session. A visitor without a session gets a separate cookie and no session.
    """
    request = request_of(req)
    session, manager = request.session, request.manager
    binding = session.id
    if session.is_new:
        binding = _anonymous_binding(request) or session.id
        request.csrf_cookie = _set_cookie(request, [binding])
    stamp = int(manager.clock()).to_bytes(8, "big") + manager.random(_STAMP - 8)
    return urlsafe_b64encode(stamp + _mac(request, 0, binding, purpose, stamp)).decode()


def create(req: dict[str, Any] | None = None, *, purpose: str = "") -> str:
    """Return `token(req)`, under the name that Node's library uses.

    Without `req` the token is for the request that a decorated handler is serving. Raises `TypeError` outside of one.
    """
    request = current_request.get() if req is None else req
    if request is None:
        raise TypeError(
            "arc.http.csrf.create() needs a request outside of @arc.http.handler. Pass it: arc.http.csrf.create(event)."
        )
    return token(request, purpose=purpose)


def field(req: dict[str, Any], *, purpose: str = "") -> str:
    """Return a hidden `<input>` with a token, to put inside a `<form>`."""
    return f'<input type="hidden" name="{FIELD}" value="{token(req, purpose=purpose)}">'


def verify(req: dict[str, Any], *, purpose: str = "", max_age: int = MAX_AGE) -> None:
    """Raise `ForgedRequest` (403) unless the request comes from the application's own page.

    - GET, HEAD, OPTIONS and TRACE requests pass. An event without a known method does not.
    - The request must come from the same origin (RFC 9110 §4.3.1), by `Sec-Fetch-Site`, or by `Origin` if that header
      is absent. An `Origin` among the settings' trusted origins passes too.
    - The token must be this visitor's, for this `purpose` and at most `max_age` seconds old. It is read from the field
      `_csrf` of a form or a JSON object, or from the header `x-csrf-token`.

    A refusal is reported as the event `csrf_refused`.
    """
    request = request_of(req)
    if request.shape.named_method() in SAFE:
        return
    if mismatch := _origin_mismatch(request):
        raise _refusal(request, _OTHER_SITE_MESSAGE, mismatch)
    text = _sent_token(request)
    if not text:
        kind = _quote(request.headers.get("content-type", "none"))
        reason = f"no {FIELD!r} in a body of type {kind}, and no {HEADER!r} header"
        raise _refusal(request, _NO_TOKEN_MESSAGE, reason)
    bindings = _bindings(request)
    if not _is_valid(request, text, purpose, max_age, bindings):
        raise _refusal(request, *_token_mismatch(request, text, max_age))
    request.csrf_bindings = bindings


def _refusal(request: Request, message: str, reason: str) -> ForgedRequest:
    """Report `reason` to the operator. Return the error with a `message` for the visitor."""
    session_id = request.session.id if request.uses_session and not request.session.is_new else None
    if not request.shape.named_method():
        reason += "; the event has no method, so it is not treated as a GET"
    request.manager.lifecycle.emit("csrf_refused", f"{_quote(request.shape.route())}: {reason}", session_id)
    return ForgedRequest(message)


def _quote(text: str | None) -> str:
    """Return a visitor's value for a log: quoted, escaped and shortened."""
    return repr(text[:_MAX_QUOTED] if text else text)


def _sent_token(request: Request) -> str:
    """Return the token in the request, "" if there is none."""
    text = request.headers.get(HEADER) or request.form.get(FIELD)
    if text:
        return text
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = request.json if content_type.endswith(("/json", "+json")) else None
    value = body.get(FIELD) if isinstance(body, dict) else None
    return value if isinstance(value, str) else ""


# -- the origin of the request


def _origin_mismatch(request: Request) -> str:
    """Return why the request came from another site, with the values compared. Return "" if it did not."""
    site, sender = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site in ("same-origin", "none") or (site is None and sender is None):
        return ""
    sender_origin = origin(sender or "")
    if sender_origin and sender_origin in request.manager.settings.trusted_origins:
        return ""
    own = _own_origins(request)
    if site is None and sender_origin in own:
        return ""
    advice = f" If {sender_origin} is yours, add it to ARC_TRUSTED_ORIGINS." if sender_origin else ""
    if sender == "null":
        advice = " A page with Referrer-Policy: no-referrer sends Origin: null. Use same-origin, which is as private."
    return (
        f"Sec-Fetch-Site is {_quote(site)} and Origin is {_quote(sender)}, but this application is "
        f"{' or '.join(own) or 'under no valid Host'}.{advice}"
    )


def _is_same_origin(request: Request) -> bool:
    """Return True if the browser states that the application's own page sent the request."""
    sender = origin(request.headers.get("origin", ""))
    own = (*request.manager.settings.trusted_origins, *_own_origins(request))
    return request.headers.get("sec-fetch-site") == "same-origin" or sender in own


def _own_origins(request: Request) -> list[str]:
    """Return the origins of the application's own pages, according to the request's headers.

    AWS's front doors do not set X-Forwarded-Host. It counts only in development, behind a tunnel.
    """
    hosts = [request.headers.get("host", "")]
    if request.manager.settings.testing:
        hosts.append(request.headers.get("x-forwarded-host", "").partition(",")[0].strip())
    origins = (origin(f"{scheme}://{host}") for scheme in _schemes(request) for host in hosts)
    return list(dict.fromkeys(filter(None, origins)))


def _schemes(request: Request) -> tuple[str, ...]:
    """Return the schemes of the application's own pages. Secure cookies exist only under https."""
    if request.manager.settings.secure:
        return ("https",)
    forwarded = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip()
    return (forwarded,) if forwarded else ("https", "http")


# -- the token


def _token_mismatch(request: Request, text: str, max_age: int) -> tuple[str, str]:
    """Return why a token is invalid: the message for the visitor, and the reason for the operator."""
    settings = request.manager.settings
    names = (settings.cookie_name, _cookie_name(request))
    if not any(request.cookie_values(name) for name in names):
        return (
            _NO_COOKIE_MESSAGE,
            f"the request has neither of the cookies {names[0]!r} and {names[1]!r} (SameSite={settings.same_site})",
        )
    stamp, _ = _parse(text)
    if not stamp:
        return _OLD_FORM_MESSAGE, f"the token has {len(text)} characters and is malformed; a token has {_CHARACTERS}"
    age = _age(request, stamp)
    if not -_CLOCK_SKEW <= age <= max_age:
        return _OLD_FORM_MESSAGE, f"the token is {age:,} seconds old; at most {max_age:,} are accepted"
    visitor = "a signed-in visitor" if request.session.user_id else "a visitor who is not signed in"
    return (
        _OLD_FORM_MESSAGE,
        f"the token, {age:,} seconds old, belongs to another session or purpose than that of {visitor}",
    )


def _parse(text: str) -> tuple[bytes, bytes]:
    """Return a token's stamp, which is its time and a nonce, and its MAC. Both are empty for a malformed token."""
    if len(text) != _CHARACTERS:
        return b"", b""
    try:
        raw = urlsafe_b64decode(text.encode("ascii"))
    except ValueError:
        return b"", b""
    # The decoder skips characters outside the alphabet, which makes the result shorter.
    return (raw[:_STAMP], raw[_STAMP:]) if len(raw) == _LENGTH else (b"", b"")


def _age(request: Request, stamp: bytes) -> int:
    """Return the age of a token in seconds."""
    return int(request.manager.clock()) - int.from_bytes(stamp[:8], "big")


def _is_valid(request: Request, text: str, purpose: str, max_age: int, bindings: list[str]) -> bool:
    stamp, mac = _parse(text)
    if not stamp or not -_CLOCK_SKEW <= _age(request, stamp) <= max_age:
        return False
    valid = False
    for key in range(len(request.manager.keyring.derived("csrf"))):
        for binding in bindings:
            valid |= hmac.compare_digest(mac, _mac(request, key, binding, purpose, stamp))
    return valid


def _bindings(request: Request) -> list[str]:
    """Return what this visitor's tokens may be bound to, newest first."""
    session = request.session
    session_id = "" if session.is_new else session.id
    bindings = [session_id, *_cookie_bindings(request, session_id, "")[:1]]
    if session.is_new:  # The second request of a double-clicked sign-in has the id that the first one replaced.
        bindings += session.replaced_ids
    # A sign-in form that was open in another tab during a verified sign-in may be sent once more.
    if session.user_id is not None and _is_same_origin(request):
        bindings += _cookie_bindings(request, session_id, _place(request))
    return list(filter(None, bindings))


def _place(request: Request) -> str:
    """Return a hash of the method and the path."""
    return _mac(request, 0, "place", "", f"{request.method} {request.path}".encode("utf-8", "replace")).hex()


def _mac(request: Request, key: int, binding: str, purpose: str, stamp: bytes) -> bytes:
    secret = request.manager.keyring.derived("csrf")[key]
    message = b"\0".join((binding.encode(), purpose.encode(), stamp))
    return hmac.digest(secret, message, "sha256")


# -- the cookie of a visitor without a session


def cookie_for_reply(request: Request) -> str | None:
    """Return the Set-Cookie string for the response, None if there is nothing to set.

    For a visitor without a session the cookie contains the binding of the form's token. When a session begins, the
    cookie binds that value to the session; after a verified sign-in only for a sign-in in the same place.
    """
    session = request.session
    if session.is_new:
        return request.csrf_cookie
    if session.signs_in:
        bindings = request.csrf_bindings[:_MAX_BINDINGS] if session.cookies else []
        return _set_cookie(request, bindings, session.id, _place(request)) if bindings else None
    anonymous = _anonymous_binding(request)
    return _set_cookie(request, [anonymous], session.id) if anonymous else None


def _anonymous_binding(request: Request) -> str | None:
    """Return the binding of a visitor who came without a session and has not signed in, None if there is none."""
    if not request.without_session or request.session.user_id is not None:
        return None
    return next(iter(_cookie_bindings(request, "", "")), None)


def _cookie_bindings(request: Request, session_id: str, place: str) -> list[str]:
    """Return the bindings in the visitor's CSRF cookie if it is for this session and place.

    An empty `session_id` stands for no session, an empty `place` for every place. If two cookies came, neither counts,
    because a sibling host may have set one.
    """
    values = request.cookie_values(_cookie_name(request))
    if len(values) != 1:
        return []
    try:
        raw, _ = jwe.unseal(values[0], _ciphers(request), "A256GCM")
        *bindings, bound_to, only_for = json.loads(raw)
    except (Refused, ValueError):
        return []
    return bindings if (bound_to, only_for) == (session_id, place) else []


def _set_cookie(request: Request, bindings: list[str], session_id: str = "", place: str = "") -> str:
    manager = request.manager
    content = json.dumps([*bindings, session_id, place]).encode()
    value = jwe.seal(content, _ciphers(request)[0], "A256GCM", manager.random(12))
    return cookie.set_cookie(
        _cookie_name(request),
        value,
        max_age=MAX_AGE,
        now=int(manager.clock()),
        domain=None,
        path="/",
        secure=manager.settings.secure,
        same_site=manager.settings.same_site,
    )


def _cookie_name(request: Request) -> str:
    return f"__Host-{COOKIE}" if request.manager.settings.secure else COOKIE


def _ciphers(request: Request) -> list[Any]:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return [AESGCM(key) for key in request.manager.keyring.derived("csrf cookie")]
