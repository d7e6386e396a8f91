"""The sockets that are bound."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

import pytest

from arc.errors import ToolError
from arc.tools.sandbox.addresses import bind, bind_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def bound(port: int | None, host: str | None) -> Iterator[tuple[int, list[str]]]:
    """Yield the port and the addresses, and close them when the block ends."""
    chosen, sockets = bind(port, host)
    try:
        yield chosen, [listening.getsockname()[0] for listening in sockets]
    finally:
        for listening in sockets:
            listening.close()


@pytest.mark.parametrize("host", [None, "localhost"])
def test_both_loopback_addresses_share_a_port(host: str | None) -> None:
    """Without IPv6, only 127.0.0.1 is bound."""
    with bound(0, host) as (port, addresses):
        assert port > 0
        assert addresses in (["127.0.0.1", "::1"], ["127.0.0.1"])


def test_named_host_is_the_only_address() -> None:
    """No loopback address is added."""
    with bound(0, "127.0.0.1") as (_, addresses):
        assert addresses == ["127.0.0.1"]


def test_unknown_host_is_an_error() -> None:
    """The message quotes it and names one that works."""
    with pytest.raises(ToolError, match=r"'no\.such\.host\.invalid'.*--host 127\.0\.0\.1"):
        bind(0, "no.such.host.invalid")


def test_address_of_another_machine_is_an_error() -> None:
    """192.0.2.1 is reserved for documentation (RFC 5737)."""
    with pytest.raises(ToolError, match=r"Cannot listen on 192\.0\.2\.1"):
        bind(0, "192.0.2.1")


def test_port_in_use_on_one_address_is_an_error() -> None:
    """Otherwise requests to `localhost` would fail at random."""
    taken = bind_loopback()
    with taken, pytest.raises(ToolError, match="is in use"):
        bind(taken.getsockname()[1], None)


def test_sockets_send_without_delay() -> None:
    """Asyncio sets TCP_NODELAY only on sockets that name their protocol."""
    with bind_loopback() as listening:
        assert listening.proto == socket.IPPROTO_TCP
