"""The service map: the resources of the app's stack, read from its parameters in SSM."""

from __future__ import annotations

import json
import os
import re
import threading
import time
from functools import cache

from arc.errors import ArcError, ConfigurationError, StoreError
from arc.sessions.visit import time_left
from arc.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

ANY_REGION = "us-west-2"  # Architect's, for a sandbox without a region
_DEFAULT_PORT = 2222  # of Architect's sandbox, for a process that does not know its ports
_LOCAL_APP = "arc-app"  # Architect's name for a local app without one
_DUMMIES = {"aws_access_key_id": "dummy", "aws_secret_access_key": "dummy"}
_CLOSE = 0.7  # the least similarity of a misspelled table, as difflib measures it
_MAX_AGE = 30  # seconds for which a map counts as new
# Timeouts to connect and to read in seconds, and attempts, of a call to SSM. The first that fits the time is used.
_TRIES = ((1.0, 2.0, 3), (1.0, 2.0, 1), (0.5, 1.0, 1), (0.25, 0.5, 1), (0.1, 0.25, 1))

_lock = threading.Lock()
_maps: dict[tuple[str, str | None, str | None], tuple[dict[str, dict[str, Any]], float]] = {}


def settings_of(environ: Mapping[str, str] | None) -> Settings:
    """Return the settings in `environ`, which defaults to `os.environ`. Raises `ConfigurationError`."""
    return Settings.from_env(os.environ if environ is None else environ)


def service_map(
    settings: Settings, *, client: Any = None, new: bool = False, clock: Callable[[], float] = time.monotonic
) -> dict[str, dict[str, Any]]:
    """Return the service map of the stack that `settings` name, read once per process. An empty map is read again.

    With `new`, a map that is older than half a minute by `clock` is read again. `client` is a boto3 client of SSM,
    created by default. Reading takes at most half of the time that is left to the invocation. Raises
    `ConfigurationError` and `StoreError`.
    """
    path, address = service_path(settings), _address(settings)
    key = (path, address, settings.region)
    with _lock:
        if key in _maps and not (new and clock() - _maps[key][1] > _MAX_AGE):
            return _maps[key][0]
        resources = _nest(_parameters(settings, path, address, client))
        if resources:
            _maps[key] = resources, clock()
        return resources


def find(settings: Settings, kind: str, name: str) -> tuple[str | None, list[str]]:
    """Return the value of a resource of a `kind`, None if the service map lacks it, and all names of that kind.

    A map that lacks the name is read again, like `new` of `service_map`. Raises what `service_map` raises.
    """
    resources = service_map(settings).get(kind, {})
    if name not in resources:
        resources = service_map(settings, new=True).get(kind, {})
    value = resources.get(name)
    return (value if isinstance(value, str) else None), sorted(resources)


def sandbox_ports(settings: Settings) -> Mapping[str, int]:
    """Return the sandbox's ports by name: those in ARC_SANDBOX, or in the service map if the variable is not set."""
    return mapped_ports(settings) if settings.sandbox_ports is None else settings.sandbox_ports


