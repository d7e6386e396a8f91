"""`arc create`: the code that is missing, and the tables of each environment."""

from __future__ import annotations

import contextlib
import json
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arc.errors import ArcError, ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

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
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Take variables that only functions have into their environment.")
    ] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove variables that only functions have from them.")
    ] = False,
    local: Annotated[bool, typer.Option("--local", help="Use the local cloud on this machine instead of AWS.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Write missing code, and make the tables of each environment.

    Each table of the manifest becomes the DynamoDB table app-environment-table, billed by use, with the key, indexes,
    TTL, encryption and backups that are declared; in production it is protected from deletion. What is there is
    brought in line where that loses nothing, and told otherwise; run again, it changes nothing. An environment
    without ARC_APP_SECRET gets a random one. testing lives in the local cloud on this machine.

    It ends with 1 when something could not be had, and says what to do; an interrupted run is completed by the next.

    \b
    Examples:
      arc create                       code, then staging and production on AWS
      arc create staging --dry-run     what would be done in staging
      arc create testing               the tables of the sandbox
      arc create --local               staging and production on this machine
    """  # noqa: D301  # \b: these lines stay as they are
    from arc.inventory.preferences import ENVIRONMENTS
    from arc.tools.cli.app_folder import read_app
    from arc.tools.env.variables import DEPLOYED, unknown_environment

    chosen = list(dict.fromkeys(environments or DEPLOYED))
    for name in chosen:
        if name not in ENVIRONMENTS:
            typer.echo(f"{unknown_environment(name)} See: arc create --help", err=True)
            raise typer.Exit(_WRONG_USAGE)
    if adopt and prune:
        typer.echo("--adopt and --prune exclude each other. See: arc create --help", err=True)
        raise typer.Exit(_WRONG_USAGE)
    inventory = read_app()
    run = _Run(inventory, typer.echo if not as_json else _silence, dry_run=dry_run, adopt=adopt, prune=prune)
    try:
        run.code()
        for is_local, names in _by_place(chosen, local=local):
            run.environments(names, is_local=is_local)
    except KeyboardInterrupt:
        words = [*chosen, *(["--local"] if local else [])]
        typer.echo(f"Interrupted. Go on with: arc create {' '.join(words)}", err=True)
        raise
    reports, failures = run.reports, run.failures
    if as_json:
        typer.echo(json.dumps(_plain(reports, failures, dry_run=dry_run), indent=2, ensure_ascii=False))
    elif not failures or any(report.did for report in reports.values()):
        typer.echo(_summary(reports, dry_run=dry_run))
    if failures:
        raise ToolError("\n".join(failures))
    if any(report.left or report.failed for report in reports.values()):
        raise typer.Exit(_FAILED)


def _by_place(names: list[str], *, local: bool) -> list[tuple[bool, list[str]]]:
    """The environments on this machine, and those on AWS."""
    here = [name for name in names if local or name == "testing"]
    away = [name for name in names if name not in here]
    return [(is_local, group) for is_local, group in ((True, here), (False, away)) if group]


class _Run:
    """What is done, or shown, by one command; `reports` are those of the code and of the environments begun."""

    def __init__(
        self,
        inventory: Inventory,
        say: Callable[[str], None],
        *,
        dry_run: bool,
        adopt: bool,
        prune: bool,
    ) -> None:
        self._adopt, self._prune = adopt, prune
        self.reports = {"code": _Report()}
        self.failures: list[str] = []
        self._inventory, self._say, self._dry_run = inventory, say, dry_run
        self._warned: set[str] = set()

    def code(self) -> None:
        """Write the files that are missing, or say which are."""
        from arc.tools.cli.scaffold import Outcome, missing_files, write_new

        report = self.reports["code"]
        for file in missing_files(self._inventory):
            if not self._dry_run:
                write_new(self._inventory.root, file, Outcome())
            self._say(f"{'would write' if self._dry_run else 'wrote'}  {file.path}")
            report.did.append(f"write {file.path}")

    def environments(self, names: list[str], *, is_local: bool) -> None:
        """Do what is to be done in environments of one cloud; why that cannot be finished is in `failures`."""
        finished: set[str] = set()
        try:
            with _cloud(self._inventory, local=is_local, dry_run=self._dry_run) as cloud:
                for name in names:
                    self._environment(cloud, name)
                    finished.add(name)
        except ArcError as error:
            left = [name for name in names if name not in finished]
            has_begun = any(name in self.reports for name in left)
            begin = "Not finished:" if has_begun else "Nothing was done in"
            hint = "" if is_local or "--local" in str(error) else "\nWithout AWS, --local works on this machine."
            option = " --local" if is_local and left != ["testing"] else ""
            self.failures.append(
                f"{begin} {' and '.join(left)}: {error}{hint}\nThen go on with: arc create {' '.join(left)}{option}"
            )

    def _environment(self, cloud: Cloud, name: str) -> None:
        """Do the steps of an environment's plan, or show them; one that fails keeps none from its turn."""
        from arc.tools.create import plan_environment

        plan = plan_environment(cloud, self._inventory, name, adopt=self._adopt, prune=self._prune)
        report = self.reports[name] = _Report(left=list(plan.left), notes=list(plan.notes))
        self._say(f"\n{name}")
        self._warn(plan.notes)
        for step in plan.steps:
            fault = None if self._dry_run else _done(step)
            if fault is None:
                self._say(f"  {'would ' if self._dry_run else ''}{step.said}")
                report.did.append(step.said)
            else:
                self._say(f"  not done: {step.said}\n    {fault}")
                report.failed.append(fault)
        for sentence in plan.left:
            self._say(f"  cannot be had: {sentence}")
        if not plan.steps and not plan.left:
            self._say("  everything is there")

    def _warn(self, notes: Iterable[str]) -> None:
        """Tell each note once, though two environments have it."""
        for note in notes:
            if note not in self._warned:
                self._warned.add(note)
                typer.echo(f"Warning: {note}", err=True)


@contextlib.contextmanager
def _cloud(inventory: Inventory, *, local: bool, dry_run: bool) -> Iterator[Cloud]:
    from arc.tools.cli.app_folder import chosen_cloud
    from arc.tools.sandbox.cloud.state import FOLDER

    with contextlib.ExitStack() as ends:
        if local and dry_run and not (inventory.root / FOLDER).exists():  # an empty one elsewhere leaves no file here
            elsewhere = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="arc-create-")))
            inventory = replace(inventory, root=elsewhere)
        yield ends.enter_context(chosen_cloud(inventory, local=local))


def _done(step: Step) -> str | None:
    """Do a step, with the time it takes on a terminal; why it failed, or None. Raises `NoCredentials`."""
    from arc.tools.cli.progress import waiting
    from arc.tools.cloud.cloud import NoCredentials

    try:
        with waiting(step.said):
            step.do()
    except NoCredentials:
        raise
    except ArcError as error:
        return str(error)
    return None


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
