"""The hosts that the sandbox answers to, which protects it from DNS rebinding.

A browser considers a web page whose host name resolves to 127.0.0.1 to be of the sandbox's origin, and lets it read
every response. Only the Host header distinguishes such requests.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, NamedTuple

from arc.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LABEL = "[a-z0-9_][a-z0-9_-]*"
_NAME = re.compile(rf"({_LABEL}(?:\.{_LABEL})*)\.?", re.ASCII | re.IGNORECASE)
_HOST = re.compile(rf"(?:\[([0-9a-f:.]+)\]|{_NAME.pattern})(?::\d*)?", re.ASCII | re.IGNORECASE)
_LONGEST_SHOWN = 80  # characters


class Refusal(NamedTuple):
    """The reason for refusing a request."""

    status: int
    message: str


class Hosts:
    """The hosts of a sandbox: loopback hosts, the address of the connection, and `names`."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """`names` are the values of `--host`. Raises `ToolError` for one that is neither a name nor an address."""
        self.names = tuple(_validate(name) for name in names)
        """Names in lower case, and addresses without brackets."""
        self._own = frozenset(_address(name) or name for name in self.names)

    def refusal(self, headers: Sequence[str], local: str | None) -> Refusal | None:
        """Return the reason for refusing a request with these Host headers, or None.

        `local` is this machine's address of the connection. Source: RFC 9112 §3.2.
        """
        if len(headers) != 1:
            return Refusal(400, f"The request has {len(headers)} Host headers. Send exactly one.")
        host = _parse(headers[0])
        if host is None:
            shown = ascii(headers[0][:_LONGEST_SHOWN])
            return Refusal(400, f"The Host header {shown} is not a valid host. Send a name, such as localhost.")
        if self._answers(host, local):
            return None
        options = " ".join(f"--host {name}" for name in (*(self.names or ("localhost",)), host))
        return Refusal(
            403,
            f"The sandbox does not answer to the host {host!r}, because a web page may use it for DNS rebinding. "
            f"Use localhost, or, if the host is yours, run: arc sandbox {options}",
        )

    def _answers(self, host: str, local: str | None) -> bool:
        return host in self._own or is_loopback(host) or (local is not None and host == _address(local))


def names_loopback(header: str) -> bool:
    """Return True for a Host header that names this machine's loopback interface."""
    host = _parse(header)
    return host is not None and is_loopback(host)


def is_loopback(host: str) -> bool:
    """Return True for `localhost`, its subdomains (RFC 6761 §6.3) and loopback addresses, without a port."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _validate(name: str) -> str:
    address = name.strip("[]")
    if _address(address) is not None:
        return address
    try:
        parts = _NAME.fullmatch(name.encode("idna").decode())
    except UnicodeError:
        parts = None
    if parts is None:
        raise ToolError(
            f"The host {name!r} is neither a name nor an address. "
            "Omit the scheme, port and path, as in --host localhost"
        )
    return parts[1].lower()


def _parse(header: str) -> str | None:
    """Return the host in a Host header in a normalized form, or None if it is not valid."""
    parts = _HOST.fullmatch(header)
    if parts is None:
        return None
    address, name = parts.groups()
    if name is not None:
        return _address(name) or name.lower()
    return _address(address) if ":" in address else None


def _address(text: str) -> str | None:
    try:
        address = ip_address(text.partition("%")[0])  # A link-local address may have a zone.
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
