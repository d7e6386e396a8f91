"""`arc secret`: creates a secret, or rotates the one that seals sessions."""

from __future__ import annotations

import re
from typing import Annotated

import typer

_NAME = re.compile(r"[a-z]{1,15}")  # Any other word may be a misplaced secret, which is not shown.

secret = typer.Typer(
    help="Create or rotate the secret that seals sessions.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@secret.command()
def new(ctx: typer.Context, words: Annotated[list[str] | None, typer.Argument(hidden=True)] = None) -> None:
    """Print a new random secret: 43 characters, suitable for ARC_APP_SECRET.

    It is not stored anywhere. To use one without showing it, run: arc secret new | arc secret rotate staging -
    """
    from arc.tools.secrets.secrets import new_secret

    if words:  # One of them may be a secret, which is not shown.
        ctx.fail("`arc secret new` takes no arguments. Run it without any.")
    typer.echo(new_secret())


@secret.command()
def rotate(
    ctx: typer.Context,
    environment: Annotated[
        str | None, typer.Argument(metavar="ENVIRONMENT", help="staging or production; required.", show_default=False)
    ] = None,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="-", help="Read the new secret from standard input or a prompt.")
    ] = None,
    *,
    retire: Annotated[
        bool, typer.Option("--retire", help="Remove the old secrets, once the idle lifetime has passed.")
    ] = False,
    local: Annotated[bool, typer.Option("--local", help="Use the local cloud on this machine instead of AWS.")] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="First copy variables that only functions have to the environment.")
    ] = False,
    prune: Annotated[bool, typer.Option("--prune", help="First remove variables that only functions have.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Continue even if published versions keep old variables.")
    ] = False,
) -> None:
    """Rotate ARC_APP_SECRET in an environment without signing anyone out.

    First every deployed function accepts the new secret, which is random unless you supply one. Then every function
    seals with it, and still opens what the old one sealed. If the command is interrupted, run it again to continue.
    Once the idle lifetime has passed, --retire removes the old secret.
    """
    from arc.tools.cli.app_folder import chosen_cloud, read_app
    from arc.tools.cli.progress import progress
    from arc.tools.cli.standard_input import read_value
    from arc.tools.env.change import VariablesChange
    from arc.tools.secrets.retirement import retire as retire_old
    from arc.tools.secrets.rotation import Rotation
    from arc.tools.secrets.sealers import Secrets

    fault = _environment_fault(environment) or _words_fault(words or [], environment, retire=retire)
    if fault is None and adopt and prune:
        fault = "--adopt and --prune cannot be combined. Choose one."
    if fault is not None or environment is None:
        ctx.fail(str(fault))
    inventory = read_app()
    value = read_value("ARC_APP_SECRET") if words else None
    with chosen_cloud(inventory, local=local) as cloud, progress(environment) as on_progress:
        if adopt or prune:
            change = VariablesChange(cloud, inventory, environment, {}, adopt=adopt, prune=prune, warn=_warn)
            change.on_progress = on_progress
            change.run()
        secrets = Secrets(cloud, inventory, environment, _say, _warn, force=force, on_progress=on_progress)
        if retire:
            retire_old(secrets)
        else:
            Rotation(secrets).rotate(value)


def _environment_fault(environment: str | None) -> str | None:
    from arc.inventory.findings import choose
    from arc.tools.env.variables import DEPLOYED, unknown_environment

    if environment in DEPLOYED:
        return None
    if environment is None:
        return f"The environment is missing. {choose(DEPLOYED)}"
    if environment == "testing":
        return f"testing has no secret to rotate, because its sessions are on your machine. {choose(DEPLOYED)}"
    if not _NAME.fullmatch(environment):
        return f"Unknown environment. {choose(DEPLOYED)}"
    return unknown_environment(environment, DEPLOYED)


def _words_fault(words: list[str], environment: str | None, *, retire: bool) -> str | None:
    if not words or (words == ["-"] and not retire):
        return None
    if retire:
        return f"--retire takes no secret. Run `arc secret rotate {environment} --retire`."
    return (
        "A secret cannot be an argument, because other users can see it in the process list. Pipe it to "
        f"`arc secret rotate {environment} -`, or run that in a terminal, which asks for it."
    )


def _warn(sentence: str) -> None:
    from arc.tools.cli.app_folder import advice

    typer.echo(f"Warning: {advice(sentence)}", err=True)


def _say(sentence: str) -> None:
    from arc.tools.cli.app_folder import advice

    typer.echo(advice(sentence))
