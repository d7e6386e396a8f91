"""What a function's variables are to be, and how far from it they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from arc.tools.env.names import OLD_STORE, RESERVED, SEALED, STORE, fault_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_STORES = frozenset((STORE, OLD_STORE))


@dataclass(frozen=True)
class Drift:
    """Names of variables: those that a function lacks, has with another value, and has although nobody set them."""

    missing: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.missing or self.differs or self.surplus)


def unknown(current: Mapping[str, str], variables: Mapping[str, str]) -> frozenset[str]:
    """Names of the variables in `current`, a function's, that neither its environment nor the tools set."""
    names = current.keys() - variables.keys() - RESERVED
    if _STORES & variables.keys():
        names -= _STORES
    elif current.get(STORE) == SEALED:
        names -= {STORE}
    return frozenset(names)


def with_copies(names: Iterable[str]) -> frozenset[str]:
    """`names` and, where the store of sessions is among them, its other name."""
    found = frozenset(names)
    return found | _STORES if found & _STORES else found


def wanted(
    current: Mapping[str, str],
    variables: Mapping[str, str],
    app: str,
    environment: str,
    *,
    keep: Iterable[str] = (),
) -> dict[str, str]:
    """The whole set that a function is to have which has `current`, when its environment sets `variables`.

    Reserved names are kept, and those of `keep`. `SESSION_TABLE_NAME` is there as `ARC_SESSION_TABLE_NAME` too, which
    is `jwe` without it (Architect's rule). Variables that Lambda would refuse are left out.
    """
    kept = {name: value for name, value in current.items() if name in RESERVED}
    own = {name: value for name, value in variables.items() if fault_of(name) is None}
    store = {STORE: own[OLD_STORE]} if OLD_STORE in own else {}
    unset = {STORE: SEALED} | {name: current[name] for name in keep if name in current}
    return {"ARC_APP_NAME": app, "ARC_ENV": environment} | kept | unset | own | store


def drift(current: Mapping[str, str], goal: Mapping[str, str]) -> Drift:
    """How `current` is not `goal`."""
    return Drift(
        tuple(sorted(goal.keys() - current.keys())),
        tuple(sorted(name for name in goal.keys() & current.keys() if goal[name] != current[name])),
        tuple(sorted(current.keys() - goal.keys())),
    )
