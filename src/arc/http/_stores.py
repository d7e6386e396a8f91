"""The store that the settings name, and while sessions move, the one they come from."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from arc.sessions.keyring import Keyring
    from arc.sessions.stores.store import Store
    from arc.settings import Settings


def store_of(settings: Settings, keyring: Keyring, random: Callable[[int], bytes]) -> Store:
    """The store of `settings.table`, taking sessions over from `settings.migrate_from` where that is set."""
    store = _named(settings.table, settings, keyring, random)
    if settings.migrate_from is None:
        return store
    from arc.sessions.stores.moving import MovingStore

    return MovingStore(store, _named(settings.migrate_from, settings, keyring, random), keyring, idle=settings.idle)


def _named(name: str, settings: Settings, keyring: Keyring, random: Callable[[int], bytes]) -> Store:
    if name == "jwe":
        from arc.sessions.stores.sealed import SealedStore

        return SealedStore(keyring, settings.cookie_name, random=random)
    from arc._services import aws_session, table_names
    from arc.sessions.stores.dynamodb.boto import BotoSend
    from arc.sessions.stores.dynamodb.clients import boto_client
    from arc.sessions.stores.dynamodb.store import DynamoStore
    from arc.sessions.stores.dynamodb.table import SessionTable
    from arc.sessions.stores.dynamodb.transport import RetryingTransport

    port = (settings.sandbox_ports or {}).get("tables") if settings.local else None
    endpoint = None if port is None else f"http://localhost:{port}"
    table = SessionTable(
        RetryingTransport(
            BotoSend(boto_client(lambda: aws_session(settings), endpoint, local=settings.local)), random=random
        ),
        lambda: table_names(settings, name),
        remedy=_remedy(settings),
    )
    return DynamoStore(keyring, table, random=random, max_bytes=settings.max_bytes, consistent=settings.consistent_read)


def _remedy(settings: Settings) -> str:
    declared = "Declare it in app.arc (@tables, session, _idx *String, _ttl TTL)"
    if settings.local:
        return f"{declared}; arc sandbox makes the tables when it starts."
    return f"{declared} and make it: arc create {settings.environment or 'production'}"
