"""The service map: what the app's stack is made of, as its parameters in SSM tell it."""

from __future__ import annotations

import json
import re
import threading
import time

from arc.errors import ArcError, ConfigurationError, StoreError
from arc.sessions.time_left import time_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from arc.settings import Settings

ANY_REGION = "us-west-2"  # Architect's, for a sandbox that is in none
_PORT = 2222  # where Architect's sandbox answers who knows no ports of it
_LOCAL_APP = "arc-app"  # Architect's name for a local app without one
_DUMMIES = {"aws_access_key_id": "dummy", "aws_secret_access_key": "dummy"}

_lock = threading.Lock()
_maps: dict[tuple[str, str | None, str | None], tuple[dict[str, dict[str, Any]], float]] = {}
_NEWEST = 30  # seconds for which a map counts as new
_ASKING = (((1.0, 2.0), 3), ((1.0, 2.0), 1), ((0.5, 1.0), 1), ((0.25, 0.5), 1), ((0.1, 0.25), 1))
"""Seconds to connect and to read, and attempts, of one question to SSM; the first that the time allows is taken."""


def service_map(
    settings: Settings, *, client: Any = None, new: bool = False, clock: Callable[[], float] = time.monotonic
) -> dict[str, dict[str, Any]]:
    """The service map of the stack that `settings` name, asked once; an empty one is asked again.

    `new` asks again for one that is older than half a minute by `clock`. `client` is a boto3 client of SSM, made when
    needed unless given. At most half of the time that is left to the invocation is spent. Raises `ConfigurationError`,
    `StoreError`.
    """
    path, address = service_path(settings), _address(settings)
    key = (path, address, settings.region)
    with _lock:
        if key in _maps and not (new and clock() - _maps[key][1] > _NEWEST):
            return _maps[key][0]
        found = _nested(_parameters(settings, path, address, client))
        if found:
            _maps[key] = found, clock()
        return found


def find(settings: Settings, kind: str, name: str) -> tuple[str | None, list[str]]:
    """Return the value of one thing of a kind, None if the service map lacks it, and the names of that kind.

    A map that lacks the name is read again, as `new` of `service_map` does. Raises what `service_map` raises.
    """
    known = service_map(settings).get(kind, {})
    if name not in known:
        known = service_map(settings, new=True).get(kind, {})
    value = known.get(name)
    return (value if isinstance(value, str) else None), sorted(known)


