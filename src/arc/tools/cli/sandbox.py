"""`arc sandbox`: run an app on this machine."""

from __future__ import annotations

import os
import signal
from pathlib import Path  # noqa: TC003  # Typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from arc.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_HIGHEST_PORT = 65535


def _check(check: Callable[[Sequence[str]], object], names: list[str] | None) -> list[str]:
    try:
        check(names or ())
    except ToolError as error:
        raise typer.BadParameter(str(error)) from None
    return names or []


def _check_hosts(names: list[str] | None) -> list[str]:
    from arc.tools.sandbox.front.hosts import Hosts

    return _check(Hosts, names)


def _check_variables(names: list[str] | None) -> list[str]:
    from arc.tools.sandbox.functions.launch import passed_variables

    return _check(lambda names: passed_variables(names, os.environ), names)


def sandbox(
    path: Annotated[
        Path | None, typer.Argument(help="The app's folder. Default: the app that the current folder belongs to.")
    ] = None,
    *,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            "-p",
            min=0,
            max=_HIGHEST_PORT,
            help="The port; 0 chooses a free one. Default: the preferences, ARC_HTTP_PORT or PORT, else 3333 or the "
            "next free port.",
        ),
    ] = None,
    host: Annotated[
        list[str] | None,
        typer.Option(
            callback=_check_hosts,
            metavar="NAME",
            help="The address to listen on. Default: ARC_HOST, else this machine alone. Repeat the option for more "
            "host names to answer to: --host 0.0.0.0 --host laptop.local",
        ),
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(
            callback=_check_variables,
            metavar="NAME",
            help="Pass this shell variable to the functions, which otherwise see only those in the app's .env. Repeat "
            "the option for each variable.",
        ),
    ] = None,
    debug: Annotated[
        bool,
        typer.Option(
            "--debug",
            help="Make every function wait until an editor's debugger is attached, and stop at breakpoint(). "
            "Functions have no timeout. Needs: pip install 'arc-sessions[debug]'",
        ),
    ] = False,
    debug_only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROUTE",
            help="Like --debug, for one route's function only, such as 'get /cart' or /cart. Repeat the option for "
            "more routes.",
        ),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin with empty tables instead of the rows of the last run.")
    ] = False,
    install: Annotated[
        bool,
        typer.Option(
            "--install",
            help="First install what the app's and the functions' requirements.txt name into the virtual environment "
            "that runs arc.",
        ),
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print only the address and problems; the same as ARC_QUIET.")
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            "-v",
            help="Print a line for every request, also for those that browsers make on their own, such as "
            "/favicon.ico.",
        ),
    ] = False,
    no_hydrate: Annotated[  # noqa: ARG001  # Architect's users type them
        bool, typer.Option("--no-hydrate", "--disable-symlinks", "--disable-delete-vendor", hidden=True)
    ] = False,
) -> None:
    """Run the app on this machine until Ctrl-C. The next request uses the code that you save.

    The tables in the manifest are created in a local cloud on this machine, which needs: pip install
    'arc-sessions[local]'. Rows are kept between runs in .arc-sandbox, in the app's folder. Empty tables are filled
    from sandbox-seed.json: {"table": [{"key": "value"}]}.
    """
    from arc.tools.cli.app_folder import current_app
    from arc.tools.sandbox.addresses import find_host, is_quiet
    from arc.tools.sandbox.functions.launch import passed_variables
    from arc.tools.sandbox.server import serve

    root = path or current_app()
    if install:
        from arc.inventory import read
        from arc.tools.sandbox.functions.installation import install as install_requirements

        install_requirements(read(root), typer.echo)
    number = serve(
        root,
        port=port,
        hosts=host or find_host(os.environ),
        variables=passed_variables(env or (), os.environ),
        quiet=quiet or is_quiet(os.environ),
        verbose=verbose,
        fresh=fresh,
        debug=debug,
        debug_only=debug_only or [],
    )
    if number == signal.SIGINT:
        raise KeyboardInterrupt
