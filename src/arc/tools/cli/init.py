"""`arc init`: write a working app, or what a grown one lacks."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer


def _check_name(name: str | None) -> str | None:
    from arc.inventory.inventory import is_app_name

    if name is not None and not is_app_name(name):
        raise typer.BadParameter(
            f"{name!r} cannot be the name of an app. Begin with a small letter and go on with letters, digits, '-' and "
            "'_': 2 to 100 characters."
        )
    return name


def _check_runtime(runtime: str | None) -> str | None:
    """Return the version of Python to write into a new manifest, None for the default."""
    from arc.inventory.function_config import PYTHONS

    if runtime is None or runtime.lower() in ("python", "py"):
        return None
    if runtime not in PYTHONS:
        raise typer.BadParameter(
            f"{runtime!r} is not a runtime that this command writes functions for. Choose python, {', '.join(PYTHONS)}."
        )
    return runtime


def init(
    path: Annotated[Path, typer.Argument(help="The app's folder; it is made when it is not there.")] = Path(),
    *,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            "-n",
            callback=_check_name,
            help="The new app's name; without it, that of its folder.",
            show_default=False,
        ),
    ] = None,
    runtime: Annotated[
        str | None,
        typer.Option(
            "--runtime",
            "-r",
            callback=_check_runtime,
            help="The version of Python on Lambda, such as python3.13.",
            show_default=False,
        ),
    ] = None,
    no_install: Annotated[  # noqa: ARG001  # Architect's users type it
        bool, typer.Option("--no-install", help="Install nothing, which this command never does.")
    ] = False,
) -> None:
    """Write a working app, or what a grown one lacks. What exists is never touched."""
    from arc.tools.cli.scaffold import fill_in

    outcome = fill_in(path, name=name, runtime=runtime)
    for file in outcome.made:
        typer.echo(f"made  {file}")
    if not outcome.made:
        typer.echo("Nothing is missing; nothing was changed." if outcome.whole else "Nothing was changed.")
    for what, asked, found in (("name", name, outcome.app), ("runtime", runtime, outcome.runtime)):
        if asked is not None and asked != found:
            typer.echo(f"Warning: the app has a manifest, and keeps its {what} {found}.", err=True)
    folder = "" if path == Path() else f" {shlex.quote(str(path))}"
    typer.echo(f"\nNext: arc sandbox{folder}")
