"""Changes an environment's variables on AWS: validates, writes to SSM, then updates every function."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.tools.cloud.parameters import Memo, Parameters
from arc.tools.cloud.stacks import wait_for_deployment
from arc.tools.env.checks import check_settings, check_table
from arc.tools.env.deployed import Deployed, unmanaged
from arc.tools.env.mistakes import check_mistakes
from arc.tools.env.variables import (
    FALLBACKS,
    OLD_STORE,
    ROTATION,
    SECRET,
    STORE,
    check_name,
    check_value,
    left_out,
    masked,
    unknown_variable,
)
from arc.tools.secrets.secrets import sealing_functions_cut_off

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from arc.inventory import Inventory
    from arc.tools.cloud.cloud import Cloud
    from arc.tools.cloud.functions import Function
    from arc.tools.env.deployed import OnProgress, Published, State


_ROUNDS = 5  # of syncing, while other processes change the variables


@dataclass(frozen=True)
class Outcome:
    """The outcome of a change or a verification."""

    environment: str
    region: str
    """Where the functions were looked for."""
    states: tuple[State, ...]
    opted_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """Warnings, a sentence each."""
    written: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    adopted: tuple[str, ...] = ()
    """Names that only functions had, and that the environment has now."""
    outdated: tuple[Published, ...] = ()
    """Published versions in use with drift, which only publishing the function again repairs."""

    @property
    def in_sync(self) -> bool:
        """Whether every function has the desired variables."""
        return all(state.in_sync for state in self.states)

    @property
    def failed(self) -> tuple[State, ...]:
        """The functions that could not be synced."""
        return tuple(state for state in self.states if state.failure)


@dataclass
class VariablesChange:
    """Changes of an environment's variables: a value for each name, None to remove it.

    `force` skips the checks for tables, for mistakes, for a rotation in progress, and for sessions that end with a
    changed secret. Functions keep the variables that only they have, unless `adopt` copies these to the environment
    or `prune` removes them. `warn` is called with the masked values that functions lose, before anything is changed.
    A rotation passes its own `parameters` and sets `is_rotation`.
    """

    cloud: Cloud
    inventory: Inventory
    environment: str
    changes: Mapping[str, str | None] = field(repr=False)
    force: bool = False
    adopt: bool = False
    prune: bool = False
    warn: Callable[[str], None] = lambda _text: None
    on_progress: OnProgress = lambda _done, _total: None
    sleep: Callable[[float], None] = time.sleep
    parameters: Parameters | None = None
    is_rotation: bool = False
    notes: list[str] = field(default_factory=list)

    def run(self) -> Outcome:
        """Check everything, write what differs, and sync every function.

        Waits for a deployment in progress, which sets variables too. A function that could not be synced is in the
        outcome, and the next run continues there. Raises `ToolError` for a change that is refused, before anything is
        written, and what `Cloud.call` raises.
        """
        values = {name: value for name, value in self.changes.items() if value is not None}
        removed = tuple(name for name in self.changes if name not in values)
        for name, value in values.items():
            check_name(name)
            check_value(name, value)
        self.cloud.hide(*values.values())
        parameters = self.parameters or Parameters(self.cloud, self.inventory.app, self.environment, sleep=self.sleep)
        self._check_rotation()
        wait_for_deployment(self.cloud, self.inventory.app, self.environment, sleep=self.sleep)
        before = parameters.read()
        deployed = Deployed(
            self.cloud, self.inventory, self.environment, sleep=self.sleep, removed=removed, prune=self.prune
        )
        functions = deployed.read(self.on_progress)
        managed = before.keys() | self.changes.keys()
        adopted = adoptable(functions, managed, self.environment) if self.adopt else {}
        after = {name: value for name, value in (before | adopted | values).items() if name not in removed}
        written = {name: value for name, value in values.items() if before.get(name) != value}
        self._check(before, after, written)
        self._check_sealing(before, after, functions)
        deployed.check(functions, after)
        known = before.keys() | {name for function in functions for name in function.variables}
        for name in removed:
            if name not in known:
                raise ToolError(unknown_variable(name, self.environment, list(before)))
        self._warn_of_losses(before, managed, functions)
        parameters.write(adopted | written)
        removed = tuple(name for name in removed if name in before)
        for name in removed:
            parameters.remove(name)
        now = parameters.read()
        states = sync_functions(deployed, parameters, now, self.on_progress)
        outdated = () if self.is_rotation else deployed.outdated([one.function for one in states], now, self._note)
        return Outcome(
            self.environment,
            self.cloud.region,
            tuple(states),
            deployed.opted_out,
            (*self.notes, *deployed.notes),
            tuple(written),
            removed,
            tuple(adopted),
            outdated,
        )

    def _check_rotation(self) -> None:
        """Raise `ToolError` for a change of secrets during a rotation, which could sign visitors out."""
        if self.is_rotation or self.force or not {SECRET, FALLBACKS} & self.changes.keys():
            return
        if Memo(self.cloud, self.inventory.app, self.environment, ROTATION).read() is not None:
            raise ToolError(
                f"A rotation of the secret in {self.environment} is in progress. Finish it with "
                f"`arc secret rotate {self.environment}`, or use --force, which may sign visitors out. Nothing was "
                "changed."
            )

    def _check(self, before: Mapping[str, str], after: Mapping[str, str], written: Mapping[str, str]) -> None:
        app, environment = self.inventory.app, self.environment
        fault = check_settings(before, after, app=app, environment=environment, warn=self._note_secret)
        if fault is not None:
            self._note(f"Sessions in {environment} still do not work: {fault}")
        if not self.force:
            if not self.is_rotation:
                check_mistakes(written, app=app, environment=environment)
            for name in (OLD_STORE, STORE):
                value = self.changes.get(name)
                if value is not None:
                    check_table(self.cloud, value, app=app, environment=environment, warn=self._note)
        if self.changes.get(STORE) is not None and after.get(OLD_STORE, after[STORE]) != after[STORE]:
            raise ToolError(
                f"{STORE} has no effect in {environment}, because {OLD_STORE} is {after[OLD_STORE]!r} there. Set "
                f"{OLD_STORE} instead. Nothing was changed."
            )
        if SECRET in before and SECRET not in after:
            self._note(f"Sessions in {environment} do not work until {SECRET} is set again.")
        for note in left_out((name for name in after if name not in self.changes), environment):
            self._note(note)

    def _check_sealing(
        self, before: Mapping[str, str], after: Mapping[str, str], functions: Iterable[Function]
    ) -> None:
        """Raise `ToolError` for a change that would end every session; with `force`, add a note."""
        if self.is_rotation or SECRET not in self.changes:
            return
        environment, value = self.environment, self.changes[SECRET]
        if value is not None and value == before.get(SECRET):
            return
        cut_off = sealing_functions_cut_off(functions, after, environment)
        if not cut_off:
            return
        if self.force:
            self._note(f"Every session in {environment} has ended, because the secret that sealed them is gone.")
            return
        subject = f"{cut_off[0]} seals" if len(cut_off) == 1 else f"{len(cut_off)} functions seal"
        verb, action = ("remove", "removing") if value is None else ("replace", "replacing")
        raise ToolError(
            f"{subject} sessions with {environment}'s {SECRET}, and {action} it ends every session: visitors are "
            "signed out and lose what their sessions contain, such as a cart. To change it without signing anyone out, "
            f"run `arc secret rotate {environment}`, or `arc secret rotate {environment} - < file` with a secret of "
            f"your own. To {verb} it anyway, use --force. Nothing was changed."
        )

    def _warn_of_losses(
        self, before: Mapping[str, str], managed: Collection[str], functions: Iterable[Function]
    ) -> None:
        """Show the values that functions lose, masked."""
        own = {*self.changes, *((SECRET, FALLBACKS) if self.is_rotation else ())}  # a rotation keeps every secret
        for function in functions:
            observed = function.variables
            pruned = unmanaged(observed, managed) if self.prune else ()
            replaced = {name for name in before.keys() - own if observed.get(name, before[name]) != before[name]}
            self._show_lost(function, pruned, "does not set them")
            self._show_lost(function, replaced, "sets other values")

    def _show_lost(self, function: Function, names: Iterable[str], reason: str) -> None:
        values = ", ".join(f"{name}={masked(name, function.variables[name])}" for name in sorted(names))
        if values:
            self.warn(f"{function.name} loses these values, because {self.environment} {reason}: {values}")

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)

    def _note_secret(self, sentence: str) -> None:
        """Note the weakness of a new secret, and not that of an existing one."""
        if SECRET in self.changes:
            self._note(sentence)


def sync_functions(
    deployed: Deployed, parameters: Parameters, variables: dict[str, str], on_progress: OnProgress
) -> list[State]:
    """Sync every function with `variables`, and again if another process has changed those in between."""
    states = deployed.sync(variables, parameters.read, on_progress)
    for _ in range(_ROUNDS):
        now = parameters.read()
        if now == variables:
            break
        variables = now
        again = {state.function.name: state for state in deployed.sync(variables, parameters.read, on_progress)}
        states = [again.get(state.function.name, state) for state in states]
    return states


def adoptable(functions: Iterable[Function], managed: Collection[str], environment: str) -> dict[str, str]:
    """Return the variables that only functions have, by name; the environment sets those in `managed`.

    Raises `ToolError` when two functions have different values for one, and for a value that SSM refuses.
    """
    adopted: dict[str, str] = {}
    owners: dict[str, str] = {}
    for function in functions:
        for name in sorted(unmanaged(function.variables, managed)):
            value = function.variables[name]
            if adopted.setdefault(name, value) != value:
                raise ToolError(
                    f"{name} has different values in {owners[name]} and {function.name}, so it cannot be adopted. Set "
                    f"the right value first with `arc env {environment} {name}`. Nothing was changed."
                )
            owners.setdefault(name, function.name)
    if OLD_STORE in adopted and adopted.get(STORE) == adopted[OLD_STORE]:
        del adopted[STORE]  # a copy, which is made for every function
    for name, value in adopted.items():
        check_name(name)
        check_value(name, value)
    return dict(sorted(adopted.items()))
