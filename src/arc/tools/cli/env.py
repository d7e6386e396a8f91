"""`arc env`: the variables of each environment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from arc.errors import ArcError, ToolError
from arc.inventory.findings import closest
from arc.tools.cli.standard_input import read_value
from arc.tools.env.words import Options, WrongUsage, parse_request, split_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arc.inventory import Inventory
    from arc.tools.env.change import Outcome
    from arc.tools.env.words import Request

_FAILED = 1
_CLOSE = 0.8  # the least similarity of a misspelled option, as difflib measures it


class EnvCommand(TyperCommand):
    """A command in which the word after KEY is the value, even if it begins with a hyphen."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the options with Click, which stops at each word, and keep the words in `ctx.args`."""
        ctx.allow_extra_args, ctx.allow_interspersed_args = True, False
        options: list[str] = []
        words: list[str] = []
        parsed: dict[str, Any] = {}
        rest = list(args)
        while rest:
            found, after, _ = self.make_parser(ctx).parse_args(list(rest))
            parsed |= found
            options += rest[: len(rest) - len(after)]
            if options[-1:] == ["--"]:
                words += after
                options.pop()
                break
            words += after[:1]
            rest = after[1:]
            parts = split_words(words, parsed.get("environment"))
            if parts.key is None or parts.value is not None or parts.action == "remove" or "remove" in parsed:
                continue
            if rest[:1] == ["--"]:
                words += rest[1:]
                break
            self._refuse_option(ctx, parts.key, *rest[:1])
            words += rest[:1]
            rest = rest[1:]
        return super().parse_args(ctx, [*options, "--", *words])

    def _refuse_option(self, ctx: Any, key: str, value: str = "") -> None:
        """Fail if the word in the place of the value is an option, or resembles one."""
        options = [name for parameter in self.get_params(ctx) for name in parameter.opts if name.startswith("-")]
        word = value.partition("=")[0]
        option = word if word in options else ""
        if word.startswith("--"):
            option = closest(word, options, cutoff=_CLOSE)
        if option:
            ctx.fail(
                f"The word after {key} looks like the option {option}. Write options before {key} or after its value. "
                f"To set such a value, write {key}=VALUE."
            )

    def collect_usage_pieces(self, _ctx: Any) -> list[str]:
        """Return what the usage line shows after the command's name."""
        return ["[OPTIONS]", "[ENVIRONMENT [KEY [VALUE]]]"]


