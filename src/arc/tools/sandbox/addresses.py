"""Where the sandbox listens and its tables answer: options, then preferences, then Architect's variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from arc.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from arc.inventory.sandbox_preferences import SandboxPreferences

_HIGHEST_PORT = 65535
_HTTP = ("ARC_HTTP_PORT", "PORT")
_TABLES = "ARC_TABLES_PORT"
_EXTERNAL = "ARC_DB_EXTERNAL"
_HOST = "ARC_HOST"
_QUIET = ("ARC_QUIET", "QUIET")
HEEDED = frozenset((*_HTTP, _TABLES, _EXTERNAL, _HOST, *_QUIET))
"""Variables of the shell that the sandbox itself reads."""


@dataclass(frozen=True)
class Addresses:
    """Ports on this machine; None is any that is free."""

    http: int | None = None
    http_source: str = ""
    """What the port of HTTP comes from, empty for the option `--port` and without one."""
    tables: int | None = None
    is_external: bool = False
    """True when a DynamoDB that the developer has started answers at `tables`."""


def find_addresses(port: int | None, preferences: SandboxPreferences, environ: Mapping[str, str]) -> Addresses:
    """Return the ports that apply; `port` is that of the option. Raises `ToolError` for a variable that is no port."""
    tables = preferences.tables_port or _port_in(environ, _TABLES)
    is_external = preferences.external_db or is_set(environ, _EXTERNAL)
    if is_external and tables is None:
        raise ToolError(
            "The external database has no port. Set ARC_TABLES_PORT, or write into preferences.arc, below @sandbox: "
            "ports, and below it, indented, tables 8000."
        )
    http, source = port, ""
    if http is None and preferences.http_port is not None:
        http, source = preferences.http_port, "the preferences"
    for name in _HTTP:
        if http is None:
            http, source = _port_in(environ, name), name
    return Addresses(http, source if http is not None else "", tables, is_external)


def find_host(environ: Mapping[str, str]) -> list[str]:
    """Return the host that the shell's variables name, in a list, which is empty without one."""
    return [environ[_HOST]] if environ.get(_HOST) else []


def is_quiet(environ: Mapping[str, str]) -> bool:
    """Return True when the shell's variables ask for less output."""
    return any(is_set(environ, name) for name in _QUIET)


def is_set(environ: Mapping[str, str], name: str) -> bool:
    """Return True for a variable with a value other than `false`, as Architect reads its switches."""
    return environ.get(name, "") not in ("", "false")


def _port_in(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name, "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= _HIGHEST_PORT:
        raise ToolError(
            f"The variable {name} is {text!r}, which is not a port. Use a number from 1 to {_HIGHEST_PORT}."
        )
    return int(text)
