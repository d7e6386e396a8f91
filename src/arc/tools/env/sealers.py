"""What is deployed and seals sessions, each with variables of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.tools.cloud.cloud import Refused
from arc.tools.env.names import SECRET
from arc.tools.env.secrets import fallbacks_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from arc.tools.cloud.functions import Function
    from arc.tools.env.deployed import Deployed, Published, Told

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
