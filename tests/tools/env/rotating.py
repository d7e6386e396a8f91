"""The functions of an environment during a rotation: which secret each seals with, and which it accepts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from arc import inventory as inventories
from arc.tools.cloud.cloud import Cloud
from arc.tools.env.change import VariablesChange
from arc.tools.secrets.retirement import retire
from arc.tools.secrets.rotation import Rotation
from arc.tools.secrets.sealers import Secrets
from tests.cloud_faults import Fault, Plan
from tests.deployed import deploy
from tests.engines import Engine, fresh_app
from tests.tools.operator import Operator, parameters
from tests.tools.pauses import quick_cloud, short

SECRET, FALLBACKS = "ARC_APP_SECRET", "ARC_APP_SECRET_FALLBACKS"
OLDER = "the-older-secret-of-the-tests-which-was-replaced-by-an-old-one"
OLD = "an-old-secret-of-the-tests-that-is-long-enough-for-anybody"
NEW = "a-new-secret-of-the-tests-that-is-long-enough-for-anybody"
FUNCTIONS = ("GetIndex", "PostLogin")


class Rotating:
    """An app in staging whose `functions` have its `variables`, and an operator who rotates its secret."""

    def __init__(
        self,
        cloud: Engine,
        folder: Path,
        variables: Mapping[str, str] | None = None,
        *,
        functions: Sequence[str] = FUNCTIONS,
        code: bytes | None = None,
        url: str | None = None,
    ) -> None:
        self.cloud, self.app, self.url = cloud, fresh_app(), url or cloud.url
        self.operator = Operator(folder / self.app, self.app, cloud.environ(folder))
        self.said: list[str] = []
        self.warned: list[str] = []
        self.ever = set[str | None]()
        self.time = 1_000_000.0
        self.set_in_ssm(variables or {})
        self.functions = deploy(cloud, self.app, names=functions, code=code, variables=variables)

    def rotation(
        self, where: str | Cloud | None = None, *, force: bool = False, say: Callable[[str], None] | None = None
    ) -> Rotation:
        """Return a rotation as the command makes it, with short pauses."""
        return Rotation(self._secrets(where, force=force, say=say))

    def rotate(self, given: str | None = NEW, *, url: str | Cloud | None = None, force: bool = False) -> None:
        """Rotate the secret, as the command does."""
        self.rotation(url, force=force).rotate(given)

    def retire(self, *, url: str | Cloud | None = None, force: bool = False) -> None:
        """Retire the old secrets, as the command does."""
        retire(self._secrets(url, force=force))

    def _secrets(self, where: str | Cloud | None, *, force: bool, say: Callable[[str], None] | None = None) -> Secrets:
        return Secrets(
            where if isinstance(where, Cloud) else quick_cloud(where or self.url),
            inventories.read(self.operator.folder, environ={}),
            "staging",
            say or self.said.append,
            self.warned.append,
            force=force,
            now=lambda: self.time,
            sleep=short,
        )

    def opt_out(self) -> None:
        """Opt `PostLogin` out of the environment's variables."""
        folder = self.operator.folder / "src/http/post-login"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.arc").write_text("@arc\nenv false\n")

    def set_in_ssm(self, variables: Mapping[str, str]) -> None:
        """Write variables to SSM without the tools; functions keep theirs."""
        for key, value in variables.items():
            name = f"/{self.app}/staging/{key}"
            self.cloud.look("ssm").put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)

    def in_ssm(self) -> dict[str, str]:
        """Return the variables in SSM, read without the tools."""
        return parameters(self.cloud, self.app)

    def noted(self, name: str = "rotation") -> dict[str, Any] | None:
        """Return the memo of a command, if there is one."""
        client = self.cloud.look("ssm")
        try:
            found = client.get_parameter(Name=f"/arc-sessions/{self.app}/staging/{name}", WithDecryption=True)
        except client.exceptions.ParameterNotFound:
            return None
        content: dict[str, Any] = json.loads(found["Parameter"]["Value"])
        return content

    def secrets(self, name: str) -> tuple[str | None, list[str]]:
        """Return the secret that a function seals with, and its fallbacks."""
        variables = self.functions.variables(name)
        return variables.get(SECRET), json.loads(variables.get(FALLBACKS, "[]"))

    def everywhere(self) -> set[tuple[str | None, tuple[str, ...]]]:
        """Return the distinct secrets and fallbacks of functions and SSM: one element when all are the same."""
        observed = [self.functions.variables(name) for name in self.functions.functions]
        return {(one.get(SECRET), tuple(json.loads(one.get(FALLBACKS, "[]")))) for one in (*observed, self.in_ssm())}

    def check(self, *older: str) -> None:
        """Assert that each function accepts the secrets that any seals or has sealed with, and those in `older`.

        Sealing secrets are read first, because they must be accepted already.
        """
        names = list(self.functions.functions)  # A test may deploy another function meanwhile.
        sealing = {self.secrets(name)[0] for name in names} - {None}
        for name in names:
            secret, fallbacks = self.secrets(name)
            missing = {*self.ever, *sealing, *older} - {secret, *fallbacks}
            assert not missing, f"{name} does not accept what another seals with"
        self.ever |= sealing


def change(rotating: Rotating, changes: dict[str, str | None], url: str | None = None) -> None:
    """Change variables as `arc env` does."""
    inventory = inventories.read(rotating.operator.folder, environ={})
    outcome = VariablesChange(quick_cloud(url or rotating.url), inventory, "staging", changes, sleep=short).run()
    assert outcome.in_sync


def watched(rotating: Rotating, *older: str, plan: Plan = lambda _name, _number: None) -> Plan:
    """Return a plan that checks every function after each call that changes something."""

    def planned(name: str, number: int) -> Fault:
        other = plan(name, number)
        if isinstance(other, str) or not is_change(name):
            return other

        def hook(before: bool) -> str | None:
            word = other(before) if other else None
            if not before:
                rotating.check(*older)
            return word

        return hook

    return planned


def is_change(name: str) -> bool:
    """Return True for a call that changes something."""
    return name.partition(".")[2].startswith(("Put", "Update", "Delete"))
