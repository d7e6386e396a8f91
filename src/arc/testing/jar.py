"""A cookie jar that keeps, sends and drops cookies as browsers do (RFC 6265bis §5)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


_LONGEST = 400 * 86_400  # seconds
_MOST_BYTES, _MOST_ATTRIBUTE_BYTES = 4096, 1024
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_MAX_AGE = re.compile(r"-?[0-9]+")
# A date's parts, each followed by anything that is no digit (§5.1.1).
_DELIMITERS = re.compile(r"[\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[^0-9].*)?", re.DOTALL)
_DAY = re.compile(r"([0-9]{1,2})(?:[^0-9].*)?", re.DOTALL)
_YEAR = re.compile(r"([0-9]{2,4})(?:[^0-9].*)?", re.DOTALL)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FIRST_YEAR, _CENTURY, _TURN = 1601, 100, 70


class Cookie:
    """One stored cookie. `expires` is in Unix seconds, None for the browser's session."""

    __slots__ = ("domain", "expires", "host_only", "http_only", "name", "path", "same_site", "secure", "value")

    def __init__(self, name: str, value: str, host: str) -> None:
        self.name, self.value = name, value
        self.domain, self.host_only = host, True
        self.path, self.secure, self.http_only = "/", False, False
        self.same_site = "lax"
        self.expires: float | None = None

    @property
    def key(self) -> tuple[str, str, bool, str]:
        """What makes a cookie another one: name, domain, host-only and path."""
        return (self.name, self.domain, self.host_only, self.path)

    def goes_to(self, host: str, path: str, *, secure: bool) -> bool:
        """True when a request to `host` and `path` carries this cookie."""
        at_home = host == self.domain or (not self.host_only and _is_within(host, self.domain))
        return at_home and _is_below(path, self.path) and (secure or not self.secure)


class CookieJar:
    """The cookies of one browser, shared by its tabs. `clock()` gives Unix seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._cookies: dict[tuple[str, str, bool, str], Cookie] = {}

    def __len__(self) -> int:
        self._expire()
        return len(self._cookies)

    def get(self, name: str) -> str | None:
        """The value of the cookie called `name`, None when the jar has none."""
        self._expire()
        return next((cookie.value for cookie in self._cookies.values() if cookie.name == name), None)

    def put(self, name: str, value: str, host: str) -> None:
        """Keep a host-only cookie, as somebody who tampers with his own browser can."""
        cookie = Cookie(name, value, host)
        self._cookies = {key: kept for key, kept in self._cookies.items() if kept.name != name}
        self._cookies[cookie.key] = cookie

    def clear(self) -> None:
        """Forget every cookie."""
        self._cookies.clear()

    def receive(self, header: str, host: str, *, secure: bool, path: str = "/", embedded: bool = False) -> None:
        """Take one Set-Cookie header of a response from `host` and `path`, unless a browser ignores it.

        `embedded`: another site's page fetched the response, so that SameSite keeps cookies out. Nothing raises.
        """
        self._expire()
        cookie = _parse(header, host.lower(), path, self._clock())
        if cookie is None or not _is_kept(cookie, secure=secure) or (embedded and cookie.same_site != "none"):
            return
        if cookie.secure or secure or not any(_is_overlaid(kept, cookie) for kept in self._cookies.values()):
            self._cookies[cookie.key] = cookie
            self._expire()

    def send(
        self, host: str, path: str, *, secure: bool, same_site: tuple[str, ...] = ("strict", "lax", "none")
    ) -> list[str]:
        """The `name=value` pairs that a request carries, longest path first; of those SameSite values alone."""
        self._expire()
        fitting = [
            cookie
            for cookie in self._cookies.values()
            if cookie.same_site in same_site and cookie.goes_to(host.lower(), path, secure=secure)
        ]
        fitting.sort(key=lambda cookie: -len(cookie.path))
        return [f"{cookie.name}={cookie.value}" if cookie.name else cookie.value for cookie in fitting]

    def _expire(self) -> None:
        now = self._clock()
        self._cookies = {key: one for key, one in self._cookies.items() if one.expires is None or one.expires > now}


def _parse(header: str, host: str, path: str, now: float) -> Cookie | None:
    """The cookie that a Set-Cookie header means (§5.6, §5.7), None for one to be ignored whole."""
    if _CONTROL.search(header):
        return None
    pair, *rest = header.split(";")
    name, equals, value = pair.partition("=")
    if not equals:
        name, value = "", pair
    cookie = Cookie(name.strip(" \t"), value.strip(" \t"), host)
    size = len(f"{cookie.name}{cookie.value}".encode("utf-8", "surrogatepass"))
    if not 0 < size <= _MOST_BYTES:
        return None
    attributes = _attributes(rest)
    domain = attributes.get("domain", "").removeprefix(".").lower()
    if is_public_suffix(domain) and domain == host:
        domain = ""
    if domain:
        if not domain.isascii() or is_public_suffix(domain) or not (host == domain or _is_within(host, domain)):
            return None
        cookie.domain, cookie.host_only = domain, False
    given = attributes.get("path", "")
    cookie.path = given if given.startswith("/") else _default_path(path)
    cookie.secure, cookie.http_only = "secure" in attributes, "httponly" in attributes
    same_site = attributes.get("samesite", "").lower()
    cookie.same_site = same_site if same_site in ("strict", "none") else "lax"
    cookie.expires = _end(attributes, now)
    if cookie.name.lower().startswith("__host-") and given != "/":  # the attribute itself is demanded
        return None
    return cookie


def _attributes(parts: list[str]) -> dict[str, str]:
    """The attributes in lower case, the last of a name, without those that are too long and lifetimes that are none."""
    attributes: dict[str, str] = {}
    for part in parts:
        name, _, value = part.partition("=")
        name, value = name.strip(" \t").lower(), value.strip(" \t")
        if len(value.encode("utf-8", "surrogatepass")) > _MOST_ATTRIBUTE_BYTES:
            continue
        if name == "max-age" and not _MAX_AGE.fullmatch(value):
            continue
        if name == "expires" and cookie_date(value) is None:
            continue
        attributes[name] = value
    return attributes


def _end(attributes: dict[str, str], now: float) -> float | None:
    """When the cookie ends; Max-Age counts before Expires, and nothing lives longer than 400 days (§5.7)."""
    if "max-age" in attributes:
        return now + max(0, min(int(attributes["max-age"]), _LONGEST))
    date = cookie_date(attributes["expires"]) if "expires" in attributes else None
    return None if date is None else min(date, now + _LONGEST)


def _default_path(path: str) -> str:
    """The folder of a request's path (§5.1.4)."""
    return (path.rpartition("/")[0] or "/") if path.startswith("/") else "/"


