"""`arc env`: the variables of each environment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand

from arc.errors import ArcError, ToolError
from arc.tools.cli.standard_input import value_from_standard_input

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arc.inventory import Inventory
    from arc.tools.env.change import Outcome
    from arc.tools.env.words import Asked

_FAILED, _WRONG_USAGE = 1, 2
_WORDS = "arc.words"
HELP = """Show and set variables; deployed functions have them at once.

\b
arc env                                        all environments
arc env production                             one of them
arc env production KEY VALUE                   set a variable
arc env production KEY -                       the same, the value from standard input
arc env production --from-file .env            set all variables of a file
arc env remove production KEY                  remove a variable; also arc env production remove KEY
arc env verify [production]                    find functions that are not in step, and mend them
arc env verify [production] --check            only report; exits 1 when some are not

\b
Architect's newer forms work too:
arc env --add --env production KEY VALUE       also -a -e
arc env --remove --env production KEY          also -r -e
-v, --verbose, -d and --debug                  change nothing: all that is known is always shown

\b
Options, before KEY or after VALUE:
--show      show values; without it they are masked
--json      answer in JSON
--local     use the local cloud on this machine instead of AWS
--adopt     take variables that only functions have into the environment; without it they are kept
--prune     remove variables that only functions have from them
--force     take a SESSION_TABLE_NAME that is no table or another environment's, a guessable secret, a misspelled
            name; change a secret while it is rotated; replace or remove the secret that sessions are sealed with,
            which ends them all
-h, --help  show this

The word after KEY is the value, whatever it begins with; values are text and kept byte for byte. Of a value from
standard input one line end is dropped, if it ends with one. Variables of staging and production are kept in SSM's
Parameter Store, encrypted, as /app/environment/KEY; those of testing in the app's .env or preferences.
SESSION_TABLE_NAME chooses where sessions live: jwe is the sealed cookie, anything else a table.
"""


class Words(TyperCommand):
    """A command whose words are taken as they stand: a value may look like an option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep the words for the command, and let Typer see none."""
        ctx.meta[_WORDS] = list(args)
        return super().parse_args(ctx, [])

    def collect_usage_pieces(self, _ctx: Any) -> list[str]:
        """What the usage line shows after the command's name."""
        return ["[ENVIRONMENT [KEY VALUE]]"]


def env(ctx: typer.Context) -> None:
    """Show, set, remove and verify variables; `HELP` tells the forms."""
    from arc.tools.cli.app_folder import read_app
    from arc.tools.cli.process_title import hide_word
    from arc.tools.env.words import WrongUsage, understood

    words = ctx.meta[_WORDS]
    try:
        asked = understood(words)
    except WrongUsage as wrong:
        typer.echo(f"{wrong}\nEvery form: arc env --help", err=True)
        raise typer.Exit(_WRONG_USAGE) from None
    if asked.value_at is not None:
        hide_word(asked.value)
    if asked.action == "help":
        typer.echo(ctx.get_help())
        return
    inventory = read_app()
    if asked.action == "show":
        _show(inventory, asked)
    elif asked.action == "verify":
        _verify(inventory, asked)
    else:
        change = _change_testing if asked.environment == "testing" else _change
        change(inventory, asked, _changes(asked))


def _show(inventory: Inventory, asked: Asked) -> None:
    from arc.tools.cli.app_folder import chosen_cloud
    from arc.tools.cloud.parameters import Parameters
    from arc.tools.env.report import variables_json, variables_table
    from arc.tools.env.variables import DEPLOYED

    chosen = ("testing", *DEPLOYED) if asked.environment is None else (asked.environment,)
    variables: dict[str, dict[str, str]] = {}
    if "testing" in chosen:
        variables["testing"] = dict(sorted(inventory.env.get("testing", {}).items()))
    rest = [environment for environment in chosen if environment != "testing"]
    failure = None
    if rest:
        try:
            with chosen_cloud(inventory, local="local" in asked.flags) as cloud:
                for environment in rest:
                    variables[environment] = Parameters(cloud, inventory.app, environment).read()
        except ArcError as error:
            if not variables or "json" in asked.flags:
                raise
            failure = error  # what this machine knows is shown all the same
    report = variables_json if "json" in asked.flags else variables_table
    typer.echo(report(variables, show="show" in asked.flags).rstrip("\n"))
    if failure is not None:
        raise failure


def _changes(asked: Asked) -> dict[str, str | None]:
    """What is to be set (a value) and removed (None). Raises `ToolError` for an input that cannot be read."""
    if asked.action == "remove":
        return {asked.key: None}
    if asked.action == "load":
        return dict(_from_file(Path(asked.file)))
    return {asked.key: value_from_standard_input(asked.key) if asked.value == "-" else asked.value}


