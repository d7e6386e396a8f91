"""The module that makes JSON, as it is with and without orjson, in this process."""

from __future__ import annotations

import functools
import importlib
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from arc.sessions import text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ORJSON = Path(sys.prefix, "speed")  # which scripts/setup makes, apart from what the other tests import


@functools.cache
def orjson() -> ModuleType:
    """orjson, which other imports of this process still do not find."""
    assert (ORJSON / "orjson").is_dir(), f"{ORJSON} is missing: make setup-test"
    known = sys.modules.get("orjson")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ORJSON)
        module = known or importlib.import_module("orjson")
    if known is None:
        del sys.modules["orjson"]
    return module


@contextmanager
def loaded(*, speed: bool) -> Iterator[None]:
    """Load `arc.sessions.text` again, with orjson or without, for everything that has imported from it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "orjson", orjson() if speed else None)
        importlib.reload(text)
        try:
            yield
        finally:
            patch.undo()
            importlib.reload(text)
