"""What a request's headers say of the visit that a session is loaded for."""

from __future__ import annotations

from arc.hosts import host_name
from arc.sessions.visit import Visit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from arc.http.shape import Shape

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")  # RFC 9110 §9.2.1
_MOST_FOLDERS = 6
_MOST_DOMAINS = 4
# Whatever a visitor's path and host are, the Set-Cookie strings for them fit into a response's headers, beside ours.
_ROOM = 5_500  # characters for all of them; AWS's front doors take 10,240 bytes of headers
_ATTRIBUTES = 105  # characters of one besides its domain and path
_LONGEST_NAME = 253  # characters of a host's name (RFC 1035 §2.3.4)
_HEADERS = {"headers", "multiValueHeaders"}
_REQUEST_LINE = {"requestContext", "httpMethod", "rawPath", "raw_path"}
_LETTERS = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+=:@/")  # RFC 3986 §3.3


class RequestVisit(Visit):
    """A request's `Visit`; `cross_site` says that it may begin a session although another site sent it.

    It knows the event's shape, not the request: that has the session, which has this, and no session waits for the
    collector of reference cycles.
    """

    __slots__ = ("_cross_site", "_shape")

    def __init__(self, shape: Shape, *, cross_site: bool) -> None:
        self._shape, self._cross_site = shape, cross_site

    @property
    def navigation(self) -> bool:  # type: ignore[override]
        """True unless the browser says that a script, an image or the like asked (Fetch Metadata)."""
        return self._shape.headers().get("sec-fetch-mode", "navigate") == "navigate"

    @property
    def safe(self) -> bool:  # type: ignore[override]
        """True for a method that changes nothing (RFC 9110 §9.2.1)."""
        return self._shape.method() in SAFE

    @property
    def seen(self) -> bool:  # type: ignore[override]
        """False for HEAD and for what a browser fetches in case its user goes there."""
        purpose = self._shape.headers().get("sec-purpose") or self._shape.headers().get("purpose", "")
        return self._shape.method() != "HEAD" and not purpose.lower().startswith("prefetch")

    @property
    def host(self) -> str:  # type: ignore[override]
        """The name in the Host header."""
        return host_name(self._shape.headers().get("host", ""))

    @property
    def plain_http(self) -> bool:  # type: ignore[override]
        """True when the front door says that the visitor came over plain http."""
        return self._shape.headers().get("x-forwarded-proto", "").partition(",")[0].strip().lower() == "http"

    def withheld(self, same_site: str) -> bool:
        """True when another site made the browser send this, as it sends no cookie of this SameSite (RFC 6265bis)."""
        if self._cross_site or same_site == "None" or self._shape.headers().get("sec-fetch-site") != "cross-site":
            return False
        return same_site == "Strict" or not (self.safe and self.navigation)

    def is_request(self, data: dict[str, Any]) -> bool:
        """True for a `Request` and for an event, copies included."""
        return is_request(data)

    def places(self) -> Iterator[tuple[str | None, str]]:
        """Host-only and each domain of the request's Host of two labels and more, with each folder above its path."""
        domains, room = ("", *_domains(self.host)), _ROOM
        for path in _paths(self._shape.path()):
            for domain in domains:
                size = _ATTRIBUTES + len(domain) + len(path)
                if size <= room:
                    room -= size
                    yield domain or None, path


def is_request(data: dict[str, Any]) -> bool:
    """True when `data` is a whole request: a `Request`, or an event with its headers and its request line."""
    if not _HEADERS.isdisjoint(data) and not _REQUEST_LINE.isdisjoint(data):
        return True
    from arc.http.request import Request

    return isinstance(data, Request)


def _domains(host: str) -> list[str]:
    name = host.rstrip(".")
    labels = name.split(".") if len(name) <= _LONGEST_NAME else []
    if len(labels) < 2 or not all(labels) or labels[-1].isdigit() or not set(name) <= _LETTERS:  # noqa: PLR2004
        return []
    return [".".join(labels[start:]) for start in range(len(labels) - 1)][-_MOST_DOMAINS:]


def _paths(path: str) -> list[str]:
    """`/`, each folder above what was asked for, with and without its last slash, and what was asked for.

    Those are the paths whose cookies came along (RFC 6265bis §5.1.4).
    """
    ends = [end for end, letter in enumerate(path) if letter == "/"]
    folders = [one for end in ends[1:_MOST_FOLDERS] for one in (path[:end], path[: end + 1])]
    itself = [path] if len(ends) <= _MOST_FOLDERS else []
    return [one for one in dict.fromkeys(("/", *folders, *itself)) if one.startswith("/") and set(one) <= _LETTERS]
