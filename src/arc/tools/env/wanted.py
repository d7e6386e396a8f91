"""What a function's variables are to be, and how far from it they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from arc.tools.env.names import OLD_STORE, RESERVED, SEALED, STORE, fault_of

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Drift:
    """Names of variables: those that a function lacks, has with another value, and has although nobody set them."""

    missing: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.missing or self.differs or self.surplus)


def wanted(current: Mapping[str, str], variables: Mapping[str, str], app: str, environment: str) -> dict[str, str]:
    """The whole set that a function is to have which has `current`, when its environment sets `variables`.

    Reserved names are kept. `SESSION_TABLE_NAME` is there as `ARC_SESSION_TABLE_NAME` too, which is `jwe` without it
    (Architect's rule). Variables that Lambda would refuse are left out.
    """
    kept = {name: value for name, value in current.items() if name in RESERVED}
    own = {name: value for name, value in variables.items() if fault_of(name) is None}
    store = {STORE: own[OLD_STORE]} if OLD_STORE in own else {}
    return {"ARC_APP_NAME": app, "ARC_ENV": environment} | kept | {STORE: SEALED} | own | store


def drift(current: Mapping[str, str], goal: Mapping[str, str]) -> Drift:
    """How `current` is not `goal`."""
    return Drift(
        tuple(sorted(goal.keys() - current.keys())),
        tuple(sorted(name for name in goal.keys() & current.keys() if goal[name] != current[name])),
        tuple(sorted(current.keys() - goal.keys())),
    )
