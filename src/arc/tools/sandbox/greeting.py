"""The messages that the sandbox prints when it starts: warnings, routes, tables and addresses."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from arc.inventory.findings import closest
from arc.inventory.places import shell_path
from arc.tools.env.mistakes import mistakes
from arc.tools.env.variables import SEALED
from arc.tools.sandbox.cloud.local_tables import ENVIRONMENT, UNREAD, javascript_warning
from arc.tools.sandbox.functions.launch import ignored_variables, is_reserved
from arc.tools.session_tables import chosen_store

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from arc.inventory import Inventory, Route
    from arc.tools.sandbox.terminal import Terminal


_CLOSE = 0.7  # the least similarity of a misspelled folder, as difflib measures it
_LONGEST_LABEL = 63  # characters, RFC 1035 §2.3.4
_PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"


def greet(
    terminal: Terminal,
    inventory: Inventory,
    sockets: list[socket.socket],
    ignored: list[str],
    tables: Mapping[str, str],
    *,
    quiet: bool,
) -> None:
    """Print the addresses and, unless `quiet`, warnings, the routes and the tables.

    The address for a browser comes first; with `quiet` it is in the only line. `ignored` lists variables of the shell
    that functions do not see; `tables` maps the manifest's names of the created tables to physical names.
    """
    addresses = [_address(listening) for listening in sockets]
    link = _link(_own_address(inventory.app, sockets) or addresses[0], colored=terminal.is_colored)
    listening = f"{inventory.app} listens on {' and '.join(addresses)}"
    if quiet:
        listening += f", in a browser {link}"
    else:
        terminal.say(f"Open {link}  (press Ctrl-C to stop)")
        for warning in _warnings(inventory, ignored):
            terminal.say(f"Warning: {warning}")
        terminal.say(_routes(inventory, colored=terminal.is_colored))
        if tables:
            store = chosen_store(inventory.env.get(ENVIRONMENT, {}))
            place = "the sealed cookie" if store == SEALED else store
            terminal.say(f"  tables: {', '.join(tables.values())} (sessions are stored in {place})")
    terminal.say(listening)


def _warnings(inventory: Inventory, ignored: list[str]) -> Iterator[str]:
    yield from inventory.warnings
    yield from ignored_variables(inventory)
    if reserved := ", ".join(filter(is_reserved, ignored)):
        yield f"functions do not see this shell's {reserved}: the sandbox sets what they see."
    if own := [name for name in ignored if not is_reserved(name)]:
        it, options = "it" if len(own) == 1 else "them", " ".join(f"--env {name}" for name in own)
        yield f"functions do not see this shell's {', '.join(own)}. Add {it} to the app's .env, or pass {it}: {options}"
    yield from (javascript_warning(name) for name in UNREAD if (inventory.root / name).is_file())
    testing = inventory.env.get(ENVIRONMENT, {})
    yield from mistakes(testing, app=inventory.app, environment=ENVIRONMENT)
    if not inventory.routes:
        yield "the app has no routes. Write @http into the manifest, and below it: get /"
    yield from _misplaced_folders(inventory)
    configs = [route.config for route in inventory.routes if route.is_python]
    for runtime in sorted({config.runtime for config in configs if config.names_version} - {f"python{_PYTHON}"}):
        yield f"functions use the runtime {runtime}, but the sandbox runs them on Python {_PYTHON}."


def _misplaced_folders(inventory: Inventory) -> Iterator[str]:
    """Yield a warning for each folder of code whose name is not quite that of a route without a handler."""
    root, http = inventory.root, inventory.root / "src" / "http"
    used = {route.folder for route in inventory.routes}
    missing = {route.folder.name: route for route in inventory.routes if not route.folder.exists()}
    for folder in sorted(http.iterdir()) if http.is_dir() and missing else ():
        meant = "" if folder in used else closest(folder.name, missing, cutoff=_CLOSE)
        if meant:
            place, route = missing[meant].folder.relative_to(root), missing[meant]
            yield f"{folder.relative_to(root)} belongs to no route. The folder of {route.name} is {place}."


def _own_address(app: str, sockets: list[socket.socket]) -> str:
    """Return the app's address below localhost, if it is valid and the sandbox listens on a loopback address.

    Browsers send cookies to all ports of a host (RFC 6265 §8.5), so two apps on one host read each other's session.
    """
    bound = {listening.getsockname()[0] for listening in sockets} & {"127.0.0.1", "::1", "0.0.0.0", "::"}  # noqa: S104
    if not bound or len(app) > _LONGEST_LABEL:
        return ""
    return f"http://{app.lower()}.localhost:{sockets[0].getsockname()[1]}"


def _link(address: str, *, colored: bool) -> str:
    """Return the address, as a link that opens with a click where `colored` is true and the terminal supports it."""
    if not colored:
        return address
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True, highlight=False)
    with console.capture() as captured:
        console.print(Text(address, style=f"bold link {address}"), end="")
    return captured.get()


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _place(root: Path, route: Route) -> str:
    file = route.handler or route.folder
    place = file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)
    if not route.is_python:
        return f"{place}: not Python, not served"
    if route.handler is not None:
        return place
    others = sorted(file.name for file in route.folder.glob("*.py")) if route.folder.is_dir() else []
    if others:
        return f"{place}: no handler.py (only {', '.join(others)})"
    return f"{place}: no handler yet (run arc init {shell_path(root)})"


def _routes(inventory: Inventory, *, colored: bool) -> str:
    routes = inventory.routes
    first = max((len(route.method) for route in routes), default=0)
    second = max((len(route.path) for route in routes), default=0)
    rows = [(f"{route.method:<{first}}", f"{route.path:<{second}}", _place(inventory.root, route)) for route in routes]
    if colored:
        from typer import style

        rows = [
            (style(method, fg="cyan"), style(path, bold=True), style(place, dim=True)) for method, path, place in rows
        ]
    return "\n".join(f"  {'  '.join(row)}" for row in rows)
