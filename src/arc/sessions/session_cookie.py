"""The session's cookie: its name and attributes, as the settings have them."""

from __future__ import annotations

from arc.sessions import cookie

TYPE_CHECKING = False
if TYPE_CHECKING:
    from arc.settings import Settings


class SessionCookie:
    """Makes the Set-Cookie strings of sessions."""

    __slots__ = ("_settings",)

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def carrying(self, value: str, *, max_age: int, now: int, has_variants: bool) -> tuple[str, ...]:
        """The strings that give a browser `value` for `max_age` seconds.

        `has_variants` says that the browser sent several cookies of the name: with a domain configured, a
        host-only one would shadow the new one and is cleared beside it.
        """
        settings = self._settings
        main = cookie.set_cookie(
            settings.cookie_name,
            value,
            max_age=max_age,
            now=now,
            domain=settings.domain,
            path=settings.path,
            secure=settings.secure,
            same_site=settings.same_site,
        )
        return (main, self._clear(None)) if has_variants and settings.domain else (main,)

    def clearing(self) -> tuple[str, ...]:
        """The strings that make a browser drop the cookie: the one with the domain and the host-only one."""
        domain = self._settings.domain
        return (self._clear(domain), self._clear(None)) if domain else (self._clear(None),)

    def _clear(self, domain: str | None) -> str:
        settings = self._settings
        return cookie.clearing(
            settings.cookie_name,
            domain=domain,
            path=settings.path,
            secure=settings.secure,
            same_site=settings.same_site,
        )
