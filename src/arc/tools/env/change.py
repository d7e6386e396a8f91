"""Changing the variables of an environment on AWS: all is checked, then written, then every function has it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.tools.cloud.parameters import Memo, Parameters
from arc.tools.env.checks import check_settings, check_table
from arc.tools.env.deployed import Deployed, unknown
from arc.tools.env.mistakes import check_mistakes
from arc.tools.env.variables import (
    FALLBACKS,
    OLD_STORE,
    ROTATION,
    SECRET,
    STORE,
    check_name,
    check_value,
    fault_of,
    is_secret,
)
from arc.tools.secrets.secrets import sealing_functions_cut_off

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from arc.inventory import Inventory
    from arc.tools.cloud.cloud import Cloud
    from arc.tools.cloud.functions import Function
    from arc.tools.env.deployed import Published, State, Told


_ROUNDS = 5  # in which others change the variables while functions are brought in step


@dataclass(frozen=True)
class Outcome:
    """What a change, or bringing functions in step, came to."""

    environment: str
    region: str
    """Where its functions were looked for."""
    states: tuple[State, ...]
    opted_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What to know besides, a sentence each."""
    written: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    adopted: tuple[str, ...] = ()
    """Names that only functions had, and the environment has now."""
    behind: tuple[Published, ...] = ()
    """Published versions in use that are not as their functions are to be: only publishing again mends them."""

    @property
    def in_step(self) -> bool:
        """True when every function is as it is to be."""
        return all(state.in_step for state in self.states)

    @property
    def failed(self) -> tuple[State, ...]:
        """The functions that could not be brought in step."""
        return tuple(state for state in self.states if state.failure)


@dataclass
class Change:
    """Changes of an environment's variables: a value for each name, None to remove it.

    `told` is called with how many of how many functions are done; `force` leaves out the look for tables, for
    mistakes, for a rotation, and for sessions that a change of the secret ends. Variables that only functions have are
    kept; `adopt` takes them into the environment, and `prune` removes them. `show` is called with the masked values
    that functions lose, before anything is changed. Who makes several changes gives their common `parameters`, and a
    rotation says that it `is_rotation`.
    """

    cloud: Cloud
    inventory: Inventory
    environment: str
    changes: Mapping[str, str | None] = field(repr=False)
    force: bool = False
    adopt: bool = False
    prune: bool = False
    show: Callable[[str], None] = lambda _text: None
    told: Told = lambda _done, _of: None
    sleep: Callable[[float], None] = time.sleep
    parameters: Parameters | None = None
    is_rotation: bool = False
    notes: list[str] = field(default_factory=list)

    def run(self) -> Outcome:
        """Check everything, write what differs, and bring every function in step.

        Raises `ToolError` for what is refused, before anything is written, and what `Cloud.call` raises. A function
        that could not be brought in step is in the outcome; the next run goes on with it.
        """
        for name, value in self.changes.items():
            if value is not None:
                check_name(name)
                check_value(name, value)
        self.cloud.hide(*(value for value in self.changes.values() if value is not None))
        parameters = self.parameters or Parameters(self.cloud, self.inventory.app, self.environment, sleep=self.sleep)
        self._check_rotation()
        before = parameters.read()
        gone = [name for name, value in self.changes.items() if value is None]
        deployed = Deployed(
            self.cloud, self.inventory, self.environment, sleep=self.sleep, removed=gone, prune=self.prune
        )
        functions = deployed.read(self.told)
        named = {**before, **{name: value or "" for name, value in self.changes.items()}}
        adopted = adoptable(functions, named, self.environment) if self.adopt else {}
        after = {name: value for name, value in (before | adopted | dict(self.changes)).items() if value is not None}
        self._check(before, after)
        self._check_sealing(before, after, functions)
        deployed.check(functions, after)
        removed = tuple(name for name, value in self.changes.items() if value is None and name in before)
        left = {name for function in functions for name in function.variables}
        for name, value in self.changes.items():
            if value is None and name not in before and name not in left:
                raise ToolError(
                    f"{name} is not set in {self.environment}. There {_are(tuple(before))}. Nothing was changed."
                )
        written = {
            name: value for name, value in self.changes.items() if value is not None and before.get(name) != value
        }
        own = {*self.changes, *((SECRET, FALLBACKS) if self.is_rotation else ())}  # a rotation keeps every secret
        unchanged = {name: value for name, value in before.items() if name not in own}
        self._show_first(shown_unknown(functions, named) if self.prune else [], "does not set them")
        self._show_first(shown_different(functions, unchanged), "sets other values")
        parameters.write(adopted | written)
        for name in removed:
            parameters.remove(name)
        now = parameters.read()
        states = in_step(deployed, parameters, now, self.told)
        behind = () if self.is_rotation else deployed.behind([one.function for one in states], now, self._note)
        return Outcome(
            self.environment,
            self.cloud.region,
            tuple(states),
            deployed.opted_out,
            (*self.notes, *deployed.notes),
            tuple(written),
            removed,
            tuple(adopted),
            behind,
        )

    def _show_first(self, lines: Sequence[str], reason: str) -> None:
        """Show the values that functions lose."""
        if lines:
            self.show("\n".join((f"Taken from functions, because {self.environment} {reason}:", *lines)))

    def _check_rotation(self) -> None:
        """Raise `ToolError` for a change of secrets by others while these are rotated: it could sign visitors out."""
        if self.is_rotation or self.force or not {SECRET, FALLBACKS} & self.changes.keys():
            return
        if Memo(self.cloud, self.inventory.app, self.environment, ROTATION).read() is not None:
            raise ToolError(
                f"The secret of {self.environment} is being rotated. End that first: "
                f"arc secret rotate {self.environment}; or change it nevertheless with --force, which may sign "
                "visitors out. Nothing was changed."
            )

    def _check(self, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        app, environment = self.inventory.app, self.environment
        fault = check_settings(before, after, app=app, environment=environment, warn=self._note_secret)
        if fault is not None:
            self._note(f"Functions in {environment} cannot keep sessions, as before: {fault}")
        if not self.force and not self.is_rotation:
            new = {
                name: value for name, value in self.changes.items() if value is not None and value != before.get(name)
            }
            check_mistakes(new, app=app, environment=environment)
        for name in (OLD_STORE, STORE):
            value = self.changes.get(name)
            if value is not None and not self.force:
                check_table(self.cloud, value, app=app, environment=environment, warn=self._note)
        if self.changes.get(STORE) is not None and after.get(OLD_STORE, after[STORE]) != after[STORE]:
            raise ToolError(
                f"{OLD_STORE} is {after[OLD_STORE]!r} in {environment}, and it is what functions get as {STORE}. Set "
                f"{OLD_STORE} instead. Nothing was changed."
            )
        if SECRET in before and SECRET not in after:
            self._note(f"{environment} has no {SECRET} now: no session can be used there until it has one.")
        for name in after:
            fault = fault_of(name)
            if fault is not None and name not in self.changes:
                self._note(f"{name} is set in {environment} and left out of its functions: {fault}")

    def _check_sealing(
        self, before: Mapping[str, str], after: Mapping[str, str], functions: Iterable[Function]
    ) -> None:
        """Raise `ToolError` for a change that would end every session; with `force`, note that it does."""
        if self.is_rotation or SECRET not in self.changes:
            return
        value = self.changes[SECRET]
        if value is not None and value == before.get(SECRET):
            return
        cut_off = sealing_functions_cut_off(functions, after, self.environment)
        if not cut_off:
            return
        environment = self.environment
        if self.force:
            self._note(f"Every session in {environment} has ended: the secret that sealed them is gone.")
            return
        with_it = f"{cut_off[0]} seals" if len(cut_off) == 1 else f"{len(cut_off)} functions seal"
        verb, what = ("removing", "Remove") if value is None else ("replacing", "Replace")
        raise ToolError(
            f"{with_it} sessions with the {SECRET} of {environment}, and {verb} it ends every session: visitors are "
            "signed out, and what their sessions hold, such as a cart, is lost. Change it without signing anyone out: "
            f"arc secret rotate {environment} (a secret of your own: arc secret rotate {environment} - < file). "
            f"{what} it anyway with --force. Nothing was changed."
        )

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)

    def _note_secret(self, sentence: str) -> None:
        """Note what is weak in a new secret; what is there already is known."""
        if SECRET in self.changes:
            self._note(sentence)


