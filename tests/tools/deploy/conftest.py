"""An app to deploy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from arc.errors import ToolError
from tests.engines import Engine
from tests.tools.deploy.owner import Owner


@pytest.fixture
def owner(cloud: Engine, tmp_path: Path) -> Iterator[Owner]:
    """An app that nobody has deployed; its functions go when the test ends."""
    owner = Owner(cloud, tmp_path / "app")
    yield owner
    with suppress(ToolError):
        owner.deployment().delete(tables=False)
