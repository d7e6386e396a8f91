"""Session managers for tests, with a fixed clock and predictable randomness."""

from __future__ import annotations

import itertools
from hashlib import sha256
from typing import Any

from arc.http import build_manager
from arc.sessions.keyring import Keyring
from arc.sessions.lifecycle import Event
from arc.sessions.manager import SessionManager
from arc.sessions.stores.memory import MemoryStore
from arc.sessions.stores.moving import MovingStore
from arc.sessions.stores.store import Store
from arc.settings import Settings
from arc.testing import Clock

SECRET = "a secret of the tests, long enough for AES-256"
WEEK = 604_800


class Counting:
    """Bytes that differ on every call and are the same in every run."""

    def __init__(self) -> None:
        self._calls = itertools.count()

    def __call__(self, size: int) -> bytes:
        """The next `size` bytes."""
        return sha256(str(next(self._calls)).encode()).digest()[:size]


class Made:
    """A manager, with the clock and the events that belong to it."""

    def __init__(
        self, *, server: bool = False, store: Store | None = None, clock: Clock | None = None, **settings: Any
    ) -> None:
        self.clock = clock or Clock()
        self.events: list[Event] = []
        self.settings = Settings(**{"environment": "production", "secret": SECRET, **settings})
        self.store = MemoryStore(Keyring(self.settings)) if server else None
        self.random = Counting()
        self.manager = self._manager(self.store if store is None else store)

    def move_to(self, store: Store) -> None:
        """Store sessions in another `store` from now on, and move existing ones there."""
        self.manager = self._manager(
            MovingStore(store, self.manager.store, self.manager.keyring, idle=self.settings.idle)
        )

    def _manager(self, store: Store | None) -> SessionManager:
        return build_manager(
            self.settings, store=store, clock=self.clock, random=self.random, on_event=self.events.append
        )

    @property
    def names(self) -> list[str]:
        """The names of the events so far."""
        return [event.name for event in self.events]

    def cookie(self, *, failed: bool = False, **data: Any) -> str:
        """Return the cookie value of a new session with `data`."""
        session = self.manager.load([])
        session.update(data)
        return value_of(self.manager.commit(session, failed=failed)[0])


def value_of(set_cookie: str) -> str:
    """Return the percent-decoded value in a Set-Cookie string."""
    from urllib.parse import unquote

    return unquote(set_cookie.partition("=")[2].partition(";")[0])
