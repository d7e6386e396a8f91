"""`arc create` for one environment: the plan for its tables, its functions' variables and its secret."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.tools.cloud.cloud import Refused
from arc.tools.cloud.parameters import Parameters, mapped_tables
from arc.tools.cloud.table_plan import Plan, WrongKey, plan_table
from arc.tools.cloud.tables import Tables, physical_name
from arc.tools.env.change import Outcome, VariablesChange
from arc.tools.env.deployed import Deployed
from arc.tools.env.mistakes import mistakes
from arc.tools.env.report import failures, kept_variables, old_versions
from arc.tools.env.variables import SECRET
from arc.tools.secrets.secrets import new_secret
from arc.tools.session_tables import store_warnings, ttl_warnings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from arc.inventory import Inventory
    from arc.tools.cloud.cloud import Cloud
    from arc.tools.env.deployed import State

_REMEDY = (
    "Declare the table under another name, or copy its items, delete it and run `arc create` again. The table was not "
    "changed."
)


def plan_environment(
    cloud: Cloud, inventory: Inventory, environment: str, *, adopt: bool = False, prune: bool = False
) -> Plan:
    """Compare an environment with the manifest. Raises what `Cloud.call` raises.

    Variables that only functions have remain, unless the environment shall `adopt` them, or functions `prune` them.
    """
    is_testing = environment == "testing"
    by_stack = {} if is_testing else mapped_tables(cloud, inventory.app, environment)
    plan = plan_tables(cloud, inventory, environment, by_stack)
    variables = inventory.env.get("testing", {})
    if not is_testing:
        variables = Parameters(cloud, inventory.app, environment).read()
    warnings = (*ttl_warnings(inventory), *store_warnings(inventory, environment, variables, by_stack))
    plan.notes += dict.fromkeys(warnings)
    plan.notes += mistakes(variables, app=inventory.app, environment=environment)
    if not is_testing:
        plan.extend(_FunctionPlanner(cloud, inventory, environment, variables).plan(adopt=adopt, prune=prune))
    return plan


def plan_tables(cloud: Cloud, inventory: Inventory, environment: str, by_stack: Mapping[str, str]) -> Plan:
    """Compare an environment's tables with the manifest. `by_stack` are the names in its service map."""
    plan, tables = Plan(), Tables(cloud)
    tags = {"arc:app": inventory.app, "arc:environment": environment}
    for table in inventory.tables:
        own = physical_name(inventory.app, environment, table)
        name = by_stack.get(table.name, own)
        if name != own:
            belongs = f"The table {table.name} of {environment} is {name}, which belongs to its stack."
            if tables.find(name) is None:
                plan.left.append(
                    f"{belongs} It does not exist. Deploy the stack again, or delete it with its parameters."
                )
            else:
                plan.notes.append(f"{belongs} It is not changed.")
            continue
        declared = replace(table, encrypt=False, pitr=False) if environment == "testing" else table
        is_production = environment == "production"
        try:
            plan.extend(plan_table(tables, declared, name, remedy=_REMEDY, tags=tags, protected=is_production))
        except WrongKey as fault:
            plan.left.append(str(fault))
    return plan


class _FunctionPlanner:
    """Compares the deployed functions of an environment with its `variables`."""

    def __init__(self, cloud: Cloud, inventory: Inventory, environment: str, variables: Mapping[str, str]) -> None:
        self._cloud, self._inventory, self._environment = cloud, inventory, environment
        self._variables = variables
        self._plan = Plan()

    def plan(self, *, adopt: bool, prune: bool) -> Plan:
        """Return the plan for variables that only functions have, and for the secret."""
        states = self._read_states()
        self._plan_kept(states, adopt=adopt, prune=prune)
        self._plan_secret(states, adopt=adopt, prune=prune)
        return self._plan

    def _read_states(self) -> Sequence[State]:
        environment, variables, notes = self._environment, self._variables, self._plan.notes
        deployed = Deployed(self._cloud, self._inventory, environment)
        try:
            states = deployed.states(variables, lambda _done, _of: None)
        except Refused as refused:  # credentials for tables need not allow reading functions
            if SECRET in variables:
                notes.append(f"Cannot check whether every function of {environment} has {SECRET}. {refused}")
            return ()
        outdated = deployed.outdated([state.function for state in states], variables, notes.append)
        if outdated:
            notes.append(old_versions(environment, outdated))
        return states

    def _plan_kept(self, states: Sequence[State], *, adopt: bool, prune: bool) -> None:
        """Adopt or prune the variables that only functions have, or report that they remain."""
        environment = self._environment
        names = ", ".join(sorted({name for state in states for name in state.kept}))
        if names and adopt:
            action = f"adopt variables that only functions have into {environment}: {names}"
            self._plan.add(action, self._change, adopt=True)
        elif names and prune:
            action = f"remove variables that {environment} does not have from functions: {names}"
            self._plan.add(action, self._change, prune=True)
        else:
            self._plan.notes += kept_variables(Outcome(environment, self._cloud.region, tuple(states)), "arc create")

    def _plan_secret(self, states: Sequence[State], *, adopt: bool, prune: bool) -> None:
        """Generate a missing secret, or give it to functions that an interrupted run left without it."""
        environment = self._environment
        owners = [state.function.name for state in states if SECRET in state.kept and not prune]
        without = [state.function.name for state in states if SECRET in state.drift.missing]
        if SECRET in self._variables:
            if without:
                have = "has" if len(without) == 1 else "have"
                action = f"sync the functions of {environment}: {', '.join(without)} {have} no {SECRET}"
                self._plan.add(action, self._change)
        elif not owners:
            self._plan.add(f"generate {SECRET} for {environment} (not shown)", self._generate_secret)
        elif not adopt:
            self._plan.left.append(
                f"{environment} has no {SECRET}, but another tool set one in {', '.join(owners)}. A new secret would "
                f"end every session. Adopt the existing one: arc create {environment} --adopt"
            )

    def _generate_secret(self) -> None:
        """Set a random secret, unless another process has just set one, and sync the functions."""
        Parameters(self._cloud, self._inventory.app, self._environment).write_new(SECRET, new_secret())
        self._change()

    def _change(self, *, adopt: bool = False, prune: bool = False) -> None:
        """Sync the functions."""
        outcome = VariablesChange(self._cloud, self._inventory, self._environment, {}, adopt=adopt, prune=prune).run()
        if outcome.failed:
            raise ToolError(failures(outcome))