def env(
    ctx: typer.Context,
    *,
    environment: Annotated[
        str | None, typer.Option("--env", "-e", metavar="ENVIRONMENT", help="The environment, in Architect's form.")
    ] = None,
    add: Annotated[bool, typer.Option("--add", "-a", help="Set a variable, in Architect's form.")] = False,
    remove: Annotated[bool, typer.Option("--remove", "-r", help="Remove a variable, in Architect's form.")] = False,
    file: Annotated[
        str | None, typer.Option("--from-file", metavar="FILE", help="Set all variables of a file, or none.")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Show values. By default, they are masked.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
    local: Annotated[bool, typer.Option("--local", help="Use the local cloud on this machine instead of AWS.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="With verify: only report, and exit with 1 if a function is out of sync.")
    ] = False,
    adopt: Annotated[
        bool,
        typer.Option(
            "--adopt",
            help="Copy variables that only functions have to the environment. By default, functions keep them.",
        ),
    ] = False,
    prune: Annotated[
        bool,
        typer.Option("--prune", help="Remove variables that only functions have. By default, functions keep them."),
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Accept an unknown SESSION_TABLE_NAME, another environment's table, a guessable secret or a "
            "misspelled name; change a secret during a rotation; replace or remove the secret that seals sessions, "
            "which ends every session.",
        ),
    ] = False,
    _ignored: Annotated[
        bool,
        typer.Option(
            "--print", "-p", "--verbose", "-v", "--debug", "-d", help="Accepted for Architect's forms; has no effect."
        ),
    ] = False,
) -> None:
    """Show, set, remove and verify variables. Deployed functions get them at once.

    \b
    arc env                                 show every environment
    arc env production                      show one environment
    arc env production KEY                  set a variable; asks for the value
    arc env production KEY < file           the same, with the value from standard input
    arc env production KEY VALUE            the same, with the value as an argument; also: KEY=VALUE
    arc env production --from-file .env     set all variables of a file
    arc env remove production KEY           remove a variable; also: arc env production remove KEY
    arc env verify [production]             find functions that are out of sync, and update them
    arc env verify [production] --check     only report; exits with 1 if a function is out of sync

    \b
    Architect's newer forms work too:
    arc env --add --env production KEY VALUE
    arc env --remove --env production KEY

    Leave out VALUE for a secret: other users can see arguments in the process list, and the shell stores them in its
    history. What you type at the prompt or pipe to standard input is in neither. A VALUE of - means the same as none.
    One line end at the end of standard input is dropped.

    Options come before KEY or after VALUE. A value that is one of these options is written as KEY=VALUE, or after --.
    Values are text, kept byte for byte.

    Variables of staging and production are stored in SSM's Parameter Store, encrypted, as /app/environment/KEY; those
    of testing in the app's .env or preferences. SESSION_TABLE_NAME chooses where sessions live: jwe is the sealed
    cookie, anything else a table.
    """  # noqa: D301  # \b: these lines stay as they are
    from arc.tools.cli.app_folder import read_app

    options = Options(environment, file, add, remove, show, as_json, local, adopt, prune, check, force)
    try:
        request = parse_request(ctx.args, options)
    except WrongUsage as wrong:
        ctx.fail(str(wrong))
    inventory = read_app()
    if request.action == "show":
        _show(inventory, request)
    elif request.action == "verify":
        _verify(inventory, request)
    else:
        change = _change_testing if request.environment == "testing" else _change
        change(inventory, request, _changes(ctx, request))


def _show(inventory: Inventory, request: Request) -> None:
    from arc.tools.cli.app_folder import chosen_cloud
    from arc.tools.cloud.parameters import Parameters
    from arc.tools.env.report import variables_json, variables_table
    from arc.tools.env.variables import DEPLOYED

    options = request.options
    environments = ("testing", *DEPLOYED) if request.environment is None else (request.environment,)
    variables: dict[str, dict[str, str]] = {}
    if "testing" in environments:
        variables["testing"] = dict(sorted(inventory.env.get("testing", {}).items()))
    deployed = [environment for environment in environments if environment != "testing"]
    failure = None
    if deployed:
        try:
            with chosen_cloud(inventory, local=options.local) as cloud:
                for environment in deployed:
                    variables[environment] = Parameters(cloud, inventory.app, environment).read()
        except ArcError as error:
            if not variables or options.as_json:
                raise
            failure = error  # The variables that were read are shown first.
    report = variables_json if options.as_json else variables_table
    typer.echo(report(variables, show=options.show).rstrip("\n"))
    if failure is not None:
        raise failure


def _changes(ctx: typer.Context, request: Request) -> dict[str, str | None]:
    """Return the value of each variable to set, and None for one to remove."""
    from arc.tools.env.variables import check_name

    key, value = request.key or "", request.value
    if request.action == "remove":
        return {key: None}
    if request.action == "load":
        return dict(_read_file(Path(str(request.options.file))))
    if value not in (None, "-"):
        return {key: value}
    check_name(key)  # before the prompt asks for a value in vain
    entered = read_value(key)
    if value is None and not entered:
        ctx.fail(
            f"The value of {key} is missing. Pipe it to `arc env {request.environment} {key}`, or run that in a "
            "terminal, which asks for it."
        )
    return {key: entered}


def _read_file(file: Path) -> dict[str, str]:
    from arc.inventory.files import read_env_file
    from arc.inventory.findings import Findings

    findings = Findings()
    variables = read_env_file(file, findings)
    findings.raise_faults()
    if findings.warnings:  # One variable that cannot be set stops all of them.
        raise ToolError("\n".join((*findings.warnings, "Rename or remove them. Nothing was changed.")))
    if not variables:
        fault = "does not exist" if variables is None else "contains no variables"
        raise ToolError(f"The file {str(file)!r} {fault}. Write lines NAME=value into it. Nothing was changed.")
    return variables


def _change(inventory: Inventory, request: Request, changes: dict[str, str | None]) -> None:
    """Change the variables of a deployed environment."""
    from arc.tools.cli.app_folder import advice, chosen_cloud
    from arc.tools.cli.progress import progress
    from arc.tools.env.change import VariablesChange
    from arc.tools.env.report import change_json, change_summary

    environment, options = str(request.environment), request.options
    with chosen_cloud(inventory, local=options.local) as cloud, progress(environment) as on_progress:
        outcome = VariablesChange(
            cloud,
            inventory,
            environment,
            changes,
            force=options.force,
            adopt=options.adopt,
            prune=options.prune,
            warn=_warn,
            on_progress=on_progress,
        ).run()
    for note in outcome.notes:
        _warn(note)
    typer.echo(change_json(outcome) if options.as_json else advice(change_summary(outcome)))
    _exit([outcome])


def _change_testing(inventory: Inventory, request: Request, changes: dict[str, str | None]) -> None:
    """Change the variables of testing, on this machine."""
    from arc.tools.env.checks import check_settings
    from arc.tools.env.mistakes import check_mistakes
    from arc.tools.env.report import testing_json, testing_summary
    from arc.tools.env.testing_variables import change_testing
    from arc.tools.env.variables import OLD_STORE, STORE
    from arc.tools.session_tables import store_fault, store_warnings

    options = request.options
    before = dict(inventory.env.get("testing", {}))
    after = {name: value for name, value in (before | changes).items() if value is not None}
    notes: list[str] = []
    check_settings(before, after, app=inventory.app, environment="testing", warn=notes.append)
    if not options.force:
        new = {name: value for name, value in changes.items() if value is not None and value != before.get(name)}
        check_mistakes(new, app=inventory.app, environment="testing")
    if changes.keys() & {STORE, OLD_STORE}:
        fault = store_fault(inventory, "testing", after)
        if fault is not None and not options.force:
            raise ToolError(f"{fault}\nTo set it anyway, use --force. Nothing was changed.")
        notes += store_warnings(inventory, "testing", after)
    written = change_testing(inventory, changes)
    for note in notes:
        _warn(note)
    for note in written.notes:
        typer.echo(note, err=True)
    report = testing_json if options.as_json else testing_summary
    typer.echo(report(written.file.name, changes))


def _verify(inventory: Inventory, request: Request) -> None:
    from arc.tools.cli.app_folder import advice, chosen_cloud
    from arc.tools.cli.progress import progress
    from arc.tools.env.report import change_summary, check_summary, drift_json, drift_table
    from arc.tools.env.variables import DEPLOYED
    from arc.tools.env.verify import Verification

    options = request.options
    outcomes: list[Outcome] = []
    with chosen_cloud(inventory, local=options.local) as cloud:
        for environment in DEPLOYED if request.environment is None else (request.environment,):
            with progress(environment) as on_progress:
                verification = Verification(cloud, inventory, environment, adopt=options.adopt, prune=options.prune)
                outcome = verification.inspect(on_progress)
            if outcomes and not options.as_json:
                typer.echo()
            for note in outcome.notes:
                _warn(note)
            if not options.as_json and outcome.states:
                typer.echo(drift_table(outcome))
            if not options.check and not outcome.in_sync:
                with progress(environment) as on_progress:
                    outcome = verification.sync(on_progress, _warn)
            if not options.as_json:
                typer.echo(advice(check_summary(outcome) if options.check else change_summary(outcome)))
            outcomes.append(outcome)
    if options.as_json:
        typer.echo(drift_json(outcomes))
    _exit(outcomes)
    if any(outcome.outdated for outcome in outcomes):
        raise typer.Exit(_FAILED)


def _warn(sentence: str) -> None:
    from arc.tools.cli.app_folder import advice

    typer.echo(f"Warning: {advice(sentence)}", err=True)


def _exit(outcomes: Sequence[Outcome]) -> None:
    """Exit with 1 when a function is out of sync, and say which and why."""
    from arc.tools.env.report import failures

    failed = [failures(outcome) for outcome in outcomes if outcome.failed]
    if failed:
        raise ToolError("\n".join(failed))
    if not all(outcome.in_sync for outcome in outcomes):
        raise typer.Exit(_FAILED)
