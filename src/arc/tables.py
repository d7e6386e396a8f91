"""The app's tables, by their names in the manifest."""

from __future__ import annotations

import threading

from arc.errors import ConfigurationError, UnknownTable
from arc.service_map import aws_session, find, local_cloud_advice, mapped_ports, service_path, settings_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from arc.settings import Settings

__all__ = ("name", "table")

_lock = threading.Lock()
_resources: dict[tuple[str | None, str | None], Any] = {}
_tables: dict[tuple[str | None, str | None, str], Any] = {}


def name(tablename: str, *, environ: Mapping[str, str] | None = None) -> str:
    """Return the physical name of the table `tablename`: `testapp-staging-session` for `session`.

    `environ` defaults to `os.environ`. Raises `UnknownTable`, and what `arc.services` raises.
    """
    return _physical_name(settings_of(environ), tablename)


def table(tablename: str, *, environ: Mapping[str, str] | None = None) -> Any:
    """Return boto3's `Table` resource of the table `tablename`, created once per process.

    In a sandbox it is the sandbox's table. `environ` defaults to `os.environ`. Raises `UnknownTable`, and what
    `arc.services` raises.
    """
    settings = settings_of(environ)
    physical, address = _physical_name(settings, tablename), _address(settings)
    place = (address, settings.region)
    from arc.sessions.stores.dynamodb.boto import setting_up

    with _lock:
        if (*place, physical) not in _tables:
            if place not in _resources:
                session = aws_session(settings)
                with setting_up("for tables"):
                    _resources[place] = session.resource("dynamodb", endpoint_url=address)
            _tables[*place, physical] = _resources[place].Table(physical)
        return _tables[*place, physical]


def _physical_name(settings: Settings, tablename: str) -> str:
    physical, names = find(settings, "tables", tablename)
    if physical is not None:
        return physical
    from difflib import get_close_matches

    advice = local_cloud_advice() if settings.local and not names else ""
    if not advice:
        meant = next(iter(get_close_matches(tablename, names, n=1)), "")
        then = "." if settings.local else f" and deploy: arc deploy {settings.environment or 'staging'}"
        advice = f"Did you mean {meant!r}?" if meant else f"Write {tablename} below @tables in app.arc{then}"
    raise UnknownTable(
        f"Unknown table {tablename!r}. The service map {service_path(settings)} has "
        f"{', '.join(names) or 'no tables'}. {advice}"
    )


def _address(settings: Settings) -> str | None:
    """Return the address of the sandbox's tables, None for AWS. Raises `ConfigurationError`."""
    if not settings.local:
        return None
    port = (settings.sandbox_ports or {}).get("tables")
    if port is None:  # A process that the sandbox did not start has no ARC_SANDBOX.
        port = mapped_ports(settings).get("tables")
    if port is None:
        raise ConfigurationError(
            "Neither ARC_SANDBOX nor the sandbox's service map has a port for tables. "
            + (local_cloud_advice() or "Write @tables into app.arc, with the sandbox running: arc sandbox")
        )
    return f"http://localhost:{port}"
