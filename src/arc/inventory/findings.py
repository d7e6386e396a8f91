"""The faults and warnings that are found while an app is read, and the phrases that they share."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arc.errors import InventoryError, ManifestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from arc.errors import ArcError
    from arc.manifest import Item, Manifest, Pragma


class Findings:
    """Collects faults and warnings while an app is read."""

    def __init__(self) -> None:
        self.faults: list[ArcError] = []
        self.warnings: list[str] = []

    def raise_faults(self) -> None:
        """Raise `InventoryError` with every fault, if there are any."""
        if self.faults:
            raise InventoryError(sorted(self.faults, key=self._place))

    def _place(self, fault: ArcError) -> tuple[int, int, int]:
        """Return a sorting key: files in the order in which they were read, then lines from the top."""
        if not isinstance(fault, ManifestError):
            return len(self.faults), 0, 0
        files = [other.file for other in self.faults if isinstance(other, ManifestError)]
        return files.index(fault.file), fault.line, fault.column


@dataclass(frozen=True)
class Document:
    """A manifest that is being read, and the findings that its faults and warnings are added to."""

    manifest: Manifest
    findings: Findings

    def items(self, pragma: str) -> tuple[Item, ...]:
        """Return the items of a pragma, empty when the manifest does not have it."""
        found = self.manifest.pragma(pragma)
        return found.items if found is not None else ()

    def fault(self, where: Item | Pragma, message: str, hint: str) -> None:
        """Add a fault that points at `where`; `hint` says what to write instead."""
        self.findings.faults.append(self.manifest.fault(where, message, hint))

    def warn(self, where: Item | Pragma, message: str) -> None:
        """Add a warning about `where`."""
        fault = self.manifest.fault(where, message, "")
        self.findings.warnings.append(f"{fault.file}:{fault.line}: {message}")


def choose(choices: Sequence[str]) -> str:
    """Return the sentence `Choose a, b or c.` for one or more `choices`."""
    *others, last = choices
    return f"Choose {', '.join(others)} or {last}." if others else f"Choose {last}."


def did_you_mean(word: str, choices: Iterable[str], *, others: Iterable[str] = (), cutoff: float = 0.6) -> str:
    """Return `Did you mean 'x'? ` with the choice that `closest` returns, empty without one."""
    meant = closest(word, choices, others=others, cutoff=cutoff)
    return f"Did you mean {meant!r}? " if meant else ""


def closest(word: str, choices: Iterable[str], *, others: Iterable[str] = (), cutoff: float = 0.6) -> str:
    """Return the choice that `word` resembles.

    Empty when it resembles none, or rather one of the `others`, which are valid but not worth a suggestion.
    """
    known = list(choices)
    close = difflib.get_close_matches(word, (*known, *others), n=1, cutoff=cutoff)
    return close[0] if close and close[0] in known else ""
