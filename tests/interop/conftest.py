"""Node's own library as a peer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.interop.peer import Peer, peer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def node_peer(library: str) -> Iterator[Peer]:
    """The library in a process of its own."""
    with peer(library) as running:
        yield running
