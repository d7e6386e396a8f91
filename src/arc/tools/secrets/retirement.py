"""Retires old secrets, once no living session is sealed with one."""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from arc.errors import ConfigurationError, ToolError
from arc.settings import WEEK, Settings
from arc.tools.cloud.parameters import Memo
from arc.tools.env.variables import FALLBACKS, SECRET
from arc.tools.secrets.sealers import indented

if TYPE_CHECKING:
    from collections.abc import Mapping

    from arc.tools.secrets.sealers import Secrets, SecretsSnapshot

_HOUR, _DAY = 3600, 86_400
_LIFETIMES = ("ARC_SESSION_TTL", "SESSION_TTL")


class RotationRecord:
    """The record of an environment's last rotation: since when nothing seals with an old secret."""

    def __init__(self, secrets: Secrets) -> None:
        self._now = secrets.now
        self._memo = Memo(secrets.cloud, secrets.inventory.app, secrets.environment, "rotated")

    def write(self, variables: Mapping[str, str], *, is_all: bool) -> None:
        """Record that the functions with `variables` now seal with no old secret; `is_all`: nor does anything else.

        The idle lifetime is recorded too, because existing sessions keep it when it changes.
        """
        idle, secret = _idle(variables), _digest(variables)
        self._memo.write({"at": self._now(), "idle": idle, "secret": secret, "is_all": is_all})

    def read(self, variables: Mapping[str, str]) -> dict[str, Any] | None:
        """Return the record of the secret that seals now, if there is one."""
        record = self._memo.read()
        return record if record is not None and record["secret"] == _digest(variables) else None

    def remove(self) -> None:
        """Remove the record."""
        self._memo.remove()


def retire(secrets: Secrets) -> None:
    """Remove the old secrets from every function. Raises `ToolError` while sessions may be sealed with one."""
    environment, command = secrets.environment, f"arc secret rotate {secrets.environment}"
    if secrets.rotation.read() is not None:
        raise ToolError(f"A rotation is in progress in {environment}. Finish it first with `{command}`.")
    snapshot = secrets.read()
    record = RotationRecord(secrets)
    if FALLBACKS in snapshot.variables:
        _check_retirement(secrets, snapshot, record)
    elif not any(FALLBACKS in one.variables for one in snapshot.functions):  # else an earlier run was interrupted
        record.remove()
        secrets.say(f"{environment} has no old secrets. Nothing was changed.")
        return
    secrets.change({FALLBACKS: None}, f"To continue, run `{command} --retire`.")
    record.remove()
    secrets.say(f"The old secrets in {environment} are removed from every function.")


def _check_retirement(secrets: Secrets, snapshot: SecretsSnapshot, record: RotationRecord) -> None:
    """Raise `ToolError` while a living session may be sealed with an old secret."""
    environment, variables = secrets.environment, snapshot.variables
    old = set(snapshot.fallbacks) - {variables.get(SECRET)}
    if not old:
        return
    last = record.read(variables)
    by_hand = (
        "To remove the old secrets anyway, and end the sessions that only they open, run "
        f"`arc env remove {environment} {FALLBACKS}`."
    )
    if last is None:
        raise ToolError(
            f"The old secrets in {environment} were not replaced with `arc secret rotate`, so it is unknown when they "
            f"last sealed a session. {by_hand}"
        )
    out_of_sync = [one.name for one in snapshot.sealers if one.sealing in old]
    pinned = [one.name for one in snapshot.pinned().sealers if one.sealing in old]
    if out_of_sync or (pinned and not secrets.force):
        record.write(variables, is_all=False)
        raise ToolError(
            f"Sessions in {environment} are still sealed with an old secret by\n{indented([*out_of_sync, *pinned])}\n"
            f"Sync the functions with `arc env verify {environment}`, publish them again, and move the aliases that "
            "point to old versions. The idle lifetime starts when this command finds that none of these seals with an "
            "old secret."
        )
    since = last["at"]
    if pinned:
        secrets.warn(f"These still seal with an old secret, which no other function will open:\n{indented(pinned)}")
    elif not last["is_all"] and not secrets.force:
        since = secrets.now()
        record.write(variables, is_all=True)
    ready = since + max(last["idle"], _idle(variables))
    if secrets.now() < ready:
        raise ToolError(
            f"Sessions in {environment} may be sealed with an old secret until {_timestamp(ready)} "
            f"(in {_duration(ready - secrets.now())}), when the idle lifetime has passed. Run the command again then. "
            f"{by_hand}"
        )


def _idle(variables: Mapping[str, str]) -> int:
    """Return the idle lifetime of an environment's sessions in seconds; a week where it is invalid."""
    try:
        return Settings.from_env({name: variables[name] for name in _LIFETIMES if name in variables}).idle
    except ConfigurationError:
        return WEEK


def _digest(variables: Mapping[str, str]) -> str:
    return hashlib.sha256(variables.get(SECRET, "").encode()).hexdigest()


def _timestamp(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _duration(seconds: float) -> str:
    """Return a duration in words: `7 days`, `3 hours`, `1 second`."""
    for unit, name in ((_DAY, "days"), (_HOUR, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{math.ceil(seconds / unit)} {name}"
    whole = math.ceil(seconds)
    return f"{whole} second{'s' if whole > 1 else ''}"
