"""How a function's process imports the app's code: always from its source, and with `src/shared` as when deployed.

A deployed function has the shared code in its folder `vendor/shared`, and `vendor` on its path, so that both
`vendor.shared` and `shared` name it. Here nothing is copied.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    PathFinder,
    SourceFileLoader,
)
from importlib.util import spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, ModuleType

_INSTALLED = frozenset(("site-packages", "dist-packages", "node_modules", "venv", "vendor"))


class FreshSource(SourceFileLoader):
    """A loader that neither reads nor writes a `.pyc`."""

    def get_code(self, fullname: str) -> CodeType:
        """Compile the module's current source."""
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


def read_fresh(root: str) -> None:
    """Load every module below the folder `root` with `FreshSource`, except installed packages."""
    prefix = os.path.join(os.path.realpath(root), "")

    def find_below_root(path: str) -> FileFinder:
        below = os.path.join(os.path.realpath(path), "")
        if not below.startswith(prefix) or not os.path.isdir(below) or is_installed(below[len(prefix) :]):
            raise ImportError(path)
        return FileFinder(path, (ExtensionFileLoader, EXTENSION_SUFFIXES), (FreshSource, SOURCE_SUFFIXES))

    sys.path_hooks.insert(0, find_below_root)
    sys.path_importer_cache.clear()


def is_installed(below: str) -> bool:
    """Return True if a path relative to the root leads into a hidden folder or one for installed packages."""
    return any(part in _INSTALLED or part.startswith(".") for part in below.split(os.sep) if part)


def make_importable(folder: str, shared: str | None) -> None:
    """Let the function in `folder` import `vendor.shared`, `shared`, and packages installed into its `vendor`."""
    vendor = os.path.join(folder, "vendor")
    if os.path.isdir(vendor):
        sys.path.insert(1, vendor)
    if shared is not None:
        sys.meta_path.insert(sys.meta_path.index(PathFinder), SharedFinder(folder, shared))


class SharedFinder:
    """Finds `vendor` (the function's folder, if it exists), `vendor.shared` and `shared` (the app's shared code)."""

    def __init__(self, folder: str, shared: str) -> None:
        self._folder, self._vendor, self._shared = folder, os.path.join(folder, "vendor"), shared

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - importlib.abc.MetaPathFinder
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Return the spec of one of the three packages. Their submodules are found along the package's path."""
        if fullname == "vendor":
            return _package(fullname, self._vendor, SourceFileLoader)
        if fullname not in ("vendor.shared", "shared"):
            return None

        # The function's folder precedes `vendor` on the path; folders named `shared` without __init__.py are merged.
        own = PathFinder.find_spec(fullname, [self._folder]) if fullname == "shared" else None
        if own is not None and own.loader is not None:
            return own
        spec = _package(fullname, self._shared, FreshSource)
        if own is not None and spec.loader is None:
            spec.submodule_search_locations = [*(own.submodule_search_locations or ()), self._shared]
        return spec


def _package(name: str, folder: str, loader: type[SourceFileLoader | FreshSource]) -> ModuleSpec:
    init = os.path.join(folder, "__init__.py")
    if os.path.isfile(init):
        spec = spec_from_file_location(name, init, loader=loader(name, init), submodule_search_locations=[folder])
        assert spec is not None  # noqa: S101 - there is a loader
        return spec
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [folder]
    return spec
