"""What `arc env` says: tables for people, JSON for programs. Values are masked unless they are asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from arc.tools.env.variables import is_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from arc.tools.env.change import Outcome
    from arc.tools.env.deployed import Drift, Published

MASK = "********"
_NARROWEST = 80


def masked(name: str, value: str, *, show: bool) -> str:
    """A value as it is shown: as it is when `show`, otherwise only what can hold no secret."""
    return value if show or not is_secret(name) else MASK


def variables_table(variables: Mapping[str, Mapping[str, str]], *, show: bool) -> str:
    """The variables of each environment, one below the other."""
    parts = []
    for environment, own in variables.items():
        if not own:
            parts.append(f"{environment}: no variables\n")
            continue
        rows = [(name, _visible(masked(name, value, show=show))) for name, value in own.items()]
        parts.append(_table((environment, "value"), rows))
    return "\n".join(parts)


def variables_json(variables: Mapping[str, Mapping[str, str]], *, show: bool) -> str:
    """The variables as JSON: `{"environments": {"staging": {"NAME": "…"}}}`."""
    environments = {
        environment: {name: masked(name, value, show=show) for name, value in own.items()}
        for environment, own in variables.items()
    }
    return _json({"environments": environments})


def drift_table(outcome: Outcome) -> str:
    """The functions of an environment and how each is not as it is to be."""
    rows = [(state.function.name, *_cells(state.drift)) for state in outcome.states]
    rows += [(name, "opted out (env false)", "", "") for name in outcome.opted_out]
    return _table((outcome.environment, "missing", "differs", "surplus"), rows) if rows else ""


def drift_json(outcomes: Iterable[Outcome]) -> str:
    """What `verify` found, and whether each function is in step now, as JSON."""
    return _json({"environments": {outcome.environment: _outcome(outcome) for outcome in outcomes}})


def change_json(outcome: Outcome) -> str:
    """What a change did, as JSON."""
    did = {"environment": outcome.environment, "set": list(outcome.written), "removed": list(outcome.removed)}
    did |= {"adopted": list(outcome.adopted)} if outcome.adopted else {}
    return _json(did | _outcome(outcome))


def testing_sentences(file: str, changes: Mapping[str, str | None]) -> str:
    """What a change of testing's variables did, for people."""
    written, removed = _parted(changes)
    said = [f"{_names(written)} set in testing, in {file}."] if written else []
    said += [f"{_names(removed)} removed from testing, in {file}."] if removed else []
    return "\n".join([*said, "A running sandbox applies this at the next request."])


def testing_json(file: str, changes: Mapping[str, str | None]) -> str:
    """What a change of testing's variables did, as JSON."""
    written, removed = _parted(changes)
    return _json({"environment": "testing", "set": written, "removed": removed, "file": file})


def sentences(outcome: Outcome) -> list[str]:
    """What a change or a verification came to, for people."""
    environment, count = outcome.environment, len(outcome.states)
    said = [f"{_names(outcome.written)} set in {environment}."] if outcome.written else []
    said += [f"{_names(outcome.removed)} removed from {environment}."] if outcome.removed else []
    said += [f"{_names(outcome.adopted)} adopted from functions into {environment}."] if outcome.adopted else []
    if not count:
        said += _no_functions(outcome, " They will get these variables when they are.")
    elif not outcome.failed:
        updated = sum(state.updated for state in outcome.states)
        have = f"{count} functions have" if count != 1 else "The one function has"
        already = f", {count - updated} in step already" if updated < count else ""
        done = f"{updated} updated{already}" if updated else "nothing to update"
        said.append(f"{have} the variables of {environment}: {done}.")
    surplus = {name for state in outcome.states if state.updated for name in {*state.drift.surplus} - {*state.kept}}
    surplus -= set(outcome.removed)
    if surplus:
        said.append(f"Taken from functions, because {environment} does not set them: {', '.join(sorted(surplus))}.")
    return [*said, *kept_variables(outcome), *_opted_out(outcome), *_old_versions(outcome)]


def kept_variables(outcome: Outcome, command: str = "arc env verify") -> list[str]:
    """Which variables only functions have, and what can be done about them; nothing when there are none."""
    kept = sorted({name for state in outcome.states for name in state.kept})
    if not kept:
        return []
    decide = f"{command} {outcome.environment}"
    them = "it" if len(kept) == 1 else "them"
    said = (
        f"Only functions have {', '.join(kept)}; {outcome.environment} does not set {them}. "
        f"Kept. Take into {outcome.environment}: {decide} --adopt. Remove from functions: {decide} --prune."
    )
    return [said]


