"""`arc init`: write a working app, or what a grown one lacks."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer


def init(
    path: Annotated[Path, typer.Argument(help="The app's folder; it is made when it is not there.")] = Path(),
) -> None:
    """Write a working app, or what a grown one lacks. What exists is never touched."""
    from arc.tools.cli.scaffold import fill_in

    outcome = fill_in(path)
    for file in outcome.made:
        typer.echo(f"made  {file}")
    if not outcome.made:
        typer.echo("Nothing is missing; nothing was changed." if outcome.whole else "Nothing was changed.")
    folder = "" if path == Path() else f" {shlex.quote(str(path))}"
    typer.echo(f"\nNext: arc sandbox{folder}")
