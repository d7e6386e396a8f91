"""Node's library as a peer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.interop.both import on_both
from tests.interop.peer import Peer, peer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.engines import Engine
    from tests.interop.both import Both


@pytest.fixture(scope="module")
def node_peer(library: str) -> Iterator[Peer]:
    """The library in a Node process."""
    with peer(library) as running:
        yield running


@pytest.fixture
def both(engine: Engine, library: str) -> Iterator[Both]:
    """A session table on each engine that both libraries use."""
    with on_both(engine, library) as users:
        yield users
