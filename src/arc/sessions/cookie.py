"""Cookie headers in, Set-Cookie headers out (RFC 6265bis)."""

from __future__ import annotations

import time
from binascii import unhexlify

from arc.hosts import is_within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from arc.sessions.visit import Visit
    from arc.settings import Settings


MOST_TRIED = 4  # cookies of one name
MAX_HEADER = 131_072  # characters; twice what AWS's front doors take in all headers of a request
_MAX_VALUE = 4098  # characters; browsers keep no longer cookie (RFC 6265bis §5.6), and a peer may put it in quotes
LONGEST = 400 * 86_400  # seconds; browsers keep no cookie longer (RFC 6265bis §5.5)
SAME_SITE = ("Lax", "Strict", "None")
_ALPHANUMERIC = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_TOKEN = b"!#$%&'*+-.^_`|~" + _ALPHANUMERIC  # RFC 9110 §5.6.2
_VISIBLE = bytes(range(0x21, 0x7F)).translate(None, b";,")  # ASCII that breaks no header
_UNESCAPED = b"-_.!~*'()" + _ALPHANUMERIC  # what JavaScript's encodeURIComponent leaves alone
_ESCAPES = {one: f"%{one:02X}" for one in _VISIBLE.translate(None, _UNESCAPED)}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def parse(header: str) -> list[tuple[str, str]]:
    """Every `name=value` pair of a Cookie header, in order, as it was sent.

    Only space and tab are trimmed; a pair without `=` or without a name is left out; quotes belong to the
    value (RFC 6265bis §5.6 and §5.8.3). A header over `MAX_HEADER` characters has no pairs.
    """
    pairs: list[tuple[str, str]] = []
    if len(header) > MAX_HEADER:
        return pairs
    for part in header.split(";"):
        name, equals, value = part.partition("=")
        name = name.strip(" \t")
        if equals and name:
            pairs.append((name, value.strip(" \t")))
    return pairs


def values(headers: Iterable[str], name: str) -> list[str]:
    """The values of every cookie called `name`, in order.

    The last `MOST_TRIED` are percent-decoded and lose a pair of quotes around them, unless they are too long for
    a cookie; so is a header over `MAX_HEADER` characters, which counts as one value.
    """
    found: list[str] = []
    pair = f"{name}="
    for header in headers:
        if name not in header:
            continue
        if len(header) > MAX_HEADER:
            found.append(header)
        elif header.startswith(pair) and ";" not in header:  # in payload 2.0 each cookie comes alone
            found.append(header[len(pair) :].strip(" \t"))
        else:
            found += [value for other, value in parse(header) if other == name]
    return [*found[:-MOST_TRIED], *[_plain(value) for value in found[-MOST_TRIED:]]]


def set_cookie(
    name: str, value: str, *, max_age: int | None, now: int, domain: str | None, path: str, secure: bool, same_site: str
) -> str:
    """A Set-Cookie string, always HttpOnly, its attributes in the order that Node writes them.

    `value` is percent-encoded as encodeURIComponent does; `max_age` is in seconds, never below 0 nor over
    400 days, None for a cookie that ends with the browser; `now` is in Unix seconds. How long name and value
    may be is left to the caller. Raises `ValueError` for what would break the header: control characters,
    `;`, `,`, space, DEL and non-ASCII.
    """
    if not name or not _consists_of(_TOKEN, name):
        raise ValueError(f"{name!r} is no cookie name. Use letters, digits, '-' and '_'.")
    for attribute, text in (("domain", domain or ""), ("path", path)):
        if not _consists_of(_VISIBLE, text):
            raise ValueError(f"{text!r} cannot be a cookie's {attribute}: visible ASCII without ';' and ',' can.")
    if same_site not in SAME_SITE or (same_site == "None" and not secure):
        raise ValueError(f"SameSite={same_site!r} is not possible. Use Lax, Strict, or None on a Secure cookie.")
    age = expires = ""
    if max_age is not None:
        seconds = max(0, min(max_age, LONGEST))
        age, expires = f"Max-Age={seconds}; ", f"Expires={_imf_fixdate(now + seconds if seconds else 0)}; "
    return (
        f"{name}={escaped(name, value)}; {age}{f'Domain={domain}; ' if domain else ''}Path={path}; "
        f"{expires}HttpOnly; {'Secure; ' if secure else ''}SameSite={same_site}"
    )


def clearing(name: str, *, domain: str | None, path: str, secure: bool, same_site: str) -> str:
    """The Set-Cookie string that makes a browser drop the cookie: it takes the very attributes it was set with."""
    return set_cookie(name, "", max_age=0, now=0, domain=domain, path=path, secure=secure, same_site=same_site)


def escaped(name: str, value: str) -> str:
    """The `value` of the cookie `name` as encodeURIComponent writes it. Raises `ValueError` as `set_cookie` does."""
    if value.isascii() and not value.encode().translate(None, _UNESCAPED):
        return value
    if not _consists_of(_VISIBLE, value):
        raise ValueError(f"The value of the cookie {name!r} holds a character that no cookie can carry.")
    return value.translate(_ESCAPES)


