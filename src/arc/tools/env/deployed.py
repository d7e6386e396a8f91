"""The variables of deployed functions: which they have, which they should have, and how to sync them."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from arc.errors import ArcError, ToolError
from arc.inventory.routes import folder_name
from arc.inventory.static import STATIC_FUNCTION
from arc.tools.cloud.cloud import NoCredentials, Refused
from arc.tools.cloud.functions import Function, Functions
from arc.tools.env.variables import OLD_STORE, RESERVED, SEALED, STORE, check_set, fault_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from arc.inventory import Inventory, Route
    from arc.tools.cloud.cloud import Cloud

    OnProgress = Callable[[int, int], None]

_Result = TypeVar("_Result")

_STORES = frozenset((STORE, OLD_STORE))
_THREADS = 8
_ATTEMPTS = 10  # to update a function that another process updates too
_LONGEST_PAUSE = 5.0  # seconds
_CONFLICTS = ("PreconditionFailedException", "ResourceConflictException")
_NOT_FOUND = "ResourceNotFoundException"


@dataclass(frozen=True)
class Drift:
    """Names of the variables that a function lacks, has with another value, or has beyond the desired ones."""

    missing: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.missing or self.differs or self.surplus)


@dataclass(frozen=True)
class State:
    """A function after it was inspected or synced."""

    function: Function
    drift: Drift
    """The drift when the function was first read."""
    in_sync: bool
    """Whether the function has the desired variables now."""
    updated: bool = False
    kept: tuple[str, ...] = ()
    """Variables that only the function has, and that it keeps."""
    failure: str = ""
    """Why the function could not be synced."""


@dataclass(frozen=True)
class Published:
    """A version that an alias of a function points to; it keeps the variables that it was published with."""

    function: str
    alias: str
    version: str
    variables: Mapping[str, str] = field(repr=False)
    drift: Drift
    """What publishing the function again would change, once the function is in sync."""

    def __str__(self) -> str:
        return f"{self.function}: alias {self.alias} points to version {self.version}"


class Deployed:
    """The deployed functions of an app's environment.

    A function keeps the variables that only it has, except those in `removed`, or all of them with `prune`.
    `on_progress` is called with the number of functions done and their total. Methods raise what `Cloud.call` raises.
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
        # Functions have the store under both names.
        self._removed = frozenset(removed) | (_STORES if _STORES.intersection(removed) else frozenset())
        self._prune = prune
        self.app, self.environment = inventory.app, environment
        self._cloud, self._sleep, self._chance = cloud, sleep, chance
        self._stopping = threading.Event()
        self.functions = Functions(cloud, inventory.app, environment, sleep=self._pause)
        found = self.functions.find()
        names = {name: logical for name, logical in found.names.items() if logical != STATIC_FUNCTION}
        self.notes = found.notes
        """Functions that look like the app's and are left alone, a sentence each."""
        opted_out = {name for route in inventory.routes if not route.config.env for name in _names_of(route)}
        self.opted_out = tuple(name for name, logical in names.items() if logical in opted_out)
        """Functions whose config.arc says `env false`, which are left alone."""
        self.names = tuple(name for name in names if name not in self.opted_out)
        """The functions that take the environment's variables."""

    def read(self, on_progress: OnProgress) -> list[Function]:
        """Return each function as it is now, without those deleted since."""
        return [one for one in self._each(self._read, on_progress) if one is not None]

    def desired(self, function: Function, variables: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that a function should have when its environment has `variables`."""
        keep = self.kept(function, variables)
        return desired_variables(function.variables, variables, self.app, self.environment, keep=keep)

    def kept(self, function: Function, variables: Mapping[str, str]) -> frozenset[str]:
        """Return the names of the variables that only a function has, and that it keeps."""
        return frozenset() if self._prune else unmanaged(function.variables, variables) - self._removed

    def check(self, functions: Iterable[Function], variables: Mapping[str, str]) -> None:
        """Raise `ToolError` when `variables` exceed Lambda's limits in one of `functions`."""
        for function in functions:
            check_set(function.name, self.desired(function, variables))

    def states(self, variables: Mapping[str, str], on_progress: OnProgress) -> list[State]:
        """Return the state of each function, and change nothing."""
        return [
            State(one, drift, in_sync=not drift, kept=tuple(sorted(self.kept(one, variables))))
            for one in self.read(on_progress)
            for drift in (self._drift(one, variables),)
        ]

    def published(self, functions: Iterable[Function], variables: Mapping[str, str]) -> list[Published]:
        """Return the versions of `functions` that aliases point to; one with two aliases is there twice."""
        desired = {function.name: self.desired(function, variables) for function in functions}

        def read(name: str) -> list[Published]:
            versions = []
            for version, aliases in self._aliases(name).items() if name in desired else ():
                observed = self.functions.read(name, version).variables
                self._hide(observed)
                drift = find_drift(observed, desired[name])
                versions += [Published(name, alias, version, observed, drift) for alias in sorted(aliases)]
            return versions

        return [one for versions in self._each(read, lambda _done, _total: None) for one in versions]

    def outdated(
        self, functions: Iterable[Function], variables: Mapping[str, str], note: Callable[[str], None]
    ) -> tuple[Published, ...]:
        """Return the published versions with drift; none, after a `note`, where AWS does not allow reading them."""
        try:
            return tuple(one for one in self.published(functions, variables) if one.drift)
        except Refused as refused:
            note(f"Cannot check whether aliases point to versions with old variables. {refused}")
            return ()

    def sync(
        self, variables: Mapping[str, str], newest: Callable[[], Mapping[str, str]], on_progress: OnProgress
    ) -> list[State]:
        """Update each function that differs from `variables`, to what `newest` returns by then.

        A function that fails does not stop the others.
        """

        def sync_one(name: str) -> State | None:
            return self._sync(name, variables, newest)

        return [one for one in self._each(sync_one, on_progress) if one is not None]

    def _sync(self, name: str, variables: Mapping[str, str], newest: Callable[[], Mapping[str, str]]) -> State | None:
        first: Drift | None = None
        updated = False
        function: Function | None = None
        try:
            for attempt in range(1, _ATTEMPTS + 1):
                function = self._read(name)
                if function is None:
                    return None
                function = self.functions.settled(function)
                desired = self.desired(function, variables)
                drift = find_drift(function.variables, desired)
                if drift:  # Variables read after the function are never older than those that it has.
                    variables = newest()
                    desired = self.desired(function, variables)
                    drift = find_drift(function.variables, desired)
                first = self._drift(function, variables) if first is None else first
                if not drift and function.status != "Failed":
                    kept = tuple(sorted(self.kept(function, variables)))
                    return State(function, first, in_sync=True, updated=updated, kept=kept)
                check_set(name, desired)
                try:
                    self.functions.update(function, desired)
                    updated = True
                except Refused as refused:
                    if refused.code not in _CONFLICTS:
                        raise
                    self._pause(self._chance() * min(_LONGEST_PAUSE, 0.2 * 2**attempt))
            raise ToolError(f"another process kept changing it during {_ATTEMPTS} attempts")
        except NoCredentials:
            raise
        except ArcError as error:
            if isinstance(error, Refused) and error.code == _NOT_FOUND:
                return None
            function = function or Function(name, {}, "")
            return State(function, first or Drift(), in_sync=False, updated=updated, failure=str(error))

    def _drift(self, function: Function, variables: Mapping[str, str]) -> Drift:
        """Return the drift of a function; what it keeps counts as surplus."""
        drift = find_drift(function.variables, self.desired(function, variables))
        return Drift(drift.missing, drift.differs, tuple(sorted({*drift.surplus, *self.kept(function, variables)})))

    def _read(self, name: str) -> Function | None:
        try:
            function = self.functions.read(name)
        except Refused as refused:
            if refused.code == _NOT_FOUND:
                return None
            raise
        self._hide(function.variables)
        return function

    def _aliases(self, name: str) -> dict[str, list[str]]:
        try:
            return self.functions.aliases(name)
        except Refused as refused:
            if refused.code == _NOT_FOUND:
                return {}
            raise

    def _hide(self, variables: Mapping[str, str]) -> None:
        self._cloud.hide(*(value for key, value in variables.items() if key not in RESERVED))

    def _each(self, work: Callable[[str], _Result], on_progress: OnProgress) -> list[_Result]:
        """Return the result of `work` for each function's name, in their order. Ctrl-C waits for calls in progress."""
        results: dict[str, _Result] = {}
        pool = ThreadPoolExecutor(_THREADS)
        try:
            futures = {pool.submit(work, name): name for name in self.names}
            for done, future in enumerate(as_completed(futures), start=1):
                results[futures[future]] = future.result()
                on_progress(done, len(futures))
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
    """Return a route's possible logical ids: ours, that of Architect's stacks, and Architect's before stacks."""
    return route.logical_id, f"{route.logical_id}HTTPLambda", folder_name(route.method, route.path)


def desired_variables(
    observed: Mapping[str, str],
    variables: Mapping[str, str],
    app: str,
    environment: str,
    *,
    keep: Iterable[str] = (),
) -> dict[str, str]:
    """Return all variables that a function with the `observed` ones should have when its environment has `variables`.

    Reserved names and those in `keep` stay as observed. `SESSION_TABLE_NAME` is copied to `ARC_SESSION_TABLE_NAME`,
    which is `jwe` without it, as in Architect. Variables that Lambda would refuse are left out.
    """
    reserved = {name: value for name, value in observed.items() if name in RESERVED}
    kept = {STORE: SEALED} | {name: observed[name] for name in keep if name in observed}
    own = {name: value for name, value in variables.items() if fault_of(name) is None}
    store = {STORE: own[OLD_STORE]} if OLD_STORE in own else {}
    return {"ARC_APP_NAME": app, "ARC_ENV": environment} | reserved | kept | own | store


def find_drift(observed: Mapping[str, str], desired: Mapping[str, str]) -> Drift:
    """Return how the observed variables differ from the desired ones."""
    return Drift(
        tuple(sorted(desired.keys() - observed.keys())),
        tuple(sorted(name for name in desired.keys() & observed.keys() if desired[name] != observed[name])),
        tuple(sorted(observed.keys() - desired.keys())),
    )


def unmanaged(observed: Mapping[str, str], managed: Iterable[str]) -> frozenset[str]:
    """Return the names of a function's variables that neither its environment, which sets `managed`, nor arc sets."""
    names = (observed.keys() - RESERVED).difference(managed)
    if _STORES.intersection(managed):
        names -= _STORES
    elif observed.get(STORE) == SEALED:
        names -= {STORE}
    return frozenset(names)
