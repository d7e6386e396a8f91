"""A cookie jar that stores, sends and expires cookies as browsers do (RFC 6265bis §5)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


_MAX_LIFETIME = 400 * 86_400  # seconds
_MAX_BYTES, _MAX_ATTRIBUTE_BYTES = 4096, 1024
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_MAX_AGE = re.compile(r"-?[0-9]+")
# The parts of a date. Each may be followed by anything that begins with a non-digit (§5.1.1).
_DELIMITERS = re.compile(r"[\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[^0-9].*)?", re.DOTALL)
_DAY = re.compile(r"([0-9]{1,2})(?:[^0-9].*)?", re.DOTALL)
_YEAR = re.compile(r"([0-9]{2,4})(?:[^0-9].*)?", re.DOTALL)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FIRST_YEAR, _CENTURY, _FIRST_OF_1900S = 1601, 100, 70


class Cookie:
    """A stored cookie. `expires` is in Unix seconds, None for a cookie that lasts until the browser is closed."""

    __slots__ = ("domain", "expires", "host_only", "http_only", "name", "path", "same_site", "secure", "value")

    def __init__(self, name: str, value: str, host: str) -> None:
        self.name, self.value = name, value
        self.domain, self.host_only = host, True
        self.path, self.secure, self.http_only = "/", False, False
        self.same_site = "lax"
        self.expires: float | None = None

    @property
    def key(self) -> tuple[str, str, bool, str]:
        """Name, domain, host-only and path, which identify a cookie."""
        return (self.name, self.domain, self.host_only, self.path)

    def goes_to(self, host: str, path: str, *, secure: bool) -> bool:
        """Return True if a request to `host` and `path` carries this cookie."""
        is_home = host == self.domain or (not self.host_only and _is_within(host, self.domain))
        return is_home and _is_below(path, self.path) and (secure or not self.secure)


class CookieJar:
    """The cookies of one browser, shared by its tabs. `clock()` returns Unix seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._cookies: dict[tuple[str, str, bool, str], Cookie] = {}

    def __len__(self) -> int:
        self._expire()
        return len(self._cookies)

    def get(self, name: str) -> str | None:
        """Return the value of the cookie called `name`, None if the jar has none."""
        self._expire()
        return next((cookie.value for cookie in self._cookies.values() if cookie.name == name), None)

    def put(self, name: str, value: str, host: str) -> None:
        """Store a host-only cookie, like a visitor who tampers with the browser."""
        cookie = Cookie(name, value, host)
        self._cookies = {key: other for key, other in self._cookies.items() if other.name != name}
        self._cookies[cookie.key] = cookie

    def clear(self) -> None:
        """Forget every cookie."""
        self._cookies.clear()

    def receive(self, header: str, host: str, *, secure: bool, path: str = "/", embedded: bool = False) -> None:
        """Store the cookie of a Set-Cookie header in a response from `host` and `path`, unless a browser ignores it.

        With `embedded`, another site's page fetched the response, so only SameSite=None cookies are stored.
        """
        self._expire()
        cookie = _parse(header, host.lower(), path, self._clock())
        if cookie is None or not _is_accepted(cookie, secure=secure) or (embedded and cookie.same_site != "none"):
            return
        if cookie.secure or secure or not any(_is_shadowed(other, cookie) for other in self._cookies.values()):
            self._cookies[cookie.key] = cookie
            self._expire()

    def send(
        self, host: str, path: str, *, secure: bool, same_site: tuple[str, ...] = ("strict", "lax", "none")
    ) -> list[str]:
        """Return the `name=value` pairs that a request carries, longest path first.

        Only cookies with one of the `same_site` values are sent.
        """
        self._expire()
        matching = [
            cookie
            for cookie in self._cookies.values()
            if cookie.same_site in same_site and cookie.goes_to(host.lower(), path, secure=secure)
        ]
        matching.sort(key=lambda cookie: -len(cookie.path))
        return [f"{cookie.name}={cookie.value}" if cookie.name else cookie.value for cookie in matching]

    def _expire(self) -> None:
        now = self._clock()
        self._cookies = {key: one for key, one in self._cookies.items() if one.expires is None or one.expires > now}


