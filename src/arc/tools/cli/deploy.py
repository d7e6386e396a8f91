"""`arc deploy`: the app on AWS, as one CloudFormation stack."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arc.errors import ToolError
from arc.tools.cli.deployed import read_deployable_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from arc.inventory import Inventory
    from arc.tools.cloud.cloud import Cloud
    from arc.tools.deploy.pipeline import DeploymentPlan
    from arc.tools.deploy.stack import Event

_SHOWN_FILES = 10
_WORDS = {"Add": "add", "Modify": "change", "Remove": "remove"}


def deploy(
    environment: Annotated[
        str | None, typer.Argument(metavar="ENVIRONMENT", help="staging (the default) or production.")
    ] = None,
    *,
    production: Annotated[bool, typer.Option("-p", "--production", help="The same as the word production.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    create: Annotated[bool, typer.Option("--create", help="Create missing tables first.")] = False,
    local: Annotated[bool, typer.Option("--local", help="Use the local cloud on this machine instead of AWS.")] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Do not wait for CloudFormation. Run arc deploy again to see the result.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Deploy the app to AWS.

    The CloudFormation stack has an HTTP API, a Lambda function for each route, their role and the service map. It is
    called AppEnvironment, such as ShopStaging. Dependencies come from requirements.txt in
    the app's and the function's folder. Functions get the environment's variables (arc env). Tables belong to arc
    create, so no deployment touches data. What is unchanged is neither uploaded nor updated. If anything fails,
    CloudFormation restores the version before, and the command ends with 1.

    \b
    Examples:
      arc deploy                       staging
      arc deploy production --dry-run  what would change in production
      arc deploy --create              create missing tables first
      arc deploy --local               to the local cloud on this machine
    """  # noqa: D301  # \b: these lines stay as they are
    from arc.tools.cli.app_folder import chosen_cloud
    from arc.tools.deploy.pipeline import Deployment

    chosen = environment or ("production" if production else "staging")
    inventory = read_deployable_app(chosen, "deploy")
    say = _silence if as_json else typer.echo
    with chosen_cloud(inventory, local=local) as cloud, _status(f"Deploying {chosen}") as on_progress:
        deployment = Deployment(cloud, inventory, chosen, on_progress=on_progress)
        tables = deployment.missing_tables()
        if tables and not dry_run:
            _tables(cloud, inventory, chosen, tables, create=create, say=say)
        plan = deployment.plan(dry_run=dry_run)
        _report_remaining_steps(cloud, inventory, chosen)
        say(_shown(plan, inventory, dry_run=dry_run))
        if not plan.is_empty and not dry_run:
            try:
                deployment.apply(plan, lambda event: on_progress(_event(event)), wait=not no_wait)
            except KeyboardInterrupt:
                if deployment.is_executing:
                    typer.echo(
                        f"Interrupted. CloudFormation finishes or restores the stack {plan.stack} by itself. Run the "
                        f"command again to see the result, and `arc env verify {chosen}` if it restored the stack.",
                        err=True,
                    )
                else:
                    typer.echo("Interrupted. Nothing was deployed.", err=True)
                raise
        address = "" if dry_run else deployment.address()
        if as_json:
            typer.echo(json.dumps(_plain(plan, address, dry_run=dry_run), indent=2))
        elif address:
            say(f"{_outcome(plan, no_wait=no_wait)}: {address}")


def _report_remaining_steps(cloud: Cloud, inventory: Inventory, environment: str) -> None:
    """Say what `arc create` would do about the tables, which are not part of the deployment."""
    from arc.tools.cli.app_folder import advice
    from arc.tools.cloud.parameters import mapped_tables
    from arc.tools.create import plan_tables

    by_stack = mapped_tables(cloud, inventory.app, environment)
    steps = [step.action for step in plan_tables(cloud, inventory, environment, by_stack).steps]
    if steps:
        note = f"Not part of a deployment: {'; '.join(steps)}. Run: arc create {environment}"
        typer.echo(advice(note), err=True)


