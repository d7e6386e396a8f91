"""Reads the app's own Python files fresh from disk.

A `.pyc` is keyed on its source's size and its time in whole seconds: of two saves within one second it would
bring back the first. Installed packages keep theirs.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES, ExtensionFileLoader, FileFinder, SourceFileLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

_INSTALLED = frozenset(("site-packages", "dist-packages", "node_modules", "venv", "vendor"))


class FreshSource(SourceFileLoader):
    """A loader that neither reads nor writes a `.pyc`."""

    def get_code(self, fullname: str) -> CodeType:
        """The code of the module as its file is now."""
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


def read_fresh(root: str) -> None:
    """Load every module below the folder `root` with `FreshSource`, but for installed packages."""
    prefix = os.path.join(os.path.realpath(root), "")

    def find_below_root(path: str) -> FileFinder:
        below = os.path.join(os.path.realpath(path), "")
        if not below.startswith(prefix) or not os.path.isdir(below) or is_installed(below[len(prefix) :]):
            raise ImportError(path)
        return FileFinder(path, (ExtensionFileLoader, EXTENSION_SUFFIXES), (FreshSource, SOURCE_SUFFIXES))

    sys.path_hooks.insert(0, find_below_root)
    sys.path_importer_cache.clear()


def is_installed(below: str) -> bool:
    """True when the path below the root leads into a place where packages are installed, or a hidden one."""
    return any(part in _INSTALLED or part.startswith(".") for part in below.split(os.sep) if part)
