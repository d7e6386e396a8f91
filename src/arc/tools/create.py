"""What `arc create` does in one environment: its tables, and its secret."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.tools.cloud.cloud import Refused
from arc.tools.cloud.parameters import Parameters, mapped_tables
from arc.tools.cloud.table_plan import Step, WrongKey, plan_table
from arc.tools.cloud.tables import Tables, physical_name
from arc.tools.env.change import Change, Outcome
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
    "Declare the table under another name; or copy its items elsewhere, delete it, and run arc create again. "
    "Nothing was changed in it."
)


@dataclass(frozen=True)
class Plan:
    """The steps of one environment, in their order."""

    environment: str
    steps: tuple[Step, ...]
    left: tuple[str, ...]
    """What the manifest asks for and no step can bring about."""
    notes: tuple[str, ...]


def plan_environment(
    cloud: Cloud, inventory: Inventory, environment: str, *, adopt: bool = False, prune: bool = False
) -> Plan:
    """The plan for an environment, after a look at what is there. Raises what `Cloud.call` raises.

    Variables that only functions have are kept, unless the environment is to `adopt` them, or functions to `prune`.
    """
    is_testing = environment == "testing"
    tables = Tables(cloud)
    by_stack = {} if is_testing else mapped_tables(cloud, inventory.app, environment)
    tags = {"arc:app": inventory.app, "arc:environment": environment}
    steps: list[Step] = []
    left: list[str] = []
    notes: list[str] = []
    for table in inventory.tables:
        own = physical_name(inventory.app, environment, table)
        name = by_stack.get(table.name, own)
        if name != own:
            told = f"The table {table.name} of {environment} is {name}, which its stack has made"
            if tables.find(name) is None:
                left.append(f"{told}, and it is not there. Deploy the stack again, or delete it with its parameters.")
            else:
                notes.append(f"{told}; it is left so.")
            continue
        declared = replace(table, encrypt=False, pitr=False) if is_testing else table
        try:
            plan = plan_table(tables, declared, name, remedy=_REMEDY, tags=tags, protected=environment == "production")
        except WrongKey as fault:
            left.append(str(fault))
            continue
        steps += plan.steps
        left += plan.left
        notes += plan.notes
    variables = inventory.env.get("testing", {}) if is_testing else _variables(cloud, inventory, environment)
    notes += dict.fromkeys((*ttl_warnings(inventory), *store_warnings(inventory, environment, variables, by_stack)))
    notes += mistakes(variables, app=inventory.app, environment=environment)
    if not is_testing:
        look = _Functions(cloud, inventory, environment, variables)
        steps += look.steps(adopt=adopt, prune=prune)
        left += look.left
        notes += look.notes
    return Plan(environment, tuple(steps), tuple(left), tuple(notes))


def _variables(cloud: Cloud, inventory: Inventory, environment: str) -> dict[str, str]:
    return Parameters(cloud, inventory.app, environment).read()


class _Functions:
    """The deployed functions of an environment beside its `variables`, and what they lack."""

    def __init__(self, cloud: Cloud, inventory: Inventory, environment: str, variables: Mapping[str, str]) -> None:
        self.left: list[str] = []
        self.notes: list[str] = []
        self._cloud, self._inventory, self._environment = cloud, inventory, environment
        self._variables = variables
        self._states: Sequence[State] = ()
        try:
            deployed = Deployed(cloud, inventory, environment)
            self._states = deployed.states(variables, lambda _done, _of: None)
        except Refused as refused:  # who may make tables need not be allowed to look at functions
            if SECRET in variables:
                self.notes.append(f"Whether every function of {environment} has its {SECRET} cannot be seen. {refused}")
            return
        behind = deployed.behind([one.function for one in self._states], variables, self.notes.append)
        if behind:
            self.notes.append(old_versions(environment, behind))

    def steps(self, *, adopt: bool, prune: bool) -> list[Step]:
        """What is done about variables that only functions have, and about the secret."""
        return [*self._decided(adopt=adopt, prune=prune), *self._secret(adopt=adopt, prune=prune)]

    def _decided(self, *, adopt: bool, prune: bool) -> list[Step]:
        """Adopt or prune the variables that only functions have, or say that they are kept."""
        environment = self._environment
        names = ", ".join(sorted({name for state in self._states for name in state.kept}))
        if names and adopt:
            said = f"take into {environment} what only its functions have: {names}"
            return [Step(said, partial(_change, self._cloud, self._inventory, environment, adopt=True))]
        if names and prune:
            said = f"remove from functions what {environment} does not set: {names}"
            return [Step(said, partial(_change, self._cloud, self._inventory, environment, prune=True))]
        self.notes += kept_variables(Outcome(environment, self._cloud.region, tuple(self._states)), "arc create")
        return []

    def _secret(self, *, adopt: bool, prune: bool) -> list[Step]:
        """A secret where there is none, or for functions that an interrupted run left without it."""
        cloud, inventory, environment = self._cloud, self._inventory, self._environment
        if SECRET not in self._variables:
            owners = [state.function.name for state in self._states if SECRET in state.kept]
            if owners and not prune:
                if not adopt:
                    self.left.append(
                        f"{environment} has no {SECRET}, but functions have one that another tool set: "
                        f"{', '.join(owners)}. A new one would end every session. Take theirs: arc create "
                        f"{environment} --adopt"
                    )
                return []
            said = f"give {environment} a random {SECRET}, which is not shown"
            return [Step(said, partial(_give_secret, cloud, inventory, environment))]
        without = [state.function.name for state in self._states if SECRET in state.drift.missing]
        if not without:
            return []
        said = f"bring the functions of {environment} in step: without {SECRET} {_are(without)}"
        return [Step(said, partial(_change, cloud, inventory, environment))]


def _are(names: list[str]) -> str:
    return f"is {names[0]}" if len(names) == 1 else f"are {', '.join(names)}"


def _give_secret(cloud: Cloud, inventory: Inventory, environment: str) -> None:
    """Set a random secret, unless somebody has just set one, and bring the functions in step."""
    Parameters(cloud, inventory.app, environment).write_new(SECRET, new_secret())
    _change(cloud, inventory, environment)


def _change(cloud: Cloud, inventory: Inventory, environment: str, *, adopt: bool = False, prune: bool = False) -> None:
    """Bring the functions in step."""
    outcome = Change(cloud, inventory, environment, {}, adopt=adopt, prune=prune).run()
    if outcome.failed:
        raise ToolError(failures(outcome))
