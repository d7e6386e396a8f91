"""`@shared`: the folder whose code every function can import, as `vendor.shared`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from arc.manifest import Array

if TYPE_CHECKING:
    from arc.inventory.findings import Findings
    from arc.manifest import Manifest


def read_shared(manifest: Manifest, root: Path, findings: Findings) -> Path | None:
    """The shared folder: what `src` names, else `src/shared` when it is there, else None."""
    pragma = manifest.pragma("shared")
    default = root / "src" / "shared"
    folder = default if default.is_dir() else None
    for item in pragma.items if pragma is not None else ():
        if not isinstance(item, Array) or len(item.items) != 2 or item.items[0].text != "src":  # noqa: PLR2004
            findings.warn(manifest, item, "This line of @shared has no effect: shared code goes to every function.")
            continue
        source = item.items[1]
        named = Path(root, *source.text.split("/"))
        if ".." in named.parts or named == root:
            findings.fault(
                manifest, source, f"'{source.text}' is not below the app's folder.", "Write a path such as src/shared."
            )
        elif not named.is_dir():
            findings.fault(manifest, source, f"There is no folder '{source.text}'.", "Make it, or mend the path.")
        else:
            folder = named
    return folder
