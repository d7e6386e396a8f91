"""Someone who deploys an app to the tests' cloud."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from arc import inventory as inventories
from arc.inventory import FunctionConfig
from arc.tools.cloud.cloud import Cloud
from arc.tools.deploy.pipeline import Deployment, DeploymentPlan
from arc.tools.deploy.stack import Event, StackBusy
from tests.engines import Engine, fresh_app
from tests.tools.deploy.apps import COUNTER, app_of, one_file
from tests.tools.pauses import quick_cloud, short
from tests.visitor import Visitor

Install = Callable[[Path, Path, FunctionConfig | None, str], None]
ROUTES = {"get /": COUNTER, "get /about": COUNTER}


class Owner:
    """Someone who deploys the app `name` from `folder`."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder, self.name = engine, folder, fresh_app()
        self.events: list[Event] = []
        app_of(folder, self.name, ROUTES)

    def deployment(self, cloud: Cloud | None = None, install: Install = one_file) -> Deployment:
        """A deployment of what is in the folder now."""
        inventory = inventories.read(self.folder, environ={})
        return Deployment(cloud or quick_cloud(self.engine.url), inventory, "staging", install=install, sleep=short)

    def deploy(self, cloud: Cloud | None = None, install: Install = one_file) -> DeploymentPlan:
        """Deploy, and return what was planned."""
        deployment = self.deployment(cloud, install)
        plan = deployment.plan()
        if not plan.is_empty:
            deployment.apply(plan, self.events.append)
        return plan

    def deploy_when_free(self) -> None:
        """Deploy, once an earlier deployment that still runs has ended."""
        deadline = time.monotonic() + 60
        while True:
            with suppress(StackBusy):
                self.deploy()
                return
            assert time.monotonic() < deadline

    def save(self, route: str, source: str) -> None:
        """Change a handler."""
        (self.folder / "src/http" / route / "handler.py").write_text(source, encoding="utf-8")

    def code(self, name: str = "get-index") -> str:
        """What Lambda says of a function's code."""
        found = self.engine.look("lambda").get_function_configuration(FunctionName=f"{self.name}-staging-{name}")
        return str(found["CodeSha256"])

    def visitor(self) -> Visitor:
        """A browser at the deployed app."""
        return Visitor(self.engine.port, self.deployment().address().removeprefix("http://").partition(":")[0])
