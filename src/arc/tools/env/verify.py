"""`arc env verify`: how the functions of an environment are not as they are to be, and mending it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arc.tools.cloud.parameters import Parameters
from arc.tools.env.change import Change, Outcome, in_step
from arc.tools.env.checks import settings_fault
from arc.tools.env.deployed import Deployed
from arc.tools.env.mistakes import mistakes
from arc.tools.env.variables import SECRET, fault_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from arc.inventory import Inventory
    from arc.tools.cloud.cloud import Cloud
    from arc.tools.env.deployed import State, Told


class Verification:
    """The functions of an environment beside its variables. Raises what `Cloud.call` raises."""

    def __init__(
        self, cloud: Cloud, inventory: Inventory, environment: str, *, adopt: bool = False, prune: bool = False
    ) -> None:
        self._cloud, self._inventory, self._adopt, self._prune = cloud, inventory, adopt, prune
        self._app, self._environment = inventory.app, environment
        self._parameters = Parameters(cloud, inventory.app, environment)
        self._variables = self._parameters.read()
        self._deployed = Deployed(cloud, inventory, environment)

    def look(self, told: Told) -> Outcome:
        """What each function lacks, has otherwise, and has too much. Nothing is changed."""
        return self._outcome(self._deployed.states(self._variables, told))

    def mend(self, told: Told, show: Callable[[str], None] = lambda _text: None) -> Outcome:
        """Every function brought in step; a failed one is in the outcome, and the next run goes on with it.

        What only functions have is kept, adopted, or pruned, after `show` was called with it.
        """
        if self._adopt or self._prune:
            change = Change(
                self._cloud,
                self._inventory,
                self._environment,
                {},
                adopt=self._adopt,
                prune=self._prune,
                show=show,
                told=told,
            )
            return change.run()
        return self._outcome(in_step(self._deployed, self._parameters, self._variables, told))

    def _outcome(self, states: Sequence[State]) -> Outcome:
        notes = self._notes(states)
        behind = self._deployed.behind([one.function for one in states], self._variables, notes.append)
        return Outcome(
            self._environment,
            self._cloud.region,
            tuple(states),
            self._deployed.opted_out,
            tuple(notes),
            behind=behind,
        )

    def _notes(self, states: Sequence[State]) -> list[str]:
        notes = [
            f"{name} is set in {self._environment} and left out of its functions: {fault}"
            for name in self._variables
            if (fault := fault_of(name)) is not None
        ]
        if self._deployed.names and SECRET not in self._variables and not any(SECRET in one.kept for one in states):
            notes.append(
                f"{self._environment} has no {SECRET}: no session can be used there. Make one: "
                f"arc secret rotate {self._environment}"
            )
        kept = [{name: state.function.variables[name] for name in state.kept} for state in states]
        notes += dict.fromkeys(
            sentence
            for variables in (self._variables, *kept)
            for sentence in mistakes(variables, app=self._app, environment=self._environment)
        )
        fault = settings_fault(self._variables, app=self._app, environment=self._environment, warn=notes.append)
        if fault is not None:
            notes.append(f"Functions in {self._environment} cannot keep sessions: {fault}")
        return [*notes, *self._deployed.notes]
