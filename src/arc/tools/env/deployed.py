"""An environment's deployed functions: which take its variables, and bringing them in step."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from arc.errors import ArcError, ToolError
from arc.inventory.routes import folder_name
from arc.tools.cloud.cloud import NoCredentials, Refused
from arc.tools.cloud.functions import Function, Functions
from arc.tools.env.variables import OLD_STORE, RESERVED, SEALED, STORE, check_set, fault_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from arc.inventory import Inventory, Route
    from arc.tools.cloud.cloud import Cloud

    Told = Callable[[int, int], None]


_Result = TypeVar("_Result")

_THREADS = 8
_ATTEMPTS = 10  # to update a function that somebody else updates too
_LONGEST_PAUSE = 5.0  # seconds
_OTHERS_UPDATE = ("PreconditionFailedException", "ResourceConflictException")
_GONE = "ResourceNotFoundException"


@dataclass(frozen=True)
class State:
    """A function after it was looked at or mended."""

    function: Function
    drift: Drift
    """What was not as it is to be when the function was first looked at."""
    in_step: bool
    """True when it has what it is to have: at once, or after it was mended."""
    updated: bool = False
    kept: tuple[str, ...] = ()
    """Variables that only the function has, and that it keeps."""
    failure: str = ""
    """Why it could not be brought in step."""


@dataclass(frozen=True)
class Published:
    """A version of a function that an alias leads to: it keeps the variables that it was published with."""

    function: str
    alias: str
    version: str
    variables: Mapping[str, str] = field(repr=False)
    drift: Drift
    """What publishing the function again would change, once the function is in step."""

    def __str__(self) -> str:
        return f"{self.function}: the alias {self.alias} leads to version {self.version}"


class Deployed:
    """The deployed functions of an app's environment.

    A function keeps the variables that only it has, but for those of `removed`, and for all with `prune`. Its methods
    raise what `Cloud.call` raises; `told` is called with how many of how many functions are done.
    """

    def __init__(
        self,
        cloud: Cloud,
        inventory: Inventory,
        environment: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
        removed: Iterable[str] = (),
        prune: bool = False,
    ) -> None:
        self._removed, self._prune = with_copies(removed), prune
        self.app, self.environment = inventory.app, environment
        self._cloud, self._sleep, self._chance = cloud, sleep, chance
        self._stopping = threading.Event()
        self.functions = Functions(cloud, inventory.app, environment, sleep=self._pause)
        found = self.functions.find()
        self.notes = found.notes
        """What was found and does not belong here, a sentence each."""
        without = {name for route in inventory.routes if not route.config.env for name in _names_of(route)}
        self.opted_out = tuple(name for name, logical in found.names.items() if logical in without)
        """Functions whose config.arc says `env false`: they are left alone."""
        self.names = tuple(name for name in found.names if name not in self.opted_out)
        """The functions that take the environment's variables."""

    def read(self, told: Told) -> list[Function]:
        """Each function as it is now; one that has gone meanwhile is left out."""
        return [one for one in self._each(self._read, told) if one is not None]

    def goal(self, function: Function, variables: Mapping[str, str]) -> dict[str, str]:
        """What a function's variables are to be when the environment's are `variables`."""
        keep = self.kept(function, variables)
        return wanted(function.variables, variables, self.app, self.environment, keep=keep)

    def kept(self, function: Function, variables: Mapping[str, str]) -> frozenset[str]:
        """Names of the variables that only a function has, and that it keeps."""
        return frozenset() if self._prune else unknown(function.variables, variables) - self._removed

    def check(self, functions: Iterable[Function], variables: Mapping[str, str]) -> None:
        """Raise `ToolError` when `variables` are too many for one of `functions`."""
        for function in functions:
            check_set(function.name, self.goal(function, variables))

    def states(self, variables: Mapping[str, str], told: Told) -> list[State]:
        """Each function, and how it differs from what it is to be."""
        return [
            State(one, away, in_step=not away, kept=tuple(sorted(self.kept(one, variables))))
            for one in self.read(told)
            for away in (self._drift(one, variables),)
        ]

    def _drift(self, function: Function, variables: Mapping[str, str]) -> Drift:
        """How a function differs, what it keeps included."""
        away = drift(function.variables, self.goal(function, variables))
        return Drift(away.missing, away.differs, tuple(sorted({*away.surplus, *self.kept(function, variables)})))

    def published(self, functions: Iterable[Function], variables: Mapping[str, str]) -> list[Published]:
        """The versions of `functions` that aliases lead to; one with two aliases comes twice."""
        goals = {function.name: self.goal(function, variables) for function in functions}

        def read(name: str) -> list[Published]:
            found = []
            for version, aliases in self._aliases(name).items() if name in goals else ():
                has = self.functions.read(name, version).variables
                self._hide(has)
                found += [Published(name, alias, version, has, drift(has, goals[name])) for alias in sorted(aliases)]
            return found

        return [one for found in self._each(read, lambda _done, _of: None) for one in found]

    def behind(
        self, functions: Iterable[Function], variables: Mapping[str, str], note: Callable[[str], None]
    ) -> tuple[Published, ...]:
        """Those that do not have what their functions are to have; none, and a `note`, where AWS does not tell."""
        try:
            return tuple(one for one in self.published(functions, variables) if one.drift)
        except Refused as refused:
            note(f"Whether aliases lead to versions with old variables cannot be seen. {refused}")
            return ()

    def bring_in_step(
        self, variables: Mapping[str, str], newest: Callable[[], Mapping[str, str]], told: Told
    ) -> list[State]:
        """Give each function that differs from `variables` its new set, which `newest` tells.

        One that fails does not keep the others from it.
        """

        def mend(name: str) -> State | None:
            return self._mend(name, variables, newest)

        return [one for one in self._each(mend, told) if one is not None]

    def _read(self, name: str) -> Function | None:
        try:
            function = self.functions.read(name)
        except Refused as refused:
            if refused.code == _GONE:
                return None
            raise
        self._hide(function.variables)
        return function

    def _aliases(self, name: str) -> dict[str, list[str]]:
        try:
            return self.functions.aliases(name)
        except Refused as refused:
            if refused.code == _GONE:
                return {}
            raise

    def _hide(self, variables: Mapping[str, str]) -> None:
        self._cloud.hide(*(value for key, value in variables.items() if key not in RESERVED))

    def _mend(self, name: str, variables: Mapping[str, str], newest: Callable[[], Mapping[str, str]]) -> State | None:
        found: Drift | None = None
        updated = False
        function: Function | None = None
        try:
            for attempt in range(1, _ATTEMPTS + 1):
                function = self._read(name)
                if function is None:
                    return None
                function = self.functions.settled(function)
                goal = self.goal(function, variables)
                away = drift(function.variables, goal)
                if away:  # The set is read after the function: an older one never takes the place of a newer one.
                    variables = newest()
                    goal = self.goal(function, variables)
                    away = drift(function.variables, goal)
                found = self._drift(function, variables) if found is None else found
                if not away and function.status != "Failed":
                    kept = tuple(sorted(self.kept(function, variables)))
                    return State(function, found, in_step=True, updated=updated, kept=kept)
                check_set(name, goal)
                try:
                    self.functions.update(function, goal)
                    updated = True
                except Refused as refused:
                    if refused.code not in _OTHERS_UPDATE:
                        raise
                    self._pause(self._chance() * min(_LONGEST_PAUSE, 0.2 * 2**attempt))
            raise ToolError(f"somebody else went on changing it; tried {_ATTEMPTS} times")
        except NoCredentials:
            raise
        except ArcError as error:
            if isinstance(error, Refused) and error.code == _GONE:
                return None
            function = function or Function(name, {}, "")
            return State(function, found or Drift(), in_step=False, updated=updated, failure=str(error))

    def _each(self, work: Callable[[str], _Result], told: Told) -> list[_Result]:
        """What `work` gives for each function's name, in their order. Ctrl-C lets calls under way end."""
        results: dict[str, _Result] = {}
        pool = ThreadPoolExecutor(_THREADS)
        try:
            futures = {pool.submit(work, name): name for name in self.names}
            for done, future in enumerate(as_completed(futures), start=1):
                results[futures[future]] = future.result()
                told(done, len(futures))
        except BaseException:
            self._stopping.set()
            self._cloud.stop()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
        return [results[name] for name in self.names]

    def _pause(self, seconds: float) -> None:
        if self._stopping.is_set():
            raise ToolError("interrupted")
        self._sleep(seconds)


def _names_of(route: Route) -> tuple[str, ...]:
    """What a route's function may be called: by us, in a stack of Architect's, and by Architect before stacks."""
    return route.logical_id, f"{route.logical_id}HTTPLambda", folder_name(route.method, route.path)


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
