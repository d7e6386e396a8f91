"""Rotating `ARC_APP_SECRET` without signing anybody out.

Two phases, each in every function before the next begins:

1. Every function accepts the new secret: it joins `ARC_APP_SECRET_FALLBACKS`.
2. Every function seals with it: it becomes `ARC_APP_SECRET`, and the old one takes its place among the fallbacks.

What a rotation needs to go on after an interruption is noted in SSM before its first step. Nothing that was known at
its start is left out on the way, whatever else changes the variables meanwhile.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.sessions.keyring import Keyring
from arc.settings import Settings
from arc.tools.cloud.memo import Memo
from arc.tools.cloud.parameters import Parameters
from arc.tools.env.changing import Change, Outcome
from arc.tools.env.deployed import Deployed
from arc.tools.env.names import FALLBACKS, SECRET
from arc.tools.env.report import failures
from arc.tools.env.values import check_value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from arc.inventory import Inventory
    from arc.tools.cloud.cloud import Cloud
    from arc.tools.env.deployed import Told

_HOUR, _DAY = 3600, 86_400


@dataclass
class Rotation:
    """The rotation of one environment's secret.

    `say` is told each step when it is done, `warn` what deserves attention; `force` goes on although published
    versions that aliases lead to keep old variables. `now` gives seconds since 1970.
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
    _under_way: Memo = field(init=False)
    _done: Memo = field(init=False)

    def __post_init__(self) -> None:
        app = self.inventory.app
        self._under_way = Memo(self.cloud, app, self.environment, "rotation")
        self._done = Memo(self.cloud, app, self.environment, "rotated")

    def rotate(self, secret: str) -> None:
        """Make `secret` the one that seals, or end the rotation that was interrupted with the secret it began with.

        Raises `ToolError`, and what `Cloud.call` raises; the same command goes on from there.
        """
        variables = self._read()
        under_way = self._under_way.read()
        if under_way is None:
            check_value(SECRET, secret)
            self._check_new(secret, variables)
            known = _secrets(variables)
            if not known:
                self._first(secret)
                return
            under_way = {"secret": secret, "known": known}
            if not self._under_way.write(under_way, over=False):
                under_way = self._under_way.read() or under_way
        else:
            self.say(f"Going on with the rotation of {self.environment} that was interrupted.")
        new: str = under_way["secret"]
        known = list(dict.fromkeys((*under_way["known"], *_secrets(variables))))
        self.cloud.hide(new, *known)
        others = [one for one in known if one != new]
        if variables.get(SECRET) != new:
            self._change({FALLBACKS: _listed([new, *others])})
            self.say(f"1 of 2: every function in {self.environment} accepts the new secret.")
        self._check_versions(lambda own: new in _secrets(own), "does not accept the new secret")
        self._change({SECRET: new, FALLBACKS: _listed(others)})
        self._done.write({"at": self.now()})
        self._under_way.remove()
        self.say(f"2 of 2: every function in {self.environment} seals with the new secret, and opens with the old.")
        self.say(f"When an idle lifetime has passed: arc secret rotate {self.environment} --retire")

    def retire(self) -> None:
        """Drop the old secrets, once no living session is sealed with them. Raises `ToolError` before that."""
        variables = self._read()
        if self._under_way.read() is not None:
            raise ToolError(
                f"A rotation of {self.environment} has begun and not ended. End it first: "
                f"arc secret rotate {self.environment}"
            )
        if FALLBACKS not in variables:
            self.say(f"{self.environment} has no old secrets; nothing was changed.")
            self._done.remove()
            return
        by_hand = (
            "To drop them nevertheless, and with them the sessions that only they open: "
            f"arc env remove {self.environment} {FALLBACKS}"
        )
        done = self._done.read()
        if done is None:
            raise ToolError(
                f"Nothing tells since when the old secrets of {self.environment} have not sealed: they were not put "
                f"there by arc secret rotate. {by_hand}"
            )
        ready = done["at"] + _idle(variables, self.inventory.app, self.environment)
        if self.now() < ready:
            raise ToolError(
                f"Sessions of {self.environment} may still be sealed with an old secret until {_shown(ready)} "
                f"(in {_time(ready - self.now())}): an idle lifetime after the rotation. Retire it then. {by_hand}"
            )
        current = variables.get(SECRET)
        self._check_versions(lambda own: own.get(SECRET) == current, "seals with another secret")
        self._change({FALLBACKS: None})
        self._done.remove()
        self.say(f"The old secrets of {self.environment} are gone from every function.")

    def _read(self) -> dict[str, str]:
        return Parameters(self.cloud, self.inventory.app, self.environment).read()

    def _first(self, secret: str) -> None:
        self._change({SECRET: secret})
        self.say(f"{self.environment} had no {SECRET}; it has a new one, and every function has it.")

    def _check_new(self, secret: str, variables: Mapping[str, str]) -> None:
        """Raise `ToolError` for a secret whose key is in use already: it would change nothing."""
        environ = {"ARC_ENV": self.environment, "ARC_APP_NAME": self.inventory.app, **variables}
        for known in _secrets(variables):
            pair = Settings.from_env(environ | {SECRET: secret, FALLBACKS: _listed([known])})
            if Keyring(pair, warn=lambda _: None).has_twins:
                raise ToolError(
                    "The new secret gives the same key as one that is in use or was: the first 32 characters are the "
                    "key. Take another: arc secret new. Nothing was changed."
                )

    def _change(self, changes: Mapping[str, str | None]) -> None:
        """Change variables in every function, and make sure of each. Raises `ToolError` when one is left."""
        change = Change(self.cloud, self.inventory, self.environment, changes, told=self.told, sleep=self.sleep)
        outcome = change.run()
        for note in outcome.notes:
            self.warn(note)
        self._check_all(outcome)

    def _check_all(self, outcome: Outcome) -> None:
        if outcome.failed:
            raise ToolError(
                f"{failures(outcome)}\nThe rotation waits here, and nobody is signed out. Then go on with: "
                f"arc secret rotate {self.environment}"
            )

    def _check_versions(self, is_good: Callable[[Mapping[str, str]], bool], what: str) -> None:
        """Look at published versions, which keep old variables: an alias on a bad one stops the rotation."""
        deployed = Deployed(self.cloud, self.inventory, self.environment, sleep=self.sleep)
        led_to: list[str] = []
        unused = 0
        for name in deployed.names:
            for version, alias, variables in deployed.functions.old_versions(name):
                if is_good(variables):
                    continue
                if alias is None:
                    unused += 1
                else:
                    led_to.append(f"  {name}: the alias {alias} leads to version {version}, which {what}")
        if unused:
            self.warn(
                f"{unused} published versions without an alias keep old variables; nobody should call them any more."
            )
        if not led_to:
            return
        lines = "\n".join(led_to)
        if self.force:
            self.warn(f"Aliases lead to versions with old variables:\n{lines}")
            return
        raise ToolError(
            f"Published versions keep the variables that they were published with:\n{lines}\n"
            "Publish these functions again, move the aliases, and run the command again; or go on with --force, which "
            "signs out visitors whom these versions serve."
        )


