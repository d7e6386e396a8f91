"""The session manager of this process and its store, built from the environment at first use."""

from __future__ import annotations

import os
import time
from _thread import allocate_lock  # threading, without its import

from arc.errors import ConfigurationError
from arc.sessions.keyring import Keyring
from arc.sessions.manager import SessionManager
from arc.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from arc.sessions.lifecycle import Event
    from arc.sessions.stores.dynamodb.lean import LeanSend
    from arc.sessions.stores.dynamodb.transport import Send
    from arc.sessions.stores.store import Store

_lock = allocate_lock()
_process_manager: SessionManager | None = None
_environment: dict[str, str] = {}


def manager_of_process() -> SessionManager:
    """Return the manager for this process's environment, the same one at every call. Raises `ConfigurationError`."""
    global _process_manager, _environment  # noqa: PLW0603  # built once per process
    manager = _process_manager
    if manager is None:
        with _lock:
            manager = _process_manager
            if manager is None:
                _environment = _variables()
                manager = _process_manager = build_manager(Settings.from_env(os.environ))
    return manager


def discard_outdated_manager() -> None:
    """Discard the process's manager if the environment has changed since it was built.

    A function's environment never changes. A test runner's may change for each test.
    """
    global _process_manager  # noqa: PLW0603  # built once per process
    if _process_manager is not None and _environment != _variables():
        with _lock:
            _process_manager = None


def exchange_manager(manager: SessionManager | None) -> SessionManager | None:
    """Replace the process's manager, and return the previous one. None is a manager that is built at first use.

    `arc.testing.App` runs several functions in one process, each with a manager of its own.
    """
    global _process_manager
    with _lock:
        before, _process_manager = _process_manager, manager
    return before


def _variables() -> dict[str, str]:
    """Return the variables that settings and the clients of AWS depend on."""
    return {name: value for name, value in os.environ.items() if name.startswith(("ARC_", "SESSION_", "AWS_"))}


def build_manager(
    settings: Settings,
    *,
    store: Store | None = None,
    clock: Callable[[], float] = time.time,
    random: Callable[[int], bytes] = os.urandom,
    on_event: Callable[[Event], None] | None = None,
) -> SessionManager:
    """Return a session manager for `settings`.

    `store` is the store that the settings name by default. `clock` returns Unix seconds, `random` so many random
    bytes. `on_event` is called with every lifecycle event. Raises `ConfigurationError`.
    """
    keyring = Keyring(settings)

    def on_fallback(reason: str) -> None:
        manager.lifecycle.emit("handed_over", reason)

    if store is None:
        store = _build_store(settings, keyring, random, on_fallback)
    manager = SessionManager(settings, keyring, store, clock=clock, random=random, on_event=on_event)
    return manager


def _build_store(
    settings: Settings, keyring: Keyring, random: Callable[[int], bytes], on_fallback: Callable[[str], None]
) -> Store:
    """Return the store of `settings.table`, which takes over sessions from `settings.migrate_from` if that is set.

    `on_fallback` is called with the reason, once for each store, when a table switches to boto3.
    """

    def store_of(table: str) -> Store:
        if table == "jwe":
            from arc.sessions.stores.sealed import SealedStore

            return SealedStore(keyring, settings.cookie_name, random=random)
        from arc.service_map import table_names
        from arc.sessions.stores.dynamodb.store import DynamoStore
        from arc.sessions.stores.dynamodb.table import SessionTable
        from arc.sessions.stores.dynamodb.transport import RetryingTransport

        session_table = SessionTable(
            RetryingTransport(send_of(settings, os.environ, on_fallback), random=random),
            lambda: table_names(settings, table),
            remedy=lambda: _remedy(settings, table),
        )

        return DynamoStore(
            keyring, session_table, random=random, max_bytes=settings.max_bytes, consistent=settings.consistent_read
        )

    store = store_of(settings.table)
    if settings.migrate_from is None:
        return store
    from arc.sessions.stores.moving import MovingStore

    return MovingStore(store, store_of(settings.migrate_from), keyring, idle=settings.idle)


def send_of(settings: Settings, environ: Mapping[str, str], on_fallback: Callable[[str], None]) -> Send:
    """Return the transport to DynamoDB that `settings.transport` names.

    The default is the lean one wherever it supports the configuration, else boto3. Raises `ConfigurationError` if the
    lean one is set explicitly and `environ` needs what only boto3 supports.
    """
    port = (settings.sandbox_ports or {}).get("tables") if settings.local else None
    endpoint = None if port is None else f"http://localhost:{port}"

    def boto() -> Send:
        from arc.service_map import aws_session
        from arc.sessions.stores.dynamodb.boto import BotoSend, boto_client

        in_sandbox = settings.sandbox_ports is not None
        return BotoSend(
            boto_client(lambda: aws_session(settings), endpoint, local=settings.local, in_sandbox=in_sandbox)
        )

    lean = None if settings.transport == "boto3" else _lean_transport(settings, environ, endpoint)
    if lean is None:
        return boto()
    from arc.sessions.stores.dynamodb.lean import FallbackSend

    return FallbackSend(lean, boto, on_fallback)


def _lean_transport(settings: Settings, environ: Mapping[str, str], endpoint: str | None) -> LeanSend | None:
    """Return the lean transport, None where boto3 is needed. boto3 then reports what is missing.

    Raises `ConfigurationError` if the lean transport is set explicitly and does not support `environ`.
    """
    from arc.service_map import ANY_REGION
    from arc.sessions.stores.dynamodb import choice
    from arc.sessions.stores.dynamodb.boto import is_of_aws
    from arc.sessions.stores.dynamodb.lean import Credentials

    region = settings.region or (ANY_REGION if settings.local else None)
    endpoint = endpoint or choice.configured_endpoint(environ)
    if settings.local and (endpoint is None or is_of_aws(endpoint)):
        return None
    credentials = Credentials("dummy", "dummy") if settings.local else Credentials.from_env(environ)
    obstacle = choice.obstacle(environ, region, endpoint, local=settings.local)
    if obstacle is None and credentials is None:
        obstacle = "needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    place = choice.address(region, endpoint) if region is not None and obstacle is None else None
    if place is None or credentials is None or region is None:
        if settings.transport == "lean":
            raise ConfigurationError(
                f"ARC_SESSION_TRANSPORT is 'lean', which {obstacle}. Unset one of them, or set boto3."
            )
        return None
    # Outside Lambda a session token may belong to a test suite, whose mocks intercept only boto3.
    on_lambda = "AWS_LAMBDA_FUNCTION_NAME" in environ and credentials.token is not None
    lean = settings.local or settings.transport == "lean" or on_lambda
    return choice.lean_send(environ, credentials, place, region) if lean else None


def _remedy(settings: Settings, table: str) -> str:
    from arc.service_map import likely_table

    if meant := likely_table(settings, table):
        return f"Did you mean {meant!r}? Set SESSION_TABLE_NAME to it."
    declared = "Declare it in app.arc (@tables, session, _idx *String, _ttl TTL)"
    if settings.local:
        return f"{declared}; arc sandbox creates the tables when it starts."
    return f"{declared} and create it: arc create {settings.environment or 'production'}"
