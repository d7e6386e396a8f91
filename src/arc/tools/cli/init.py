"""`arc init`: write a working app, or the missing files of an existing one."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arc.inventory import Inventory


def _check_name(name: str | None) -> str | None:
    from arc.inventory.app_name import is_app_name, name_advice

    if name is not None and not is_app_name(name):
        raise typer.BadParameter(f"{name!r} is not a valid app name. {name_advice(name)}")
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


def _check_template(template: str) -> str:
    from arc.inventory.findings import choose, did_you_mean
    from arc.tools.cli.templates import TEMPLATES

    if template not in TEMPLATES:
        hint = f"{did_you_mean(template, TEMPLATES)}{choose(TEMPLATES)}"
        raise typer.BadParameter(f"Unknown template {template!r}. {hint}")
    return template


def init(
    path: Annotated[
        Path | None,
        typer.Argument(
            help="The app's folder. It is created if it does not exist. Default: the app that the current folder "
            "belongs to, else the current folder."
        ),
    ] = None,
    *,
    name: Annotated[
        str | None,
        typer.Option("--name", "-n", callback=_check_name, help="The name of a new app. Default: the folder's name."),
    ] = None,
    runtime: Annotated[
        str | None,
        typer.Option("--runtime", "-r", callback=_check_runtime, help="The runtime of a new app, such as python3.13."),
    ] = None,
    template: Annotated[
        str,
        typer.Option(
            "--template",
            "-t",
            callback=_check_template,
            help="What a new app contains: counter (one page), shop (forms, sign-in, a table) or empty (no route).",
        ),
    ] = "counter",
    tests: Annotated[bool, typer.Option("--tests", help="Write a first test, which pytest runs.")] = False,
    no_install: Annotated[  # noqa: ARG001  # Architect's users type it
        bool, typer.Option("--no-install", help="Has no effect: nothing is ever installed.")
    ] = False,
) -> None:
    """Write a working app, or the missing files of an existing one. Existing files are never changed.

    The app's name is derived from the folder's: "My Blog" becomes my-blog. A folder's name with fewer than two
    Latin letters or digits becomes app- and six characters that depend on it.

    \b
    Examples:
      arc init my-app                    an app with one page that counts visits
      arc init my-shop --template shop   a small shop with forms and a sign-in
      arc init my-app --tests            a first test, also in an existing app
    """  # noqa: D301  # \b: these lines stay as they are
    from arc.tools.cli.app_folder import current_app
    from arc.tools.cli.scaffold import fill_in

    folder = path or current_app()
    inventory, written, is_new = fill_in(folder, name=name, runtime=runtime, template=template, tests=tests)
    for file in written:
        typer.echo(f"wrote  {file}")
    if not written:
        typer.echo("Nothing was changed.")
    for option, value, current in (("name", name, inventory.app), ("runtime", runtime, inventory.aws.function.runtime)):
        if value not in (None, current):
            typer.echo(f"Warning: --{option} was ignored. The manifest already has the {option} {current}.", err=True)
    if not is_new and template != "counter":
        typer.echo(f"Warning: --template {template} was ignored. The folder already contains an app.", err=True)
    typer.echo("\n" + "\n".join(_next_steps(path or Path(), inventory, written, is_derived=is_new and name is None)))


def _next_steps(path: Path, inventory: Inventory, written: list[str], *, is_derived: bool) -> Iterator[str]:
    """Yield lines about the new app's name and what to do next."""
    from arc.tools.cli.templates import DEV_REQUIREMENTS

    if is_derived and inventory.app != inventory.root.name:
        yield f"The app's name is {inventory.app}. To change it, edit the line below @app in {inventory.manifest.name}."
    folder = "" if path == Path() else f" {shlex.quote(str(path))}"
    if inventory.routes:
        yield f"Next: arc sandbox{folder}"
    else:
        yield f"Next: write a route below @http in {inventory.manifest.name}, such as get /, and run: arc init{folder}"
    if any(file.startswith("tests/") for file in written):
        install = f"pip install -r {DEV_REQUIREMENTS}" if DEV_REQUIREMENTS in written else ""
        yield f"Tests: {' && '.join(filter(None, (f'cd{folder}' if folder else '', install, 'pytest')))}"
        if not install and "pytest" not in (inventory.root / DEV_REQUIREMENTS).read_text(
            encoding="utf-8", errors="replace"
        ):
            yield f"The tests need pytest. Add it to {DEV_REQUIREMENTS}, which was kept as it is."