def in_step(deployed: Deployed, parameters: Parameters, variables: dict[str, str], told: Told) -> list[State]:
    """Bring every function in step with `variables`, and again when somebody changed those meanwhile."""
    states = deployed.bring_in_step(variables, parameters.read, told)
    for _ in range(_ROUNDS):
        now = parameters.read()
        if now == variables:
            break
        variables = now
        again = {state.function.name: state for state in deployed.bring_in_step(variables, parameters.read, told)}
        states = [again.get(state.function.name, state) for state in states]
    return states


def _are(names: tuple[str, ...]) -> str:
    if not names:
        return "are none"
    return f"is {names[0]}" if len(names) == 1 else f"are {', '.join(names)}"


_MASK = "********"


def shown_unknown(functions: Iterable[Function], variables: Mapping[str, str]) -> list[str]:
    """Return a line for each function with variables that its environment does not set, values masked."""
    lines = []
    for function in functions:
        names = sorted(unknown(function.variables, variables))
        if names:
            values = (f"{name}={_MASK if is_secret(name) else function.variables[name]}" for name in names)
            lines.append(f"  {function.name}: {', '.join(values)}")
    return lines


def shown_different(functions: Iterable[Function], variables: Mapping[str, str]) -> list[str]:
    """Return a line for each function with other values than `variables` sets, values masked."""
    lines = []
    for function in functions:
        names = [name for name in sorted(variables) if function.variables.get(name, variables[name]) != variables[name]]
        if names:
            values = (f"{name}={_MASK if is_secret(name) else function.variables[name]}" for name in names)
            lines.append(f"  {function.name}: {', '.join(values)}")
    return lines


def adoptable(functions: Iterable[Function], variables: Mapping[str, str], environment: str) -> dict[str, str]:
    """Return the variables that only functions have, by name.

    Raises `ToolError` when two functions have different values for one, and for a value that SSM does not take.
    """
    adopted: dict[str, str] = {}
    owners: dict[str, str] = {}
    for function in functions:
        for name in sorted(unknown(function.variables, variables)):
            value = function.variables[name]
            if adopted.setdefault(name, value) != value:
                raise ToolError(
                    f"{name} has one value in {owners[name]} and another in {function.name}, so it cannot be adopted. "
                    f"Set the right one first: arc env {environment} {name} VALUE. Nothing was changed."
                )
            owners.setdefault(name, function.name)
    if OLD_STORE in adopted and adopted.get(STORE) == adopted[OLD_STORE]:
        del adopted[STORE]  # its copy
    for name, value in adopted.items():
        check_name(name)
        check_value(name, value)
    return dict(sorted(adopted.items()))
