"""What events, queues and sockets share: destinations, the sandbox's ports, and boto3's clients."""

from __future__ import annotations

import json
import os
import threading

from arc.errors import StoreError
from arc.service_map import aws_session, find, mapped_ports, service_path
from arc.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from arc.errors import UnknownEvent, UnknownQueue

_SECONDS = 10  # for which the sandbox may keep a publisher waiting
_NOT_FOUND, _LEAST_FAILURE = 404, 300  # statuses of HTTP

_lock = threading.Lock()
_clients: dict[tuple[str, str | None, str | None], Any] = {}
_warned: set[tuple[str, str]] = set()


def settings_of(environ: Mapping[str, str] | None) -> Settings:
    """Return the settings in `environ`, which is `os.environ` unless given. Raises `ConfigurationError`."""
    return Settings.from_env(os.environ if environ is None else environ)


def sandbox_ports(settings: Settings) -> Mapping[str, int]:
    """Return the sandbox's ports by name: those in ARC_SANDBOX, or in the service map where it is not set."""
    return mapped_ports(settings) if settings.sandbox_ports is None else settings.sandbox_ports


def destination(settings: Settings, kind: str, name: str, unknown: type[UnknownEvent | UnknownQueue]) -> str:
    """Return the ARN or URL of the thing of this kind (`events`, `queues`) that the manifest calls `name`.

    Raises `unknown`, and what `arc.services` raises.
    """
    value, names = find(settings, kind, name)
    if value is not None:
        return value
    raise unknown(
        f"Unknown {kind.removesuffix('s')} {name!r}. The service map {service_path(settings)} has "
        f"{', '.join(names) or f'no {kind}'}. Write {name} below @{kind} in app.arc and deploy the app again."
    )


def client(settings: Settings, service: str, address: str | None = None) -> Any:
    """Return the boto3 client of a service at `address`, or of AWS's own, made once per process.

    Raises `ConfigurationError` and `StoreError`.
    """
    key = (service, address, settings.region)
    from arc.sessions.stores.dynamodb.boto import setting_up

    with _lock:
        if key not in _clients:
            session = aws_session(settings)
            with setting_up(f"for {service}"):
                _clients[key] = session.client(service, endpoint_url=address)
        return _clients[key]


def publish_in_sandbox(
    settings: Settings, kind: str, name: str, payload: object, unknown: type[UnknownEvent | UnknownQueue]
) -> str | None:
    """Return the sandbox's answer to a message, or None with one warning where it does not run this kind of things.

    Architect's sandbox takes events and queues on one port. Raises `TypeError` for a payload that is not JSON,
    `unknown` for a name that the sandbox does not have, and `StoreError` when it cannot be reached or refuses.
    """
    body = json.dumps({"name": name, "payload": payload}).encode()
    ports = sandbox_ports(settings)
    port = ports.get(kind, ports.get("events"))
    if port is None:
        warn_once(kind, name, f"The sandbox does not run @{kind} yet: a message to {name!r} was not published.")
        return None
    status, answer = _post(port, f"/{kind}", body)
    if status == _NOT_FOUND:
        raise unknown(
            f"Unknown {kind.removesuffix('s')} {name!r}: the sandbox does not have it. "
            f"Write {name} below @{kind} in app.arc."
        )
    if status >= _LEAST_FAILURE:
        raise StoreError(f"The sandbox refused a message to {name!r} with status {status}: {answer[:200]}")
    return answer


def warn_once(kind: str, name: str, sentence: str) -> None:
    """Log a warning under `arc.events`, `arc.queues` or `arc.ws`, once per process for each name."""
    with _lock:
        if (kind, name) in _warned:
            return
        _warned.add((kind, name))
    import logging

    logging.getLogger(f"arc.{kind}").warning(sentence)


def _post(port: int, path: str, body: bytes) -> tuple[int, str]:
    """Return status and text of the sandbox's answer. No proxy is asked: the sandbox is on this machine."""
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection("localhost", port, timeout=_SECONDS)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except (OSError, HTTPException) as error:
        raise StoreError(
            f"The sandbox cannot be reached at http://localhost:{port}{path}: {error or type(error).__name__}. "
            "Start it again."
        ) from None
    finally:
        connection.close()
