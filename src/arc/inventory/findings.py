"""What reading an app found: faults, which are raised together, and warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arc.errors import InventoryError, ManifestError

if TYPE_CHECKING:
    from arc.errors import ArcError
    from arc.manifest import Item, Manifest, Pragma


class Findings:
    """Collects faults and warnings while an app is read."""

    def __init__(self) -> None:
        self.faults: list[ArcError] = []
        self.warnings: list[str] = []

    def fault(self, manifest: Manifest, where: Item | Pragma, message: str, hint: str) -> None:
        """Add a fault that points at `where`; `hint` says what to write instead."""
        self.faults.append(manifest.fault(where, message, hint))

    def warn(self, manifest: Manifest, where: Item | Pragma, message: str) -> None:
        """Add a warning about `where`."""
        fault = manifest.fault(where, message, "")
        self.warnings.append(f"{fault.file}:{fault.line}: {message}")

    def raise_faults(self) -> None:
        """Raise `InventoryError` with every fault, if there is one."""
        if self.faults:
            raise InventoryError(sorted(self.faults, key=self._place))

    def _place(self, fault: ArcError) -> tuple[int, int, int]:
        """Files in the order in which they were read, and the lines of each from the top."""
        if not isinstance(fault, ManifestError):
            return len(self.faults), 0, 0
        files = [other.file for other in self.faults if isinstance(other, ManifestError)]
        return files.index(fault.file), fault.line, fault.column
