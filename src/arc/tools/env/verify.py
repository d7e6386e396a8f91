"""`arc env verify`: compares the functions of an environment with its variables, and syncs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arc.tools.cloud.parameters import Parameters
from arc.tools.cloud.stacks import wait_for_deployment
from arc.tools.env.change import Outcome, VariablesChange, sync_functions
from arc.tools.env.checks import settings_fault
from arc.tools.env.deployed import Deployed
from arc.tools.env.mistakes import mistakes
from arc.tools.env.variables import SECRET, left_out

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from arc.inventory import Inventory
    from arc.tools.cloud.cloud import Cloud
    from arc.tools.env.deployed import OnProgress, State


class Verification:
    """Compares an environment's functions with its variables. Methods raise what `Cloud.call` raises."""

    def __init__(
        self, cloud: Cloud, inventory: Inventory, environment: str, *, adopt: bool = False, prune: bool = False
    ) -> None:
        self._cloud, self._inventory, self._environment = cloud, inventory, environment
        self._adopt, self._prune = adopt, prune
        self._parameters = Parameters(cloud, inventory.app, environment)
        self._variables = self._parameters.read()
        self._deployed = Deployed(cloud, inventory, environment)

    def inspect(self, on_progress: OnProgress) -> Outcome:
        """Return the drift of each function, and change nothing."""
        return self._outcome(self._deployed.states(self._variables, on_progress))

    def sync(self, on_progress: OnProgress, warn: Callable[[str], None] = lambda _text: None) -> Outcome:
        """Sync every function. One that fails is in the outcome, and the next run continues there.

        Variables that only functions have are kept, adopted or pruned; `warn` is called with what functions lose.
        """
        if self._adopt or self._prune:
            change = VariablesChange(
                self._cloud, self._inventory, self._environment, {}, adopt=self._adopt, prune=self._prune
            )
            change.warn, change.on_progress = warn, on_progress
            return change.run()
        wait_for_deployment(self._cloud, self._inventory.app, self._environment)
        return self._outcome(sync_functions(self._deployed, self._parameters, self._variables, on_progress))

    def _outcome(self, states: Sequence[State]) -> Outcome:
        notes = self._notes(states)
        outdated = self._deployed.outdated([one.function for one in states], self._variables, notes.append)
        return Outcome(
            self._environment,
            self._cloud.region,
            tuple(states),
            self._deployed.opted_out,
            tuple(notes),
            outdated=outdated,
        )

    def _notes(self, states: Sequence[State]) -> list[str]:
        app, environment, variables = self._inventory.app, self._environment, self._variables
        notes = left_out(variables, environment)
        if self._deployed.names and SECRET not in variables and not any(SECRET in one.kept for one in states):
            notes.append(
                f"{SECRET} is not set in {environment}, so sessions do not work there. Create one with "
                f"`arc secret rotate {environment}`."
            )
        kept = [{name: state.function.variables[name] for name in state.kept} for state in states]
        notes += dict.fromkeys(
            sentence for one in (variables, *kept) for sentence in mistakes(one, app=app, environment=environment)
        )
        fault = settings_fault(variables, app=app, environment=environment, warn=notes.append)
        if fault is not None:
            notes.append(f"Sessions in {environment} do not work: {fault}")
        return [*notes, *self._deployed.notes]
