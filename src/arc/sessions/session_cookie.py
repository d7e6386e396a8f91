"""The session's cookie: its name and attributes, as the settings have them."""

from __future__ import annotations

from arc.hosts import is_within
from arc.sessions import cookie

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from arc.sessions.visit import Visit
    from arc.settings import Settings

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
            empty = cookie.set_cookie(
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
        return f"{name}={cookie.escaped(name, value)}{rest}"

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
        return cookie.clearing(
            settings.cookie_name,
            domain=domain,
            path=path,
            secure=settings.secure,
            same_site=settings.same_site,
        )
