"""An app's functions in this process, each with modules, variables and import path of its own while it runs.

On Lambda each function is a process, in which its file is the module `handler` and the shared code is `vendor.shared`.
Here `sys.modules` has a function's modules only while the function runs, so that functions, apps and tests do not get
each other's. All functions of an app use the same modules of the shared code, where a test can replace something.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import threading
import time
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path

from arc.tools.sandbox.functions.bootstrap import app_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

# One function runs at a time, because variables and modules are the whole process's. Another one may run inside it.
_running = threading.RLock()
_active: list[Function] = []
_SHARED = ("vendor", "shared")
_OURS = "arc"  # A function gets the `arc` that the test uses, even if it has a copy of its own.


class SharedModules:
    """The modules of an app's shared code, and the hook that imports the app's code from its source."""

    def __init__(self, root: Path, shared: Path | None) -> None:
        self.root, self.shared = root, shared
        self.modules: dict[str, ModuleType] = {}
        app_code.read_fresh(str(root))
        self._hook = sys.path_hooks[0]

    def close(self) -> None:
        """Remove the hook."""
        sys.path_hooks.remove(self._hook)
        sys.path_importer_cache.clear()

    def owns(self, name: str, place: Path) -> bool:
        """Return True for a module of the shared code, by its name and the file or folder that it comes from."""
        return (
            self.shared is not None and name.partition(".")[0] in _SHARED and place.is_relative_to(_real(self.shared))
        )


class Function:
    """A function's code: the folder of its handler, with or without the app's shared code."""

    def __init__(self, folder: Path, app: SharedModules, *, shared: bool) -> None:
        self.folder = folder
        self._app, self._shared = app, app.shared if shared else None
        self._modules: dict[str, ModuleType] = {}
        self._path = [str(path) for path in (folder, folder / "vendor") if path.is_dir()]
        self._more_path: list[str] = []  # that its code has added
        self._variables: dict[str, str | None] = {}  # that its code has set or removed
        own = {name for path in self._path for name in _importable(Path(path))}
        self._names = {*own, "vendor", *(_SHARED if shared else ())} - {_OURS}

    @contextlib.contextmanager
    def running(self, variables: Mapping[str, str]) -> Iterator[None]:
        """Run a `with` block with the function's modules and import path, and these environment variables."""
        with _running, contextlib.ExitStack() as ends:
            if _active:
                _active[-1]._leave()  # noqa: SLF001 - another function
                ends.callback(_active[-1]._enter)  # noqa: SLF001
            ends.enter_context(self._environment(variables))
            _active.append(self)
            ends.callback(_active.pop)
            ends.callback(self._leave)
            self._enter()
            yield

    @contextlib.contextmanager
    def _environment(self, variables: Mapping[str, str]) -> Iterator[None]:
        before = dict(os.environ)
        values = {**variables, **self._variables}
        own = {name: value for name, value in values.items() if value is not None}
        _replace_environment(own)
        try:
            yield
        finally:
            after = dict(os.environ)
            for name in own.keys() | after.keys():
                if after.get(name) != own.get(name):
                    self._variables[name] = after.get(name)
            _replace_environment(before)

    def _enter(self) -> None:
        """Put the function's modules and import path in place of the process's."""
        self._before = sys.path[:], sys.meta_path[:]
        self._hidden = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in self._names}
        for name in self._hidden:
            del sys.modules[name]
        self._others = dict(sys.modules)
        sys.modules.update(self._modules)
        # pytest puts the app's folder on the path, where a deployed function finds nothing.
        elsewhere = [entry for entry in sys.path if entry and _real(entry) != str(self._app.root)]
        sys.path[:] = [*self._path, *self._more_path, *elsewhere]
        if self._shared is not None:
            finder = app_code.SharedFinder(str(self.folder), str(self._shared))
            sys.meta_path.insert(sys.meta_path.index(PathFinder), finder)
            self._adopt_shared()

    def _leave(self) -> None:
        """Keep this function's modules, and restore those of the process."""
        path, finders = self._before
        self._more_path = [entry for entry in sys.path if entry not in (*path, *self._path)]
        for name, module in list(sys.modules.items()):
            if self._others.get(name) is not module:
                self._keep(name, module)
        sys.modules.update(self._hidden)
        sys.path[:], sys.meta_path[:] = path, finders

    def _adopt_shared(self) -> None:
        """Add the shared modules that other functions have imported, also as an attribute of `vendor`."""
        sys.modules.update(self._app.modules)
        if "vendor.shared" in self._app.modules:
            vars(importlib.import_module("vendor"))["shared"] = self._app.modules["vendor.shared"]

    def _keep(self, name: str, module: ModuleType) -> None:
        """Take a module of the app out of `sys.modules`. Others, such as installed packages, stay there."""
        place = _place(module)
        if place is None:
            return
        if self._app.owns(name, place):
            self._app.modules[name] = module
        elif any(
            _contains(folder, place) for folder in (self.folder, self.folder / "vendor", *map(Path, self._more_path))
        ):
            self._modules[name] = module
        else:
            return
        del sys.modules[name]


@cache
def _real(path: str | Path) -> str:
    return os.path.realpath(path)


def _contains(folder: Path, place: Path) -> bool:
    """Return True for a module in `folder`, but not in an environment below it, such as `.venv` in the app's root."""
    real = Path(_real(folder))
    return place == real or (place.is_relative_to(real) and not app_code.is_installed(str(place.relative_to(real))))


def _replace_environment(variables: Mapping[str, str]) -> None:
    """Change only what differs, because each change is a call of the system's library."""
    now = dict(os.environ)
    for name in now.keys() - variables.keys():
        del os.environ[name]
    for name, value in variables.items():
        if now.get(name) != value:
            os.environ[name] = value
    if hasattr(time, "tzset"):
        time.tzset()


def _importable(folder: Path) -> Iterator[str]:
    """Yield the names of the modules and packages in a folder."""
    for file in folder.iterdir():
        if file.suffix in (".py", ".so", ".pyd") or (file.is_dir() and any(file.glob("*.py"))):
            yield file.name.partition(".")[0]


def _place(module: ModuleType) -> Path | None:
    """Return the file that a module comes from, or the folder of a package without one."""
    spec = getattr(module, "__spec__", None)
    origin = getattr(spec, "origin", None) or getattr(module, "__file__", None)
    if origin is None:
        origin = next(iter(getattr(module, "__path__", ())), None)
    return Path(os.path.realpath(origin)) if isinstance(origin, str) else None
