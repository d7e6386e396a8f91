"""Variables that only functions have, because another tool set them: shown, and taken into the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.tools.env.names import OLD_STORE, STORE, check_name, is_secret
from arc.tools.env.values import check_value
from arc.tools.env.wanted import unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from arc.tools.cloud.functions import Function

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
