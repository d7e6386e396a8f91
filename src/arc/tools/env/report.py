"""The output of `arc env`: tables and sentences for people, JSON for programs; values are masked unless `show`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from arc.tools.env.variables import masked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from arc.tools.env.change import Outcome
    from arc.tools.env.deployed import Drift, Published

_NARROWEST = 80  # columns of a table


def variables_table(variables: Mapping[str, Mapping[str, str]], *, show: bool) -> str:
    """Return a table for each environment, one below the other."""
    parts = []
    for environment, own in variables.items():
        if not own:
            parts.append(f"{environment}: no variables\n")
            continue
        rows = [(name, _escaped(value if show else masked(name, value))) for name, value in own.items()]
        parts.append(_table((environment, "value"), rows))
    return "\n".join(parts)


def variables_json(variables: Mapping[str, Mapping[str, str]], *, show: bool) -> str:
    """Return the variables as JSON: `{"environments": {"staging": {"NAME": "…"}}}`."""
    environments = {
        environment: {name: value if show else masked(name, value) for name, value in own.items()}
        for environment, own in variables.items()
    }
    return _json({"environments": environments})


def drift_table(outcome: Outcome) -> str:
    """Return a table of an environment's functions and their drift."""
    rows = [(state.function.name, *_cells(state.drift)) for state in outcome.states]
    rows += [(name, "opted out (env false)", "", "") for name in outcome.opted_out]
    return _table((outcome.environment, "missing", "differs", "surplus"), rows) if rows else ""


def drift_json(outcomes: Iterable[Outcome]) -> str:
    """Return the drift that was found as JSON, and whether each function is in sync now."""
    return _json({"environments": {outcome.environment: _outcome(outcome) for outcome in outcomes}})


def change_json(outcome: Outcome) -> str:
    """Return the outcome of a change as JSON."""
    change = {"environment": outcome.environment, "set": list(outcome.written), "removed": list(outcome.removed)}
    change |= {"adopted": list(outcome.adopted)} if outcome.adopted else {}
    return _json(change | _outcome(outcome))


def testing_summary(file: str, changes: Mapping[str, str | None]) -> str:
    """Return the sentences about a change of testing's variables."""
    written, removed = _written_and_removed(changes)
    lines = [f"{_names(written)} set in testing, in {file}."] if written else []
    lines += [f"{_names(removed)} removed from testing, in {file}."] if removed else []
    return "\n".join([*lines, "A running sandbox applies this at the next request."])


def testing_json(file: str, changes: Mapping[str, str | None]) -> str:
    """Return a change of testing's variables as JSON."""
    written, removed = _written_and_removed(changes)
    return _json({"environment": "testing", "set": written, "removed": removed, "file": file})


def change_summary(outcome: Outcome) -> str:
    """Return the sentences about a change, or about a verification that synced functions."""
    environment, count = outcome.environment, len(outcome.states)
    lines = [f"{_names(outcome.written)} set in {environment}."] if outcome.written else []
    lines += [f"{_names(outcome.removed)} removed from {environment}."] if outcome.removed else []
    lines += [f"{_names(outcome.adopted)} adopted from functions into {environment}."] if outcome.adopted else []
    if not count:
        lines.append(_no_functions(outcome, " They will get these variables when they are."))
    elif not outcome.failed:
        updated = sum(state.updated for state in outcome.states)
        have = f"{count} functions have" if count != 1 else "The one function has"
        already = f", {count - updated} already in sync" if updated < count else ""
        done = f"{updated} updated{already}" if updated else "nothing to update"
        lines.append(f"{have} {environment}'s variables: {done}.")
    surplus = {name for state in outcome.states if state.updated for name in {*state.drift.surplus} - {*state.kept}}
    surplus -= set(outcome.removed)
    if surplus:
        lines.append(f"Removed from functions, because {environment} does not set them: {', '.join(sorted(surplus))}.")
    lines += [*kept_variables(outcome), _opted_out(outcome), old_versions(environment, outcome.outdated)]
    return "\n".join(filter(None, lines))


def check_summary(outcome: Outcome) -> str:
    """Return the sentences about a verification that changed nothing."""
    environment, count = outcome.environment, len(outcome.states)
    out_of_sync = sum(not state.in_sync for state in outcome.states)
    if not count:
        lines = [_no_functions(outcome), _opted_out(outcome)]
    elif not out_of_sync:
        lines = [f"All functions in {environment} are in sync ({count})."]
    else:
        line = f"{out_of_sync} of {count} functions in {environment} are out of sync."
        if any(state.drift.missing or state.drift.differs for state in outcome.states):
            line += f" Update them with `arc env verify {environment}`."
        lines = [line, *kept_variables(outcome)]
    return "\n".join(filter(None, (*lines, old_versions(environment, outcome.outdated))))


