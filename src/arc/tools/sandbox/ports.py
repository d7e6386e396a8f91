"""Sockets on loopback addresses: bound before anything else, so that a taken port is known at once."""

from __future__ import annotations

import contextlib
import errno
import socket

from arc.errors import ToolError

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
