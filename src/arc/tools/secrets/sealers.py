"""An environment's secrets, and what seals sessions with them: deployed functions and published versions.

`Secrets` is what rotating and retiring share: it takes a `SecretsSnapshot`, and changes the secrets in every function.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.tools.cloud.cloud import Refused
from arc.tools.cloud.parameters import Memo, Parameters
from arc.tools.cloud.stacks import discard_planned_deployments, wait_for_deployment
from arc.tools.env.change import VariablesChange
from arc.tools.env.deployed import Deployed
from arc.tools.env.mistakes import mistake
from arc.tools.env.report import failed_functions, kept_variables
from arc.tools.env.variables import FALLBACKS, ROTATION, SECRET, check_value
from arc.tools.secrets.secrets import SecretValidator, fallbacks_of, fallbacks_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from arc.inventory import Inventory
    from arc.tools.cloud.cloud import Cloud
    from arc.tools.cloud.functions import Function
    from arc.tools.env.deployed import OnProgress, Published

_MOST_SHOWN = 3


@dataclass
class Secrets:
    """The secrets of an environment. Methods raise what `Cloud.call` raises.

    `say` is called with each step that is done, and `warn` with warnings; neither is called twice with one sentence.
    `force` ignores functions and published versions with variables of their own. `now` returns seconds since 1970.
    """

    cloud: Cloud
    inventory: Inventory
    environment: str
    say: Callable[[str], None]
    warn: Callable[[str], None]
    force: bool = False
    on_progress: OnProgress = lambda _done, _total: None
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    parameters: Parameters = field(init=False)
    rotation: Memo = field(init=False)
    """The secrets of a rotation that is in progress."""

    def __post_init__(self) -> None:
        self.say, self.warn = _once(self.say), _once(self.warn)
        app, environment = self.inventory.app, self.environment
        self.parameters = Parameters(self.cloud, app, environment, sleep=self.sleep)
        self.rotation = Memo(self.cloud, app, environment, ROTATION)

    def read(self) -> SecretsSnapshot:
        """Return a snapshot, once no update of a function is in progress."""
        deployed = Deployed(self.cloud, self.inventory, self.environment, sleep=self.sleep)
        variables = self.parameters.read()
        functions = [deployed.functions.settled(one) for one in deployed.read(self.on_progress)]
        return SecretsSnapshot(self.environment, variables, functions, deployed)

    def stop_deployments(self) -> None:
        """Discard planned deployments, and wait for one in progress: it sets the secrets as they were when it began.

        New ones stop by themselves once the rotation's secrets are saved.
        """
        discard_planned_deployments(self.cloud, self.inventory.app, self.environment)
        wait_for_deployment(self.cloud, self.inventory.app, self.environment, sleep=self.sleep)

    def change(self, changes: Mapping[str, str | None], remedy: str) -> None:
        """Change secrets in every function. Raises `ToolError` with the sentence `remedy` when one cannot be synced."""
        outcome = VariablesChange(
            self.cloud,
            self.inventory,
            self.environment,
            changes,
            warn=self.warn,
            on_progress=self.on_progress,
            sleep=self.sleep,
            parameters=self.parameters,
            is_rotation=True,
        ).run()
        for note in (*outcome.notes, *kept_variables(outcome)):
            self.warn(note)
        if outcome.failed:
            raise ToolError(f"{failed_functions(outcome)}\n{remedy}")


@dataclass(frozen=True)
class SecretsSnapshot:
    """A snapshot of an environment's secrets. Methods raise what `Cloud.call` raises."""

    environment: str
    variables: Mapping[str, str] = field(repr=False)
    """The environment's variables in SSM."""
    functions: Sequence[Function]
    """The functions that take these variables."""
    _deployed: Deployed

    @property
    def sealers(self) -> list[Sealer]:
        """The functions that take the environment's variables, as sealers."""
        return [_sealer(one.name, one.variables, runs=one.status != "Failed") for one in self.functions]

    @property
    def fallbacks(self) -> list[str]:
        """SSM's fallbacks. Raises `ToolError` for an invalid list."""
        return fallbacks_of(self.variables)

    def pinned(self) -> Pinned:
        """Return what has variables of its own: published versions, and functions that opted out."""
        published = self._deployed.published(self.functions, self.variables)
        used = {(one.function, one.version) for one in published}
        unused = {
            one.name: versions
            for one in self.functions
            if (
                versions := [
                    each for each in self._deployed.functions.versions(one.name) if (one.name, each) not in used
                ]
            )
        }
        sealers = [*self._opted_out(), *(_sealer(str(one), one.variables, published=one) for one in published)]
        return Pinned(tuple(sealers), "; ".join(f"{name} {_few(versions)}" for name, versions in unused.items()))

    def _opted_out(self) -> Iterator[Sealer]:
        for name in self._deployed.opted_out:
            try:
                variables = self._deployed.functions.read(name).variables
            except Refused as refused:
                if refused.code == "ResourceNotFoundException":
                    continue
                raise
            if variables.get(SECRET):
                yield _sealer(f"{name}: its config.arc says env false", variables)

    def are_accepted(self, secrets: Iterable[str]) -> bool:
        """Return True when these are SSM's fallbacks, with no others, and every function accepts each."""
        desired = set(secrets)
        return set(self.fallbacks) == desired and all(desired <= one.accepted for one in self.sealers)

    def are_sealing_with(self, secret: str) -> bool:
        """Return True when `secret` is SSM's, and every function seals with it."""
        return self.variables.get(SECRET) == secret and all(one.sealing == secret for one in self.sealers)

    def known(self, before: Iterable[str], warn: Callable[[str], None], further: Iterable[Sealer] = ()) -> list[str]:
        """Return the secrets that sessions may be sealed with: those in `before`, of SSM, functions, and `further`.

        Secrets that no function can run with are left out.
        """
        found = dict.fromkeys(one for one in (*before, self.variables.get(SECRET), *self.fallbacks) if one)
        for sealer in (*self.sealers, *further):
            if sealer.sealing is not None and sealer.sealing not in found:
                subject = f"{sealer.name}, which" if sealer.published else sealer.name
                warn(f"{subject} seals with a secret of its own. It is kept as an old secret.")
                found[sealer.sealing] = None
        validator = SecretValidator(self.variables, self.environment)
        usable = []
        for one in found:
            fault = validator.fault(one)
            if fault is None:
                usable.append(one)
            else:
                warn(f"An old secret is left out, because no function can run with it: {fault}.")
        return usable

    def check_new(self, secret: str, known: Sequence[str], warn: Callable[[str], None]) -> None:
        """Raise `ToolError` when `secret` cannot replace the `known` ones; `warn` is called for a weak secret."""
        another = "Create another with `arc secret new`. Nothing was changed."
        check_value(SECRET, secret)
        validator = SecretValidator(self.variables, self.environment)
        fault = validator.fault(secret, warn)
        if fault is not None:
            raise ToolError(f"The new secret cannot be used: {fault}. {another}")
        guessable = mistake(SECRET, secret, app=self._deployed.app, environment=self.environment)
        if guessable is not None:
            raise ToolError(f"The new secret cannot be used: {guessable} Nothing was changed.")
        if any(one == secret or validator.have_same_key(secret, one) for one in known):
            raise ToolError(
                "The new secret has the same key as one that is or was in use, because only the first 32 characters "
                f"count. {another}"
            )
        after = {**self.variables, FALLBACKS: fallbacks_value([*known, secret])} if known else dict(self.variables)
        try:
            check_value(FALLBACKS, after.get(FALLBACKS) or "[]")
            self._deployed.check(self.functions, after)
            self._deployed.check(self.functions, after | {SECRET: secret})
        except ToolError as error:
            remedy = f"\nTo remove old secrets, run `arc secret rotate {self.environment} --retire`."
            raise ToolError(f"{error}{remedy if FALLBACKS in self.variables else ''}") from None