def kept_variables(outcome: Outcome, command: str = "arc env verify") -> list[str]:
    """Return a sentence about the variables that only functions have, and what to do; none without such variables."""
    kept = sorted({name for state in outcome.states for name in state.kept})
    if not kept:
        return []
    environment, command = outcome.environment, f"{command} {outcome.environment}"
    them = "it" if len(kept) == 1 else "them"
    sentence = (
        f"Only functions have {', '.join(kept)}; {environment} does not set {them}. Functions keep {them}. To copy "
        f"{them} to {environment}, run `{command} --adopt`. To remove {them} from functions, run `{command} --prune`."
    )
    return [sentence]


def old_versions(environment: str, outdated: Iterable[Published]) -> str:
    """Return the lines about published versions that are out of sync, and what to do; empty for none."""
    lines = [f"  {one} ({_differences(one.drift)})" for one in outdated]
    if not lines:
        return ""
    first = f"Aliases point to versions that were published with other variables than {environment} has now:"
    return "\n".join((first, *lines, "Publish the functions again and move the aliases."))


def no_functions(environment: str, region: str, prospect: str = "") -> str:
    """Return the sentence about an environment without deployed functions in a region."""
    return (
        f"No functions are deployed to {environment} in {region} yet.{prospect} If the app is deployed to another "
        "region, set it below @aws in the manifest or in AWS_REGION."
    )


def failures(outcome: Outcome) -> str:
    """Return the lines about functions that a change did not reach, and what to do."""
    environment = outcome.environment
    commands = [f"arc env remove {environment} {name}" for name in outcome.removed] or [f"arc env verify {environment}"]
    retry = " and ".join(f"`{command}`" for command in commands)
    return f"{failed_functions(outcome)}\nThe variables themselves are saved. To continue, run {retry}."


def failed_functions(outcome: Outcome) -> str:
    """Return a line for each function with old variables, and one for those with the new."""
    in_sync = [state.function.name for state in outcome.states if not state.failure]
    lines = [f"{len(outcome.failed)} of {len(outcome.states)} functions in {outcome.environment} are out of sync:"]
    for state in outcome.failed:
        names = ", ".join((*state.drift.missing, *state.drift.differs, *state.drift.surplus))
        lines.append(f"  {state.function.name} has old variables{f' ({names})' if names else ''}: {state.failure}")
    return "\n".join([*lines, f"In sync: {', '.join(in_sync) or 'none'}."])


def _no_functions(outcome: Outcome, prospect: str = "") -> str:
    return "" if outcome.opted_out else no_functions(outcome.environment, outcome.region, prospect)


def _opted_out(outcome: Outcome) -> str:
    names = ", ".join(outcome.opted_out)
    return f"Left alone, because their config.arc says env false: {names}." if names else ""


def _differences(drift: Drift) -> str:
    return "; ".join(f"{kind}: {', '.join(names)}" for kind, names in asdict(drift).items() if names)


def _written_and_removed(changes: Mapping[str, str | None]) -> tuple[list[str], list[str]]:
    removed = [name for name, value in changes.items() if value is None]
    return [name for name in changes if name not in removed], removed


def _outcome(outcome: Outcome) -> dict[str, Any]:
    functions: dict[str, Any] = {
        state.function.name: asdict(state.drift)
        | {"in_step": state.in_sync}
        | ({"kept": list(state.kept)} if state.kept else {})
        | ({"failure": state.failure} if state.failure else {})
        for state in outcome.states
    }
    aliases = [
        {"function": one.function, "alias": one.alias, "version": one.version} | asdict(one.drift)
        for one in outcome.outdated
    ]
    opted_out, notes = list(outcome.opted_out), list(outcome.notes)
    plain = {"region": outcome.region, "functions": functions, "opted_out": opted_out, "notes": notes}
    return plain | ({"aliases": aliases} if aliases else {})


def _cells(drift: Drift) -> tuple[str, str, str]:
    if not drift:
        return "in sync", "", ""
    return "\n".join(drift.missing), "\n".join(drift.differs), "\n".join(drift.surplus)


def _names(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"{names[0]} is"
    return f"{', '.join(names[:-1])} and {names[-1]} are"


def _escaped(value: str) -> str:
    """Return a value on one line, without characters that control a terminal."""
    return value if value.isprintable() and value == value.strip() and value else json.dumps(value)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    table = Table(box=SIMPLE, show_edge=False, pad_edge=False)
    for name in header:
        table.add_column(Text(name), overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console(width=max(_NARROWEST, Console().width), highlight=False)
    with console.capture() as captured:
        console.print(table)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False)
