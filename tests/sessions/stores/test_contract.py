"""The contract in `arc.testing`, for all stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from arc.sessions.keyring import Keyring
from arc.sessions.stores.memory import MemoryStore
from arc.sessions.stores.sealed import SealedStore
from arc.sessions.stores.store import Store
from arc.settings import Settings
from arc.testing import StoreContract
from tests.sessions.making import SECRET, Counting
from tests.sessions.stores.tables import Kept

if TYPE_CHECKING:
    from tests.engines import Engine

KEYRING = Keyring(Settings(environment="production", secret=SECRET))


class TestMemoryStore(StoreContract):
    """Sessions in memory."""

    def store(self) -> Store:
        """A new store."""
        return MemoryStore(KEYRING)


class TestSealedStore(StoreContract):
    """Sessions in the cookie."""

    def store(self) -> Store:
        """A new store."""
        return SealedStore(KEYRING, "_idx", random=Counting())


class TestDynamoStore(StoreContract):
    """Sessions in a DynamoDB table."""

    @pytest.fixture(autouse=True)
    def _on_an_engine(self, ministack: Engine) -> None:
        self.engine = ministack

    def store(self) -> Store:
        """A store on a new table."""
        return Kept(self.engine).store
