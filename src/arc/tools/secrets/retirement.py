"""Dropping old secrets, once no living session is sealed with one."""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from arc.errors import ConfigurationError, ToolError
from arc.settings import WEEK, Settings
from arc.tools.cloud.parameters import Memo, Parameters
from arc.tools.env.variables import FALLBACKS, ROTATION, SECRET
from arc.tools.secrets.sealers import Secrets, indented

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from arc.inventory import Inventory
    from arc.tools.cloud.cloud import Cloud
    from arc.tools.env.deployed import Told
    from arc.tools.secrets.sealers import SecretsNow

_HOUR, _DAY = 3600, 86_400
_LIFETIMES = ("ARC_SESSION_TTL", "SESSION_TTL")


class Rotated:
    """The memo of an environment's last rotation: since when nothing seals with an old secret."""

    def __init__(self, cloud: Cloud, app: str, environment: str) -> None:
        self._memo = Memo(cloud, app, environment, "rotated")

    def note(self, at: float, variables: Mapping[str, str], *, is_all: bool) -> None:
        """Note that from `at` on the functions with `variables` seal with no old secret; `is_all`: nor does the rest.

        The sessions' lifetime is noted too: those of that time keep it, whatever is set later.
        """
        idle, secret = _idle(variables), _digest(variables)
        self._memo.write({"at": at, "idle": idle, "secret": secret, "is_all": is_all})

    def read(self, variables: Mapping[str, str]) -> dict[str, Any] | None:
        """What was noted of the secret that seals now, None when nothing is."""
        noted = self._memo.read()
        return noted if noted is not None and noted["secret"] == _digest(variables) else None

    def forget(self) -> None:
        """Forget it."""
        self._memo.remove()


@dataclass
class Retirement:
    """Dropping the old secrets of one environment.

    `say` is told what is done, `warn` what deserves attention; `force` does not mind what keeps variables of its own.
    `now` gives seconds since 1970.
    """

    cloud: Cloud
    inventory: Inventory
    environment: str
    say: Callable[[str], None]
    warn: Callable[[str], None]
    force: bool = False
    told: Told = lambda _done, _of: None
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def retire(self) -> None:
        """Take the old secrets from every function. Raises `ToolError` while sessions may be sealed with one."""
        app, environment = self.inventory.app, self.environment
        if Memo(self.cloud, app, environment, ROTATION).read() is not None:
            raise ToolError(
                f"A rotation of {environment} has begun and not ended. End it first: arc secret rotate {environment}"
            )
        parameters = Parameters(self.cloud, app, environment, sleep=self.sleep)
        secrets = Secrets(self.cloud, self.inventory, environment, parameters, self.warn, self.told, self.sleep)
        seen = secrets.look()
        rotated = Rotated(self.cloud, app, environment)
        if FALLBACKS in seen.variables:
            self._check(seen, rotated)
        elif not any(FALLBACKS in one.variables for one in seen.functions):  # else an earlier run was interrupted
            rotated.forget()
            self.say(f"{environment} has no old secrets; nothing was changed.")
            return
        secrets.change({FALLBACKS: None}, f"Go on with: arc secret rotate {environment} --retire")
        rotated.forget()
        self.say(f"The old secrets of {environment} are gone from every function.")

    def _check(self, seen: SecretsNow, rotated: Rotated) -> None:
        """Raise `ToolError` while a living session may be sealed with an old secret."""
        environment, variables = self.environment, seen.variables
        old = set(seen.fallbacks) - {variables.get(SECRET)}
        if not old:
            return
        noted = rotated.read(variables)
        by_hand = (
            "To drop them nevertheless, and with them the sessions that only they open: "
            f"arc env remove {environment} {FALLBACKS}"
        )
        if noted is None:
            raise ToolError(
                f"Nothing tells since when the old secrets of {environment} have not sealed: it was not "
                f"arc secret rotate that put them there. {by_hand}"
            )
        behind = [one.name for one in seen.following if one.sealing in old]
        apart = [one.name for one in seen.apart().sealers if one.sealing in old]
        if behind or (apart and not self.force):
            rotated.note(self.now(), variables, is_all=False)
            raise ToolError(
                f"Sessions of {environment} are still sealed with an old secret, by\n{indented([*behind, *apart])}\n"
                f"Bring functions in step (arc env verify {environment}); publish again and move the aliases that "
                "lead to old versions. The idle lifetime counts from when this command finds that none of them does."
            )
        since = noted["at"]
        if apart:
            self.warn(
                f"These go on sealing with an old secret, and no other function opens it then:\n{indented(apart)}"
            )
        elif not noted["is_all"] and not self.force:
            since = self.now()
            rotated.note(since, variables, is_all=True)
        ready = since + max(noted["idle"], _idle(variables))
        if self.now() < ready:
            raise ToolError(
                f"Sessions of {environment} may still be sealed with an old secret until {_shown(ready)} "
                f"(in {_time(ready - self.now())}): an idle lifetime after the last was. Retire it then. {by_hand}"
            )


def _idle(variables: Mapping[str, str]) -> int:
    """The idle lifetime of an environment's sessions, in seconds; a week where it cannot be read."""
    try:
        return Settings.from_env({name: variables[name] for name in _LIFETIMES if name in variables}).idle
    except ConfigurationError:
        return WEEK


def _digest(variables: Mapping[str, str]) -> str:
    return hashlib.sha256(variables.get(SECRET, "").encode()).hexdigest()


def _shown(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _time(seconds: float) -> str:
    """A time as people say it: `7 days`, `3 hours`, `1 second`."""
    for unit, name in ((_DAY, "days"), (_HOUR, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{math.ceil(seconds / unit)} {name}"
    whole = math.ceil(seconds)
    return f"{whole} second{'s' if whole > 1 else ''}"