def _secrets(variables: Mapping[str, str]) -> list[str]:
    """The secrets of an environment, the one that seals first. Raises `ToolError` for a list that is none."""
    try:
        older = json.loads(variables.get(FALLBACKS) or "[]")
    except ValueError:
        older = None
    if not isinstance(older, list) or not all(isinstance(one, str) for one in older):
        raise ToolError(
            f"{FALLBACKS} is no JSON list of secrets, so no function can read it. Mend it first: arc env "
            f"<environment> {FALLBACKS} '[\"older secret\"]', or remove it."
        )
    sealing = variables.get(SECRET)
    return [*([sealing] if sealing else []), *older]


def _listed(secrets: Sequence[str]) -> str:
    return json.dumps(list(secrets), ensure_ascii=False, separators=(",", ":"))


def _idle(variables: Mapping[str, str], app: str, environment: str) -> int:
    """The idle lifetime of an environment's sessions, in seconds."""
    return Settings.from_env({"ARC_ENV": environment, "ARC_APP_NAME": app, **variables}).idle


def _shown(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC"


def _time(seconds: float) -> str:
    """A time as people say it: `7 days`, `3 hours`."""
    for unit, name in ((_DAY, "days"), (_HOUR, "hours")):
        if seconds >= 2 * unit:
            return f"{math.ceil(seconds / unit)} {name}"
    return f"{math.ceil(seconds / 60)} minutes"
