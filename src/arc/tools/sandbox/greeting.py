"""What the sandbox says once it listens."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from arc.inventory import Inventory
    from arc.tools.sandbox.terminal import Terminal


def greet(terminal: Terminal, inventory: Inventory, sockets: list[socket.socket], *, quiet: bool) -> None:
    """Say the addresses, and unless `quiet` the routes and the functions that answer them."""
    names = [_address(listening) for listening in sockets]
    if not quiet:
        for warning in inventory.warnings:
            terminal.say(f"Warning: {warning}")
        terminal.say(_routes(inventory))
    terminal.say(f"{inventory.app} listens on {' and '.join(names)}  (Ctrl-C ends it)")


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _place(inventory: Inventory, folder: Path) -> str:
    return folder.relative_to(inventory.root).as_posix() if folder.is_relative_to(inventory.root) else str(folder)


def _routes(inventory: Inventory) -> str:
    rows = [(route.method, route.path, _place(inventory, route.folder)) for route in inventory.routes]
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    return "\n".join(f"  {method:<{widths[0]}}  {path:<{widths[1]}}  {folder}" for method, path, folder in rows)
