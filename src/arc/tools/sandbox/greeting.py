"""What the sandbox says once it listens."""

from __future__ import annotations

import io
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from arc.tools.env.variables import SEALED
from arc.tools.sandbox.cloud.local_tables import FILE, UNREAD
from arc.tools.sandbox.launch import is_reserved
from arc.tools.session_tables import chosen_store

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from arc.inventory import Inventory, Route
    from arc.tools.sandbox.terminal import Terminal


_LONGEST_LABEL = 63  # characters, RFC 1035 §2.3.4
_HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


def greet(
    terminal: Terminal,
    inventory: Inventory,
    sockets: list[socket.socket],
    unheeded: list[str],
    tables: Mapping[str, str],
    *,
    quiet: bool,
) -> None:
    """Say the addresses, and unless `quiet` the warnings, and the routes with the folders that answer them.

    `unheeded` are variables of the developer's shell that no function sees; `tables` gives the physical name
    of each table that was made.
    """
    if not quiet:
        for warning in inventory.warnings:
            terminal.say(f"Warning: {warning}")
        if reserved := ", ".join(filter(is_reserved, unheeded)):
            terminal.say(f"Warning: functions do not see this shell's {reserved}: the sandbox sets what they see.")
        if own := [name for name in unheeded if not is_reserved(name)]:
            it, options = "it" if len(own) == 1 else "them", " ".join(f"--env {name}" for name in own)
            terminal.say(
                f"Warning: functions do not see this shell's {', '.join(own)}. "
                f"Put {it} into the app's .env, or pass {it}: {options}"
            )
        for name in UNREAD:
            if (inventory.root / name).is_file():
                terminal.say(
                    f"Warning: {name} is not read, because it is JavaScript. Write its rows as JSON into {FILE}."
                )
        for runtime in sorted(_other_versions(inventory)):
            terminal.say(f"Warning: functions have the runtime {runtime}; the sandbox runs them on Python {_HERE}.")
        terminal.say(_drawn(inventory) if sys.stdout.isatty() else _plain(inventory))
        if tables:
            names = ", ".join(tables.values())
            terminal.say(f"  tables: {names} (sessions live in {_sessions(inventory)})")
    addresses = " and ".join(_address(listening) for listening in sockets)
    terminal.say(f"{inventory.app} listens on {addresses}{_own_host(inventory.app, sockets)}  (Ctrl-C ends it)")


def _own_host(app: str, sockets: list[socket.socket]) -> str:
    """The app's own host below localhost, where a name of that length can be one and the loopback answers.

    Cookies do not tell ports apart (RFC 6265 §8.5): two apps on one host read each other's session.
    """
    reached = {listening.getsockname()[0] for listening in sockets} & {"127.0.0.1", "::1", "0.0.0.0", "::"}  # noqa: S104
    if not reached or len(app) > _LONGEST_LABEL:
        return ""
    return f", in a browser http://{app.lower()}.localhost:{sockets[0].getsockname()[1]}"


def _other_versions(inventory: Inventory) -> set[str]:
    """The runtimes that the app names which are not this interpreter's version."""
    configs = [route.config for route in inventory.routes if route.is_python]
    return {config.runtime for config in configs if config.names_version} - {f"python{_HERE}"}


def _sessions(inventory: Inventory) -> str:
    chosen = chosen_store(inventory.env.get("testing", {}))
    return "the sealed cookie" if chosen == SEALED else chosen


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _rows(inventory: Inventory) -> list[tuple[str, str, str]]:
    return [(route.method, route.path, _place(inventory.root, route)) for route in inventory.routes]


def _place(root: Path, route: Route) -> str:
    place = route.handler or route.folder
    shown = place.relative_to(root).as_posix() if place.is_relative_to(root) else str(place)
    if not route.is_python:
        return f"{shown}: not Python, not served"
    return shown if route.handler is not None else f"{shown}: no handler yet (arc init {shown_root(root)} writes it)"


def shown_root(root: Path) -> str:
    """The app's folder as a word for the shell, from where the developer stands."""
    here = Path.cwd()
    return shlex.quote(str(root.relative_to(here)) if root.is_relative_to(here) else str(root))


def _plain(inventory: Inventory) -> str:
    rows = _rows(inventory)
    first, second = (max((len(row[column]) for row in rows), default=0) for column in (0, 1))
    return "\n".join(f"  {method:<{first}}  {path:<{second}}  {place}" for method, path, place in rows)


def _drawn(inventory: Inventory) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2), show_header=False)
    for method, path, place in _rows(inventory):
        table.add_row(Text(method, style="cyan"), Text(path, style="bold"), Text(place, style="dim"))
    drawn = io.StringIO()
    width = shutil.get_terminal_size().columns
    Console(file=drawn, force_terminal=True, width=width).print(table)
    return drawn.getvalue().rstrip("\n")
