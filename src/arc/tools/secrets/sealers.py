"""What is deployed and seals sessions, each with variables of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.tools.cloud.cloud import Refused
from arc.tools.env.change import Change
from arc.tools.env.deployed import Deployed
from arc.tools.env.mistakes import mistake
from arc.tools.env.report import failed_functions, kept_variables
from arc.tools.env.variables import FALLBACKS, SECRET, check_value
from arc.tools.secrets.secrets import Judge, fallbacks_of, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from arc.inventory import Inventory
    from arc.tools.cloud.cloud import Cloud
    from arc.tools.cloud.functions import Function
    from arc.tools.cloud.parameters import Parameters
    from arc.tools.env.deployed import Published, Told


_MOST_SHOWN = 3


@dataclass(frozen=True)
class Sealer:
    """A function, or a published version of one."""

    name: str
    """What it is called in a sentence."""
    sealing: str | None = field(repr=False)
    """The secret that it seals with."""
    accepted: frozenset[str] = field(repr=False)
    """The secrets whose sessions it opens; none when it cannot read its variables, or does not run with them yet."""
    published: Published | None = None
    """The version that was published, which keeps its variables for ever; None for a function."""


@dataclass(frozen=True)
class Apart:
    """What keeps variables of its own, whatever the environment's are."""

    sealers: tuple[Sealer, ...]
    """Versions that aliases lead to, and functions that opted out."""
    unused: str
    """Published versions without an alias, as a sentence names them; empty for none."""


class Sealers:
    """The sealers among an environment's deployed functions. Its methods raise what `Cloud.call` raises."""

    def __init__(self, deployed: Deployed) -> None:
        self._deployed, self._functions = deployed, deployed.functions

    def functions(self, told: Told) -> list[Function]:
        """The functions that take the environment's variables, each once no update of it is under way."""
        return [self._functions.settled(one) for one in self._deployed.read(told)]

    def following(self, functions: Iterable[Function]) -> list[Sealer]:
        """Such functions as sealers."""
        return [_sealer(one.name, one.variables, runs=one.status != "Failed") for one in functions]

    def apart(self, functions: Sequence[Function], variables: Mapping[str, str]) -> Apart:
        """What keeps variables of its own, beside `functions`, which take the environment's `variables`."""
        published = self._deployed.published(functions, variables)
        used = {(one.function, one.version) for one in published}
        unused = {
            one.name: left
            for one in functions
            if (left := [each for each in self._functions.versions(one.name) if (one.name, each) not in used])
        }
        sealers = [*self._opted_out(), *(_sealer(str(one), one.variables, published=one) for one in published)]
        return Apart(tuple(sealers), "; ".join(f"{name} {_few(versions)}" for name, versions in unused.items()))

    def _opted_out(self) -> Iterator[Sealer]:
        for name in self._deployed.opted_out:
            try:
                variables = self._functions.read(name).variables
            except Refused as refused:
                if refused.code == "ResourceNotFoundException":
                    continue
                raise
            if variables.get(SECRET):
                yield _sealer(f"{name}: its config.arc says env false", variables)


def _sealer(
    name: str, variables: Mapping[str, str], *, runs: bool = True, published: Published | None = None
) -> Sealer:
    sealing = variables.get(SECRET) or None
    try:
        accepted = {*fallbacks_of(variables), *([sealing] if sealing else [])} if runs else set()
    except ToolError:
        accepted = set()
    return Sealer(name, sealing, frozenset(accepted), published)


