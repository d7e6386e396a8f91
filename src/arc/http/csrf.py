"""`arc.http.csrf`: proof that a form was sent from the application's own page.

A token binds the visitor's session (the session's id; without a session, a random value in a separate
sealed cookie), a purpose and the time under a MAC with a key of its own. It is new on every call, and a
sign-in makes the old ones void. The response that begins a session binds the visitor's cookie to that
session: forms shown before stay good, and a cookie that a sibling host sets later is worth nothing.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

from arc.errors import ForgedRequest
from arc.hosts import origin
from arc.http.request import handled, request_of
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
_NONCE = 8
_SKEW = 300  # seconds that two machines' clocks may differ
_LENGTH = 8 + _NONCE + 32
_CHARACTERS = _LENGTH * 4 // 3  # in base64, which needs no padding for a multiple of three bytes
_MOST_BINDINGS = 4  # of one visitor, for forms in several tabs
_MOST_SHOWN = 100  # characters of a value in an event
_ANOTHER_SITE = (
    "This request came from another site, so it was not carried out. Open the form on this site and send it from there."
)
_NO_TOKEN = (
    "This request has no CSRF token, so it was not carried out. "
    f"A token is sent in the form field {FIELD} or in the header {HEADER}."
)
_NO_COOKIE = (
    "Your browser sent no cookie with this form, so it was not accepted. "
    "Allow cookies for this site, go back, reload the form and send it again."
)
_ANOTHER_FORM = (
    "This form is too old, or was opened before you signed in or out. Go back, reload the form and send it again."
)


def token(req: dict[str, Any], *, purpose: str = "") -> str:
    """A token for a form or a header of this visitor; `purpose` ties it to one action.

    Counts as taking the session. A visitor without a session gets a separate cookie and no session.
    """
    request = request_of(req)
    session, manager = request.session, request.manager
    binding = session.id
    if session.is_new:
        anonymous = _anonymous(request) if request.came_without_session and session.user_id is None else None
        binding = anonymous or session.id
        request.csrf_cookie = _set_cookie(request, [binding])
    now = int(manager.clock())
    stamp = now.to_bytes(8, "big") + manager.random(_NONCE)
    return urlsafe_b64encode(stamp + _mac(request, 0, binding, purpose, stamp)).decode()


def create(req: dict[str, Any] | None = None, *, purpose: str = "") -> str:
    """`token`, under the name that it has in Node's library.

    Without `req` it is for the request that a decorated handler is working on. Raises `TypeError` outside of one.
    """
    request = handled.get() if req is None else req
    if request is None:
        raise TypeError(
            "arc.http.csrf.create() has no request outside of @arc.http.handler. Give it one: "
            "arc.http.csrf.create(event)."
        )
    return token(request, purpose=purpose)


def field(req: dict[str, Any], *, purpose: str = "") -> str:
    """The hidden `<input>` with a token, for the inside of a `<form>`."""
    return f'<input type="hidden" name="{FIELD}" value="{token(req, purpose=purpose)}">'


def verify(req: dict[str, Any], *, purpose: str = "", max_age: int = MAX_AGE) -> None:
    """Raise `ForgedRequest` (403) unless the request comes from the application's own page.

    GET, HEAD, OPTIONS and TRACE pass, and no event whose method is not known. An `Origin` among the settings'
    trusted origins counts as the application's own; otherwise `Sec-Fetch-Site`, else `Origin`, must name the
    same origin (RFC 9110 §4.3.1). Then the token in the field `_csrf`, of a form or a JSON object, or in the
    header `x-csrf-token` must be this visitor's, for this `purpose`, at most `max_age` seconds old. A refusal
    is the event `csrf_refused`.
    """
    request = request_of(req)
    if request.shape.named_method() in SAFE:
        return
    if difference := _foreign(request):
        raise _refusal(request, _ANOTHER_SITE, difference)
    given = _given(request)
    if not given:
        body = request.headers.get("content-type", "none")
        raise _refusal(request, _NO_TOKEN, f"no {FIELD!r} in a body of type {_shown(body)}, and no {HEADER!r} header")
    bindings = _bindings(request)
    if not _is_valid(request, given, purpose, max_age, bindings):
        raise _refusal(request, *_mismatch(request, given, max_age))
    request.csrf_bindings = bindings


def _refusal(request: Request, sentence: str, difference: str) -> ForgedRequest:
    """The error with a `sentence` for the visitor, after the operator has been told what differs."""
    session_id = request.session.id if request.touched and not request.session.is_new else None
    if not request.shape.named_method():
        difference += "; the event names no method, so that it is not taken for a GET"
    request.manager.lifecycle.tell("csrf_refused", f"{_shown(request.shape.route())}: {difference}", session_id)
    return ForgedRequest(sentence)


def _shown(text: str | None) -> str:
    """What a visitor sent, for a log: quoted, escaped and not too long."""
    return repr(text[:_MOST_SHOWN] if text else text)


def _given(request: Request) -> str:
    """The token that came, "" for none."""
    given = request.headers.get(HEADER) or request.form.get(FIELD)
    if given:
        return given
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = request.json if content_type.endswith(("/json", "+json")) else None
    given = body.get(FIELD) if isinstance(body, dict) else None
    return given if isinstance(given, str) else ""


# -- where the request comes from


def _foreign(request: Request) -> str:
    """What shows that another site began the request, with the values compared; "" when nothing does."""
    site, sender = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site in ("same-origin", "none") or (site is None and sender is None):
        return ""
    compared = origin(sender or "")
    if compared and compared in request.manager.settings.trusted_origins:
        return ""
    own = _own_origins(request)
    if site is None and compared in own:
        return ""
    advice = f" If {compared} is yours, add it to ARC_TRUSTED_ORIGINS." if compared else ""
    if sender == "null":
        advice = " A page with Referrer-Policy: no-referrer sends Origin: null; same-origin is as private and works."
    return (
        f"Sec-Fetch-Site is {_shown(site)} and Origin is {_shown(sender)}, but this application is "
        f"{' or '.join(own) or 'under no valid Host'}.{advice}"
    )


def _says_own(request: Request) -> bool:
    """True when the browser says that a page of our own began the request, and does not merely leave it open."""
    compared = origin(request.headers.get("origin", ""))
    own = (*request.manager.settings.trusted_origins, *_own_origins(request))
    return request.headers.get("sec-fetch-site") == "same-origin" or compared in own


def _own_origins(request: Request) -> list[str]:
    """The origins of the application's own pages, by what the request says of where it went.

    No front door of AWS sets X-Forwarded-Host, so that it counts only in development, behind a tunnel.
    """
    hosts = [request.headers.get("host", "")]
    if request.manager.settings.testing:
        hosts.append(request.headers.get("x-forwarded-host", "").partition(",")[0].strip())
    found = (origin(f"{scheme}://{host}") for scheme in _schemes(request) for host in hosts)
    return list(dict.fromkeys(one for one in found if one))


def _schemes(request: Request) -> tuple[str, ...]:
    """The schemes of the application's own pages: where cookies are secure, no other page has them."""
    if request.manager.settings.secure:
        return ("https",)
    forwarded = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip()
    return (forwarded,) if forwarded else ("https", "http")


