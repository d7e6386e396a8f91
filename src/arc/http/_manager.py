"""The session manager of this process, made from its environment at first use."""

from __future__ import annotations

import os
import threading
import time

from arc.http._stores import store_of
from arc.sessions.keyring import Keyring
from arc.sessions.manager import SessionManager
from arc.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from arc.sessions.lifecycle import Event
    from arc.sessions.stores.store import Store

_lock = threading.Lock()
_of_this_process: SessionManager | None = None


def manager_of_process() -> SessionManager:
    """The manager that the environment asks for, the same one every time. Raises `ConfigurationError`."""
    global _of_this_process  # noqa: PLW0603  # read once per process is the rule
    if _of_this_process is None:
        with _lock:
            if _of_this_process is None:
                _of_this_process = build_manager(Settings.from_env(os.environ))
    return _of_this_process


def build_manager(
    settings: Settings,
    *,
    store: Store | None = None,
    clock: Callable[[], float] = time.time,
    random: Callable[[int], bytes] = os.urandom,
    on_event: Callable[[Event], None] | None = None,
) -> SessionManager:
    """A manager for `settings`, with the store they name unless one is given. Raises `ConfigurationError`."""
    keyring = Keyring(settings)
    if store is None:
        store = store_of(settings, keyring, random)
    return SessionManager(settings, keyring, store, clock=clock, random=random, on_event=on_event)