def _consists_of(allowed: bytes, text: str) -> bool:
    """True when `text` holds nothing but the ASCII characters `allowed`; a set would take ten times as long."""
    return text.isascii() and not text.encode().translate(None, allowed)


def _plain(value: str) -> str:
    """`value` without one pair of quotes, as decodeURIComponent reads it; as it is where that would throw.

    A value that is too long for a cookie is not looked at.
    """
    if len(value) > _MAX_VALUE:
        return value
    if value[:1] == '"' == value[1:][-1:]:
        value = value[1:-1]
    if "%" not in value:
        return value
    first, *rest = value.split("%")
    try:
        pieces = [first.encode()]
        for part in rest:
            if len(part) < 2:  # noqa: PLR2004  # two digits make one byte
                return value
            pieces += (unhexlify(part[:2]), part[2:].encode())
        return b"".join(pieces).decode()
    except ValueError:
        return value


def _imf_fixdate(seconds: int) -> str:
    """A date as RFC 9110 §5.6.7 writes it, in English whatever the locale."""
    moment = time.gmtime(seconds)
    return (
        f"{_DAYS[moment.tm_wday]}, {moment.tm_mday:02} {_MONTHS[moment.tm_mon - 1]} {moment.tm_year:04} "
        f"{moment.tm_hour:02}:{moment.tm_min:02}:{moment.tm_sec:02} GMT"
    )


_LONGEST_HOST = 253  # characters (RFC 1035 §2.3.4)


class SessionCookie:
    """Makes the Set-Cookie strings of sessions."""

    __slots__ = ("_domain", "_newest", "_settings")

    def __init__(self, settings: Settings, *, host_only: bool = False) -> None:
        self._settings = settings
        self._domain = None if host_only else settings.domain
        self._newest: tuple[int | None, int, str] = (
            None,
            -1,
            "",
        )  # what follows the value, for a `max_age` and a `now`

    def is_kept_by(self, host: str) -> bool:
        """False when the cookie's domain makes a browser at `host` reject it; "" is any host."""
        return not self._domain or not host or is_within(host, self._domain)

    def rejections(self, visit: Visit) -> Iterator[tuple[str, str]]:
        """Why browsers reject the cookie of this `visit`: each a kind, `domain` or `http`, and a sentence."""
        settings = self._settings
        if settings.domain and not self.is_kept_by(visit.host):
            effect = (
                "Here the cookie is sent without a domain"
                if settings.testing
                else "Unless a CDN hides the Host that browsers see, they reject the session's cookie"
            )
            host = visit.host[:_LONGEST_HOST]
            yield (
                "domain",
                f"ARC_SESSION_DOMAIN is {settings.domain!r}, and the Host {host!r} is not within it. {effect}",
            )
        if settings.secure and visit.plain_http:
            reason = "the request came over plain http, says X-Forwarded-Proto, and browsers keep no Secure cookie from"
            yield "http", f"{reason} there. Redirect http to https in front of the function"

    def carrying(self, value: str, *, max_age: int | None, now: int) -> str:
        """The string that gives a browser `value` for `max_age` seconds, None: until it is closed."""
        settings = self._settings
        name = settings.cookie_name
        age, second, rest = self._newest
        if (age, second) != (max_age, now):
            empty = set_cookie(
                name,
                "",
                max_age=max_age,
                now=now,
                domain=self._domain,
                path=settings.path,
                secure=settings.secure,
                same_site=settings.same_site,
            )
            rest = empty[len(name) + 1 :]
            self._newest = (max_age, now, rest)
        return f"{name}={escaped(name, value)}{rest}"

    def clearing(self) -> tuple[str, ...]:
        """The strings that make a browser drop the cookie: the one with the domain and the host-only one."""
        own, path = self._domain, self._settings.path
        return (self._clear(own, path), self._clear(None, path)) if own else (self._clear(None, path),)

    def clearing_elsewhere(self, places: Iterable[tuple[str | None, str]]) -> tuple[str, ...]:
        """The strings that make a browser drop every other cookie of the name, which would be sent beside ours.

        A cookie of another domain (None: host-only) or path, left by older settings or set by a sibling host, lies
        in one of `places`. A name with a prefix has only one place.
        """
        settings = self._settings
        if settings.cookie_name.startswith("__Host-"):
            return ()
        ours = (self._domain, settings.path)
        others = dict.fromkeys([(None, settings.path), *places])
        return tuple(self._clear(*place) for place in others if place != ours)

    def _clear(self, domain: str | None, path: str) -> str:
        settings = self._settings
        return clearing(
            settings.cookie_name,
            domain=domain,
            path=path,
            secure=settings.secure,
            same_site=settings.same_site,
        )
