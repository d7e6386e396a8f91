"""`arc secret`: new secrets, and changing the one that seals sessions."""

from __future__ import annotations

import re
from typing import Annotated, NoReturn

import typer

from arc.tools.cli.process_title import hide_word

_WRONG_USAGE = 2
_NAME = re.compile(r"[a-z]{1,15}")  # anything else may be a secret in the wrong place, which is not shown

secret = typer.Typer(
    help="Make a secret, or change the one that seals sessions without signing anybody out.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@secret.command()
def new(words: Annotated[list[str] | None, typer.Argument(hidden=True)] = None) -> None:
    """Print a new random secret: 43 characters, good for ARC_APP_SECRET.

    It is printed and kept nowhere. To set it without its passing over the screen: arc secret new | arc secret rotate
    staging -
    """
    from arc.tools.secrets.secrets import new_secret

    if words:  # one of them may be a secret, which is not shown
        _refuse("A new secret is random, and nothing is said about it beforehand: arc secret new", words)
    typer.echo(new_secret())


@secret.command()
def rotate(
    environment: Annotated[
        str | None, typer.Argument(metavar="ENVIRONMENT", help="staging or production; required.", show_default=False)
    ] = None,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="-", help="Read the new secret from standard input.")
    ] = None,
    *,
    retire: Annotated[
        bool, typer.Option("--retire", help="Drop the old secrets, when an idle lifetime has passed since.")
    ] = False,
    local: Annotated[bool, typer.Option("--local", help="Use the local cloud on this machine instead of AWS.")] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Take variables that only functions have into the environment first.")
    ] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove variables that only functions have from them first.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Go on although published versions keep old variables.")
    ] = False,
) -> None:
    """Change ARC_APP_SECRET in an environment without signing anybody out.

    First every deployed function accepts the new secret, which is random unless given; then every function seals
    with it, and goes on opening what the old one sealed. After an interruption the same command goes on. When an idle
    lifetime has passed, --retire drops the old secret.
    """
    from arc.tools.cli.app_folder import chosen_cloud, read_app
    from arc.tools.cli.progress import progress
    from arc.tools.cli.standard_input import value_from_standard_input
    from arc.tools.env.change import Change
    from arc.tools.secrets.retirement import Retirement
    from arc.tools.secrets.rotation import Rotation

    environment = _checked_environment(environment)
    _check_words(words or [], environment, retire=retire)
    if adopt and prune:
        _refuse("--adopt and --prune exclude each other.", words or [])
    inventory = read_app()
    given = value_from_standard_input("ARC_APP_SECRET") if words else None
    with chosen_cloud(inventory, local=local) as cloud, progress(environment) as told:
        if adopt or prune:
            Change(cloud, inventory, environment, {}, adopt=adopt, prune=prune, show=_warn, told=told).run()
        if retire:
            Retirement(cloud, inventory, environment, typer.echo, _warn, force=force, told=told).retire()
        else:
            Rotation(cloud, inventory, environment, typer.echo, _warn, force=force, told=told).rotate(given)


def _checked_environment(environment: str | None) -> str:
    from arc.tools.env.variables import DEPLOYED, choose, unknown_environment

    if environment in DEPLOYED:
        return environment
    choice = choose(DEPLOYED)
    if environment is None:
        _refuse(f"Which environment? {choice[:-1]}: arc secret rotate ENVIRONMENT", [])
    if environment == "testing":
        _refuse(f"testing has no secret to rotate: nobody but you has sessions there. {choice}", [])
    if not _NAME.fullmatch(environment):
        _refuse(f"Unknown environment. {choice}", [environment])
    return _refuse(unknown_environment(environment, DEPLOYED), [])


def _check_words(words: list[str], environment: str, *, retire: bool) -> None:
    if not words or (words == ["-"] and not retire):
        return
    if retire:
        _refuse(f"--retire takes no secret: arc secret rotate {environment} --retire", words)
    _refuse(
        "A secret is not taken as a word, which everybody on the machine can read. Send it to standard input: "
        f"arc secret rotate {environment} - < file",
        words,
    )


def _refuse(sentence: str, words: list[str]) -> NoReturn:
    """End with 2. `words` may be secrets: they leave the title of the process."""
    for word in words:
        hide_word(word)
    typer.echo(sentence, err=True)
    raise typer.Exit(_WRONG_USAGE)


def _warn(sentence: str) -> None:
    typer.echo(f"Warning: {sentence}", err=True)
