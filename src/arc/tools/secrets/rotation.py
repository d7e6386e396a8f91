"""Rotates `ARC_APP_SECRET` without signing anyone out.

Two phases, each completed in every function before the next:

1. Every function accepts the new secret and all known ones: they are in `ARC_APP_SECRET_FALLBACKS`.
2. Every function seals with the new secret: it becomes `ARC_APP_SECRET`. Nothing else changes, so variables that are
   read in between accept both. The new secret stays the last of the fallbacks until these are retired.

The secrets are saved in SSM before the first step, so that an interrupted rotation can continue. Each step is chosen
from a snapshot of SSM and the functions, so it does not matter where an earlier run stopped, or what another process
has changed since. A secret that has sealed sessions is never left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arc.errors import ToolError
from arc.tools.env.report import no_functions, old_versions
from arc.tools.env.variables import FALLBACKS, SECRET
from arc.tools.secrets.retirement import RotationRecord
from arc.tools.secrets.sealers import indented
from arc.tools.secrets.secrets import fallbacks_value, new_secret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from arc.tools.secrets.sealers import Pinned, Secrets, SecretsSnapshot

_ROUNDS = 10  # of steps, while other processes change secrets
_READS, _PAUSE = 3, 0.5  # SSM may return a memo only a moment after it was written


class Rotation:
    """The rotation of one environment's secret."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets, self._environment = secrets, secrets.environment
        self._pinned: Pinned | None = None
        self._remedy = (
            "The rotation is paused, and no one is signed out. To continue, run "
            f"`arc secret rotate {self._environment}`."
        )

    def rotate(self, value: str | None = None) -> None:
        """Replace the secret with `value` or a random one, or finish the rotation in progress.

        Raises `ToolError`, and what `Cloud.call` raises; the same command continues from there.
        """
        memo = self._secrets.rotation.read()
        if memo is None:
            memo = self._begin(value)
        else:
            self._join(memo, value)
        self._secrets.stop_deployments()
        new, known = memo["secret"], memo["known"]
        for turn in range(_ROUNDS):
            if turn and not self._is_in_progress(new):
                return
            snapshot = self._secrets.read()
            known = [one for one in snapshot.known(known, self._secrets.warn) if one != new]
            if known and not snapshot.are_accepted([*known, new]):
                self._accept(snapshot, known, new)
            elif not snapshot.are_sealing_with(new):
                self._seal(snapshot, known, new)
            else:
                self._end(snapshot, known)
                return
        raise ToolError(
            f"Other processes kept changing the secrets or functions in {self._environment}. {self._remedy}"
        )

    def _begin(self, value: str | None) -> dict[str, Any]:
        """Return the saved secrets of a new rotation, or of one that another process began at the same time."""
        new = new_secret() if value is None else value
        self._secrets.cloud.hide(new)
        for _ in range(_ROUNDS):
            snapshot = self._secrets.read()
            known = self._known_at_first(snapshot)
            snapshot.check_new(new, known, self._secrets.warn)
            ours = {"secret": new, "known": known}
            if self._secrets.rotation.write(ours, over=False):
                return ours
            theirs = self._secrets.rotation.read()
            if theirs is not None:
                if theirs["secret"] != new:
                    self._join(theirs, value)
                return theirs
            self._secrets.sleep(_PAUSE)
        raise ToolError(
            f"Other processes kept rotating the secret in {self._environment}. Run the command again later. Nothing "
            "was changed."
        )

    def _known_at_first(self, snapshot: SecretsSnapshot) -> list[str]:
        """Return every secret in use. Raises `ToolError` while an alias points to a version that is out of sync.

        The rotation requires publishing that version again, which would release its other changes too. A version that
        seals with a secret of its own may stay: publishing it before every function accepts that secret would sign
        its visitors out.
        """
        published = [one for one in snapshot.pinned().sealers if one.published]
        known = snapshot.known((), self._secrets.warn)
        versions = [one.published for one in published if one.published and one.sealing in (None, *known)]
        outdated = old_versions(self._environment, [one for one in versions if one.drift])
        if outdated and not self._secrets.force:
            raise ToolError(f"{outdated} Then run the command again, or use --force. Nothing was changed.")
        if outdated:
            self._secrets.warn(outdated)
        return snapshot.known(known, self._secrets.warn, published)

    def _join(self, memo: Mapping[str, Any], value: str | None) -> None:
        if value not in (None, memo["secret"]):
            raise ToolError(
                f"A rotation to another secret is in progress in {self._environment}. Finish it first with "
                f"`arc secret rotate {self._environment}`."
            )
        self._secrets.say(f"Continuing the rotation that is in progress in {self._environment}.")

    def _accept(self, snapshot: SecretsSnapshot, known: Sequence[str], new: str) -> None:
        """Let every function accept all secrets. Where SSM has no secret, that of the functions goes on sealing."""
        changes: dict[str, str | None] = {FALLBACKS: fallbacks_value([*known, new])}
        own = [one.sealing for one in snapshot.sealers if one.sealing in known]
        if SECRET not in snapshot.variables and own:
            changes = {SECRET: own[0], **changes}
        self._secrets.change(changes, self._remedy)

    def _seal(self, snapshot: SecretsSnapshot, known: Sequence[str], new: str) -> None:
        """Let every function seal with the new secret."""
        changes: dict[str, str | None] = {SECRET: new}
        if known:
            self._secrets.say(f"1 of 2: every function in {self._environment} accepts the new secret.")
            self._pinned = snapshot.pinned()
            self._check_pinned(self._pinned, known, new)
        elif FALLBACKS in snapshot.variables:
            changes[FALLBACKS] = None  # No function can run with any of them.
        # Another process may have set a secret since, which seals already: that one must be accepted first.
        if SECRET in snapshot.variables or self._secrets.parameters.write_new(SECRET, new):
            self._secrets.change(changes, self._remedy)

    def _end(self, snapshot: SecretsSnapshot, known: Sequence[str]) -> None:
        secrets, environment = self._secrets, self._environment
        if not snapshot.functions:
            secrets.warn(no_functions(environment, secrets.cloud.region))
        if not known:
            secrets.rotation.remove()
            have = "Every function has it." if snapshot.functions else "Functions get it when they are deployed."
            secrets.say(f"{environment} had no secret, and has one now. {have}")
            return
        pinned = self._pinned or snapshot.pinned()
        old = [one.name for one in pinned.sealers if one.sealing in known]
        RotationRecord(secrets).write(snapshot.variables, is_all=not old)
        secrets.rotation.remove()
        secrets.say(
            f"2 of 2: every function in {environment} seals with the new secret, and still accepts the old one."
        )
        secrets.say(f"When the idle lifetime has passed, run `arc secret rotate {environment} --retire`.")
        if old:
            secrets.warn(
                f"These have variables of their own, and still seal with an old secret:\n{indented(old)}\n"
                "Publish the functions again and move the aliases. The idle lifetime starts when "
                f"`arc secret rotate {environment} --retire` finds that none of them seals with an old secret."
            )

    def _check_pinned(self, pinned: Pinned, known: Sequence[str], new: str) -> None:
        """Raise `ToolError` while a sealer with variables of its own does not accept the new secret."""
        secrets = self._secrets
        if pinned.unused:
            secrets.warn(
                f"Published versions without an alias keep old variables. Do not invoke them: {pinned.unused}."
            )
        # A function that opted out with a secret that is not the environment's has sessions of its own.
        bad = [
            one.name
            for one in pinned.sealers
            if new not in one.accepted and (one.published is not None or one.sealing in known)
        ]
        if not bad:
            return
        message = f"These have variables of their own, and do not accept the new secret:\n{indented(bad)}"
        if secrets.force:
            secrets.warn(message)
            return
        raise ToolError(
            f"{message}\nPublish the functions again and move the aliases. For a function that opted out, add the "
            f"secret to its {FALLBACKS}; `arc env {self._environment} --show` shows it. Then run the command again, or "
            "use --force, which signs out the visitors that these serve."
        )

    def _is_in_progress(self, new: str) -> bool:
        """Return False when another process has finished the rotation."""
        memo = self._secrets.rotation.read()
        for _ in range(_READS):
            if memo is not None:
                break
            self._secrets.sleep(_PAUSE)
            memo = self._secrets.rotation.read()
        if memo is not None and memo["secret"] == new:
            return True
        if memo is None and self._secrets.parameters.read().get(SECRET) == new:
            self._secrets.say("Another process has finished the rotation.")
            return False
        raise ToolError(
            f"Another process has finished the rotation, and the secrets in {self._environment} have changed since. "
            f"Run `arc env verify {self._environment}` to check the functions."
        )
