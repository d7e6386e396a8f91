"""`arc sandbox`: run an app on this machine."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arc.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator

_HIGHEST_PORT = 65535


@contextlib.contextmanager
def _as_wrong_usage() -> Iterator[None]:
    try:
        yield
    except ToolError as error:
        raise typer.BadParameter(str(error)) from None


def _check_hosts(names: list[str] | None) -> list[str]:
    from arc.tools.sandbox.front.hosts import Hosts

    with _as_wrong_usage():
        Hosts(names or ())
    return names or []


def _check_variables(names: list[str] | None) -> list[str]:
    from arc.tools.sandbox.functions.launch import passed_variables

    with _as_wrong_usage():
        passed_variables(names or (), os.environ)
    return names or []


def sandbox(
    path: Annotated[Path, typer.Argument(help="The app's folder.")] = Path(),
    *,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            "-p",
            min=0,
            max=_HIGHEST_PORT,
            help="The port; 0 takes any. Without it, that of the preferences, ARC_HTTP_PORT or PORT, else 3333 or the "
            "next free one.",
            show_default=False,
        ),
    ] = None,
    host: Annotated[
        list[str] | None,
        typer.Option(
            callback=_check_hosts,
            metavar="NAME",
            help="The address to listen on; without it, ARC_HOST or this machine alone. Repeat it for each further "
            "name to answer to: --host 0.0.0.0 --host laptop.local",
            show_default=False,
        ),
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(
            callback=_check_variables,
            metavar="NAME",
            help="Pass this variable of the shell to the functions, which otherwise see the app's .env only. "
            "Repeat it for each variable.",
            show_default=False,
        ),
    ] = None,
    debug: Annotated[
        bool,
        typer.Option(
            "--debug",
            help="Let every function wait until an editor's debugger is attached, and stop there at breakpoint(). "
            "Functions have no timeout. It needs: pip install 'arc-sessions[debug]'",
        ),
    ] = False,
    debug_only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROUTE",
            help="The same for this route's function alone, such as 'get /cart' or /cart. Repeat it for each further "
            "route.",
            show_default=False,
        ),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin with empty tables, instead of with the rows of the last run.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Leave out the table of routes. ARC_QUIET does so too.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Add a line for each request.")] = False,
    no_hydrate: Annotated[  # noqa: ARG001  # Architect's users type them
        bool, typer.Option("--no-hydrate", "--disable-symlinks", "--disable-delete-vendor", hidden=True)
    ] = False,
) -> None:
    """Run the app on this machine until Ctrl-C; a saved file is live at the next request.

    The tables of the manifest are made in a local cloud on this machine, which needs the extra: pip install
    'arc-sessions[local]'. Rows are kept between runs, in the app's folder .arc-sandbox. Empty tables are filled from
    sandbox-seed.json: {"table": [{"key": "value"}]}.
    """
    from arc.tools.sandbox.addresses import find_host, is_quiet
    from arc.tools.sandbox.functions.launch import passed_variables
    from arc.tools.sandbox.server import serve

    variables = passed_variables(env or (), os.environ)
    number = serve(
        path,
        port=port,
        hosts=host or find_host(os.environ),
        variables=variables,
        quiet=quiet or is_quiet(os.environ),
        verbose=verbose,
        fresh=fresh,
        debug=debug,
        debug_only=debug_only or [],
    )
    if number == signal.SIGINT:
        raise KeyboardInterrupt
