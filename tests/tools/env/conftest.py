"""Variables changed in this process, on the cloud that the tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from arc import inventory as inventories
from arc.tools.env.change import Outcome, VariablesChange
from tests.engines import Engine, fresh_app
from tests.tools.operator import Operator
from tests.tools.pauses import quick_cloud, short

Make = Callable[..., Outcome]


@pytest.fixture
def app() -> str:
    """Return the name of an app that no other test uses."""
    return fresh_app()


@pytest.fixture
def change(tmp_path: Path, cloud: Engine) -> Make:
    """Return a function that changes variables: `change(app, environment, {name: value or None})`."""

    def make(
        app: str, environment: str, changes: dict[str, str | None], url: str = cloud.url, *, force: bool = False
    ) -> Outcome:
        inventory = inventories.read(Operator(tmp_path / app, app, {}).folder, environ={})
        return VariablesChange(quick_cloud(url), inventory, environment, changes, force=force, sleep=short).run()

    return make
