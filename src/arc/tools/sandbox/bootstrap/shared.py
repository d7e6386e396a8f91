"""Makes `src/shared` importable as `vendor.shared`, as a deployed function has it, without writing it anywhere."""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from .sources import FreshSource


class SharedFinder:
    """Finds `vendor` (the function's real folder, if it has one) and `vendor.shared` (the app's shared code)."""

    def __init__(self, folder: str, shared: str) -> None:
        self._vendor, self._shared = os.path.join(folder, "vendor"), shared

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - importlib.abc.MetaPathFinder
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """The spec of the two packages; everything below them is found along their paths as usual."""
        if fullname == "vendor":
            return _package(fullname, self._vendor, SourceFileLoader)
        if fullname == "vendor.shared":
            from .sources import FreshSource

            return _package(fullname, self._shared, FreshSource)
        return None


def make_importable(folder: str, shared: str | None) -> None:
    """Let `folder`'s function import `vendor.shared` from `shared`, and packages installed into its `vendor`."""
    vendor = os.path.join(folder, "vendor")
    if os.path.isdir(vendor):
        sys.path.insert(1, vendor)
    if shared is not None:
        sys.meta_path.insert(sys.meta_path.index(PathFinder), SharedFinder(folder, shared))


def _package(name: str, folder: str, loader: type[SourceFileLoader | FreshSource]) -> ModuleSpec | None:
    init = os.path.join(folder, "__init__.py")
    if os.path.isfile(init):
        return spec_from_file_location(name, init, loader=loader(name, init), submodule_search_locations=[folder])
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [folder]
    return spec
