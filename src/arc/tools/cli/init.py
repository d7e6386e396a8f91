"""`arc init`: write a working app, or the missing files of an existing one."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer


def _check_name(name: str | None) -> str | None:
    from arc.inventory.inventory import NAME_HINT, is_app_name

    if name is not None and not is_app_name(name):
        raise typer.BadParameter(f"{name!r} is not a valid app name. {NAME_HINT}")
    return name


def _check_runtime(runtime: str | None) -> str | None:
    """Return the version of Python for a new manifest, None for the default."""
    from arc.inventory.findings import choose
    from arc.inventory.function_config import PYTHONS

    if runtime is None or runtime.lower() in ("python", "py"):
        return None
    if runtime not in PYTHONS:
        raise typer.BadParameter(f"{runtime!r} is not a supported version of Python. {choose(('python', *PYTHONS))}")
    return runtime


def init(
    path: Annotated[Path, typer.Argument(help="The app's folder. It is created if it does not exist.")] = Path(),
    *,
    name: Annotated[
        str | None,
        typer.Option("--name", "-n", callback=_check_name, help="The name of a new app. Default: the folder's name."),
    ] = None,
    runtime: Annotated[
        str | None,
        typer.Option("--runtime", "-r", callback=_check_runtime, help="The runtime of a new app, such as python3.13."),
    ] = None,
    no_install: Annotated[  # noqa: ARG001  # Architect's users type it
        bool, typer.Option("--no-install", help="Has no effect: nothing is ever installed.")
    ] = False,
) -> None:
    """Write a working app, or the missing files of an existing one. Existing files are never changed."""
    from arc.tools.cli.scaffold import fill_in

    inventory, written = fill_in(path, name=name, runtime=runtime)
    for file in written:
        typer.echo(f"wrote  {file}")
    if not written:
        typer.echo("Nothing was changed.")
    for option, value, current in (("name", name, inventory.app), ("runtime", runtime, inventory.aws.function.runtime)):
        if value not in (None, current):
            typer.echo(f"Warning: --{option} was ignored. The manifest already has the {option} {current}.", err=True)
    folder = "" if path == Path() else f" {shlex.quote(str(path))}"
    typer.echo(f"\nNext: arc sandbox{folder}")
