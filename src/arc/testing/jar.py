"""A cookie jar that keeps, sends and drops cookies as browsers do (RFC 6265bis §5)."""

from __future__ import annotations

from time import strptime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST = 400 * 86_400  # seconds
_MOST_BYTES = 4096


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
        at_home = host == self.domain or (not self.host_only and host.endswith("." + self.domain))
        below = path == self.path or path.startswith(self.path if self.path.endswith("/") else self.path + "/")
        return at_home and below and (secure or not self.secure)


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

    def receive(self, header: str, host: str, *, secure: bool, path: str = "/") -> None:
        """Take one Set-Cookie header of a response from `host` and `path`, which may mean to ignore it."""
        cookie = self._parse(header, host, path)
        if cookie is not None and _is_kept(cookie, secure=secure):
            self._cookies[cookie.key] = cookie
            self._expire()

    def send(self, host: str, path: str, *, secure: bool) -> list[str]:
        """The `name=value` pairs that a request carries, longest path first."""
        self._expire()
        fitting = [cookie for cookie in self._cookies.values() if cookie.goes_to(host, path, secure=secure)]
        return [f"{cookie.name}={cookie.value}" for cookie in sorted(fitting, key=lambda one: -len(one.path))]

    def _expire(self) -> None:
        now = self._clock()
        self._cookies = {key: one for key, one in self._cookies.items() if one.expires is None or one.expires > now}

    def _parse(self, header: str, host: str, path: str) -> Cookie | None:
        pair, *rest = header.split(";")
        name, equals, value = pair.partition("=")
        if not equals or not name.strip(" \t"):
            return None
        cookie = Cookie(name.strip(" \t"), value.strip(" \t"), host)
        words = (attribute.partition("=") for attribute in rest)
        attributes = {word.strip(" \t").lower(): text.strip(" \t") for word, _, text in words}
        domain = attributes.get("domain", "").lstrip(".").lower()
        if domain:
            if host != domain and not host.endswith("." + domain):
                return None
            cookie.domain, cookie.host_only = domain, False
        default = path.rpartition("/")[0] or "/"
        cookie.path = attributes["path"] if attributes.get("path", "").startswith("/") else default
        cookie.secure, cookie.http_only = "secure" in attributes, "httponly" in attributes
        cookie.same_site = attributes.get("samesite", "lax").lower()
        max_age = attributes.get("max-age", "")
        if max_age.lstrip("-").isdigit():  # RFC 6265bis §5.7: Max-Age has precedence over Expires.
            cookie.expires = self._clock() + min(int(max_age), _LONGEST)
        elif "expires" in attributes:
            cookie.expires = _date(attributes["expires"])
        return cookie


def _is_kept(cookie: Cookie, *, secure: bool) -> bool:
    """True when a browser keeps the cookie: its size, Secure, and the promises of its name and SameSite."""
    name = cookie.name.lower()
    if len(cookie.name) + len(cookie.value) > _MOST_BYTES or (cookie.secure and not secure):
        return False
    if not cookie.secure and (name.startswith(("__secure-", "__host-")) or cookie.same_site == "none"):
        return False
    return not name.startswith("__host-") or (cookie.host_only and cookie.path == "/")


def _date(text: str) -> float | None:
    from calendar import timegm

    try:
        return timegm(strptime(text, "%a, %d %b %Y %H:%M:%S GMT"))
    except ValueError:
        return None
