"""`RequestVisit`: the facts about a request that the session manager needs besides its cookies."""

from __future__ import annotations

from arc.sessions.visit import Visit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from arc.http.shape import Shape

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")  # RFC 9110 §9.2.1
_MAX_FOLDERS = 6
_MAX_DOMAINS = 4
# For any path and host the clearing Set-Cookie strings and our own must fit into a response's headers.
_MAX_LENGTH = 5_500  # characters of all of them; AWS's front doors accept 10,240 bytes of headers
_ATTRIBUTES_LENGTH = 105  # characters of one, without its domain and path
_MAX_HOST_NAME = 253  # characters (RFC 1035 §2.3.4)
_HEADER_KEYS = {"headers", "multiValueHeaders"}
_REQUEST_LINE_KEYS = {"requestContext", "httpMethod", "rawPath", "raw_path"}
_LETTERS = set(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+=:@/"
)  # RFC 3986 §3.3, without "," and ";"


class RequestVisit(Visit):
    """The `Visit` of an HTTP request. `cross_site` allows a request from another site to begin a session.

    It refers to the event's shape and not to the `Request`. The request refers to the session, which refers to this
    visit, so a session is freed without waiting for the garbage collector.
    """

    __slots__ = ("_cross_site", "_shape")

    def __init__(self, shape: Shape, cross_site: bool) -> None:
        self._shape, self._cross_site = shape, cross_site

    @property
    def navigation(self) -> bool:  # type: ignore[override]
        """True unless the browser marks the request as one of a script, an image or the like (Fetch Metadata)."""
        return self._shape.headers().get("sec-fetch-mode", "navigate") == "navigate"

    @property
    def safe(self) -> bool:  # type: ignore[override]
        """True for a method that changes nothing (RFC 9110 §9.2.1)."""
        return self._shape.method() in SAFE

    @property
    def displayed(self) -> bool:  # type: ignore[override]
        """False for HEAD and for a prefetch, whose response the visitor may never see."""
        purpose = self._shape.headers().get("sec-purpose") or self._shape.headers().get("purpose", "")
        return self._shape.method() != "HEAD" and not purpose.lower().startswith("prefetch")

    @property
    def host(self) -> str:  # type: ignore[override]
        """The name in the Host header."""
        from arc.hosts import host_name  # few requests need it

        return host_name(self._shape.headers().get("host", ""))

    @property
    def plain_http(self) -> bool:  # type: ignore[override]
        """True if the front door reports that the visitor used plain HTTP."""
        return self._shape.headers().get("x-forwarded-proto", "").partition(",")[0].strip().lower() == "http"

    def withheld(self, same_site: str) -> bool:
        """Return True for a request from another site, with which browsers send no cookie of this SameSite value.

        Source: RFC 6265bis §5.8.3.
        """
        if self._cross_site or same_site == "None" or self._shape.headers().get("sec-fetch-site") != "cross-site":
            return False
        return same_site == "Strict" or not (self.safe and self.navigation)

    def is_request(self, data: dict[str, Any]) -> bool:
        """Return True for a `Request` and for an event, copies included."""
        return is_request(data)

    def places(self) -> Iterator[tuple[str | None, str]]:
        """Yield the domain and path of every cookie that the browser may have sent with this request.

        The domains are None for a host-only cookie and each domain of the Host with at least two labels.
        """
        domains, room = ("", *_domains(self.host)), _MAX_LENGTH
        for path in _paths(self._shape.path()):
            for domain in domains:
                length = _ATTRIBUTES_LENGTH + len(domain) + len(path)
                if length <= room:
                    room -= length
                    yield domain or None, path


def is_request(data: dict[str, Any]) -> bool:
    """Return True if `data` is a whole request: a `Request`, or an event with headers and a request line."""
    if not _HEADER_KEYS.isdisjoint(data) and not _REQUEST_LINE_KEYS.isdisjoint(data):
        return True
    if type(data) is dict:  # not a subclass
        return False
    from arc.http.request import Request

    return isinstance(data, Request)


def _domains(host: str) -> list[str]:
    name = host.rstrip(".")
    labels = name.split(".") if len(name) <= _MAX_HOST_NAME else []
    if len(labels) < 2 or not all(labels) or labels[-1].isdigit() or not set(name) <= _LETTERS:  # noqa: PLR2004
        return []
    return [".".join(labels[start:]) for start in range(len(labels) - 1)][-_MAX_DOMAINS:]


def _paths(path: str) -> list[str]:
    """Return the paths whose cookies a request for `path` carries (RFC 6265bis §5.1.4).

    They are `/`, each folder above `path` with and without its last slash, and `path`.
    """
    ends = [end for end, letter in enumerate(path) if letter == "/"]
    folders = [folder for end in ends[1:_MAX_FOLDERS] for folder in (path[:end], path[: end + 1])]
    full = [path] if len(ends) <= _MAX_FOLDERS else []
    return [one for one in dict.fromkeys(("/", *folders, *full)) if one.startswith("/") and set(one) <= _LETTERS]
