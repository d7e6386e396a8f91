"""Names of hosts and origins, as operators and browsers write them."""

from __future__ import annotations

_PORTS = {"http": 80, "https": 443}
_LAST_PORT = 65_535
_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._")
_IPV6 = frozenset("0123456789abcdef:.")


def origin(text: str) -> str:
    """The origin `scheme://host[:port]` in the form that compares; "" when `text` is not one of http or https.

    Scheme and host are in lower case, and the scheme's own port is left out (RFC 9110 §4.2.3).
    """
    scheme, _, authority = text.lower().partition("://")
    name, port = _split(authority)
    if scheme not in _PORTS or not _is_host(name):
        return ""
    if port in ("", str(_PORTS[scheme])):
        return f"{scheme}://{name}"
    is_port = port.isascii() and port.isdigit() and not port.startswith("0") and int(port) <= _LAST_PORT
    return f"{scheme}://{name}:{port}" if is_port else ""


def likely_origin(text: str) -> str:
    """The origin that was probably meant by `text`, an address or a pattern."""
    return origin(f"https://{_authority(text)}") or "https://www.example.com"


def _authority(text: str) -> str:
    """The host, with its port, of something like an address."""
    rest = text.partition("://")[2] or text
    for end in "/?#":
        rest = rest.partition(end)[0]
    return rest.rpartition("@")[2].removeprefix("*").lstrip(".")


def _split(authority: str) -> tuple[str, str]:
    """The host and the port, "" without one."""
    host, colon, port = authority.rpartition(":")
    return (host, port) if colon and not port.endswith("]") else (authority, "")


def _is_host(name: str) -> bool:
    if name.startswith("[") and name.endswith("]"):
        return ":" in name and set(name[1:-1]) <= _IPV6
    return bool(name) and set(name) <= _NAME and all(name.removesuffix(".").split("."))