# -- whose token it is


def _mismatch(request: Request, given: str, max_age: int) -> tuple[str, str]:
    """Why a token is not good: the sentence for the visitor, and what differs."""
    settings = request.manager.settings
    names = (settings.cookie_name, _name(request))
    if not any(request.cookie_values(name) for name in names):
        return _NO_COOKIE, f"neither of the cookies {names[0]!r} and {names[1]!r} came (SameSite={settings.same_site})"
    stamp = _stamp(given)
    if not stamp:
        return _ANOTHER_FORM, f"the token has {len(given)} characters and is malformed; one of ours has {_CHARACTERS}"
    age = _age(request, stamp)
    if not -_SKEW <= age <= max_age:
        return _ANOTHER_FORM, f"the token is {age:,} seconds old; at most {max_age:,} are accepted"
    whose = "a signed-in visitor" if request.session.user_id else "a visitor who is not signed in"
    return _ANOTHER_FORM, f"the token, {age:,} seconds old, belongs to another session or purpose than that of {whose}"


def _stamp(given: str) -> bytes:
    """The time and the nonce of a token, b"" for what is no token."""
    if len(given) != _CHARACTERS:
        return b""
    try:
        raw = urlsafe_b64decode(given.encode("ascii"))
    except ValueError:
        return b""
    return raw[: 8 + _NONCE] if len(raw) == _LENGTH else b""  # characters outside the alphabet are passed over