def _parse(header: str, host: str, path: str, now: float) -> Cookie | None:
    """Return the cookie of a Set-Cookie header (§5.6, §5.7), None for a header that browsers ignore."""
    if _CONTROL.search(header):
        return None
    pair, *rest = header.split(";")
    name, equals, value = pair.partition("=")
    if not equals:
        name, value = "", pair
    cookie = Cookie(name.strip(" \t"), value.strip(" \t"), host)
    size = len(f"{cookie.name}{cookie.value}".encode("utf-8", "surrogatepass"))
    if not 0 < size <= _MAX_BYTES:
        return None
    attributes = _attributes(rest)
    domain = attributes.get("domain", "").removeprefix(".").lower()
    if is_public_suffix(domain) and domain == host:
        domain = ""
    if domain:
        if not domain.isascii() or is_public_suffix(domain) or not (host == domain or _is_within(host, domain)):
            return None
        cookie.domain, cookie.host_only = domain, False
    folder = attributes.get("path", "")
    cookie.path = folder if folder.startswith("/") else _default_path(path)
    cookie.secure, cookie.http_only = "secure" in attributes, "httponly" in attributes
    same_site = attributes.get("samesite", "").lower()
    cookie.same_site = same_site if same_site in ("strict", "none") else "lax"
    cookie.expires = _end(attributes, now)
    if cookie.name.lower().startswith("__host-") and folder != "/":  # the attribute itself is required
        return None
    return cookie


def _attributes(parts: list[str]) -> dict[str, str]:
    """Return the last attribute of each name, in lower case, without invalid lifetimes and overlong values."""
    attributes: dict[str, str] = {}
    for part in parts:
        name, _, value = part.partition("=")
        name, value = name.strip(" \t").lower(), value.strip(" \t")
        if len(value.encode("utf-8", "surrogatepass")) > _MAX_ATTRIBUTE_BYTES:
            continue
        if name == "max-age" and not _MAX_AGE.fullmatch(value):
            continue
        if name == "expires" and cookie_date(value) is None:
            continue
        attributes[name] = value
    return attributes


def _end(attributes: dict[str, str], now: float) -> float | None:
    """Return when the cookie expires. Max-Age takes precedence over Expires, and the limit is 400 days (§5.7)."""
    if "max-age" in attributes:
        return now + max(0, min(int(attributes["max-age"]), _MAX_LIFETIME))
    date = cookie_date(attributes["expires"]) if "expires" in attributes else None
    return None if date is None else min(date, now + _MAX_LIFETIME)


def _default_path(path: str) -> str:
    """Return the folder of a request's path (§5.1.4)."""
    return (path.rpartition("/")[0] or "/") if path.startswith("/") else "/"


def _is_within(host: str, domain: str) -> bool:
    return host.endswith("." + domain) and not is_address(host)


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder if folder.endswith("/") else folder + "/")


def _is_shadowed(old: Cookie, new: Cookie) -> bool:
    """Return True if `new`, which came without TLS, would replace or shadow the Secure cookie `old` (§5.7)."""
    related = old.domain == new.domain or _is_within(new.domain, old.domain) or _is_within(old.domain, new.domain)
    return old.secure and old.name == new.name and related and _is_below(new.path, old.path)


def _is_accepted(cookie: Cookie, *, secure: bool) -> bool:
    """Return True if a browser stores the cookie, by the rules for Secure, SameSite and the prefix of its name."""
    name = cookie.name.lower() or cookie.value.lower()
    prefixed = name.startswith(("__secure-", "__host-"))
    if (cookie.secure and not secure) or (prefixed and not cookie.name):
        return False
    if not cookie.secure and (prefixed or cookie.same_site == "none"):
        return False
    return not name.startswith("__host-") or cookie.host_only


def cookie_date(text: str) -> float | None:
    """Return a date as browsers read it, in Unix seconds, None for an invalid one (RFC 6265bis §5.1.1)."""
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
        year += 1900 if year >= _FIRST_OF_1900S else 2000
    if year < _FIRST_YEAR:
        return None
    try:
        hour, minute, second = map(int, clock)
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:  # no such day or time
        return None


# The entries of the Public Suffix List that concern an app on AWS.
_PUBLIC_SUFFIX = re.compile(
    r"(?:execute-api\.[a-z0-9-]+\.amazonaws\.com|lambda-url\.[a-z0-9-]+\.on\.aws|[a-z0-9-]+\.elb\.amazonaws\.com"
    r"|elb\.[a-z0-9-]+\.amazonaws\.com|s3[a-z0-9.-]*\.amazonaws\.com|cloudfront\.net|amplifyapp\.com"
    r"|(?:co|com|net|org|gov|edu|ac)\.[a-z]{2})"
)


def is_address(host: str) -> bool:
    """Return True for an IP address, which has no domain."""
    return ":" in host or host.rpartition(".")[2].isdigit()


def is_public_suffix(name: str) -> bool:
    """Return True for a domain under which anyone can register names, such as `com`, `co.uk` or `cloudfront.net`.

    This is not the whole Public Suffix List: single labels, AWS's shared domains, and domains like `co.uk` count.
    """
    return not is_address(name) and ("." not in name or _PUBLIC_SUFFIX.fullmatch(name) is not None)


def site_of(host: str) -> str:
    """Return the registrable domain of `host`, or `host` itself if it has none."""
    labels = host.split(".")
    if is_address(host) or is_public_suffix(host):
        return host
    names = [".".join(labels[start:]) for start in range(len(labels))]
    return next(name for name, parent in pairwise(names) if is_public_suffix(parent))
