"""The command line as a whole: its commands, and how what goes wrong is shown."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from arc.errors import ArcError, InventoryError
from arc.tools.cli.create import create
from arc.tools.cli.env import HELP, Words, env
from arc.tools.cli.init import init
from arc.tools.cli.sandbox import sandbox
from arc.tools.cli.secret import secret

if TYPE_CHECKING:
    from collections.abc import Sequence

_FAILED, _INTERRUPTED = 1, 130


_NOT_YET = "`arc {name}` is not available yet. Where Architect is installed, run its own command: npx arc {name}"
_OF_ARCHITECT = {
    **dict.fromkeys(("deploy", "destroy", "logs", "package"), _NOT_YET),
    "hydrate": "`arc {name}` is not needed: the sandbox imports src/shared and installed packages where they are.",
}


class _Commands(TyperGroup):
    """Shows expected errors as sentences; what is not expected keeps its traceback."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that `args` name; for one that only Architect has, fail with what to do instead."""
        name = args[0]
        if name in _OF_ARCHITECT and name not in self.commands:
            ctx.fail(_OF_ARCHITECT[name].format(name=name))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for; it ends with 1 for an error, and with 130 after Ctrl-C."""
        try:
            return super().invoke(ctx)
        except ArcError as error:
            print(shown(error), file=sys.stderr)  # noqa: T201
            raise typer.Exit(_FAILED) from None
        except ModuleNotFoundError as missing:
            if missing.name is None or missing.name.split(".")[0] == "arc":
                raise
            sentence = (
                f"This command needs {missing.name}, which is not installed. Run: pip install 'arc-sessions[sandbox]'"
            )
            print(sentence, file=sys.stderr)  # noqa: T201
            raise typer.Exit(_FAILED) from None
        except OSError as error:
            if error.filename is None:  # no file of the user's: a broken pipe, or a fault of ours
                raise
            print(f"{error.filename} cannot be used: {error.strerror}.", file=sys.stderr)  # noqa: T201
            raise typer.Exit(_FAILED) from None
        except KeyboardInterrupt:
            raise typer.Exit(_INTERRUPTED) from None


app = typer.Typer(
    name="arc",
    cls=_Commands,
    help="Run an Architect app of Python functions, and keep its tables and variables on AWS.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def shown(error: ArcError) -> str:
    """An error as the terminal shows it: the message, and after several faults their number."""
    faults = len(error.faults) if isinstance(error, InventoryError) else 1
    return f"{error}\n\n{faults} faults." if faults > 1 else str(error)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line on `arguments` (default `sys.argv[1:]`); ends with its exit code."""
    _warn_of_a_namesake()
    app(args=arguments, prog_name="arc")


def _warn_of_a_namesake() -> None:
    """Tell when `architect-functions` is installed too: it writes into the same folder `arc`."""
    try:
        version("architect-functions")
    except PackageNotFoundError:
        return
    sentence = (
        "Warning: architect-functions is installed too, and both packages are called arc. Mend it with\n"
        "  pip uninstall --yes architect-functions arc-sessions\n  pip install 'arc-sessions[sandbox]'"
    )
    print(sentence, file=sys.stderr)  # noqa: T201


@app.callback()
def _options(
    *,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=lambda asked: _show_version(asked=asked), help="Show the version."
        ),
    ] = False,
) -> None:
    """Run an Architect app of Python functions, and keep its tables and variables on AWS."""


def _show_version(*, asked: bool) -> None:
    if asked:
        try:
            installed = version("arc-sessions")
        except PackageNotFoundError:
            installed = "unknown: arc-sessions is not installed"
        typer.echo(f"arc {installed}")
        raise typer.Exit


def show_version() -> None:
    """Show the version."""
    _show_version(asked=True)


def show_help(
    ctx: typer.Context,
    command: Annotated[list[str] | None, typer.Argument(help="A command, such as env.", show_default=False)] = None,
) -> None:
    """Show the commands, or the help of one."""
    parent = ctx.parent
    words = command or []
    assert parent is not None  # noqa: S101 - this is a command of the group
    parent.command.main([*words, "--help"], prog_name="arc", standalone_mode=True)


app.command()(init)
app.command()(create)
app.command(cls=Words, help=HELP, add_help_option=False)(env)
app.command()(sandbox)
app.add_typer(secret, name="secret")
app.command(name="version")(show_version)
app.command(name="help")(show_help)
