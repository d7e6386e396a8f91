"""Bytecode of packed modules: Lambda cannot keep what it compiles, and would do so at each cold start."""

from __future__ import annotations

import importlib.util
import marshal  # noqa: TID251  # bytecode's format; nothing is read with it
import sys
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
"""The runtime whose bytecode this interpreter makes; others have another format."""
_UNCHECKED = (0b01).to_bytes(4, "little")  # PEP 552: valid whatever the source's time
_WITHOUT_REFERENCES = 2  # marshal's version: later ones write references, which depend on the process


def compile_modules(files: Mapping[str, bytes], runtime: str) -> dict[str, bytes]:
    """Return the bytecode of the modules in `files`, by its place in `__pycache__`; equal sources have equal bytes.

    Empty for a `runtime` of another version. A module that is not valid Python is left to the interpreter.
    """
    tag = sys.implementation.cache_tag
    if runtime != RUNTIME or sys.implementation.name != "cpython" or tag is None:
        return {}
    compiled = {}
    for place, source in files.items():
        if not place.endswith(".py"):
            continue
        folder, _, name = place.rpartition("/")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                code = compile(source, place, "exec", dont_inherit=True, optimize=0)
        except (SyntaxError, ValueError):
            continue
        head = importlib.util.MAGIC_NUMBER + _UNCHECKED + importlib.util.source_hash(source)
        where = f"{folder}/__pycache__" if folder else "__pycache__"
        compiled[f"{where}/{name.removesuffix('.py')}.{tag}.pyc"] = head + marshal.dumps(code, _WITHOUT_REFERENCES)
    return compiled
