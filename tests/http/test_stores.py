"""The store that the settings name, and the one that sessions come from."""

from __future__ import annotations

from typing import Any

from arc.http import build_manager
from arc.settings import Settings
from tests.sessions.making import SECRET, Counting, Made, value_of


def made_of(made: Made, **settings: Any) -> Any:
    """A manager of these settings under the clock of `made`."""
    return build_manager(
        Settings(environment="production", secret=SECRET, app_name="shop", **settings),
        clock=made.clock,
        random=Counting(),
    )


def test_a_table_can_be_moved_into_the_cookie() -> None:
    """A session without a row is new, and sealed; a sealed one opens without a look into the table."""
    made = Made()
    manager = made_of(made, table="jwe", migrate_from="arc-sessions")
    session = manager.load([])
    session["count"] = 1
    value = value_of(manager.commit(session)[0])
    assert Made(clock=made.clock).manager.load([value]) == {"count": 1}
    assert manager.load([value]) == {"count": 1}
    assert not manager.store.revocable
