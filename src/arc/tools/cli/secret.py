"""`arc secret`: new secrets, and changing the one that seals sessions."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated

import typer

_WRONG_USAGE = 2

secret = typer.Typer(
    help="Make secrets, and change the one that seals sessions.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@secret.command()
def new() -> None:
    """Print a new random secret: 43 characters, good for ARC_APP_SECRET.

    It is printed and kept nowhere. To set it without its passing over the screen: arc secret new | arc env staging
    ARC_APP_SECRET -
    """
    from arc.tools.env.secrets import new_secret

    typer.echo(new_secret())


@secret.command()
def rotate(
    environment: Annotated[str, typer.Argument(help="staging or production.", show_default=False)],
    value: Annotated[
        str, typer.Argument(metavar="[-]", help="Read the new secret from standard input.", show_default=False)
    ] = "",
    *,
    retire: Annotated[
        bool, typer.Option("--retire", help="Drop the old secrets, when an idle lifetime has passed since.")
    ] = False,
    local: Annotated[bool, typer.Option("--local", help="Use the local cloud on this machine instead of AWS.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Go on although an alias leads to a version with old variables.")
    ] = False,
) -> None:
    """Change ARC_APP_SECRET in an environment without signing anybody out.

    First every deployed function accepts the new secret, which is random unless given; then every function seals
    with it, and goes on opening what the old one sealed. After an interruption the same command goes on. When an idle
    lifetime has passed, --retire drops the old secret.
    """
    from arc import inventory as inventories
    from arc.tools.cli.clouds import chosen_cloud
    from arc.tools.cli.progress import progress
    from arc.tools.cli.standard_input import value_from_standard_input
    from arc.tools.env.names import DEPLOYED
    from arc.tools.env.rotation import Rotation
    from arc.tools.env.secrets import new_secret

    if environment not in DEPLOYED:
        close = difflib.get_close_matches(environment, DEPLOYED, n=1)
        meant = f" Did you mean {close[0]}?" if close else ""
        typer.echo(f"{environment!r} has no secret to rotate.{meant} Name one of {', '.join(DEPLOYED)}.", err=True)
        raise typer.Exit(_WRONG_USAGE)
    if value not in ("", "-") or (retire and value):
        typer.echo(
            "A secret is not taken as a word, where everybody can read it. Send it to standard input: "
            f"arc secret rotate {environment} - < file",
            err=True,
        )
        raise typer.Exit(_WRONG_USAGE)
    inventory = inventories.read(Path())
    given = value_from_standard_input("ARC_APP_SECRET") if value else new_secret()
    with chosen_cloud(inventory, local=local) as cloud, progress(environment) as told:
        rotation = Rotation(cloud, inventory, environment, typer.echo, _warn, force=force, told=told)
        if retire:
            rotation.retire()
        else:
            rotation.rotate(given)


def _warn(sentence: str) -> None:
    typer.echo(f"Warning: {sentence}", err=True)
