"""Parsing Cookie headers and building Set-Cookie headers (RFC 6265bis)."""

from __future__ import annotations

import time
from binascii import unhexlify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from arc.sessions.visit import Visit
    from arc.settings import Settings

MOST_TRIED = 4  # cookies of one name
MAX_HEADER = 131_072  # characters; twice what AWS's front doors accept in all headers of a request
_MAX_VALUE = 4098  # characters; the limit of browsers (RFC 6265bis §5.6) and two quotes, which other libraries add
LONGEST = 400 * 86_400  # seconds; the limit of browsers (RFC 6265bis §5.5)
SAME_SITE = ("Lax", "Strict", "None")
_ALPHANUMERIC = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_TOKEN = b"!#$%&'*+-.^_`|~" + _ALPHANUMERIC  # RFC 9110 §5.6.2
_VISIBLE = bytes(range(0x21, 0x7F)).translate(None, b";,")  # ASCII that cannot break a header
_UNESCAPED = b"-_.!~*'()" + _ALPHANUMERIC  # what JavaScript's encodeURIComponent leaves alone
_SAFE = bytes(one if one in _UNESCAPED else ord(" ") for one in range(256))
_ESCAPES = {one: f"%{one:02X}" for one in _VISIBLE.translate(None, _UNESCAPED)}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def parse(header: str) -> list[tuple[str, str]]:
    """Return the `name=value` pairs of a Cookie header in order, with values as they were sent.

    Only spaces and tabs are trimmed. Quotes belong to the value, and a pair without `=` or a name is ignored
    (RFC 6265bis §5.6 and §5.8.3). So is a header over `MAX_HEADER` characters.
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


def values(headers: Sequence[str], name: str) -> list[str]:
    """Return the values of all cookies called `name`, in order.

    The last `MOST_TRIED` are percent-decoded and unquoted, unless they are too long for a cookie. A header over
    `MAX_HEADER` characters counts as one such value.
    """
    pair = f"{name}="
    if len(headers) == 1:  # In payload 2.0 each cookie has its own header, and most visitors have no other cookie.
        header = headers[0]
        if header.startswith(pair) and len(header) <= MAX_HEADER and ";" not in header:
            value = header[len(pair) :].strip(" \t")
            return [value if "%" not in value and '"' not in value else _decode(value)]
    found: list[str] = []
    is_plain = True
    for header in headers:
        if name not in header:
            continue
        if len(header) > MAX_HEADER:
            found.append(header)
            continue
        if ";" not in header and header.startswith(pair):
            found.append(header[len(pair) :].strip(" \t"))
        else:
            found += [value for other, value in parse(header) if other == name]
        is_plain = is_plain and "%" not in header and '"' not in header
    if is_plain:  # as our tokens are
        return found
    return [*found[:-MOST_TRIED], *[_decode(value) for value in found[-MOST_TRIED:]]]


def set_cookie(
    name: str, value: str, *, max_age: int | None, now: int, domain: str | None, path: str, secure: bool, same_site: str
) -> str:
    """Return a Set-Cookie string, always HttpOnly, with the attributes in Node's order.

    `value` is percent-encoded as encodeURIComponent does. `max_age` is in seconds, limited to 0 to 400 days; None is a
    cookie that ends with the browser. `now` is in Unix seconds. The caller limits the length of name and value.
    Raises `ValueError` for characters that would break the header: control characters, `;`, `,`, space, DEL and
    non-ASCII.
    """
    if not name or not _consists_of(_TOKEN, name):
        raise ValueError(f"{name!r} is not a valid cookie name. Use letters, digits, '-' and '_'.")
    for attribute, text in (("domain", domain or ""), ("path", path)):
        if not _consists_of(_VISIBLE, text):
            raise ValueError(f"{text!r} is not a valid {attribute} of a cookie. Use visible ASCII without ';' and ','.")
    if same_site not in SAME_SITE or (same_site == "None" and not secure):
        raise ValueError(f"SameSite={same_site!r} is not valid here. Use Lax or Strict, or None on a Secure cookie.")
    age = expires = ""
    if max_age is not None:
        seconds = max(0, min(max_age, LONGEST))
        age, expires = f"Max-Age={seconds}; ", f"Expires={_imf_fixdate(now + seconds if seconds else 0)}; "
    return (
        f"{name}={escape(name, value)}; {age}{f'Domain={domain}; ' if domain else ''}Path={path}; "
        f"{expires}HttpOnly; {'Secure; ' if secure else ''}SameSite={same_site}"
    )


def escape(name: str, value: str) -> str:
    """Encode the `value` of the cookie `name` as encodeURIComponent does. Raises `ValueError` as `set_cookie` does."""
    if value.isascii() and value.encode().translate(_SAFE).find(b" ") < 0:  # faster than `in` or deleting characters
        return value
    if not _consists_of(_VISIBLE, value):
        raise ValueError(f"The value of the cookie {name!r} contains a character that is not allowed in cookies.")
    return value.translate(_ESCAPES)


def _consists_of(allowed: bytes, text: str) -> bool:
    """True when `text` contains only the ASCII characters `allowed`. A set would take ten times as long."""
    return text.isascii() and not text.encode().translate(None, allowed)


def _decode(value: str) -> str:
    """Remove one pair of quotes and decode as decodeURIComponent does.

    A value that decodeURIComponent rejects or that is too long for a cookie is returned unchanged.
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
            if len(part) < 2:  # noqa: PLR2004  # the two digits of a byte
                return value
            pieces += (unhexlify(part[:2]), part[2:].encode())
        return b"".join(pieces).decode()
    except ValueError:
        return value