def old_versions(environment: str, behind: Iterable[Published]) -> str:
    """Which aliases lead to versions that are not in step, and what to do; empty for none."""
    lines = [f"  {one} ({_differences(one.drift)})" for one in behind]
    if not lines:
        return ""
    first = f"Aliases lead to versions that were published with other variables than those of {environment}:"
    return "\n".join((first, *lines, "Publish the functions again and move the aliases."))


def _differences(drift: Drift) -> str:
    kinds = {"missing": drift.missing, "differs": drift.differs, "surplus": drift.surplus}
    return "; ".join(f"{kind}: {', '.join(names)}" for kind, names in kinds.items() if names)


def standing(outcome: Outcome) -> str:
    """How an environment stands, after a look that changed nothing."""
    environment, count = outcome.environment, len(outcome.states)
    if not count:
        return "\n".join((*_no_functions(outcome), *_opted_out(outcome)))
    away = sum(not state.in_step for state in outcome.states)
    if away:
        said = f"{away} of {count} functions of {environment} are not in step."
        if any(state.drift.missing or state.drift.differs for state in outcome.states):
            said += f" Mend them: arc env verify {environment}"
        return "\n".join((said, *kept_variables(outcome), *_old_versions(outcome)))
    return "\n".join((f"Every function of {environment} is in step ({count}).", *_old_versions(outcome)))


def _no_functions(outcome: Outcome, prospect: str = "") -> list[str]:
    """The sentence about an environment to which no functions are deployed; nothing when they have opted out."""
    if outcome.opted_out:
        return []
    return [no_functions(outcome.environment, outcome.region, prospect)]


def no_functions(environment: str, region: str, prospect: str = "") -> str:
    """That no functions are deployed to an environment, in which region, and where to name another."""
    return (
        f"No functions are deployed to {environment} in {region} yet.{prospect} If the app is deployed in another "
        "region, name that: region below @aws in the manifest, else AWS_REGION."
    )


def _opted_out(outcome: Outcome) -> list[str]:
    """The sentence about functions that take no variables; nothing when there are none."""
    if not outcome.opted_out:
        return []
    return [f"Left alone, because their config.arc says env false: {', '.join(outcome.opted_out)}."]


def failures(outcome: Outcome) -> str:
    """Which functions have which variables, after a change that did not reach all, and what to do."""
    environment = outcome.environment
    go_on = [f"arc env remove {environment} {name}" for name in outcome.removed] or [f"arc env verify {environment}"]
    return f"{failed_functions(outcome)}\nNothing is lost: the variables are kept. Go on with: {'; '.join(go_on)}"


def failed_functions(outcome: Outcome) -> str:
    """Which functions have which variables, a line each."""
    have = [state.function.name for state in outcome.states if not state.failure]
    lines = [f"{len(outcome.failed)} of {len(outcome.states)} functions of {outcome.environment} are not in step:"]
    for state in outcome.failed:
        what = ", ".join((*state.drift.missing, *state.drift.differs, *state.drift.surplus))
        lines.append(f"  {state.function.name} has the old variables{f' ({what})' if what else ''}: {state.failure}")
    return "\n".join([*lines, f"In step: {', '.join(have) or 'none'}."])


def _old_versions(outcome: Outcome) -> list[str]:
    said = old_versions(outcome.environment, outcome.behind)
    return [said] if said else []


def _parted(changes: Mapping[str, str | None]) -> tuple[list[str], list[str]]:
    """The names that are set, and those that are removed."""
    return [name for name, value in changes.items() if value is not None], [
        name for name, value in changes.items() if value is None
    ]


def _outcome(outcome: Outcome) -> dict[str, Any]:
    functions: dict[str, Any] = {
        state.function.name: _plain(state.drift)
        | {"in_step": state.in_step}
        | ({"kept": list(state.kept)} if state.kept else {})
        | ({"failure": state.failure} if state.failure else {})
        for state in outcome.states
    }
    aliases = [
        {"function": one.function, "alias": one.alias, "version": one.version} | _plain(one.drift)
        for one in outcome.behind
    ]
    opted_out, notes = list(outcome.opted_out), list(outcome.notes)
    told = {"region": outcome.region, "functions": functions, "opted_out": opted_out, "notes": notes}
    return told | ({"aliases": aliases} if aliases else {})


def _plain(drift: Drift) -> dict[str, list[str]]:
    return {"missing": list(drift.missing), "differs": list(drift.differs), "surplus": list(drift.surplus)}


def _cells(drift: Drift) -> tuple[str, str, str]:
    if not drift:
        return "in step", "", ""
    return "\n".join(drift.missing), "\n".join(drift.differs), "\n".join(drift.surplus)


def _names(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"{names[0]} is"
    return f"{', '.join(names[:-1])} and {names[-1]} are"


def _visible(value: str) -> str:
    """A value on one line, and without what would steer a terminal."""
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
