"""The session manager of this process, made from its environment at first use."""

from __future__ import annotations

import os
import time
from _thread import allocate_lock  # threading, without its import

from arc.http.stores import store_of
from arc.sessions.keyring import Keyring
from arc.sessions.manager import SessionManager
from arc.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from arc.sessions.lifecycle import Event
    from arc.sessions.stores.store import Store

_lock = allocate_lock()
_of_this_process: SessionManager | None = None
_environment: dict[str, str] = {}


def manager_of_process() -> SessionManager:
    """The manager that the environment asks for, the same one every time. Raises `ConfigurationError`."""
    global _of_this_process, _environment  # noqa: PLW0603  # read once per process is the rule
    manager = _of_this_process
    if manager is None:
        with _lock:
            manager = _of_this_process
            if manager is None:
                _environment = _variables()
                manager = _of_this_process = build_manager(Settings.from_env(os.environ))
    return manager


def read_environment_again() -> None:
    """Let the next request make its manager anew if the environment is no longer what the last was made from.

    A function has one environment, which is read once. A test runner has one for each test.
    """
    global _of_this_process  # noqa: PLW0603  # read once per process is the rule
    if _of_this_process is not None and _environment != _variables():
        with _lock:
            _of_this_process = None


def _variables() -> dict[str, str]:
    """The variables that settings and the clients of AWS come from."""
    return {name: value for name, value in os.environ.items() if name.startswith(("ARC_", "SESSION_", "AWS_"))}


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

    def tell_hand_over(reason: str) -> None:
        manager.lifecycle.tell("handed_over", reason)

    if store is None:
        store = store_of(settings, keyring, random, tell_hand_over)
    manager = SessionManager(settings, keyring, store, clock=clock, random=random, on_event=on_event)
    return manager
