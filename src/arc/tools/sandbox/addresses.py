"""Where the sandbox listens and its tables answer: options, then preferences, then Architect's variables."""

from __future__ import annotations

import contextlib
import errno
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arc.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from arc.inventory.preferences import SandboxPreferences


_HIGHEST_PORT = 65535
_HTTP = ("ARC_HTTP_PORT", "PORT")
_TABLES = "ARC_TABLES_PORT"
_EXTERNAL = "ARC_DB_EXTERNAL"
_HOST = "ARC_HOST"
_QUIET = ("ARC_QUIET", "QUIET")
HEEDED = frozenset((*_HTTP, _TABLES, _EXTERNAL, _HOST, *_QUIET))
"""Variables of the shell that the sandbox itself reads."""


@dataclass(frozen=True)
class Addresses:
    """Ports on this machine; None is any that is free."""

    http: int | None = None
    http_source: str = ""
    """What the port of HTTP comes from, empty for the option `--port` and without one."""
    tables: int | None = None
    is_external: bool = False
    """True when a DynamoDB that the developer has started answers at `tables`."""


def find_addresses(port: int | None, preferences: SandboxPreferences, environ: Mapping[str, str]) -> Addresses:
    """Return the ports that apply; `port` is that of the option. Raises `ToolError` for a variable that is no port."""
    tables = preferences.tables_port or _port_in(environ, _TABLES)
    is_external = preferences.external_db or is_set(environ, _EXTERNAL)
    if is_external and tables is None:
        raise ToolError(
            "The external database has no port. Set ARC_TABLES_PORT, or write into preferences.arc, below @sandbox: "
            "ports, and below it, indented, tables 8000."
        )
    http, source = port, ""
    if http is None and preferences.http_port is not None:
        http, source = preferences.http_port, "the preferences"
    for name in _HTTP:
        if http is None:
            http, source = _port_in(environ, name), name
    return Addresses(http, source if http is not None else "", tables, is_external)


def find_host(environ: Mapping[str, str]) -> list[str]:
    """Return the host that the shell's variables name, in a list, which is empty without one."""
    return [environ[_HOST]] if environ.get(_HOST) else []


def is_quiet(environ: Mapping[str, str]) -> bool:
    """Return True when the shell's variables ask for less output."""
    return any(is_set(environ, name) for name in _QUIET)


def is_set(environ: Mapping[str, str], name: str) -> bool:
    """Return True for a variable with a value other than `false`, as Architect reads its switches."""
    return environ.get(name, "") not in ("", "false")


def _port_in(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name, "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= _HIGHEST_PORT:
        raise ToolError(
            f"The variable {name} is {text!r}, which is not a port. Use a number from 1 to {_HIGHEST_PORT}."
        )
    return int(text)


DEFAULT_PORT = 3333
_TRIES = 100
_ABSENT = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT)


def bind(port: int | None, host: str | None, source: str = "") -> tuple[int, list[socket.socket]]:
    """The port, and the listening sockets of `host`; without one those of 127.0.0.1 and, where there is IPv6, ::1.

    Without a port the first free one from 3333 on is taken; port 0 is any free one. Raises `ToolError` when
    the port asked for is taken; `source` says what asked for it, other than `--port`.
    """
    addresses = ["127.0.0.1", "::1"] if host in (None, "localhost") else _resolved(host)
    candidates = [port] if port else range(DEFAULT_PORT, DEFAULT_PORT + _TRIES) if port is None else [0] * _TRIES
    for candidate in candidates:
        with contextlib.suppress(_Taken):
            sockets = _bind_all(addresses, candidate)
            return int(sockets[0].getsockname()[1]), sockets
    if port:
        if source:
            raise ToolError(f"Port {port}, from {source}, is taken. Choose another one there, or with --port.")
        raise ToolError(f"Port {port} is taken. Choose another one with --port, or leave --port out to get a free one.")
    raise ToolError(f"No port from {DEFAULT_PORT} to {DEFAULT_PORT + _TRIES - 1} is free. Name one: --port 8080")


def bind_loopback(first: int = 0) -> socket.socket:
    """A listening socket on 127.0.0.1, on the first free port from `first` on; without it on any free port.

    Raises `ToolError` when none is free.
    """
    for candidate in range(first, first + _TRIES) if first else [0]:
        with contextlib.suppress(_Taken):
            return _bind_all(["127.0.0.1"], candidate)[0]
    raise ToolError(f"No port from {first} to {first + _TRIES - 1} is free on 127.0.0.1. End a program that has some.")


class _Taken(Exception):
    pass


def _resolved(host: str) -> list[str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ToolError(f"The host {host!r} is no address of this machine. Try --host 127.0.0.1") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _bind_all(addresses: list[str], port: int) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    try:
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            try:
                sockets.append(_listen(family, address, port or (sockets[0].getsockname()[1] if sockets else 0)))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    raise _Taken from error
                if error.errno in _ABSENT and sockets:
                    continue  # A machine without IPv6.
                raise ToolError(f"Cannot listen on {address} port {port}: {error.strerror}.") from error
    except BaseException:
        for opened in sockets:
            opened.close()
        raise
    return sockets


def _listen(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    # asyncio turns Nagle's delay off only on sockets that name their protocol.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind((address, port))
        listening.listen(512)
    except BaseException:
        listening.close()
        raise
    return listening
