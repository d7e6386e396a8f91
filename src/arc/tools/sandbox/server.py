"""Starts the sandbox and ends it: sockets, servers, signals."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn

from arc import inventory as inventories
from arc.tools.sandbox.addresses import bind, bind_loopback, find_addresses
from arc.tools.sandbox.application import Application
from arc.tools.sandbox.cloud.local_tables import LocalTables
from arc.tools.sandbox.front.asgi import OneSegmentProtocol
from arc.tools.sandbox.front.gateway import Gateway
from arc.tools.sandbox.front.hosts import Hosts
from arc.tools.sandbox.functions.changes import watch
from arc.tools.sandbox.functions.debugging import DebugPorts
from arc.tools.sandbox.functions.runtime_api import RuntimeApi
from arc.tools.sandbox.greeting import greet
from arc.tools.sandbox.launch import launch_of, ports_told, unheeded, with_variables
from arc.tools.sandbox.terminal import Terminal

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from arc.inventory import Inventory, Route
    from arc.tools.sandbox.launch import Launch

_PATIENCE = 60.0  # seconds for a command that has the local cloud when the sandbox starts
_SECONDS_TO_END = 5  # for requests that wait for a manifest to be written, and for no longer
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def serve(
    root: Path,
    *,
    port: int | None = None,
    hosts: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
    quiet: bool = False,
    verbose: bool = False,
    fresh: bool = False,
    pure: bool = False,
    debug: bool = False,
    debug_only: Sequence[str] = (),
) -> int:
    """Run the app in the folder `root` until Ctrl-C; the number of the signal that ended it, 0 without one.

    Without `port` it is that of the preferences, ARC_HTTP_PORT or PORT, or the first free one from 3333 on. The
    sandbox listens on the first of `hosts`, or on 127.0.0.1 and ::1, and answers to all of them and to the loopback
    names. Functions get `variables` as if they were in the app's `.env`. `quiet` leaves out the table of routes;
    `verbose` adds a line for each request; `fresh` empties the tables first. `pure` keeps awslambdaric's native client
    out of the workers. With `debug` every function waits for an editor, or with `debug_only` those of the routes that
    it names, as `get /cart` or `/cart`. Raises `ArcError` for an app that is not valid, and `ToolError` for a port that
    is taken, tables that cannot be made, a missing debugpy or an unknown route.
    """
    passed = variables or {}

    def read() -> Inventory:
        return with_variables(inventories.read(folder), passed)

    folder = Path(root).resolve()
    inventory = read()
    own = Hosts(hosts)
    terminal = Terminal()
    debugging = DebugPorts(terminal, debug_only) if debug or debug_only else None
    if debugging is not None:
        debugging.check(inventory)
    addresses = find_addresses(port, inventory.sandbox, os.environ)
    chosen, sockets = bind(addresses.http, own.names[0] if own.names else None, addresses.http_source)
    tables = LocalTables(_silence if quiet else terminal.say, terminal.say, addresses, fresh=fresh)
    try:
        tables.prepare(inventory, patience=_PATIENCE)
        return asyncio.run(
            _serve(
                read,
                inventory,
                passed,
                chosen,
                sockets,
                own,
                terminal,
                tables,
                debugging,
                quiet=quiet,
                verbose=verbose,
                pure=pure,
            )
        )
    finally:
        tables.close()
        terminal.close()


async def _serve(
    read: Callable[[], Inventory],
    inventory: Inventory,
    passed: Mapping[str, str],
    port: int,
    sockets: list[socket.socket],
    hosts: Hosts,
    terminal: Terminal,
    tables: LocalTables,
    debugging: DebugPorts | None,
    *,
    quiet: bool,
    verbose: bool,
    pure: bool,
) -> int:
    stop: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        with contextlib.suppress(NotImplementedError, RuntimeError):  # Windows; a thread that is not the main one
            loop.add_signal_handler(number, _stop, stop, number)
    api = RuntimeApi()
    loopback = bind_loopback()
    api.port = loopback.getsockname()[1]

    def launch(route: Route, inventory: Inventory) -> Launch:
        debug = None if debugging is None else debugging.of(route, inventory)
        return launch_of(route, inventory, port=port, tables=tables.port, environ=os.environ, pure=pure, debug=debug)

    application = Application(inventory, read, launch, terminal, api, tables.prepare)
    gateway = Gateway(application, terminal, hosts, lambda: _services(tables, port), verbose=verbose)
    servers = [_Server(_config(api)), _Server(_config(gateway))]
    running = [
        asyncio.create_task(server.serve(listening))
        for server, listening in zip(servers, ([loopback], sockets), strict=True)
    ]
    greet(terminal, inventory, sockets, unheeded(os.environ, passed), tables.names, quiet=quiet)
    if debugging is not None:
        debugging.announce()
    loop.run_in_executor(None, application.tell_unmet)
    watching = asyncio.create_task(watch(application, terminal))
    ends: list[asyncio.Future[Any]] = [stop, *running]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    gateway.closing = True
    watching.cancel()
    await asyncio.gather(*(function.close() for function in application.functions))
    if debugging is not None:
        await debugging.close()
    for server in servers:
        server.end()
    await asyncio.gather(*running)
    await asyncio.gather(watching, return_exceptions=True)
    return stop.result() if stop.done() else 0


def _services(tables: LocalTables, port: int) -> dict[str, str]:
    """What the service map holds; the ports are for a program beside the sandbox, which has no ARC_SANDBOX."""
    named = {f"tables/{name}": physical for name, physical in tables.names.items()}
    return named | {"ARC_SANDBOX/ports": json.dumps(ports_told(port, tables.port))}


def _silence(_text: str) -> None:
    """Say nothing."""


def _stop(stop: asyncio.Future[int], number: int) -> None:
    if not stop.done():
        stop.set_result(number)


class _Server(uvicorn.Server):
    """A uvicorn server that leaves the signals to us, since two of them run in this process, and ends at once."""

    _ticking: asyncio.Future[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def main_loop(self) -> None:
        """Run until the end, which uvicorn would look for ten times a second."""
        self._ticking = asyncio.ensure_future(super().main_loop())
        with contextlib.suppress(asyncio.CancelledError):
            await self._ticking

    def end(self) -> None:
        """Stop serving, now."""
        self.should_exit = True
        if self._ticking is not None:
            self._ticking.cancel()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Hang up, and wait for what runs for each request: a request that is cancelled is logged as a failure."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        if self.server_state.tasks:
            _, late = await asyncio.wait(self.server_state.tasks, timeout=_SECONDS_TO_END)
            for task in late:
                task.cancel()
        for server in self.servers:
            await server.wait_closed()


def _config(app: RuntimeApi | Gateway) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="asyncio",
        http=OneSegmentProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=60,
    )
