"""The running app: its functions, and its inventory, which is read again when one of its files changes."""

from __future__ import annotations

import asyncio
import importlib
import sysconfig
import time
from pathlib import Path
from typing import TYPE_CHECKING

from arc import inventory as inventories
from arc.errors import ArcError
from arc.inventory.places import shell_path
from arc.tools.env.mistakes import mistakes
from arc.tools.sandbox.cloud import local_tables
from arc.tools.sandbox.cloud.state import StateTaken
from arc.tools.sandbox.functions import changes
from arc.tools.sandbox.functions.function import Function
from arc.tools.sandbox.functions.installation import install_command
from arc.tools.sandbox.functions.launch import ignored_variables
from arc.tools.sandbox.functions.requirements import FILE, conflicting_packages, requirement_files, shown, unsatisfied

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from arc.inventory import Inventory, Route
    from arc.tools.sandbox.functions.changes import Fingerprint
    from arc.tools.sandbox.functions.launch import Launch
    from arc.tools.sandbox.functions.runtime_api import RuntimeApi
    from arc.tools.sandbox.terminal import Terminal

_PACKAGES = Path(sysconfig.get_path("purelib"))  # its time changes when a package is installed or removed
_QUIET = 0.25  # seconds without a change after which a manifest counts as completely written
_REPORT_DELAY = 0.5  # seconds after a change before an error is reported
_PATIENCE = 2.0  # seconds that a request without a route waits for a manifest to be written
_WATCH_INTERVAL = 60  # milliseconds in which changes are collected


