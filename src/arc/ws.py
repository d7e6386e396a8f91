"""The app's web sockets: messages to connected clients, through API Gateway."""

from __future__ import annotations

import json
import re

from arc.errors import ConfigurationError
from arc.messaging import client, warn_once
from arc.service_map import sandbox_ports, settings_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from arc.settings import Settings

__all__ = ("api", "close", "info", "send")

_SERVICE = "apigatewaymanagementapi"
_URL = re.compile(r"(?:ws|http)(s?://[^/\s].*)", re.DOTALL)
_EXAMPLE = "ARC_WSS_URL=wss://abc123.execute-api.eu-west-1.amazonaws.com/staging"


def api(*, environ: Mapping[str, str] | None = None) -> Any:
    """Return boto3's client of the API that manages the connections, created once per process.

    It calls ARC_WSS_URL, or Architect's sandbox if the app runs in one. `environ` defaults to `os.environ`. Raises
    `ConfigurationError` if the address is unknown, and `StoreError`.
    """
    settings = settings_of(environ)
    return client(settings, _SERVICE, _address(settings))


def send(id: str, payload: Any, *, environ: Mapping[str, str] | None = None) -> Any:  # noqa: A002  # Architect's name
    """Send `payload` as JSON to the client of the connection `id`. Return boto3's response.

    A sandbox that does not run sockets returns None, after one warning. Raises `TypeError` for a payload that is not
    JSON, what `api` raises, and boto3's exceptions: `api().exceptions.GoneException` if the client has disconnected.
    """
    data = json.dumps(payload)
    return _call("send", "post_to_connection", {"ConnectionId": id, "Data": data}, environ)


def close(id: str, *, environ: Mapping[str, str] | None = None) -> Any:  # noqa: A002  # Architect's name
    """Close the connection `id`. Returns and raises what `send` does."""
    return _call("close", "delete_connection", {"ConnectionId": id}, environ)


def info(id: str, *, environ: Mapping[str, str] | None = None) -> Any:  # noqa: A002  # Architect's name
    """Return what API Gateway knows about the connection `id`, such as `ConnectedAt`. Raises what `send` raises."""
    return _call("info", "get_connection", {"ConnectionId": id}, environ)


def _call(name: str, operation: str, request: dict[str, str], environ: Mapping[str, str] | None) -> Any:
    settings = settings_of(environ)
    if settings.local and not _runs_sockets(sandbox_ports(settings)):
        warn_once("ws", name, f"The sandbox does not run @ws yet: arc.ws.{name} did nothing.")
        return None
    return getattr(client(settings, _SERVICE, _address(settings)), operation)(**request)


def _runs_sockets(ports: Mapping[str, int]) -> bool:
    """Return True for the ports of Architect's sandbox.

    It has a separate port `_arc` for its internal services. This package's sandbox, which does not run sockets, serves
    them on the app's port.
    """
    return "_arc" in ports and ports["_arc"] != ports.get("http")


def _address(settings: Settings) -> str:
    """Return the address of the API that manages the connections. Raises `ConfigurationError`."""
    if settings.local:
        ports = sandbox_ports(settings)
        if "_arc" not in ports:
            raise ConfigurationError(
                f"The sandbox reports no port '_arc', where sockets are managed (found: "
                f"{', '.join(sorted(ports)) or 'none'}). Start the sandbox again."
            )
        return f"http://localhost:{ports['_arc']}/_arc/ws"
    if settings.wss_url is None:
        raise ConfigurationError(
            "ARC_WSS_URL is not set, so the address of the app's sockets is not known. Architect sets it for the "
            f"functions of an app with @ws. Elsewhere set it, such as {_EXAMPLE}."
        )
    url = _URL.fullmatch(settings.wss_url)
    if url is None:
        raise ConfigurationError(
            f"ARC_WSS_URL is {settings.wss_url!r}, which is not the address of a socket. "
            f"Begin it with wss://, such as {_EXAMPLE}."
        )
    return f"http{url[1]}"
