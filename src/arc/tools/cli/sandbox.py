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
        bool, typer.Option("--fresh", help="Begin with empty tables; else they keep their rows between runs.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Leave out the table of routes.")] = False,
) -> None:
    """Run the app on this machine until Ctrl-C; a saved file is live at the next request.

    When the manifest has @tables they are made in a local cloud on this machine, whose DynamoDB keeps its rows
    between runs; sandbox-seed.json beside the manifest fills empty ones. Nothing listens beyond this machine.
    """
    from arc.tools.sandbox import serve

    if serve(path, port=port, host=host, quiet=quiet, fresh=fresh) == signal.SIGINT:
        raise KeyboardInterrupt