def mapped_ports(settings: Settings) -> dict[str, int]:
    """Return the sandbox's ports by name, as its service map has them."""
    text = service_map(settings).get("ARC_SANDBOX", {}).get("ports", "")
    try:
        return {name: int(port) for name, port in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def service_path(settings: Settings) -> str:
    """Return the path of the stack's parameters in SSM: `/TestappStaging`. Raises `ConfigurationError`."""
    if settings.stack_name:
        return f"/{settings.stack_name}"
    app = settings.app_name or (_LOCAL_APP if settings.local else None)
    missing = "ARC_APP_NAME" if not app else "ARC_ENV" if not settings.environment else None
    if missing:
        raise ConfigurationError(
            f"Neither ARC_STACK_NAME nor {missing} is set, so the stack is unknown. "
            "Deployed functions have these variables. Elsewhere set ARC_APP_NAME and ARC_ENV, or ARC_STACK_NAME."
        )
    return f"/{stack_name(str(app), str(settings.environment))}"


def stack_name(app: str, environment: str) -> str:
    """Return the name of the stack of an app's environment: `TestappStaging` (Architect's rule)."""
    words = re.split(r"[\W_]+|(?=[A-Z])", f"{app}-{environment}", flags=re.ASCII)
    return "".join(word[:1].upper() + word[1:].lower() for word in words)


def table_names(settings: Settings, value: str, *, client: Any = None) -> Iterator[str]:
    """Yield the physical names that `value` of SESSION_TABLE_NAME may stand for, in the order to try them.

    The first is `value` itself, a table's own name or ARN. It needs no service map. Unless it is an ARN or begins with
    `{app}-{env}-`, it may also be a name in the manifest: then the service map is read for the second name. If it lacks
    `value` or cannot be read, the second is the name that `arc create` gives.
    """
    yield value
    prefix = f"{settings.app_name}-{settings.environment}-" if settings.app_name and settings.environment else None
    if value.startswith("arn:") or (prefix and value.startswith(prefix)):
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
    elif prefix and value not in tables.values():
        yield prefix + value


def likely_table(settings: Settings, value: str) -> str:
    """Return the name in the manifest of a table that `value` resembles; empty without one.

    Only a service map that was read before is used, so this needs no call.
    """
    from difflib import get_close_matches

    name = value.removeprefix(f"{settings.app_name}-{settings.environment}-")
    with _lock:
        tables = [name for resources, _ in _maps.values() for name in resources.get("tables", {})]
    return next(iter(get_close_matches(name, tables, n=1, cutoff=_CLOSE)), "")


def local_cloud_advice() -> str:
    """Return how to install what the sandbox needs for tables; empty if it is installed."""
    from importlib.util import find_spec

    if all(find_spec(package) is not None for package in ("boto3", "ministack")):
        return ""
    return (
        "Tables on this machine need the local cloud, which is not installed. Run: pip install 'arc-sessions[local]' "
        "(a running sandbox notices it)"
    )


def aws_session(settings: Settings) -> Any:
    """Return a new boto3 session. A local one has dummy credentials and uses no proxy.

    Raises `ConfigurationError`.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.session import get_session
    except ImportError:
        if settings.local and (advice := local_cloud_advice()):
            raise ConfigurationError(advice) from None
        raise ConfigurationError(
            "Tables and services need boto3, which is not installed (Lambda has it). "
            "Install it: pip install 'arc-sessions[aws]'"
        ) from None
    from arc.sessions.stores.dynamodb.boto import setting_up

    options = {"region_name": ANY_REGION, **_DUMMIES} if settings.local else {}
    if settings.region:
        options["region_name"] = settings.region
    with setting_up("for tables and services"):
        core = get_session()
        if settings.local:
            core.set_default_client_config(Config(proxies={}))
        session = boto3.session.Session(botocore_session=core, **options)
        region = session.region_name
    if region is None:
        raise ConfigurationError("No AWS region is set. Set AWS_REGION, for example to eu-west-1.")
    return session


def _address(settings: Settings) -> str | None:
    """Return the address of the sandbox's SSM, None for AWS. Raises `ConfigurationError`."""
    if not settings.local:
        return None
    ports = {"_arc": _DEFAULT_PORT} if settings.sandbox_ports is None else settings.sandbox_ports
    if "_arc" not in ports:
        raise ConfigurationError(
            f"ARC_SANDBOX has no port '_arc' for the service map (found: {', '.join(sorted(ports)) or 'none'}). "
            "The sandbox sets the variable for the functions that it runs: arc sandbox"
        )
    return f"http://localhost:{ports['_arc']}/_arc/ssm"


def _parameters(settings: Settings, path: str, address: str | None, client: Any) -> list[tuple[str, str]]:
    """Return the names and values of all parameters below `path`."""
    session: Any = aws_session(settings) if client is None else None
    from botocore import exceptions
    from botocore.config import Config

    from arc.sessions.stores.dynamodb.boto import cause, no_credentials, setting_up
    from arc.sessions.stores.dynamodb.transport import clock_remedy

    purpose = f"to read the parameters below {path}"

    @cache
    def new_client(connect: float, read: float, attempts: int) -> Any:
        config = Config(connect_timeout=connect, read_timeout=read, retries={"total_max_attempts": attempts})
        with setting_up(purpose):
            return session.client("ssm", endpoint_url=address, config=config)

    left = time_left()
    reserve = 0.0 if left is None else left / 2  # for the function itself
    parameters, page = list[tuple[str, str]](), dict[str, str]()
    try:
        while True:
            left = time_left()
            ssm = client or new_client(*_tries(None if left is None else left - reserve, path))
            answer = ssm.get_parameters_by_path(Path=path, Recursive=True, **page)
            parameters += [(one["Name"], one["Value"]) for one in answer.get("Parameters", ())]
            if not answer.get("NextToken"):
                return parameters
            page["NextToken"] = answer["NextToken"]
    except exceptions.ClientError as error:
        details = error.response.get("Error", {})
        code, message = str(details.get("Code")), str(details.get("Message"))
        raise StoreError(
            f"SSM refused to return the parameters below {path}: {code} ({message}).{clock_remedy(code, message)} "
            f"Check the credentials, and that the role may use ssm:GetParametersByPath on {path}."
        ) from None
    except (exceptions.BotoCoreError, exceptions.HTTPClientError, OSError) as error:
        raise no_credentials(error, purpose) or StoreError(
            f"The parameters below {path} could not be read: {cause(error)} "
            + (f"Check that the sandbox runs at {address}: arc sandbox" if address else "Try again later.")
        ) from None


def _tries(left: float | None, path: str) -> tuple[float, float, int]:
    """Return timeouts and attempts of one call that has `left` seconds. Raises `StoreError` if no call fits."""
    for connect, read, attempts in _TRIES:
        if left is None or attempts * (connect + read) <= left:
            return connect, read, attempts
    raise StoreError(
        f"No time is left to read the parameters below {path}: the function is about to reach its timeout."
    )


def _nest(parameters: Iterable[tuple[str, str]]) -> dict[str, dict[str, Any]]:
    """Return `/Stack/kind/name[/…]` and values as nested dicts, nested like in Node."""
    resources: dict[str, Any] = {}
    for name, value in sorted(parameters):
        _, _, *parts = name.split("/")
        if len(parts) < 2:  # noqa: PLR2004  # a kind and a name
            continue
        place = resources
        for part in parts[:-1]:
            if not isinstance(place.get(part), dict):
                place[part] = {}
            place = place[part]
        place[parts[-1]] = value
    return resources
