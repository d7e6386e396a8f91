"""The app's own tables, by the names that the manifest gives them."""

from __future__ import annotations

import os
import threading

from arc.errors import ConfigurationError, UnknownTable
from arc.service_map import aws_session, find, mapped_ports, service_path
from arc.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ("name", "table")

_lock = threading.Lock()
_resources: dict[tuple[str | None, str | None], Any] = {}
_tables: dict[tuple[str | None, str | None, str], Any] = {}


def name(tablename: str, *, environ: Mapping[str, str] | None = None) -> str:
    """The physical name of the table that the manifest calls `tablename`: `testapp-staging-session` for `session`.

    `environ` is `os.environ` unless given. Raises `UnknownTable`, and what `arc.services` raises.
    """
    return _name(_settings(environ), tablename)


def table(tablename: str, *, environ: Mapping[str, str] | None = None) -> Any:
    """boto3's `Table` resource of the table that the manifest calls `tablename`, made once per process.

    It is the sandbox's table where the app runs in a sandbox. `environ` is `os.environ` unless given.
    Raises `UnknownTable`, and what `arc.services` raises.
    """
    settings = _settings(environ)
    physical, address = _name(settings, tablename), _address(settings)
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


def _settings(environ: Mapping[str, str] | None) -> Settings:
    return Settings.from_env(os.environ if environ is None else environ)


def _name(settings: Settings, tablename: str) -> str:
    physical, names = find(settings, "tables", tablename)
    if physical is not None:
        return physical
    remedy = "start the sandbox again" if settings.local else f"deploy: arc deploy {settings.environment or 'staging'}"
    raise UnknownTable(
        f"There is no table {tablename!r} in the service map {service_path(settings)}; "
        f"it has {', '.join(names) or 'no tables at all'}. "
        f"Write the table below @tables in app.arc and {remedy}"
    )


def _address(settings: Settings) -> str | None:
    """Where the sandbox's tables are, or None for AWS."""
    if not settings.local:
        return None
    ports = settings.sandbox_ports or {}
    return f"http://localhost:{ports['tables'] if 'tables' in ports else _told_port(settings)}"


def _told_port(settings: Settings) -> int:
    """The port that the service map tells to a process beside the sandbox, which has no ARC_SANDBOX."""
    ports = mapped_ports(settings)
    if "tables" in ports:
        return ports["tables"]
    raise ConfigurationError(
        "The sandbox tells no port of its tables, neither in ARC_SANDBOX nor in its service map. "
        "Write @tables into app.arc and start it again: arc sandbox"
    )
