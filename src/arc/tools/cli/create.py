"""`arc create`: write missing code, and create the tables and the secret of each environment."""

from __future__ import annotations

import contextlib
import json
import tempfile
from dataclasses import KW_ONLY, asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arc.errors import ArcError, ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from arc.inventory import Inventory
    from arc.tools.cloud.cloud import Cloud
    from arc.tools.cloud.table_plan import Step

_FAILED = 1


def _check_environments(names: list[str] | None) -> list[str]:
    from arc.inventory.preferences import ENVIRONMENTS
    from arc.tools.env.variables import DEPLOYED, unknown_environment

    for name in names or ():
        if name not in ENVIRONMENTS:
            raise typer.BadParameter(unknown_environment(name))
    return list(dict.fromkeys(names or DEPLOYED))


def create(
    environments: Annotated[
        list[str] | None,
        typer.Argument(
            callback=_check_environments,
            metavar="ENVIRONMENT",
            help="testing, staging or production. Default: staging and production.",
        ),
    ] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the steps, and change nothing.")] = False,
    adopt: Annotated[bool, typer.Option("--adopt", help="Adopt variables that only functions have.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Remove variables that only functions have.")] = False,
    local: Annotated[bool, typer.Option("--local", help="Use the local cloud on this machine instead of AWS.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write missing code, and create the tables of each environment.

    Each table in the manifest becomes an on-demand DynamoDB table called app-environment-table, with the declared key,
    indexes, TTL, encryption and backups. In production it is protected from deletion. An existing table is changed
    where nothing is lost, and otherwise reported. An environment without ARC_APP_SECRET gets a random one. The
    testing environment is in the local cloud on this machine.

    The exit code is 1 when a step fails or is not possible. Run the command again to complete it, also after an
    interruption.

    \b
    Examples:
      arc create                       code, then staging and production on AWS
      arc create staging --dry-run     the steps for staging
      arc create testing               the tables of the sandbox
      arc create --local               staging and production on this machine
    """  # noqa: D301  # \b: these lines stay as they are
    from arc.tools.cli.app_folder import read_app

    names = environments or []
    if adopt and prune:
        raise typer.BadParameter("--adopt and --prune cannot be used together.")
    inventory = read_app()
    run = _Run(inventory, (lambda _text: None) if as_json else typer.echo, dry_run=dry_run, adopt=adopt, prune=prune)
    here = [name for name in names if local or name == "testing"]
    try:
        run.write_code()
        if here:
            run.create(here, is_local=True)
        if len(here) < len(names):
            run.create([name for name in names if name not in here], is_local=False)
    except KeyboardInterrupt:
        words = [*names, *(["--local"] if local else [])]
        typer.echo(f"Interrupted. Continue with: arc create {' '.join(words)}", err=True)
        raise
    if as_json:
        typer.echo(run.as_json())
    elif not run.failures or any(report.did for report in run.reports.values()):
        typer.echo(f"\n{run.summary()}")
    if run.failures:
        raise ToolError("\n".join(run.failures))
    if any(report.left or report.failed for report in run.reports.values()):
        raise typer.Exit(_FAILED)


@dataclass
class _Report:
    """The result for the app's code or for one environment, as `--json` prints it."""

    did: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class _Run:
    """One run of the command; `reports` has the code and every environment that was begun."""

    inventory: Inventory
    say: Callable[[str], None]
    _: KW_ONLY
    dry_run: bool
    adopt: bool
    prune: bool
    reports: dict[str, _Report] = field(default_factory=lambda: {"code": _Report()})
    failures: list[str] = field(default_factory=list)
    warned: set[str] = field(default_factory=set)

    def write_code(self) -> None:
        """Write the missing files, or show them in a dry run."""
        from arc.tools.cli.scaffold import missing_files, write_new

        for path, text in missing_files(self.inventory).items():
            if not self.dry_run:
                write_new(self.inventory.root, path, text)
            self.say(f"{'would write' if self.dry_run else 'wrote'}  {path}")
            self.reports["code"].did.append(f"write {path}")

    def create(self, names: list[str], *, is_local: bool) -> None:
        """Create what environments of one cloud lack; an error that ends this is added to `failures`."""
        left = list(names)
        try:
            with self._cloud(is_local=is_local) as cloud:
                for name in names:
                    self._create(cloud, name)
                    left.remove(name)
        except ArcError as error:
            hint = "" if is_local or "--local" in str(error) else "\nTo work without AWS, add --local."
            option = " --local" if is_local and left != ["testing"] else ""
            self.failures.append(
                f"Could not finish {' and '.join(left)}: {error}{hint}\n"
                f"Then continue with: arc create {' '.join(left)}{option}"
            )

    @contextlib.contextmanager
    def _cloud(self, *, is_local: bool) -> Iterator[Cloud]:
        from arc.tools.cli.app_folder import chosen_cloud
        from arc.tools.sandbox.cloud.state import FOLDER

        inventory = self.inventory
        with contextlib.ExitStack() as stack:
            if is_local and self.dry_run and not (inventory.root / FOLDER).exists():  # a dry run leaves no file
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="arc-create-"))
                inventory = replace(inventory, root=Path(folder))
            yield stack.enter_context(chosen_cloud(inventory, local=is_local))

    def _create(self, cloud: Cloud, name: str) -> None:
        """Take the steps of an environment's plan, or show them; after one that fails, the others follow."""
        from arc.tools.cli.app_folder import advice
        from arc.tools.create import plan_environment

        plan = plan_environment(cloud, self.inventory, name, adopt=self.adopt, prune=self.prune)
        report = self.reports[name] = _Report(left=plan.left, notes=plan.notes)
        self.say(f"\n{name}")
        for note in plan.notes:
            if note not in self.warned:  # two environments may have the same
                self.warned.add(note)
                typer.echo(f"Warning: {advice(note)}", err=True)
        for step in plan.steps:
            fault = None if self.dry_run else _take(step)
            if fault is None:
                self.say(f"  {'would ' if self.dry_run else ''}{step.action}")
                report.did.append(step.action)
            else:
                self.say(f"  failed: {step.action}\n    {advice(fault)}")
                report.failed.append(fault)
        for sentence in plan.left:
            self.say(f"  not possible: {advice(sentence)}")
        if not plan.steps and not plan.left:
            self.say("  up to date")

    def summary(self) -> str:
        """Return how many steps were taken and how many were not."""
        did = sum(len(report.did) for report in self.reports.values())
        failed = sum(len(report.failed) + len(report.left) for report in self.reports.values())
        sentences = [f"{_count(did)} {'would be taken' if self.dry_run else 'done'}."] if did else []
        if self.dry_run or not did:
            sentences.append("Nothing was changed.")
        if failed:
            sentences.append(f"{_count(failed)} failed or not possible: see above.")
        return " ".join(sentences)

    def as_json(self) -> str:
        """Return the answer to `--json`."""
        environments = {name: asdict(report) for name, report in self.reports.items()}
        code = environments.pop("code")
        answer = {"dry_run": self.dry_run, "code": code, "environments": environments, "failures": self.failures}
        return json.dumps(answer, indent=2, ensure_ascii=False)


def _take(step: Step) -> str | None:
    """Take a step, with a timer on a terminal; return why it failed. Raises `NoCredentials`."""
    from arc.tools.cli.progress import progress
    from arc.tools.cloud.cloud import NoCredentials

    try:
        with progress(step.action):
            step.do()
    except NoCredentials:
        raise
    except ArcError as error:
        return str(error)
    return None


def _count(steps: int) -> str:
    return f"{steps} step{'' if steps == 1 else 's'}"