@dataclass(frozen=True)
class Sealer:
    """A function, or a published version of one, that seals sessions."""

    name: str
    """What it is called in a message."""
    sealing: str | None = field(repr=False)
    """The secret that it seals with."""
    accepted: frozenset[str] = field(repr=False)
    """The secrets whose sessions it opens; empty while it cannot run with its variables."""
    published: Published | None = None
    """The published version, which keeps its variables; None for a function."""


@dataclass(frozen=True)
class Pinned:
    """Sealers with variables of their own, which do not follow the environment's."""

    sealers: tuple[Sealer, ...]
    """Versions that aliases point to, and functions that opted out."""
    unused: str
    """Published versions without an alias, as a message names them; empty for none."""


def _sealer(
    name: str, variables: Mapping[str, str], *, runs: bool = True, published: Published | None = None
) -> Sealer:
    sealing = variables.get(SECRET) or None
    try:
        accepted = {*fallbacks_of(variables), *([sealing] if sealing else [])} if runs else set()
    except ToolError:
        accepted = set()
    return Sealer(name, sealing, frozenset(accepted), published)


def _few(versions: Sequence[str]) -> str:
    more = len(versions) - _MOST_SHOWN
    return ", ".join(versions[:_MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")


def indented(names: Iterable[str]) -> str:
    """Return a line for each name, indented by two spaces."""
    return "\n".join(f"  {name}" for name in names)


def _once(report: Callable[[str], None]) -> Callable[[str], None]:
    """Return a function that calls `report` once for each sentence."""
    reported: set[str] = set()

    def report_once(sentence: str) -> None:
        if sentence not in reported:
            reported.add(sentence)
            report(sentence)

    return report_once
