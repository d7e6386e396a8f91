"""Links in an app's folder: one that leads out of it is refused before it is followed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from arc.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from arc.inventory.findings import Findings


def check_within(root: Path, file: Path) -> None:
    """Raise `ToolError` when `file`, below the app's folder `root`, is out of it once links are followed."""
    place = str(root)
    for part in file.relative_to(root).parts:
        place = os.path.join(place, part)  # noqa: PTH118  # an app is read often, and Path is slower
        if not os.path.islink(place):  # noqa: PTH114
            continue
        target = Path(os.path.realpath(place))
        if not target.is_relative_to(os.path.realpath(root)):
            name = Path(place).relative_to(root).as_posix()
            raise ToolError(
                f"{name} leads out of the app, to {target}, and nothing there is read or written. Put a copy in its "
                "place; a link may lead to another place within the app."
            )


def find_links_out(root: Path, files: Iterable[Path], findings: Findings) -> None:
    """Add a fault for each of `files` that leads out of the app in `root`; several behind one link are one fault."""
    known = {str(fault) for fault in findings.faults}
    for file in files:
        try:
            check_within(root, file)
        except ToolError as fault:
            if str(fault) not in known:
                known.add(str(fault))
                findings.faults.append(fault)