def _from_file(file: Path) -> dict[str, str]:
    from arc.inventory.files import read_env_file
    from arc.inventory.findings import Findings

    findings = Findings()
    variables = read_env_file(file, findings)
    findings.raise_faults()
    if findings.warnings:  # Names that would be left out: all variables are set, or none.
        raise ToolError("\n".join((*findings.warnings, "Rename or remove them. Nothing was changed.")))
    if not variables:
        what = "There is no file" if variables is None else "There is no variable in"
        raise ToolError(f"{what} {file}. Write lines NAME=value into it, and give its path after --from-file.")
    return variables


def _change(inventory: Inventory, asked: Asked, changes: dict[str, str | None]) -> None:
    from arc.tools.cli.app_folder import chosen_cloud
    from arc.tools.cli.progress import progress
    from arc.tools.env.change import Change
    from arc.tools.env.report import change_json, sentences

    environment = str(asked.environment)
    with chosen_cloud(inventory, local="local" in asked.flags) as cloud, progress(environment) as told:
        outcome = Change(
            cloud,
            inventory,
            environment,
            changes,
            force="force" in asked.flags,
            adopt="adopt" in asked.flags,
            prune="prune" in asked.flags,
            show=_show_first,
            told=told,
        ).run()
    _warn(outcome)
    typer.echo(change_json(outcome) if "json" in asked.flags else "\n".join(sentences(outcome)))
    _end([outcome])


def _change_testing(inventory: Inventory, asked: Asked, changes: dict[str, str | None]) -> None:
    """Change the variables of this machine."""
    from arc.tools.env.checks import check_settings
    from arc.tools.env.mistakes import check_mistakes
    from arc.tools.env.report import testing_json, testing_sentences
    from arc.tools.env.testing_variables import change_testing
    from arc.tools.env.variables import OLD_STORE, STORE
    from arc.tools.session_tables import store_fault, store_warnings

    before = dict(inventory.env.get("testing", {}))
    after = {name: value for name, value in (before | changes).items() if value is not None}
    notes: list[str] = []
    check_settings(before, after, app=inventory.app, environment="testing", warn=notes.append)
    if "force" not in asked.flags:
        new = {name: value for name, value in changes.items() if value is not None and value != before.get(name)}
        check_mistakes(new, app=inventory.app, environment="testing")
    if changes.keys() & {STORE, OLD_STORE}:
        fault = store_fault(inventory, "testing", after)
        if fault is not None and "force" not in asked.flags:
            raise ToolError(f"{fault}\nOr set the variable nevertheless with --force. Nothing was changed.")
        notes += store_warnings(inventory, "testing", after)
    written = change_testing(inventory, changes)
    for note in notes:
        typer.echo(f"Warning: {note}", err=True)
    for note in written.notes:
        typer.echo(note, err=True)
    report = testing_json if "json" in asked.flags else testing_sentences
    typer.echo(report(written.file.name, changes))


def _verify(inventory: Inventory, asked: Asked) -> None:
    from arc.tools.cli.app_folder import chosen_cloud
    from arc.tools.cli.progress import progress
    from arc.tools.env.report import drift_json, drift_table, sentences, standing
    from arc.tools.env.variables import DEPLOYED
    from arc.tools.env.verify import Verification

    check, as_json = "check" in asked.flags, "json" in asked.flags
    adopt, prune = "adopt" in asked.flags, "prune" in asked.flags
    outcomes: list[Outcome] = []
    with chosen_cloud(inventory, local="local" in asked.flags) as cloud:
        for environment in DEPLOYED if asked.environment is None else (asked.environment,):
            with progress(environment) as told:
                verification = Verification(cloud, inventory, environment, adopt=adopt, prune=prune)
                outcome = verification.look(told)
            if outcomes and not as_json:
                typer.echo()
            _warn(outcome)
            if not as_json and outcome.states:
                typer.echo(drift_table(outcome))
            if not check and not outcome.in_step:
                with progress(environment) as told:
                    outcome = verification.mend(told, _show_first)
            if not as_json:
                typer.echo(standing(outcome) if check else "\n".join(sentences(outcome)))
            outcomes.append(outcome)
    if as_json:
        typer.echo(drift_json(outcomes))
    _end(outcomes)
    if any(outcome.behind for outcome in outcomes):
        raise typer.Exit(_FAILED)


def _show_first(text: str) -> None:
    """Show what is about to be removed."""
    typer.echo(text, err=True)


def _warn(outcome: Outcome) -> None:
    for note in outcome.notes:
        typer.echo(f"Warning: {note}", err=True)


def _end(outcomes: Sequence[Outcome]) -> None:
    """End with 1 when a function is not in step, and say which and why."""
    from arc.tools.env.report import failures

    failed = [failures(outcome) for outcome in outcomes if outcome.failed]
    if failed:
        raise ToolError("\n".join(failed))
    if not all(outcome.in_step for outcome in outcomes):
        raise typer.Exit(_FAILED)
