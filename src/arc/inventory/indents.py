"""Lines that belong below a name and are not indented, which are one mistake and therefore one fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arc.manifest import Array, Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable

    from arc.inventory.findings import Document
    from arc.manifest import Item


def indented_items(
    document: Document, pragma: str, what: str, belongs: Callable[[Item, Array], bool]
) -> tuple[list[Item], set[str]]:
    """Return the items of a pragma without such lines, and the names above them.

    A fault is added for each of these names, which `what` describes. `belongs` returns whether a line belongs to the
    item above it. A name alone is left out together with its lines.
    """
    kept: list[Item] = []
    names: set[str] = set()
    above: Item | None = None
    is_reported = False
    for item in document.items(pragma):
        if isinstance(item, Array) and isinstance(above, (Scalar, Map)) and belongs(above, item):
            if not is_reported:
                _report(document, f"{what} '{above.start.text}'", item)
            names.add(above.start.text)
            if not is_reported and isinstance(above, Scalar):
                kept.pop()
            is_reported = True
        else:
            kept.append(item)
            above, is_reported = item, False
    return kept, names


def _report(document: Document, name: str, line: Array) -> None:
    words = " ".join(word.text for word in line.items)
    message = f"'{words}' does not belong to {name}, because it is not indented below it."
    document.fault(line, message, f"Indent the lines of {name} by two spaces.")
