"""The command line: its commands, and how it shows errors."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from arc.errors import ArcError, InventoryError
from arc.tools.cli.create import create
from arc.tools.cli.deploy import deploy
from arc.tools.cli.deployed import destroy, logs, open_app
from arc.tools.cli.env import EnvCommand, env
from arc.tools.cli.init import init
from arc.tools.cli.sandbox import sandbox
from arc.tools.cli.secret import secret

if TYPE_CHECKING:
    from collections.abc import Sequence

_FAILED, _INTERRUPTED = 1, 130


_OF_ARCHITECT = {
    "package": "`arc package` is not needed: `arc deploy --dry-run` shows what would be packaged and deployed.",
    "hydrate": "`arc hydrate` is not needed: the sandbox imports src/shared and installed packages in place.",
}
_OF_OTHERS = {
    **dict.fromkeys(("start", "run", "dev", "serve", "server", "up"), "To run the app on this machine: arc sandbox"),
    **dict.fromkeys(("new", "generate"), "To write an app: arc init"),
    **dict.fromkeys(("install", "add"), "To install requirements: arc sandbox --install"),
    "test": "To run the app's tests: pytest",
    **dict.fromkeys(("publish", "push", "release"), "To put the app on AWS: arc deploy"),
    **dict.fromkeys(("delete", "remove", "rm"), "To delete a deployed environment: arc destroy"),
}


class _Commands(TyperGroup):
    """Shows expected errors as sentences, and unexpected ones with their traceback."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that `args` name. For one of Architect or of other tools, fail with advice."""
        name = args[0]
        if name in _OF_ARCHITECT and name not in self.commands:
            ctx.fail(_OF_ARCHITECT[name])
        if name in _OF_OTHERS and name not in self.commands:
            ctx.fail(f"No such command {name!r}. {_OF_OTHERS[name]}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command. The exit code is 1 for an error, and 130 after Ctrl-C."""
        try:
            return super().invoke(ctx)
        except ArcError as error:
            from arc.tools.cli.app_folder import advice

            faults = len(error.faults) if isinstance(error, InventoryError) else 1
            message = f"{error}\n\n{faults} faults." if faults > 1 else advice(str(error))
        except ModuleNotFoundError as missing:
            if missing.name is None or missing.name.split(".")[0] == "arc":
                raise
            message = (
                f"This command needs {missing.name}, which is not installed. Run: pip install 'arc-sessions[sandbox]'"
            )
        except OSError as error:
            if isinstance(error, FileNotFoundError) and _is_deleted():
                message = "The current folder has been deleted. Change to another one, and run the command again."
            elif error.filename is None:  # a broken pipe, or an error in this package
                raise
            else:
                message = f"Cannot use {error.filename}: {error.strerror}."
        except KeyboardInterrupt:
            raise typer.Exit(_INTERRUPTED) from None
        typer.echo(message, err=True)
        raise typer.Exit(_FAILED)


def _is_deleted() -> bool:
    """Return whether the current folder no longer exists."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


app = typer.Typer(
    name="arc",
    cls=_Commands,
    help="Run an Architect app of Python functions, and manage its tables and variables on AWS.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line on `arguments` (default `sys.argv[1:]`), and exit."""
    _warn_of_architect_functions()
    app(args=arguments, prog_name="arc")


def _warn_of_architect_functions() -> None:
    """Warn when `architect-functions` is installed too: its files are in the same folder `arc`."""
    try:
        version("architect-functions")
    except PackageNotFoundError:
        return
    typer.echo(
        "Warning: architect-functions is installed too, and its files are in the same package, arc. Run:\n"
        "  pip uninstall --yes architect-functions arc-sessions\n  pip install 'arc-sessions[sandbox]'",
        err=True,
    )


@app.callback()
def _options(
    *,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=lambda value: show_version() if value else None,
            help="Show the version.",
        ),
    ] = False,
) -> None:
    """Run an Architect app of Python functions, and manage its tables and variables on AWS."""


def show_version() -> None:
    """Show the version."""
    try:
        installed = version("arc-sessions")
    except PackageNotFoundError:
        installed = "unknown: arc-sessions is not installed"
    typer.echo(f"arc {installed}")
    raise typer.Exit


def show_help(
    ctx: typer.Context,
    command: Annotated[list[str] | None, typer.Argument(help="A command, such as env.", show_default=False)] = None,
) -> None:
    """Show the commands, or the help of one command."""
    ctx.find_root().command.main([*(command or []), "--help"], prog_name="arc", standalone_mode=True)


app.command()(init)
app.command()(create)
app.command(cls=EnvCommand)(env)
app.command()(deploy)
app.command()(destroy)
app.command()(logs)
app.command(name="open")(open_app)
app.command()(sandbox)
app.add_typer(secret, name="secret")
app.command(name="version")(show_version)
app.command(name="help")(show_help)
