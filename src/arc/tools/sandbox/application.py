"""The app as it is now: its inventory, read again when a file it came from has changed, and its functions."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from arc import inventory as inventories
from arc.errors import ArcError
from arc.tools.sandbox.cloud import local_tables
from arc.tools.sandbox.cloud.state import StateTaken
from arc.tools.sandbox.functions import changes
from arc.tools.sandbox.functions.function import Function
from arc.tools.sandbox.functions.requirements import others_in_our_place, unmet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from arc.inventory import Inventory, Route
    from arc.tools.sandbox.functions.changes import Fingerprint
    from arc.tools.sandbox.functions.runtime_api import RuntimeApi
    from arc.tools.sandbox.launch import Launch
    from arc.tools.sandbox.terminal import Terminal

_QUIET = 0.25  # seconds without a change after which a manifest counts as wholly written
_TOLD_AFTER = 0.5  # seconds after a save in which a fault is not told yet
_PATIENCE = 2.0  # seconds that a request without a route waits for that


class Application:
    """Finds the function for a request, on the newest manifest that is valid."""

    def __init__(
        self,
        inventory: Inventory,
        read: Callable[[], Inventory],
        launch: Callable[[Route, Inventory], Launch],
        terminal: Terminal,
        api: RuntimeApi,
        prepare: Callable[[Inventory], None] = lambda _inventory: None,
    ) -> None:
        """`inventory` is what `read` returned first; `launch` says how a function is started.

        `prepare` is called with each newly read inventory before it is taken; what it raises is a fault.
        """
        self.inventory = inventory
        self._read, self._prepare = read, prepare
        self._launch, self._terminal, self._api = launch, terminal, api
        self._functions: dict[Path, Function] = {}
        self._files = self._good_files = self._faulty_files = self._look()
        self._fault = ""
        self._later: asyncio.TimerHandle | None = None
        self._told: set[tuple[str, str]] = set()
        self._adopt(inventory)

    @property
    def functions(self) -> tuple[Function, ...]:
        """All functions of the app."""
        return tuple(self._functions.values())

    async def find(self, method: str, path: str) -> tuple[Function, Route, Mapping[str, str]] | None:
        """The function, route and path parameters for a request, or None; `path` is as the visitor sent it."""
        self.refresh()
        found = inventories.match(self.inventory.routes, method, path)
        end = time.monotonic() + _PATIENCE
        while found is None and (rest := self._unrest(_QUIET)) > 0 and time.monotonic() < end:
            await asyncio.sleep(rest)
            self.refresh()
            found = inventories.match(self.inventory.routes, method, path)
        if found is None:
            return None
        route, parameters = found
        return self._functions[route.folder], route, parameters

    def refresh(self) -> None:
        """Read the manifest and what belongs to it again, if a file has changed."""
        files = self._look()
        if files != self._files:
            self._files = files
            self.read_again()

    def read_again(self) -> None:
        """Take the app as its files are now; a faulty manifest is told once, and the last good one stays."""
        self._files = self._look()
        try:
            inventory = self._read()
            self._prepare(inventory)
        except (ArcError, OSError) as fault:
            self._faulty_files = self._files
            if self._unrest(_TOLD_AFTER) > 0 or self._look() != self._files:
                self._read_later(_QUIET)
            elif str(fault) != self._fault:
                self._fault = str(fault)
                self._terminal.say(f"{fault}\n\nThe routes stay as they were until this is mended.")
            if isinstance(fault, StateTaken):
                self._read_later(_QUIET)
            return
        if self._fault:
            self._fault = ""
            self._terminal.say(f"{self._repaired(inventory)} is good again.")
        self._good_files = self._files
        for warning in inventory.warnings:
            if warning not in self.inventory.warnings:
                self._terminal.say(f"Warning: {warning}")
        self._adopt(inventory)
        asyncio.get_running_loop().run_in_executor(None, self.tell_unmet)

    def tell_unmet(self) -> None:
        """Name, once, each requirement of a function that is not met, and what it has in place of this package."""
        for function in self.functions:
            launch = function.launch
            for folder in launch.folders:
                places = (folder, folder / "vendor")
                faults = [*map(str, unmet(folder / "requirements.txt", places)), *others_in_our_place(places)]
                for fault in faults:
                    if (launch.route, fault) not in self._told:
                        self._told.add((launch.route, fault))
                        self._terminal.lines(launch.route, [fault])

    def _repaired(self, inventory: Inventory) -> str:
        """The file whose change has ended a fault: the one saved last, or that which brought the fault."""
        changed = set(self._files) - set(self._faulty_files) or set(self._files) - set(self._good_files)
        if not changed:
            return inventory.manifest.name
        file = inventory.root.joinpath(max(changed, key=lambda entry: entry[1])[0])
        return file.relative_to(inventory.root).as_posix() if file.is_relative_to(inventory.root) else str(file)

    def _read_later(self, seconds: float) -> None:
        if self._later is not None:
            self._later.cancel()
        self._later = asyncio.get_running_loop().call_later(seconds, self.read_again)

    def _unrest(self, quiet: float) -> float:
        """How many seconds are missing until no file has changed for `quiet` seconds."""
        rest = changes.newest(self._look()) + quiet - time.time()
        return rest if rest <= quiet else 0.0  # A time in the future is not waited for.

    def _look(self) -> Fingerprint:
        root = self.inventory.root
        return changes.fingerprint_files((*self.inventory.sources, root / local_tables.FILE, root / "src" / "shared"))

    def _adopt(self, inventory: Inventory) -> None:
        self.inventory = inventory
        folders = set()
        for route in inventory.routes:
            if route.folder in folders:  # Another route of the same function.
                continue
            folders.add(route.folder)
            launch = self._launch(route, inventory)
            function = self._functions.get(route.folder)
            if function is None:
                self._functions[route.folder] = Function(launch, self._terminal, self._api, self.read_again)
            else:
                function.update(launch)
        for folder in self._functions.keys() - folders:
            self._functions[folder].retire()
