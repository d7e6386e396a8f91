"""What `arc.events`, `arc.queues` and `arc.ws` share: channels of messages, boto3 clients and the sandbox's answers."""

from __future__ import annotations

import json
import threading

from arc.errors import StoreError
from arc.service_map import aws_session, find, sandbox_ports, service_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from arc.errors import UnknownEvent, UnknownQueue
    from arc.settings import Settings

_TIMEOUT = 10  # seconds to wait for the sandbox
_NOT_FOUND, _FIRST_FAILURE = 404, 300  # HTTP statuses

_lock = threading.Lock()
_clients: dict[tuple[str, str | None, str | None], Any] = {}
_warned: set[tuple[str, str]] = set()


class Channel:
    """The app's `events` or `queues`. An unknown name raises `error`."""

    def __init__(self, kind: str, error: type[UnknownEvent | UnknownQueue]) -> None:
        self.kind, self.error = kind, error

    def destination(self, settings: Settings, name: str) -> str:
        """Return the ARN or URL that the service map has for `name`.

        Raises the channel's error for an unknown name, and what `arc.services` raises.
        """
        value, names = find(settings, self.kind, name)
        if value is not None:
            return value
        known = f"The service map {service_path(settings)} has {', '.join(names) or f'no {self.kind}'}."
        raise self._unknown(name, known, " and deploy the app again")

    def publish_in_sandbox(self, settings: Settings, name: str, payload: object) -> str | None:
        """Return the sandbox's answer to a message. Return None, after one warning, if it does not run this channel.

        Architect's sandbox accepts events and queues on one port. Raises `TypeError` for a payload that is not JSON,
        the channel's error for an unknown name, and `StoreError` if the sandbox cannot be reached or refuses.
        """
        body = json.dumps({"name": name, "payload": payload}).encode()
        ports = sandbox_ports(settings)
        port = ports.get(self.kind, ports.get("events"))
        if port is None:
            message = f"The sandbox does not run @{self.kind} yet: a message to {name!r} was not published."
            warn_once(self.kind, name, message)
            return None
        status, answer = _post(port, f"/{self.kind}", body)
        if status == _NOT_FOUND:
            raise self._unknown(name, "The sandbox does not have it.")
        if status >= _FIRST_FAILURE:
            raise StoreError(f"The sandbox refused a message to {name!r} with status {status}: {answer[:200]}")
        return answer

    def _unknown(self, name: str, known: str, remedy: str = "") -> UnknownEvent | UnknownQueue:
        kind = self.kind
        return self.error(
            f"Unknown {kind.removesuffix('s')} {name!r}. {known} Write {name} below @{kind} in app.arc{remedy}."
        )


def client(settings: Settings, service: str, address: str | None = None) -> Any:
    """Return the boto3 client of a service, created once per process. `address` replaces AWS's own.

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


def warn_once(kind: str, name: str, message: str) -> None:
    """Log a warning under `arc.events`, `arc.queues` or `arc.ws`, once per process for each name."""
    with _lock:
        if (kind, name) in _warned:
            return
        _warned.add((kind, name))
    import logging

    logging.getLogger(f"arc.{kind}").warning(message)


def _post(port: int, path: str, body: bytes) -> tuple[int, str]:
    """Return the status and the text of the sandbox's answer. No proxy is used, because it runs on this machine."""
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection("localhost", port, timeout=_TIMEOUT)
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
