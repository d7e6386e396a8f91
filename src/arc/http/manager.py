"""The session manager of this process and its store, made from the environment at first use."""

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
    """Build a new manager for the next request if the environment has changed since the last one was built.

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


def store_of(
    settings: Settings, keyring: Keyring, random: Callable[[int], bytes], on_hand_over: Callable[[str], None]
) -> Store:
    """The store of `settings.table`, taking sessions over from `settings.migrate_from` where that is set.

    `on_hand_over` is called with the reason, once for each store, when a table is asked through boto3 after all.
    """
    store = _named(settings.table, settings, keyring, random, on_hand_over)
    if settings.migrate_from is None:
        return store
    from arc.sessions.stores.moving import MovingStore

    old = _named(settings.migrate_from, settings, keyring, random, on_hand_over)
    return MovingStore(store, old, keyring, idle=settings.idle)


def _named(
    name: str,
    settings: Settings,
    keyring: Keyring,
    random: Callable[[int], bytes],
    on_hand_over: Callable[[str], None],
) -> Store:
    if name == "jwe":
        from arc.sessions.stores.sealed import SealedStore

        return SealedStore(keyring, settings.cookie_name, random=random)
    from arc.service_map import table_names
    from arc.sessions.stores.dynamodb.store import DynamoStore
    from arc.sessions.stores.dynamodb.table import SessionTable
    from arc.sessions.stores.dynamodb.transport import RetryingTransport

    table = SessionTable(
        RetryingTransport(send_of(settings, os.environ, on_hand_over), random=random),
        lambda: table_names(settings, name),
        remedy=_remedy(settings),
    )
    return DynamoStore(keyring, table, random=random, max_bytes=settings.max_bytes, consistent=settings.consistent_read)


def send_of(settings: Settings, environ: Mapping[str, str], on_hand_over: Callable[[str], None]) -> Send:
    """The way to DynamoDB that `settings.transport` names; without one, the lean one wherever it does what is asked.

    Raises `ConfigurationError` where the lean one is named and `environ` asks for what only boto3 does.
    """
    port = (settings.sandbox_ports or {}).get("tables") if settings.local else None
    endpoint = None if port is None else f"http://localhost:{port}"

    def boto() -> Send:
        from arc.service_map import aws_session
        from arc.sessions.stores.dynamodb.boto import BotoSend, boto_client

        return BotoSend(boto_client(lambda: aws_session(settings), endpoint, local=settings.local))

    lean = None if settings.transport == "boto3" else _lean(settings, environ, endpoint)
    if lean is None:
        return boto()
    from arc.sessions.stores.dynamodb.lean import HandingOver

    return HandingOver(lean, boto, on_hand_over)


def _lean(settings: Settings, environ: Mapping[str, str], endpoint: str | None) -> LeanSend | None:
    """The lean transport; None where boto3 has to be used, which also reports what is missing.

    Raises `ConfigurationError` where it was chosen by hand and cannot do what `environ` asks for.
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
    found = choice.obstacle(environ, region, endpoint, local=settings.local)
    if found is None and credentials is None:
        found = "needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    place = choice.address(region, endpoint) if region is not None and found is None else None
    if place is None or credentials is None or region is None:
        if settings.transport == "lean":
            raise ConfigurationError(
                f"ARC_SESSION_TRANSPORT is 'lean', which {found}. Unset one of them, or set boto3."
            )
        return None
    # Outside Lambda a session token may belong to a test suite, whose mocks intercept boto3 alone.
    on_lambda = "AWS_LAMBDA_FUNCTION_NAME" in environ and credentials.token is not None
    lean = settings.local or settings.transport == "lean" or on_lambda
    return choice.lean_send(environ, credentials, place, region) if lean else None


def _remedy(settings: Settings) -> str:
    declared = "Declare it in app.arc (@tables, session, _idx *String, _ttl TTL)"
    if settings.local:
        return f"{declared}; arc sandbox makes the tables when it starts."
    return f"{declared} and make it: arc create {settings.environment or 'production'}"
