"""`@app`: the name of the app."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from arc.manifest import Scalar, fault_at

if TYPE_CHECKING:
    from arc.inventory.findings import Findings
    from arc.manifest import Manifest

_NAME = re.compile(r"[a-z][a-zA-Z0-9_-]+")
_LONGEST = 100
_HINT = f"Begin with a small letter and go on with letters, digits, '-' and '_': 2 to {_LONGEST} characters."


def is_app_name(text: str) -> bool:
    """True for a name that an app can have."""
    return _NAME.fullmatch(text) is not None and len(text) <= _LONGEST


def read_app(manifest: Manifest, findings: Findings) -> str:
    """The app's name; empty when it is missing or wrong, which is a fault."""
    pragma = manifest.pragma("app")
    if pragma is None:
        if all(each.whole for each in manifest.pragmas):
            hint = "Write @app, and below it a name."
            findings.faults.append(fault_at(manifest.file, manifest.lines, 1, 1, "The manifest has no @app.", hint))
        return ""
    if len(pragma.items) != 1 or not isinstance(pragma.items[0], Scalar):
        if pragma.whole:
            where = pragma.items[min(1, len(pragma.items) - 1)] if pragma.items else pragma
            findings.fault(manifest, where, "@app holds one name and nothing else.", _HINT)
        return ""
    name = pragma.items[0]
    if not is_app_name(name.text):
        findings.fault(manifest, name, f"'{name.text}' cannot be the name of an app.", _HINT)
        return ""
    return name.text
