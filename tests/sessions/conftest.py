"""Session managers on every store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sessions.making import Made
from tests.sessions.stores.tables import Kept

if TYPE_CHECKING:
    from tests.engines import Engine

STORES = ("sealed", "memory", "dynamodb")


def manager_on(name: str, request: pytest.FixtureRequest, **settings: Any) -> Made:
    """A manager on the store called `name`."""
    if name == "dynamodb":
        engine: Engine = request.getfixturevalue("ministack")
        return Made(store=Kept(engine).store, **settings)
    return Made(server=name == "memory", **settings)


@pytest.fixture(params=STORES)
def made(request: pytest.FixtureRequest) -> Made:
    """A manager on each store."""
    return manager_on(request.param, request)