def _age(request: Request, stamp: bytes) -> int:
    """How many seconds ago a token was made."""
    return int(request.manager.clock()) - int.from_bytes(stamp[:8], "big")


def _is_valid(request: Request, given: str, purpose: str, max_age: int, bindings: list[str]) -> bool:
    stamp = _stamp(given)
    if not stamp or not -_SKEW <= _age(request, stamp) <= max_age:
        return False
    mac = urlsafe_b64decode(given)[8 + _NONCE :]
    valid = False
    for key in range(len(request.manager.keyring.derived("csrf"))):
        for binding in bindings:
            valid |= hmac.compare_digest(mac, _mac(request, key, binding, purpose, stamp))
    return valid


def _bindings(request: Request) -> list[str]:
    """What this visitor's tokens may be bound to, newest first.

    Where the session's sign-in was verified, a form that was shown before it signs in once more: the visitor
    had it open in another tab.
    """
    session_id = "" if request.session.is_new else request.session.id
    found = [session_id, _anonymous(request, session_id) or ""]
    if request.session.is_new:  # A second click on a sign-in comes with the id that the first one has replaced.
        found += request.session.replaced_ids
    if request.session.user_id is not None and _says_own(request):
        found += _held(request, session_id, _place(request))
    return list(filter(None, found))


def _place(request: Request) -> str:
    """The method and the path, as a hash of one length."""
    return _mac(request, 0, "place", "", f"{request.method} {request.path}".encode("utf-8", "replace")).hex()


def _mac(request: Request, key: int, binding: str, purpose: str, stamp: bytes) -> bytes:
    secret = request.manager.keyring.derived("csrf")[key]
    message = b"\0".join((binding.encode(), purpose.encode(), stamp))
    return hmac.digest(secret, message, "sha256")


# -- the visitor without a session


def cookie_for_reply(request: Request) -> str | None:
    """The Set-Cookie string that a response of this request carries, None when it carries none.

    It gives a visitor the value that a form's token is bound to, or binds that value to the session begun;
    after a verified sign-in, for a sign-in in the same place alone.
    """
    session = request.session
    if session.is_new:
        return request.csrf_cookie
    if session.signs_in:
        bindings = request.csrf_bindings[:_MOST_BINDINGS] if session.cookies else []
        return _set_cookie(request, bindings, session.id, _place(request)) if bindings else None
    anonymous = _anonymous(request) if request.came_without_session and session.user_id is None else None
    return _set_cookie(request, [anonymous], session.id) if anonymous else None


def _anonymous(request: Request, session_id: str = "") -> str | None:
    """The value in the visitor's CSRF cookie, None without a valid one for the session of `session_id`."""
    return next(iter(_held(request, session_id, "")), None)


def _held(request: Request, session_id: str, place: str) -> list[str]:
    """What the visitor's CSRF cookie holds for this session and place; "" stands for none and for every one.

    Of two cookies none is valid, because a sibling host may have set one of them.
    """
    values = request.cookie_values(_name(request))
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
        _name(request),
        value,
        max_age=MAX_AGE,
        now=int(manager.clock()),
        domain=None,
        path="/",
        secure=manager.settings.secure,
        same_site=manager.settings.same_site,
    )


def _name(request: Request) -> str:
    return f"__Host-{COOKIE}" if request.manager.settings.secure else COOKIE


def _ciphers(request: Request) -> list[Any]:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return [AESGCM(key) for key in request.manager.keyring.derived("csrf cookie")]
