"""`arc destroy`, `arc logs` and `arc open`: what there is to do with a deployed app."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from arc.errors import ToolError

if TYPE_CHECKING:
    from arc.inventory import Inventory

_WRONG_USAGE = 2
Environment = Annotated[str, typer.Argument(metavar="ENVIRONMENT", help="staging or production.")]
Local = Annotated[bool, typer.Option("--local", help="Use the local cloud on this machine instead of AWS.")]


def destroy(
    environment: Environment,
    *,
    tables: Annotated[
        bool, typer.Option("--tables", help="Delete the app's tables and all data in them, too.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Do not ask for the app's name.")] = False,
    local: Local = False,
) -> None:
    """Delete a deployed environment.

    Its API, functions, logs, role and packages are deleted. Tables and variables stay: deploy again, and everyone is
    still signed in. With --tables, the app's tables are deleted with all their data. If deletion protection is on for
    any of them, nothing is deleted. Without --force the command asks for the app's name.

    \b
    Examples:
      arc destroy staging
      arc destroy staging --tables --force
    """  # noqa: D301  # \b: these lines stay as they are
    from arc.tools.cli.app_folder import advice, chosen_cloud
    from arc.tools.deploy.pipeline import Deployment

    inventory = read_deployable_app(environment, "destroy")
    what = f"{inventory.app} in {environment}" + (", with its tables and all data in them" if tables else "")
    if not force:
        typed = typer.prompt(f"This deletes {what}. Type the app's name to go on", default="", show_default=False)
        if typed != inventory.app:
            raise ToolError(f"'{typed}' is not '{inventory.app}'. Nothing was deleted.")
    with chosen_cloud(inventory, local=local) as cloud:
        deleted = Deployment(cloud, inventory, environment).delete(tables=tables)
        for one in deleted:
            typer.echo(f"deleted  {one}")
        if not deleted:
            typer.echo(f"{inventory.app} is not deployed to {environment}.")
            return
        left = [] if tables or not inventory.tables else ["its tables (--tables deletes them)"]
        typer.echo(advice(f"Not deleted: {' and '.join([*left, f'its variables (arc env {environment})'])}."))


def logs(
    environment: Environment,
    route: Annotated[
        list[str] | None, typer.Argument(metavar="ROUTE", help="A route, such as get /cart. Default: all.")
    ] = None,
    *,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Show new lines until Ctrl-C.")] = False,
    since: Annotated[str, typer.Option("--since", help="How far to look back: 30s, 10m, 2h or 1d.")] = "10m",
    local: Local = False,
) -> None:
    """Show the logs of deployed functions.

    All functions are in one stream, the oldest line first. Times are UTC. Values of the environment's variables are
    masked. The last line of each invocation is its duration and memory.

    \b
    Examples:
      arc logs staging
      arc logs production get /cart --since 2h
      arc logs staging --follow
    """  # noqa: D301  # \b: these lines stay as they are
    from arc.tools.cli.app_folder import chosen_cloud
    from arc.tools.cloud.parameters import Parameters
    from arc.tools.deploy.logs import Logs, choose_routes, seconds_of

    inventory = read_deployable_app(environment, "logs")
    routes, began = choose_routes(inventory, route or ()), time.time() - seconds_of(since)
    with chosen_cloud(inventory, local=local) as cloud:
        cloud.hide(*Parameters(cloud, inventory.app, environment).read().values())
        source = Logs(cloud, inventory, environment, routes)
        if follow:
            for line in source.follow(began):
                print(line, flush=True)  # noqa: T201
        lines = source.read(began)
        for line in lines:
            typer.echo(str(line))
        if not lines:
            typer.echo(f"No lines in the last {since}. Look back further with --since, such as --since 1d.", err=True)


def open_app(environment: Environment, *, local: Local = False) -> None:
    """Print the deployed app's address, and open it.

    A browser opens it if the command runs on a terminal.
    """
    from arc.tools.cli.app_folder import chosen_cloud
    from arc.tools.deploy.pipeline import Deployment

    inventory = read_deployable_app(environment, "open")
    with chosen_cloud(inventory, local=local) as cloud:
        address = Deployment(cloud, inventory, environment).address()
    if not address:
        raise ToolError(f"{inventory.app} is not deployed to {environment}. Run: arc deploy {environment}")
    typer.echo(address)
    if sys.stdout.isatty():
        typer.launch(address)


def read_deployable_app(environment: str, command: str) -> Inventory:
    """Return the app in the current folder. Exits with 2 and the choices unless `environment` can be deployed."""
    from arc.tools.cli.app_folder import read_app
    from arc.tools.env.variables import DEPLOYED, unknown_environment

    if environment not in DEPLOYED:
        typer.echo(f"{unknown_environment(environment, DEPLOYED)} See: arc {command} --help", err=True)
        raise typer.Exit(_WRONG_USAGE)
    return read_app()
