"""Rotating `ARC_APP_SECRET` without signing anybody out.

Two phases, each in every function before the next begins:

1. Every function accepts the new secret, and all that were known: they are in `ARC_APP_SECRET_FALLBACKS`.
2. Every function seals with the new one: it becomes `ARC_APP_SECRET`. Nothing else changes, so whoever reads the
   variables in between has a set that accepts both. The new secret stays the last of the fallbacks until they go.

What a rotation needs to go on after an interruption is noted in SSM before its first step. Each step is chosen by a
look at SSM and at the functions themselves, so it does not matter where an earlier run stopped, nor what others
changed meanwhile; what sealed a session once is never left out.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from arc.errors import ToolError
from arc.tools.cloud.parameters import Memo, Parameters
from arc.tools.env.report import no_functions, old_versions
from arc.tools.env.variables import FALLBACKS, ROTATION, SECRET
from arc.tools.secrets.retirement import Rotated
from arc.tools.secrets.sealers import Secrets, indented
from arc.tools.secrets.secrets import listed, new_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from arc.inventory import Inventory
    from arc.tools.cloud.cloud import Cloud
    from arc.tools.env.deployed import Told
    from arc.tools.secrets.sealers import Apart, SecretsNow

_ROUNDS = 10  # in which others change secrets while they are rotated
_LOOKS, _PAUSE = 3, 0.5  # SSM may tell what was noted a moment later


@dataclass
class Rotation:
    """The rotation of one environment's secret.

    `say` is told each step when it is done, `warn` what deserves attention; `force` goes on although what keeps
    variables of its own does not accept the new secret. `now` gives seconds since 1970.
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
    _parameters: Parameters = field(init=False)
    _secrets: Secrets = field(init=False)
    _noted: Memo = field(init=False)
    _said: set[str] = field(init=False, default_factory=set)
    _apart: Apart | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        cloud, inventory, environment = self.cloud, self.inventory, self.environment
        self._parameters = Parameters(cloud, inventory.app, environment, sleep=self.sleep)
        self._secrets = Secrets(cloud, inventory, environment, self._parameters, self._warn_once, self.told, self.sleep)
        self._noted = Memo(cloud, inventory.app, environment, ROTATION)

    def rotate(self, given: str | None = None) -> None:
        """Make the secret `given`, or a random one, that which seals; or end the rotation that has begun already.

        Raises `ToolError`, and what `Cloud.call` raises; the same command goes on from there.
        """
        noted = self._noted.read()
        if noted is None:
            noted = self._begin(given)
        else:
            self._join(noted, given)
        new, known = noted["secret"], noted["known"]
        for turn in range(_ROUNDS):
            if turn and not self._is_under_way(new):
                return
            seen = self._secrets.look()
            known = [one for one in seen.known(known, self._warn_once) if one != new]
            if known and not seen.are_accepted([*known, new]):
                self._accept(seen, known, new)
            elif not seen.are_sealing_with(new):
                self._seal(seen, known, new)
            else:
                self._end(seen, known)
                return
        raise ToolError(f"Others went on changing the secrets or the functions of {self.environment}. {self._go_on}")

    # -- its beginning

    def _begin(self, given: str | None) -> dict[str, Any]:
        """What was noted of a new rotation, or of one that another run began at the same moment."""
        new = new_secret() if given is None else given
        self.cloud.hide(new)
        for _ in range(_ROUNDS):
            seen = self._secrets.look()
            known = self._known_at_first(seen)
            seen.check_new(new, known, self._warn_once)
            ours = {"secret": new, "known": known}
            if self._noted.write(ours, over=False):
                return ours
            theirs = self._noted.read()
            if theirs is not None:
                if theirs["secret"] != new:
                    self._join(theirs, given)
                return theirs
            self.sleep(_PAUSE)
        raise ToolError(f"Others rotate the secret of {self.environment} all the time. Nothing was changed.")

    def _known_at_first(self, seen: SecretsNow) -> list[str]:
        """Every secret in use. Raises `ToolError` while an alias leads to a version that is not in step.

        Publishing it again, as a rotation demands later, would bring visitors other changes too. One that seals with
        a secret of its own is not waited for: to publish it before all accept that one would sign its visitors out.
        """
        published = [one for one in seen.apart().sealers if one.published]
        known = seen.known((), self._warn_once)
        behind = [one.published for one in published if one.published and one.sealing in (None, *known)]
        said = old_versions(self.environment, [one for one in behind if one.drift])
        if said and not self.force:
            raise ToolError(
                f"{said} Then run the command again; or begin nevertheless with --force. Nothing was changed."
            )
        if said:
            self._warn_once(said)
        return seen.known(known, self._warn_once, published)

    def _join(self, noted: Mapping[str, Any], given: str | None) -> None:
        if given not in (None, noted["secret"]):
            raise ToolError(
                f"A rotation of {self.environment} to another secret has begun and not ended. End it first: "
                f"arc secret rotate {self.environment}"
            )
        self.say(f"Going on with the rotation of {self.environment} that has begun already.")

    # -- its steps

    def _accept(self, seen: SecretsNow, known: Sequence[str], new: str) -> None:
        """Let every function accept all secrets. Where SSM has none that seals, the functions' own one goes on."""
        changes: dict[str, str | None] = {FALLBACKS: listed([*known, new])}
        own = [one.sealing for one in seen.following if one.sealing in known]
        if SECRET not in seen.variables and own:
            changes = {SECRET: own[0], **changes}
        self._secrets.change(changes, self._go_on)

    def _seal(self, seen: SecretsNow, known: Sequence[str], new: str) -> None:
        """Let every function seal with the new secret."""
        changes: dict[str, str | None] = {SECRET: new}
        if known:
            self._say_once(f"1 of 2: every function in {self.environment} accepts the new secret.")
            self._apart = seen.apart()
            self._check_apart(self._apart, known, new)
        elif FALLBACKS in seen.variables:
            changes[FALLBACKS] = None  # none of them is good
        # Another run may have given it a secret meanwhile, which seals already: that one must be accepted first.
        if SECRET in seen.variables or self._parameters.write_new(SECRET, new):
            self._secrets.change(changes, self._go_on)

    def _end(self, seen: SecretsNow, known: Sequence[str]) -> None:
        environment = self.environment
        if not seen.functions:
            self._warn_once(no_functions(environment, self.cloud.region))
        if not known:
            self._noted.remove()
            have = "every function has it" if seen.functions else "each function gets it when it is deployed"
            self.say(f"{environment} has a secret now, and {have}. There was none to seal sessions with.")
            return
        apart = self._apart or seen.apart()
        old = [one.name for one in apart.sealers if one.sealing in known]
        Rotated(self.cloud, self.inventory.app, environment).note(self.now(), seen.variables, is_all=not old)
        self._noted.remove()
        self.say(f"2 of 2: every function in {environment} seals with the new secret, and opens with the old.")
        self.say(f"When an idle lifetime has passed: arc secret rotate {environment} --retire")
        if old:
            self._warn_once(
                f"These keep variables of their own, and go on sealing with an old secret:\n{indented(old)}\n"
                "Publish the functions again and move the aliases. The idle lifetime counts from when "
                f"arc secret rotate {environment} --retire finds that none of them does."
            )

    def _check_apart(self, apart: Apart, known: Sequence[str], new: str) -> None:
        """Stop the rotation while what keeps variables of its own does not accept the new secret."""
        if apart.unused:
            self._warn_once(
                "Published versions without an alias keep old variables; nobody should call them any more: "
                f"{apart.unused}."
            )
        # What opted out with a secret that is not the environment's has sessions of its own.
        bad = [
            one.name
            for one in apart.sealers
            if new not in one.accepted and (one.published is not None or one.sealing in known)
        ]
        if not bad:
            return
        said = f"These keep variables of their own, and do not accept the new secret:\n{indented(bad)}"
        if self.force:
            self._warn_once(said)
            return
        raise ToolError(
            f"{said}\nPublish the functions again and move the aliases; where a function opted out, add the secret to "
            f"its {FALLBACKS} (arc env {self.environment} --show tells it). Then run the command again; or go on with "
            "--force, which signs out visitors whom they serve."
        )

    # -- parts

    def _is_under_way(self, new: str) -> bool:
        """False when another run has ended the rotation."""
        noted = self._noted.read()
        for _ in range(_LOOKS):
            if noted is not None:
                break
            self.sleep(_PAUSE)
            noted = self._noted.read()
        if noted is not None and noted["secret"] == new:
            return True
        if noted is None and self._parameters.read().get(SECRET) == new:
            self.say("Another run of this command has ended the rotation.")
            return False
        raise ToolError(
            f"Another run of this command has ended the rotation, and the secrets of {self.environment} were changed "
            "again since. Nothing more was done here."
        )

    @property
    def _go_on(self) -> str:
        return f"The rotation waits here, and nobody is signed out. Go on with: arc secret rotate {self.environment}"

    def _say_once(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            self.say(sentence)

    def _warn_once(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            self.warn(sentence)