def mapped_ports(settings: Settings) -> dict[str, int]:
    """Return the sandbox's ports by name, as the service map has them for a process that has no ARC_SANDBOX."""
    text = service_map(settings).get("ARC_SANDBOX", {}).get("ports", "")
    try:
        return {name: int(port) for name, port in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def service_path(settings: Settings) -> str:
    """Where the service map lies in SSM: `/TestappStaging`. Raises `ConfigurationError`."""
    if settings.stack_name:
        return f"/{settings.stack_name}"
    app = settings.app_name or (_LOCAL_APP if settings.local else None)
    missing = "ARC_APP_NAME" if not app else "ARC_ENV" if not settings.environment else None
    if missing:
        raise ConfigurationError(
            f"Neither ARC_STACK_NAME nor {missing} is set, so nothing tells which stack's services are meant. "
            f"A deployed function has both; elsewhere set ARC_APP_NAME and ARC_ENV, or ARC_STACK_NAME."
        )
    return f"/{stack_name(str(app), str(settings.environment))}"


def stack_name(app: str, environment: str) -> str:
    """What the stack of an app's environment is called: `TestappStaging` (Architect's rule)."""
    words = re.split(r"[\W_]+|(?=[A-Z])", f"{app}-{environment}", flags=re.ASCII)
    return "".join(word[:1].upper() + word[1:].lower() for word in words)


def table_names(settings: Settings, value: str, *, client: Any = None) -> Iterator[str]:
    """The physical names that `value` of SESSION_TABLE_NAME may stand for, in the order to try them.

    It is tried as it stands first: a table's own name or ARN needs nobody else. What is neither an ARN nor
    `{app}-{env}-…` may also be the manifest's name: the service map is asked when the second name is taken, and where
    it does not know the value, or cannot be had, the second is the name that `arc create` gives.
    """
    yield value
    own = f"{settings.app_name}-{settings.environment}-" if settings.app_name and settings.environment else None
    if value.startswith("arn:") or (own and value.startswith(own)):
        return
    try:
        tables = service_map(settings, client=client, new=True).get("tables", {})
    except ArcError as error:
        import logging

        logging.getLogger("arc.sessions").debug("No service map for the table %s: %s", value, error)
        tables = {}
    mapped = tables.get(value)
    if isinstance(mapped, str):
        yield mapped
    elif own and value not in tables.values():
        yield own + value


def aws_session(settings: Settings) -> Any:
    """A new boto3 session; where everything is local, with dummy credentials and past any proxy.

    Raises `ConfigurationError`.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.session import get_session
    except ImportError:
        raise ConfigurationError(
            "Tables and services need boto3, which is not installed (Lambda has it). "
            "Install it: pip install 'arc-sessions[aws]'"
        ) from None
    from arc.sessions.stores.dynamodb.boto import setting_up

    given = {"region_name": ANY_REGION, **_DUMMIES} if settings.local else {}
    if settings.region:
        given["region_name"] = settings.region
    with setting_up("for tables and services"):
        core = get_session()
        if settings.local:
            core.set_default_client_config(Config(proxies={}))
        session = boto3.session.Session(botocore_session=core, **given)
        region = session.region_name
    if region is None:
        raise ConfigurationError("No AWS region is set. Set AWS_REGION, such as AWS_REGION=eu-west-1.")
    return session


def _address(settings: Settings) -> str | None:
    """Where to ask for the map: the sandbox's own SSM, or None for AWS. Raises `ConfigurationError`."""
    if not settings.local:
        return None
    ports = {"_arc": _PORT} if settings.sandbox_ports is None else settings.sandbox_ports
    if "_arc" not in ports:
        raise ConfigurationError(
            f"ARC_SANDBOX tells no port '_arc' (found: {', '.join(sorted(ports)) or 'none'}), "
            "where the service map is. The sandbox sets the variable for the functions that it runs: arc sandbox"
        )
    return f"http://localhost:{ports['_arc']}/_arc/ssm"


def _parameters(settings: Settings, path: str, address: str | None, client: Any) -> list[tuple[str, str]]:
    """Every name and value below `path`."""
    session = aws_session(settings) if client is None else None
    from botocore import exceptions
    from botocore.config import Config

    from arc.sessions.stores.dynamodb.boto import cause, no_credentials, setting_up
    from arc.sessions.stores.dynamodb.transport import clock_remedy

    purpose = f"to read the parameters below {path}"
    clients: dict[Any, Any] = {}

    def client_within(left: float | None) -> Any:
        if session is None:
            return client
        timeouts, attempts = _question(left, path)
        if (timeouts, attempts) not in clients:
            config = Config(
                connect_timeout=timeouts[0], read_timeout=timeouts[1], retries={"total_max_attempts": attempts}
            )
            with setting_up(purpose):
                clients[timeouts, attempts] = session.client("ssm", endpoint_url=address, config=config)
        return clients[timeouts, attempts]

    left = time_left()
    kept = 0.0 if left is None else left / 2
    found, page = list[tuple[str, str]](), dict[str, str]()
    try:
        while True:
            left = time_left()
            ssm = client_within(None if left is None else left - kept)
            answer = ssm.get_parameters_by_path(Path=path, Recursive=True, **page)
            found += [(one["Name"], one["Value"]) for one in answer.get("Parameters", ())]
            if not answer.get("NextToken"):
                return found
            page["NextToken"] = answer["NextToken"]
    except exceptions.ClientError as error:
        answer = error.response.get("Error", {})
        code, message = str(answer.get("Code")), str(answer.get("Message"))
        raise StoreError(
            f"SSM refused to tell the parameters below {path}: {code} ({message}).{clock_remedy(code, message)} "
            f"Check the credentials, and that the role may use ssm:GetParametersByPath on {path}."
        ) from None
    except (exceptions.BotoCoreError, exceptions.HTTPClientError, OSError) as error:
        raise no_credentials(error, purpose) or StoreError(
            f"The parameters below {path} could not be read: {cause(error)} "
            + (f"Is the sandbox up at {address}? Start it: arc sandbox" if address else "Try again later.")
        ) from None


def _question(left: float | None, path: str) -> tuple[tuple[float, float], int]:
    """Timeouts and attempts of one question that has `left` seconds. Raises `StoreError` where no question has time."""
    for timeouts, attempts in _ASKING:
        if left is None or attempts * sum(timeouts) <= left:
            return timeouts, attempts
    raise StoreError(
        f"No time is left to read the parameters below {path}: the function is about to reach its timeout."
    )


def _nested(parameters: Iterable[tuple[str, str]]) -> dict[str, dict[str, Any]]:
    """`/Stack/kind/name[/…]` and values as dicts in dicts, as Node nests them."""
    found: dict[str, Any] = {}
    for name, value in sorted(parameters):
        _, _, *parts = name.split("/")
        if len(parts) < 2:  # noqa: PLR2004  # a kind and a name
            continue
        place = found
        for part in parts[:-1]:
            if not isinstance(place.get(part), dict):
                place[part] = {}
            place = place[part]
        place[parts[-1]] = value
    return found