def _imf_fixdate(seconds: int) -> str:
    """Return a date in the format of RFC 9110 §5.6.7, which is English in any locale."""
    moment = time.gmtime(seconds)
    return (
        f"{_DAYS[moment.tm_wday]}, {moment.tm_mday:02} {_MONTHS[moment.tm_mon - 1]} {moment.tm_year:04} "
        f"{moment.tm_hour:02}:{moment.tm_min:02}:{moment.tm_sec:02} GMT"
    )


_LONGEST_HOST = 253  # characters (RFC 1035 §2.3.4)


class SessionCookie:
    """Builds the Set-Cookie strings of sessions."""

    __slots__ = ("_domain", "_latest", "_name", "_security", "_settings")

    def __init__(self, settings: Settings, *, host_only: bool = False) -> None:
        self._settings, self._name = settings, settings.cookie_name
        self._domain = None if host_only else settings.domain
        self._security: dict[str, Any] = {"secure": settings.secure, "same_site": settings.same_site}
        # The latest string after the value, with its `max_age` and `now`.
        self._latest: tuple[int | None, int, str] = (None, -1, "")

    def accepts_host(self, host: str) -> bool:
        """True when a browser at `host` accepts the cookie's domain. An unknown host is ""."""
        if not self._domain or not host:
            return True
        from arc.hosts import is_within  # settings without a domain do without

        return is_within(host, self._domain)

    def rejections(self, visit: Visit) -> Iterator[tuple[str, str]]:
        """Yield why browsers reject the cookie of this `visit`: a kind (`domain` or `http`) and an explanation."""
        settings = self._settings
        if settings.domain and not self.accepts_host(visit.host):
            effect = (
                "In testing the cookie is sent without a domain"
                if settings.testing
                else "Browsers reject the session's cookie, unless they see another host in front of a CDN"
            )
            host = visit.host[:_LONGEST_HOST]
            yield (
                "domain",
                f"ARC_SESSION_DOMAIN is {settings.domain!r}, which does not match the Host {host!r}. {effect}",
            )
        if settings.secure and visit.plain_http:
            reason = "the request used plain http according to X-Forwarded-Proto, where browsers reject Secure cookies"
            yield "http", f"{reason}. Redirect http to https in front of the function"

    def build(self, value: str, max_age: int | None, now: int) -> str:
        """Return the string that sets the cookie to `value` for `max_age` seconds, None: until the browser closes."""
        return self.build_token(escape(self._name, value), max_age, now)

    def build_token(self, value: str, max_age: int | None, now: int) -> str:
        """Return the string of `build` for a value in which nothing is escaped, such as a token."""
        age, second, rest = self._latest
        if second != now or age != max_age:
            rest = self._attributes(max_age, now)
        return f"{self._name}={value}{rest}"

    def _attributes(self, max_age: int | None, now: int) -> str:
        """Return what follows the value, and keep it for other responses of this second."""
        name, domain, path = self._name, self._domain, self._settings.path
        empty = set_cookie(name, "", max_age=max_age, now=now, domain=domain, path=path, **self._security)
        rest = empty[len(name) + 1 :]
        self._latest = (max_age, now, rest)
        return rest

    def clear(self) -> tuple[str, ...]:
        """Return the strings that remove the cookie: the one with the domain, and the host-only one."""
        return tuple(self._clear(domain, self._settings.path) for domain in dict.fromkeys((self._domain, None)))

    def clear_elsewhere(self, places: Iterable[tuple[str | None, str]]) -> tuple[str, ...]:
        """Return the strings that remove all other cookies of the name, which browsers would send beside this one.

        Each of `places` is a domain (None: host-only) and a path where older settings or a sibling host may have set
        one. A cookie whose name begins with `__Host-` has no other place.
        """
        settings = self._settings
        if settings.cookie_name.startswith("__Host-"):
            return ()
        others = dict.fromkeys([(None, settings.path), *places])
        return tuple(self._clear(*place) for place in others if place != (self._domain, settings.path))

    def _clear(self, domain: str | None, path: str) -> str:
        name = self._settings.cookie_name
        return set_cookie(name, "", max_age=0, now=0, domain=domain, path=path, **self._security)
