"""`arc sandbox`: run an app on this machine."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from arc.errors import ToolError

_HIGHEST_PORT = 65535


def _checked_hosts(names: list[str] | None) -> list[str]:
    from arc.tools.sandbox.hosts import Hosts

    try:
        Hosts(names or ())
    except ToolError as error:
        raise typer.BadParameter(str(error)) from None
    return names or []


def sandbox(
    path: Annotated[Path, typer.Argument(help="The app's folder.")] = Path(),
    *,
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=_HIGHEST_PORT,
            help="The port. Without it, 3333 or the next free one; 0 takes any.",
            show_default=False,
        ),
    ] = None,
    host: Annotated[
        list[str] | None,
        typer.Option(
            callback=_checked_hosts,
            help="The address to listen on; without it, this machine alone. Repeat it for each other name that "
            "requests may be sent to: --host 0.0.0.0 --host laptop.local",
            show_default=False,
        ),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin with empty tables, instead of with the rows of the last run.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Leave out the table of routes.")] = False,
) -> None:
    """Run the app on this machine until Ctrl-C; a saved file is live at the next request.

    The tables of the manifest are made in a local cloud on this machine, which needs the extra: pip install
    'arc-sessions[local]'. Rows are kept between runs, in the app's folder .arc-sandbox. Empty tables are filled from
    sandbox-seed.json: {"table": [{"key": "value"}]}.
    """
    from arc.tools.sandbox import serve

    if serve(path, port=port, hosts=host or [], quiet=quiet, fresh=fresh) == signal.SIGINT:
        raise KeyboardInterrupt