def _is_within(host: str, domain: str) -> bool:
    return host.endswith("." + domain) and not is_address(host)


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder if folder.endswith("/") else folder + "/")


def _is_overlaid(kept: Cookie, new: Cookie) -> bool:
    """True when `new`, which came without TLS, would replace or shadow a Secure cookie (§5.7)."""
    related = kept.domain == new.domain or _is_within(new.domain, kept.domain) or _is_within(kept.domain, new.domain)
    return kept.secure and kept.name == new.name and related and _is_below(new.path, kept.path)


def _is_kept(cookie: Cookie, *, secure: bool) -> bool:
    """True when a browser keeps the cookie: Secure, and the promises of its name and SameSite."""
    name = cookie.name.lower() or cookie.value.lower()
    prefixed = name.startswith(("__secure-", "__host-"))
    if (cookie.secure and not secure) or (prefixed and not cookie.name):
        return False
    if not cookie.secure and (prefixed or cookie.same_site == "none"):
        return False
    return not name.startswith("__host-") or cookie.host_only


def cookie_date(text: str) -> float | None:
    """A date as browsers read it, in Unix seconds (RFC 6265bis §5.1.1); None for what is no date to them."""
    clock: tuple[str, ...] | None = None
    day = month = year = None
    for token in _DELIMITERS.split(text):
        if clock is None and (match := _TIME.fullmatch(token)):
            clock = match.groups()
        elif day is None and (match := _DAY.fullmatch(token)):
            day = int(match[1])
        elif month is None and token[:3].lower() in _MONTHS:
            month = _MONTHS.index(token[:3].lower()) + 1
        elif year is None and (match := _YEAR.fullmatch(token)):
            year = int(match[1])
    if clock is None or day is None or month is None or year is None:
        return None
    if year < _CENTURY:
        year += 1900 if year >= _TURN else 2000
    if year < _FIRST_YEAR:
        return None
    try:
        hour, minute, second = map(int, clock)
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:  # there is no such day, or no such time
        return None


# Names below which anybody can have one, of the Public Suffix List: those that an app on AWS meets.
_SHARED = re.compile(
    r"(?:execute-api\.[a-z0-9-]+\.amazonaws\.com|lambda-url\.[a-z0-9-]+\.on\.aws|[a-z0-9-]+\.elb\.amazonaws\.com"
    r"|elb\.[a-z0-9-]+\.amazonaws\.com|s3[a-z0-9.-]*\.amazonaws\.com|cloudfront\.net|amplifyapp\.com"
    r"|(?:co|com|net|org|gov|edu|ac)\.[a-z]{2})"
)


def is_address(host: str) -> bool:
    """True for an IP address, which has no domain."""
    return ":" in host or host.rpartition(".")[2].isdigit()


def is_public_suffix(name: str) -> bool:
    """True for a name below which anybody can have one, such as `com`, `co.uk` or `cloudfront.net`.

    The whole Public Suffix List is not consulted: one label, AWS's shared hosts, and the like of `co.uk` count.
    """
    return not is_address(name) and ("." not in name or _SHARED.fullmatch(name) is not None)


def site_of(host: str) -> str:
    """The registrable domain of `host`, and `host` itself where it has none."""
    labels = host.split(".")
    if is_address(host) or is_public_suffix(host):
        return host
    names = [".".join(labels[start:]) for start in range(len(labels))]
    return next(name for name, parent in pairwise(names) if is_public_suffix(parent))
