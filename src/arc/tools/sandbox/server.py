"""Starts and stops the sandbox: its sockets, servers and signals."""

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
from arc.tools.sandbox.addresses import bind, find_addresses
from arc.tools.sandbox.application import Application
from arc.tools.sandbox.asgi import OneSegmentProtocol
from arc.tools.sandbox.cloud.local_tables import LocalTables
from arc.tools.sandbox.front.gateway import Gateway
from arc.tools.sandbox.front.hosts import Hosts
from arc.tools.sandbox.functions.debugging import DebugPorts
from arc.tools.sandbox.functions.launch import build_launch, ignored_settings, sandbox_ports, with_variables
from arc.tools.sandbox.functions.runtime_api import RuntimeApi
from arc.tools.sandbox.greeting import greet
from arc.tools.sandbox.terminal import Terminal

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping, Sequence

    from arc.inventory import Inventory, Route
    from arc.tools.sandbox.functions.launch import Launch

_PATIENCE = 60.0  # seconds that the start waits for a command that is using the local cloud
_SECONDS_TO_END = 5  # for requests that are waiting for a manifest to be written
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
    """Run the app in the folder `root` until a signal arrives, and return the signal's number (0 without one).

    Without `port`, use that of the preferences, ARC_HTTP_PORT or PORT, or the first free one from 3333 on. The sandbox
    listens on the first of `hosts`, by default on 127.0.0.1 and ::1, and answers to all of them and to loopback names.
    Functions see `variables` as if they were in the app's `.env`. `quiet` omits all but the address and problems,
    `verbose` prints a line for every request, `fresh` empties the tables first, and `pure` runs workers without
    awslambdaric's native client. With `debug` every function waits for an editor's debugger, with `debug_only` those
    of these routes, such as `get /cart` or `/cart`. Raises `ArcError` for an invalid app, and `ToolError` if a port is
    in use, tables cannot be created, debugpy is missing or a route is unknown.
    """
    folder, passed = Path(root).resolve(), variables or {}

    def read() -> Inventory:
        return with_variables(inventories.read(folder), passed)

    inventory = read()
    own = Hosts(hosts)
    terminal = Terminal()
    debugging = DebugPorts(terminal, debug_only, enabled=debug or bool(debug_only))
    debugging.check(inventory)
    addresses = find_addresses(port, inventory.sandbox, os.environ)
    http, sockets = bind(addresses.http, own.names[0] if own.names else None, addresses.http_source)
    tables = LocalTables(terminal.say, addresses, fresh=fresh, quiet=quiet)

    def launch(route: Route, inventory: Inventory) -> Launch:
        debug = debugging.port_for(route, inventory)
        return build_launch(route, inventory, port=http, tables=tables.port, environ=os.environ, pure=pure, debug=debug)

    def services() -> dict[str, str]:
        # Functions find the ports in ARC_SANDBOX; programs outside of the sandbox find them here.
        ports = {"ARC_SANDBOX/ports": json.dumps(sandbox_ports(http, tables.port))}
        return ports | {f"tables/{name}": physical for name, physical in tables.names.items()}

    async def run() -> int:
        stopped = _stop_on_signals()
        api = RuntimeApi()
        application = Application(inventory, read, launch, terminal, api, tables.prepare)
        gateway = Gateway(application, terminal, own, services, quiet=quiet, verbose=verbose)
        servers = [_Server(api, [api.socket]), _Server(gateway, sockets)]
        greet(terminal, inventory, sockets, ignored_settings(os.environ, passed), tables.names, quiet=quiet)
        debugging.announce()
        asyncio.get_running_loop().run_in_executor(None, application.check_requirements)
        watching = asyncio.create_task(application.watch())
        ends: list[asyncio.Future[Any]] = [stopped, *(server.serving for server in servers)]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        gateway.closing = True
        watching.cancel()
        await asyncio.gather(*(function.close() for function in application.functions))
        await debugging.close()
        for server in servers:
            server.end()
        await asyncio.gather(*(server.serving for server in servers))
        await asyncio.gather(watching, return_exceptions=True)
        return stopped.result() if stopped.done() else 0

    try:
        tables.prepare(inventory, patience=_PATIENCE)
        return asyncio.run(run())
    finally:
        tables.close()
        terminal.close()


def _stop_on_signals() -> asyncio.Future[int]:
    """Return a future of the first signal's number."""
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[int] = loop.create_future()

    def stop(number: int) -> None:
        if not stopped.done():
            stopped.set_result(number)

    for number in _SIGNALS:
        with contextlib.suppress(NotImplementedError, RuntimeError):  # on Windows, and outside of the main thread
            loop.add_signal_handler(number, stop, number)
    return stopped


class _Server(uvicorn.Server):
    """A uvicorn server that handles no signals, because two of them run in this process, and stops immediately."""

    _main_loop: asyncio.Future[None] | None = None

    def __init__(self, app: RuntimeApi | Gateway, sockets: list[socket.socket]) -> None:
        """Serve `app` on listening `sockets`."""
        config = uvicorn.Config(
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
        super().__init__(config)
        self.serving = asyncio.create_task(self.serve(sockets))

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle no signals."""
        yield

    async def main_loop(self) -> None:
        """Run until `end()`, which uvicorn would notice only at its next tick, every 0.1 seconds."""
        self._main_loop = asyncio.ensure_future(super().main_loop())
        with contextlib.suppress(asyncio.CancelledError):
            await self._main_loop

    def end(self) -> None:
        """Stop serving."""
        self.should_exit = True
        if self._main_loop is not None:
            self._main_loop.cancel()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Disconnect clients and wait for the tasks of their requests: uvicorn logs a cancelled task as an error."""
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
