"""Cookie headers in, Set-Cookie headers out (RFC 6265bis)."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST = 400 * 86_400  # seconds; RFC 6265bis §5.5
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def parse(header: str) -> list[tuple[str, str]]:
    """Every `name=value` pair of a Cookie header, in order; quotes are part of a value (RFC 6265bis §5.6)."""
    pairs = []
    for part in header.split(";"):
        name, equals, value = part.partition("=")
        name = name.strip(" \t")
        if equals and name:
            pairs.append((name, value.strip(" \t")))
    return pairs


def values(headers: Iterable[str], name: str) -> list[str]:
    """The values of every cookie called `name`, percent-decoded, without one pair of quotes around them."""
    return [_plain(value) for header in headers for other, value in parse(header) if other == name]


def set_cookie(
    name: str, value: str, *, max_age: int, now: int, domain: str | None, path: str, secure: bool, same_site: str
) -> str:
    """A Set-Cookie string with its attributes in the order that Node writes them.

    `max_age` is in seconds, at most 400 days count; `now` in Unix seconds. Raises `ValueError` for what
    would break the header.
    """
    if not name or not set(name) <= _TOKEN:
        raise ValueError(f"{name!r} is no cookie name.")
    for attribute in (domain or "", path):
        if any(not "!" <= character <= "~" or character in ";," for character in attribute):
            raise ValueError(f"{attribute!r} cannot stand in a cookie's domain or path.")
    age = max(0, min(max_age, LONGEST))
    expires = _imf_fixdate(now + age if age else 0)
    return (
        f"{name}={_escaped(value)}; Max-Age={age}; {f'Domain={domain}; ' if domain else ''}Path={path}; "
        f"Expires={expires}; HttpOnly; {'Secure; ' if secure else ''}SameSite={same_site}"
    )


def clearing(name: str, *, domain: str | None, path: str, secure: bool, same_site: str) -> str:
    """The Set-Cookie string that makes a browser drop the cookie."""
    return set_cookie(name, "", max_age=0, now=0, domain=domain, path=path, secure=secure, same_site=same_site)


def _escaped(value: str) -> str:
    """`value` as JavaScript's encodeURIComponent writes it."""
    if all(character in _TOKEN and character not in "#$%&+^`|" for character in value):
        return value
    from urllib.parse import quote

    return quote(value, safe="-_.!~*'()")


def _plain(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    if "%" not in value or len(value) > 65_536:
        return value
    from urllib.parse import unquote

    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        return value


def _imf_fixdate(seconds: int) -> str:
    """A date as RFC 9110 §5.6.7 writes it, in English whatever the locale."""
    moment = time.gmtime(seconds)
    return (
        f"{_DAYS[moment.tm_wday]}, {moment.tm_mday:02} {_MONTHS[moment.tm_mon - 1]} {moment.tm_year:04} "
        f"{moment.tm_hour:02}:{moment.tm_min:02}:{moment.tm_sec:02} GMT"
    )
