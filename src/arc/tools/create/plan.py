"""What `arc create` does in one environment: its tables, and its secret."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.tools.cloud.cloud import Refused
from arc.tools.cloud.parameters import Parameters
from arc.tools.cloud.service_map import mapped_tables
from arc.tools.cloud.table_plan import Step, WrongKey, plan_table
from arc.tools.cloud.tables import Tables, physical_name
from arc.tools.env.changing import Change
from arc.tools.env.deployed import Deployed
from arc.tools.env.mistakes import mistakes
from arc.tools.env.names import SECRET
from arc.tools.env.report import failures
from arc.tools.env.secrets import new_secret
from arc.tools.session_tables import store_warnings, ttl_warnings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from arc.inventory import Inventory
    from arc.tools.cloud.cloud import Cloud

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


def plan_environment(cloud: Cloud, inventory: Inventory, environment: str) -> Plan:
    """The plan for an environment, after a look at what is there. Raises what `Cloud.call` raises."""
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
        steps += _secret_steps(cloud, inventory, environment, variables, notes)
    return Plan(environment, tuple(steps), tuple(left), tuple(notes))


def _variables(cloud: Cloud, inventory: Inventory, environment: str) -> dict[str, str]:
    return Parameters(cloud, inventory.app, environment).read()


def _secret_steps(
    cloud: Cloud, inventory: Inventory, environment: str, variables: Mapping[str, str], notes: list[str]
) -> list[Step]:
    """A secret where there is none, or for functions that an interrupted run left without it."""
    if SECRET not in variables:
        said = f"give {environment} a random {SECRET}, which is not shown"
        return [Step(said, partial(_give_secret, cloud, inventory, environment))]
    try:
        states = Deployed(cloud, inventory, environment).states(variables, lambda _done, _of: None)
    except Refused as refused:  # who may make tables need not be allowed to look at functions
        notes.append(f"Whether every function of {environment} has its {SECRET} cannot be seen. {refused}")
        return []
    without = [state.function.name for state in states if SECRET in state.drift.missing]
    if not without:
        return []
    said = f"bring the functions of {environment} in step: without {SECRET} {_are(without)}"
    return [Step(said, partial(_bring_in_step, cloud, inventory, environment))]


def _are(names: list[str]) -> str:
    return f"is {names[0]}" if len(names) == 1 else f"are {', '.join(names)}"


def _give_secret(cloud: Cloud, inventory: Inventory, environment: str) -> None:
    """Set a random secret, unless somebody has just set one, and bring the functions in step."""
    Parameters(cloud, inventory.app, environment).write_new(SECRET, new_secret())
    _bring_in_step(cloud, inventory, environment)


def _bring_in_step(cloud: Cloud, inventory: Inventory, environment: str) -> None:
    outcome = Change(cloud, inventory, environment, {}).run()
    if outcome.failed:
        raise ToolError(failures(outcome))
