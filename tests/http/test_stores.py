"""The store that the settings name, and the store that sessions move from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from arc.errors import SessionTooLarge, StoreError
from arc.http import build_manager
from arc.settings import Settings
from tests.sessions.making import SECRET, Counting, Made, value_of

if TYPE_CHECKING:
    from arc.sessions.manager import SessionManager
    from tests.engines import Engine


def manager_of(made: Made, **settings: Any) -> SessionManager:
    """A manager of these settings, with the clock of `made`."""
    with_defaults = Settings(
        **{"environment": "production", "secret": SECRET, "app_name": "shop", "region": "us-east-1", **settings}
    )
    return build_manager(with_defaults, clock=made.clock, random=Counting())


def stored(manager: SessionManager, **data: Any) -> str:
    """The cookie value of a new session with `data`."""
    session = manager.load([])
    session.update(data)
    return value_of(manager.commit(session)[0])


def test_sessions_move_from_a_table_into_the_cookie() -> None:
    """A session without a row is new and sealed, and a sealed one opens without reading the table."""
    made = Made()
    manager = manager_of(made, table="jwe", migrate_from="arc-sessions")
    value = stored(manager, count=1)
    assert Made(clock=made.clock).manager.load([value]) == {"count": 1}
    assert manager.load([value]) == {"count": 1}
    assert not manager.store.revocable


@pytest.mark.parametrize("environment", ["testing", "production"])
def test_sandbox_sessions_are_in_its_tables(ministack: Engine, environment: str) -> None:
    """The sandbox's port is used, and a row is not larger than the settings allow."""
    table, made = ministack.table(), Made()
    settings = {"environment": environment, "table": table, "sandbox_ports": {"tables": ministack.port}}
    manager = manager_of(made, **settings, max_bytes=500)
    value = stored(manager, count=1)
    assert manager.load([value]) == {"count": 1}
    (row,) = ministack.items(table)
    assert value.startswith(row["_idx"]["S"])
    with pytest.raises(SessionTooLarge, match="500"):
        stored(manager, text="x" * 500)


def test_moved_session_keeps_its_expiry(ministack: Engine) -> None:
    """The cookie expires at the same second as before, and the first change creates its row."""
    table, made = ministack.table(), Made(idle=1000)
    value = made.cookie(count=1)
    manager = manager_of(made, table=table, migrate_from="jwe", idle=1000, sandbox_ports={"tables": ministack.port})
    made.clock.forward(999)
    session = manager.load([value])
    assert session == {"count": 1}
    session["count"] = 2
    assert manager.load([value_of(manager.commit(session)[0])]) == {"count": 2}
    assert len(ministack.items(table)) == 1


def test_missing_sandbox_table_names_the_remedy(ministack: Engine) -> None:
    """The message shows how to declare the table, and that the sandbox creates it."""
    manager = manager_of(Made(), table="arc-sessions", sandbox_ports={"tables": ministack.port})
    with pytest.raises(StoreError) as error:
        stored(manager, count=1)
    assert str(error.value).endswith(
        " Declare it in app.arc (@tables, session, _idx *String, _ttl TTL); "
        "arc sandbox creates the tables when it starts."
    )