def _few(versions: Iterable[str]) -> str:
    shown = list(versions)
    rest = len(shown) - _MOST_SHOWN
    return ", ".join(shown[:_MOST_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def indented(names: Iterable[str]) -> str:
    """A line for each, two spaces in."""
    return "\n".join(f"  {name}" for name in names)


@dataclass(frozen=True)
class SecretsNow:
    """What a look found. Its methods raise what `Cloud.call` raises."""

    environment: str
    variables: Mapping[str, str] = field(repr=False)
    """The environment's, as SSM tells them."""
    functions: Sequence[Function]
    """Those that take the environment's variables, each once no update of it was under way."""
    following: Sequence[Sealer]
    """The same functions as sealers."""
    _deployed: Deployed

    @property
    def fallbacks(self) -> list[str]:
        """SSM's fallbacks. Raises `ToolError` for a list that cannot be read."""
        return fallbacks_of(self.variables)

    def apart(self) -> Apart:
        """What keeps variables of its own."""
        return Sealers(self._deployed).apart(self.functions, self.variables)

    def are_accepted(self, secrets: Iterable[str]) -> bool:
        """True when just these are SSM's fallbacks, and every function accepts each."""
        wanted = set(secrets)
        return set(self.fallbacks) == wanted and all(wanted <= one.accepted for one in self.following)

    def are_sealing_with(self, secret: str) -> bool:
        """True when `secret` is SSM's, and every function seals with it."""
        return self.variables.get(SECRET) == secret and all(one.sealing == secret for one in self.following)

    def known(self, before: Iterable[str], warn: Callable[[str], None], further: Iterable[Sealer] = ()) -> list[str]:
        """Every secret that sessions may be sealed with: those known `before`, SSM's, functions' own, and of `further`.

        Those with which no function can run are left out.
        """
        found = dict.fromkeys(one for one in (*before, self.variables.get(SECRET), *self.fallbacks) if one)
        for sealer in (*self.following, *further):
            if sealer.sealing is not None and sealer.sealing not in found:
                which = f"{sealer.name}, which" if sealer.published else sealer.name
                warn(f"{which} seals with a secret of its own; it is kept among the old ones.")
                found[sealer.sealing] = None
        judge = Judge(self.variables, self.environment)
        usable = []
        for one in found:
            fault = judge.fault(one)
            if fault is None:
                usable.append(one)
            else:
                warn(f"An old secret is left out, because no function can run with it: {fault}.")
        return usable

    def check_new(self, secret: str, known: Sequence[str], warn: Callable[[str], None]) -> None:
        """Raise `ToolError` when `secret` cannot take the place of the one that seals; `warn` is told of a poor one."""
        check_value(SECRET, secret)
        judge = Judge(self.variables, self.environment)
        fault = judge.fault(secret, warn)
        if fault is not None:
            raise ToolError(
                f"The new secret cannot be taken: {fault}. Take another: arc secret new. Nothing was changed."
            )
        guessable = mistake(SECRET, secret, app=self._deployed.app, environment=self.environment)
        if guessable is not None:
            raise ToolError(f"The new secret cannot be taken: {guessable} Nothing was changed.")
        if any(one == secret or judge.are_twins(secret, one) for one in known):
            raise ToolError(
                "The new secret gives the same key as one that is in use or was: the first 32 characters are the key. "
                "Take another: arc secret new. Nothing was changed."
            )
        after = {**self.variables, FALLBACKS: listed([*known, secret])} if known else dict(self.variables)
        try:
            check_value(FALLBACKS, after.get(FALLBACKS) or "[]")
            self._deployed.check(self.functions, after)
            self._deployed.check(self.functions, after | {SECRET: secret})
        except ToolError as error:
            remedy = f"\nOld secrets are dropped with: arc secret rotate {self.environment} --retire"
            raise ToolError(f"{error}{remedy if FALLBACKS in self.variables else ''}") from None


@dataclass(frozen=True)
class Secrets:
    """The secrets of an environment, to be looked at and changed everywhere.

    `warn` is told what deserves attention. Its methods raise what `Cloud.call` raises.
    """

    cloud: Cloud
    inventory: Inventory
    environment: str
    parameters: Parameters
    warn: Callable[[str], None]
    told: Told
    sleep: Callable[[float], None]

    def look(self) -> SecretsNow:
        """How they are now."""
        deployed = Deployed(self.cloud, self.inventory, self.environment, sleep=self.sleep)
        sealers = Sealers(deployed)
        variables = self.parameters.read()
        functions = sealers.functions(self.told)
        return SecretsNow(self.environment, variables, functions, sealers.following(functions), deployed)

    def change(self, changes: Mapping[str, str | None], go_on: str) -> None:
        """Change them in every function. Raises `ToolError` with the sentence `go_on` when one cannot be changed."""
        change = Change(
            self.cloud,
            self.inventory,
            self.environment,
            changes,
            told=self.told,
            sleep=self.sleep,
            parameters=self.parameters,
            is_rotation=True,
            show=self.warn,
        )
        outcome = change.run()
        for note in (*outcome.notes, *kept_variables(outcome)):
            self.warn(note)
        if outcome.failed:
            raise ToolError(f"{failed_functions(outcome)}\n{go_on}")
