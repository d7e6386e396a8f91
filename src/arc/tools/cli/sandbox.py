"""`arc sandbox`: run an app on this machine."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

_HIGHEST_PORT = 65535


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
        str | None, typer.Option(help="The address to listen on. Without it, this machine alone.", show_default=False)
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

    if serve(path, port=port, host=host, quiet=quiet, fresh=fresh) == signal.SIGINT:
        raise KeyboardInterrupt
