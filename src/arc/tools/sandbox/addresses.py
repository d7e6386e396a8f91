"""The ports and hosts of the sandbox: where they are configured, and the sockets that listen on them.

An option takes precedence over the preferences, and those over Architect's environment variables.
"""

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


DEFAULT_PORT = 3333
_PORTS_TRIED = 100
_HIGHEST_PORT = 65535
_HTTP = ("ARC_HTTP_PORT", "PORT")
_TABLES = "ARC_TABLES_PORT"
_EXTERNAL = "ARC_DB_EXTERNAL"
_HOST = "ARC_HOST"
_QUIET = ("ARC_QUIET", "QUIET")
SANDBOX_VARIABLES = frozenset((*_HTTP, _TABLES, _EXTERNAL, _HOST, *_QUIET))
"""The shell's variables that configure the sandbox itself."""
_UNAVAILABLE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT)


@dataclass(frozen=True)
class Addresses:
    """The configured ports; None stands for any free port."""

    http: int | None = None
    http_source: str = ""
    """Where the HTTP port is configured; empty for `--port`."""
    tables: int | None = None
    is_external: bool = False
    """True if the developer runs a DynamoDB at the port `tables`."""


def find_addresses(port: int | None, preferences: SandboxPreferences, environ: Mapping[str, str]) -> Addresses:
    """Return the configured ports; `port` is the option's. Raises `ToolError` for a variable that is not a port."""
    tables = preferences.tables_port or _read_port(environ, _TABLES)
    is_external = preferences.external_db or is_set(environ, _EXTERNAL)
    if is_external and tables is None:
        raise ToolError(
            "The external database has no port. Set ARC_TABLES_PORT, or add `tables 8000` to `ports` in the @sandbox "
            "section of preferences.arc."
        )
    http, source = port, ""
    if http is None and preferences.http_port is not None:
        http, source = preferences.http_port, "the preferences"
    for name in _HTTP:
        if http is None:
            http, source = _read_port(environ, name), name
    return Addresses(http, source if http is not None else "", tables, is_external)


def find_host(environ: Mapping[str, str]) -> list[str]:
    """Return a list of the host in ARC_HOST, or an empty list."""
    return [environ[_HOST]] if environ.get(_HOST) else []


def is_quiet(environ: Mapping[str, str]) -> bool:
    """Return True if the shell's variables ask for less output."""
    return any(is_set(environ, name) for name in _QUIET)


def is_set(environ: Mapping[str, str], name: str) -> bool:
    """Return True for a variable with a value other than `false`, as Architect reads its switches."""
    return environ.get(name, "") not in ("", "false")


def _read_port(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name, "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= _HIGHEST_PORT:
        raise ToolError(f"Invalid port {text!r} in the variable {name}. Use a number from 1 to {_HIGHEST_PORT}.")
    return int(text)


def bind(port: int | None, host: str | None, source: str = "") -> tuple[int, list[socket.socket]]:
    """Return the port, and the listening sockets of `host`.

    Without a host these are sockets on 127.0.0.1 and, where IPv6 is available, on ::1. Without a port the first free
    one from 3333 on is used; port 0 is any free one. Raises `ToolError` if the port is in use; `source` is where it
    was configured, empty for `--port`.
    """
    addresses = ["127.0.0.1", "::1"] if host in (None, "localhost") else _resolve(host)
    if port is None:
        candidates = list(range(DEFAULT_PORT, DEFAULT_PORT + _PORTS_TRIED))
    else:
        candidates = [port] if port else [0] * _PORTS_TRIED
    for candidate in candidates:
        with contextlib.suppress(_PortInUse):
            sockets = _bind_all(addresses, candidate)
            return int(sockets[0].getsockname()[1]), sockets
    if not port:
        raise ToolError(
            f"Every port from {DEFAULT_PORT} to {DEFAULT_PORT + _PORTS_TRIED - 1} is in use. "
            "Choose another one with --port, such as --port 8080."
        )
    if source:
        raise ToolError(f"Port {port}, set in {source}, is in use. Choose another one there or with --port.")
    raise ToolError(f"Port {port} is in use. Choose another one with --port, or omit --port to use a free one.")


def bind_loopback(first: int = 0) -> socket.socket:
    """Return a listening socket on the first free port of 127.0.0.1 from `first` on, or on any free port.

    Raises `ToolError` if none is free.
    """
    for candidate in range(first, first + _PORTS_TRIED) if first else [0]:
        with contextlib.suppress(_PortInUse):
            return _bind_all(["127.0.0.1"], candidate)[0]
    raise ToolError(
        f"Every port from {first} to {first + _PORTS_TRIED - 1} of 127.0.0.1 is in use. "
        "Stop a program that uses some of them."
    )


class _PortInUse(Exception):
    pass


def _resolve(host: str) -> list[str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ToolError(f"The host {host!r} is not an address of this machine. Try --host 127.0.0.1") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _bind_all(addresses: list[str], port: int) -> list[socket.socket]:
    with contextlib.ExitStack() as opened:
        sockets: list[socket.socket] = []
        for address in addresses:
            try:
                bound = _listen(address, port or (sockets[0].getsockname()[1] if sockets else 0))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    raise _PortInUse from error
                if error.errno in _UNAVAILABLE and sockets:
                    continue  # IPv6 is not available.
                raise ToolError(f"Cannot listen on {address} port {port}: {error.strerror}.") from error
            sockets.append(opened.enter_context(bound))
        opened.pop_all()
    return sockets


def _listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # asyncio sets TCP_NODELAY only on sockets that name their protocol.
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
