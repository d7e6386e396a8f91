"""`arc create`: the code that is missing, and the tables of each environment."""

from __future__ import annotations

import contextlib
import difflib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arc.errors import ArcError, ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from arc.inventory import Inventory
    from arc.tools.cloud.cloud import Cloud
    from arc.tools.cloud.table_plan import Step

_FAILED, _WRONG_USAGE = 1, 2


@dataclass
class _Report:
    """What was done, or is to be done, in the app's code or in one environment."""

    did: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def create(
    environments: Annotated[
        list[str] | None,
        typer.Argument(metavar="ENVIRONMENT", help="testing, staging, production. Without one: the last two."),
    ] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and change nothing.")] = False,
    local: Annotated[bool, typer.Option("--local", help="Use the local cloud on this machine instead of AWS.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Write missing code, and make the tables of each environment.

    Each table of the manifest becomes the DynamoDB table app-environment-table, billed by use, with the key, indexes,
    TTL, encryption and backups that are declared; in production it is protected from deletion. What is there is
    brought in line where that loses nothing, and told otherwise; run again, it changes nothing. An environment
    without ARC_APP_SECRET gets a random one. testing lives in the local cloud on this machine.
    """
    from arc import inventory as inventories
    from arc.inventory.preferences import ENVIRONMENTS
    from arc.tools.env.names import DEPLOYED

    chosen = list(dict.fromkeys(environments or DEPLOYED))
    for name in chosen:
        if name not in ENVIRONMENTS:
            close = difflib.get_close_matches(name, ENVIRONMENTS, n=1)
            meant = f" Did you mean {close[0]}?" if close else ""
            known = ", ".join(ENVIRONMENTS)
            typer.echo(f"{name!r} is no environment.{meant} There are {known}. See: arc create --help", err=True)
            raise typer.Exit(_WRONG_USAGE)
    say: Callable[[str], None] = _silence if as_json else typer.echo
    inventory = inventories.read(Path())
    reports = {"code": _code(inventory, say, dry_run=dry_run)}
    failures: list[str] = []
    with contextlib.ExitStack() as open_clouds:
        for is_local, names in _by_place(chosen, local=local):
            try:
                cloud = open_clouds.enter_context(_cloud(inventory, local=is_local))
                for name in names:
                    reports[name] = _environment(cloud, inventory, name, say, dry_run=dry_run)
            except ArcError as error:
                failures.append(_continued([name for name in names if name not in reports], error))
    if as_json:
        typer.echo(json.dumps(_plain(reports, failures, dry_run=dry_run), indent=2, ensure_ascii=False))
    elif not failures or any(report.did for report in reports.values()):
        say(_summary(reports, dry_run=dry_run))
    if failures:
        raise ToolError("\n".join(failures))
    if any(report.left or report.failed for report in reports.values()):
        raise typer.Exit(_FAILED)


def _by_place(names: list[str], *, local: bool) -> list[tuple[bool, list[str]]]:
    """The environments on this machine, and those on AWS."""
    here = [name for name in names if local or name == "testing"]
    away = [name for name in names if name not in here]
    return [(is_local, group) for is_local, group in ((True, here), (False, away)) if group]


@contextlib.contextmanager
def _cloud(inventory: Inventory, *, local: bool) -> Iterator[Cloud]:
    from arc.tools.cli.clouds import chosen_cloud

    with chosen_cloud(inventory, local=local) as cloud:
        yield cloud


def _code(inventory: Inventory, say: Callable[[str], None], *, dry_run: bool) -> _Report:
    """Write the files that are missing, or say which are."""
    from arc.tools.cli.scaffold import Outcome, missing_files, write_new

    files, notes = missing_files(inventory)
    report = _Report(notes=[*inventory.warnings, *notes])
    for note in report.notes:
        typer.echo(f"Warning: {note}", err=True)
    for file in files:
        if not dry_run:
            write_new(inventory.root, file, Outcome())
        say(f"{'would write' if dry_run else 'wrote'}  {file.path}")
        report.did.append(f"write {file.path}")
    return report


def _environment(
    cloud: Cloud, inventory: Inventory, name: str, say: Callable[[str], None], *, dry_run: bool
) -> _Report:
    """Do the steps of an environment's plan, or show them; one that fails keeps none from its turn."""
    from arc.tools.create.plan import plan_environment

    plan = plan_environment(cloud, inventory, name)
    report = _Report(left=list(plan.left), notes=list(plan.notes))
    say(f"\n{name}")
    for step in plan.steps:
        fault = None if dry_run else _done(step)
        if fault is None:
            say(f"  {'would ' if dry_run else ''}{step.said}")
            report.did.append(step.said)
        else:
            say(f"  not done: {step.said}\n    {fault}")
            report.failed.append(fault)
    for sentence in plan.left:
        say(f"  cannot be had: {sentence}")
    if not plan.steps and not plan.left:
        say("  everything is there")
    for note in plan.notes:
        typer.echo(f"Warning: {note}", err=True)
    return report


def _done(step: Step) -> str | None:
    """Do a step, with the time it takes on a terminal; why it failed, or None."""
    from arc.tools.cli.progress import waiting

    try:
        with waiting(step.said):
            step.do()
    except ArcError as error:
        return str(error)
    return None


def _continued(names: list[str], error: ArcError) -> str:
    """What could not be done, why, and how to go on."""
    return f"Nothing was done in {' and '.join(names)}: {error}\nThen go on with: arc create {' '.join(names)}"


def _summary(reports: dict[str, _Report], *, dry_run: bool) -> str:
    did = sum(len(report.did) for report in reports.values())
    failed = sum(len(report.failed) + len(report.left) for report in reports.values())
    if dry_run:
        said = f"{_steps(did)} would be done; nothing was changed." if did else "Nothing would be done."
    else:
        said = f"{_steps(did)} done." if did else "Nothing was changed."
    return f"\n{said}{f' {_steps(failed)} could not be done: see above.' if failed else ''}"


def _steps(count: int) -> str:
    return f"{count} step{'' if count == 1 else 's'}"


def _plain(reports: dict[str, _Report], failures: list[str], *, dry_run: bool) -> dict[str, Any]:
    parts = {name: vars(report) for name, report in reports.items()}
    return {"dry_run": dry_run, "code": parts.pop("code"), "environments": parts, "failures": failures}


def _silence(_text: str) -> None:
    """Say nothing."""