def _outcome(plan: DeploymentPlan, *, no_wait: bool) -> str:
    if plan.is_empty:
        return "Nothing to deploy"
    return f"CloudFormation is changing the stack {plan.stack}" if no_wait and plan.changes else "Deployed"


def _tables(
    cloud: Cloud,
    inventory: Inventory,
    environment: str,
    missing: list[str],
    *,
    create: bool,
    say: Callable[[str], None],
) -> None:
    """Create missing tables, or refuse to deploy without them."""
    from arc.tools.create import plan_environment

    if not create:
        raise ToolError(
            f"Missing {'table' if len(missing) == 1 else 'tables'}: {', '.join(missing)}. Run "
            f"`arc create {environment}`, or deploy with --create. Nothing was deployed."
        )
    for step in plan_environment(cloud, inventory, environment).steps:
        step.do()
        say(f"  {step.action}")


@contextlib.contextmanager
def _status(doing: str) -> Iterator[Callable[[str], None]]:
    """Inside the block, a line on a terminal that the function given replaces."""
    if not sys.stderr.isatty():
        yield _silence
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status(f"{doing} …") as status:
        yield lambda sentence: status.update(escape(f"{sentence} …"))


def _event(event: Event) -> str:
    return f"{event.logical_id}: {event.status.lower().replace('_', ' ')}"


def _shown(plan: DeploymentPlan, inventory: Inventory, *, dry_run: bool) -> str:
    """The plan for people: functions by route, then other resources."""
    routes = {f"{route.logical_id}HTTPLambda": route.name for route in inventory.routes}
    size = sum(len(one.content) for one in plan.uploads)
    lines = [f"{plan.environment} (stack {plan.stack})", *(f"  {note}" for note in plan.notes)]
    for change in sorted(plan.changes, key=lambda one: one.logical_id not in routes):
        what = (
            f"function {routes[change.logical_id]}"
            if change.logical_id in routes
            else (f"{change.logical_id} ({change.kind})")
        )
        details = f": {', '.join(change.details)}" if change.action == "Modify" and change.details else ""
        lines.append(f"  {_WORDS.get(change.action, change.action.lower()):8}{what}{details}")
    if plan.uploads:
        count = f"{len(plan.uploads)} zip{'' if len(plan.uploads) == 1 else 's'}"
        lines.append(f"  {'would upload' if dry_run else 'upload'} {count}, {size:,} bytes")
    lines += _shown_static(plan, dry_run=dry_run)
    if plan.is_empty:
        lines.append("  no changes")
    return "\n".join(lines)


def _shown_static(plan: DeploymentPlan, *, dry_run: bool) -> Iterator[str]:
    """The lines about static files: the first ones by name, and how many there are."""
    uploads, surplus = plan.static.uploads, plan.static.surplus
    names = [one.name for one in uploads]
    for name in names[:_SHOWN_FILES]:
        yield f"  {'would upload' if dry_run else 'upload'} {name}"
    if uploads:
        more = f", {len(names) - _SHOWN_FILES} of them not listed" if len(names) > _SHOWN_FILES else ""
        count = f"{len(names)} static file{'' if len(names) == 1 else 's'}"
        yield f"  {count}, {sum(len(one.content) for one in uploads):,} bytes{more}"
    if surplus:
        count = f"{len(surplus)} old static file{'' if len(surplus) == 1 else 's'}"
        yield f"  {'would delete' if dry_run else 'delete'} {count}"


def _plain(plan: DeploymentPlan, address: str, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "environment": plan.environment,
        "stack": plan.stack,
        "changes": [vars(change) for change in plan.changes],
        "uploads": {one.name: len(one.content) for one in plan.uploads},
        "static": {
            "uploads": {one.name: len(one.content) for one in plan.static.uploads},
            "deletions": list(plan.static.surplus),
        },
        "notes": list(plan.notes),
        "address": address,
    }


def _silence(_text: str) -> None:
    """Print nothing."""