class Application:
    """Finds functions for requests, according to the newest valid manifest."""

    def __init__(
        self,
        inventory: Inventory,
        read: Callable[[], Inventory],
        launch: Callable[[Route, Inventory], Launch],
        terminal: Terminal,
        api: RuntimeApi,
        prepare: Callable[[Inventory], None],
    ) -> None:
        """`inventory` is the first result of `read`; `launch` returns how a function is started.

        `prepare` is called with each new inventory before it is used, and may raise an error to reject it.
        """
        self.inventory = inventory
        self._read, self._prepare = read, prepare
        self._launch, self._terminal, self._api = launch, terminal, api
        self._functions: dict[Path, Function] = {}
        self._files = self._good_files = self._faulty_files = self._scan()
        self.fault = ""
        """What is wrong with the app's files, empty if nothing is. The inventory is then the last valid one."""
        self._reported = ""
        self._missing: list[str] = []
        self._later: asyncio.TimerHandle | None = None
        self._adopt(inventory)

    @property
    def functions(self) -> tuple[Function, ...]:
        """All functions of the app."""
        return tuple(self._functions.values())

    def newest(self) -> Inventory:
        """Return the app as its files are now."""
        self.refresh()
        return self.inventory

    async def find(self, method: str, path: str) -> tuple[Function, Route, Mapping[str, str]] | None:
        """Return the function, route and path parameters for a request with an encoded path, or None."""
        self.refresh()
        found = inventories.match(self.inventory.routes, method, path)
        end = time.monotonic() + _PATIENCE
        while found is None and (rest := self._until_quiet(_QUIET)) > 0 and time.monotonic() < end:
            await asyncio.sleep(rest)
            self.refresh()
            found = inventories.match(self.inventory.routes, method, path)
        if found is None:
            return None
        route, parameters = found
        return self._functions[route.folder], route, parameters

    async def watch(self) -> None:
        """Refresh the app and its functions when files change, until cancelled.

        If the folders cannot be watched, report it and return.
        """
        await asyncio.get_running_loop().run_in_executor(None, importlib.import_module, "watchfiles")
        root = self.inventory.root
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch(root, recursive=False))
                if (root / "src").is_dir():
                    group.create_task(self._watch(root / "src", recursive=True))
        except* OSError as errors:
            reason = errors.exceptions[0]
            self._terminal.say(f"Cannot watch the app's folders: {reason}. Changes are detected at the next request.")

    async def _watch(self, folder: Path, *, recursive: bool) -> None:
        import watchfiles

        saved = watchfiles.awatch(
            folder,
            debounce=_WATCH_INTERVAL,
            step=_WATCH_INTERVAL // 3,
            recursive=recursive,
            raise_interrupt=False,
        )
        async for _ in saved:
            self.refresh()
            for function in self.functions:
                function.warm()

    def refresh(self) -> None:
        """Reload the app if one of its files has changed."""
        if self._scan() != self._files:
            self.reload()

    def reload(self) -> None:
        """Read the manifest again. Report an error once, and keep the last valid manifest."""
        self._files = self._scan()
        try:
            inventory = self._read()
            self._prepare(inventory)
        except (ArcError, OSError) as fault:
            self._faulty_files, self.fault = self._files, str(fault)
            if self._until_quiet(_REPORT_DELAY) > 0 or self._scan() != self._files:
                self._reload_later()
            elif self.fault != self._reported:
                self._reported = self.fault
                self._terminal.say(f"{fault}\n\nThe routes remain unchanged until this is fixed.")
            if isinstance(fault, StateTaken):
                self._reload_later()
            return
        self.fault = ""
        if self._reported:
            self._reported = ""
            self._terminal.say(f"{self._fixed_file(inventory)} is valid again.")
        self._good_files = self._files
        known = _warnings(self.inventory)
        for warning in _warnings(inventory):
            if warning not in known:
                self._terminal.say(f"Warning: {warning}")
        self._adopt(inventory)
        asyncio.get_running_loop().run_in_executor(None, self.check_requirements)

    def check_requirements(self) -> None:
        """Report the app's unsatisfied requirements and each function's conflicting packages, once."""
        root, folders = self.inventory.root, [function.launch.folder for function in self.functions]
        files = requirement_files(root, folders)
        missing = {file: unsatisfied(file, (file.parent, file.parent / "vendor")) for file in files}
        lines = [f"{shown(file, root)}: {', '.join(found)}" for file, found in missing.items() if found]
        if lines and lines != self._missing:
            command = install_command(root, " ".join(f"-r {shell_path(file)}" for file in files))
            self._terminal.say("\n  ".join((f"Warning: Packages are missing. Run: {command}", *lines)))
        self._missing = lines
        for function in self.functions:
            launch = function.launch
            for folder in launch.folders:
                for fault in conflicting_packages((folder, folder / "vendor")):
                    self._terminal.write_once(launch.route, fault)

    def _fixed_file(self, inventory: Inventory) -> str:
        """Return the file whose change has fixed a fault: the one saved last, or the one that had the fault."""
        changed = set(self._files) - set(self._faulty_files) or set(self._files) - set(self._good_files)
        changed = {entry for entry in changed if entry[0] != str(_PACKAGES)}
        if not changed:
            return inventory.manifest.name
        file = inventory.root.joinpath(max(changed, key=lambda entry: entry[1])[0])
        return file.relative_to(inventory.root).as_posix() if file.is_relative_to(inventory.root) else str(file)

    def _reload_later(self) -> None:
        if self._later is not None:
            self._later.cancel()
        self._later = asyncio.get_running_loop().call_later(_QUIET, self.reload)

    def _until_quiet(self, quiet: float) -> float:
        """Return the seconds that remain until no file has changed for `quiet` seconds."""
        rest = changes.newest(self._scan()) + quiet - time.time()
        return rest if rest <= quiet else 0.0  # A modification time in the future is ignored.

    def _scan(self) -> Fingerprint:
        root = self.inventory.root
        others = (root / local_tables.FILE, root / "src" / "shared", root / FILE, _PACKAGES)
        return changes.fingerprint_files((*self.inventory.sources, *others))

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
                self._functions[route.folder] = Function(launch, self._terminal, self._api, self.reload)
            else:
                function.update(launch)
        for folder in self._functions.keys() - folders:
            self._functions[folder].renew()


def _warnings(inventory: Inventory) -> list[str]:
    """Return the warnings about an app's files that are printed again when a file brings a new one."""
    testing = inventory.env.get(local_tables.ENVIRONMENT, {})
    misspelled = mistakes(testing, app=inventory.app, environment=local_tables.ENVIRONMENT)
    return [*inventory.warnings, *ignored_variables(inventory), *misspelled]
