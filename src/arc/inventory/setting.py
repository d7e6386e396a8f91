"""Settings: pragma lines of a name and its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from arc.manifest import Array, Map, Scalar, Vector

if TYPE_CHECKING:
    from arc.inventory.findings import Findings
    from arc.manifest import Manifest, Pragma

_REPEATABLE = ("layer", "policy")


@dataclass(frozen=True)
class Setting:
    """A setting as written: `timeout 10`, or a name with values below it."""

    name: Scalar
    values: tuple[Scalar, ...]

    @property
    def value(self) -> Scalar:
        """The first value."""
        return self.values[0]


def settings_in(manifest: Manifest, pragma: Pragma, findings: Findings) -> list[Setting]:
    """The settings of a pragma; a line that is none is a fault, and so is a name that is there twice."""
    settings: list[Setting] = []
    for item in pragma.items:
        if isinstance(item, Array):
            setting = Setting(item.items[0], item.items[1:])
        elif isinstance(item, Vector):
            setting = Setting(item.name, item.items)
        elif isinstance(item, Map):
            findings.fault(
                manifest,
                item,
                f"'{item.name.text}' in @{pragma.name} has keys below it.",
                "Write a setting as a name and a value on one line, or its values below it, one on each line.",
            )
            continue
        else:
            findings.fault(
                manifest,
                item,
                f"'{item.text}' in @{pragma.name} has no value.",
                f"Write a name and a value: {item.text} value.",
            )
            continue
        first = next((other for other in settings if other.name.text == setting.name.text), None)
        if first is not None and setting.name.text not in _REPEATABLE:
            findings.fault(
                manifest,
                setting.name,
                f"'{setting.name.text}' is set twice in @{pragma.name}: on line {first.name.line} already.",
                "Keep one of the two lines.",
            )
        settings.append(setting)
    return settings
