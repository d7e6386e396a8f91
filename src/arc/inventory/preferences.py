"""Preferences: `preferences.arc` or `prefs.arc`, of the app over those of the developer's home."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from arc.errors import ArcError, ManifestError, ToolError
from arc.inventory.findings import Findings
from arc.inventory.manifest_file import parse_file
from arc.inventory.setting import settings_in
from arc.manifest import Map

if TYPE_CHECKING:
    from pathlib import Path

    from arc.inventory.inventory import Preference
    from arc.manifest import Manifest, Pragma, Scalar

PREFERENCE_FILES = ("preferences.arc", "prefs.arc")
ENVIRONMENTS = ("testing", "staging", "production")
_VARIABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")


@dataclass
class Preferences:
    """What a developer set for this machine."""

    env: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)
    sandbox: dict[str, Preference] = field(default_factory=dict)
    sources: list[Path] = field(default_factory=list)


def read_preferences(root: Path, home: Path | None, findings: Findings) -> Preferences:
    """The preferences of the app in `root` over those in `home`."""
    preferences = Preferences()
    homes = (home, ("~/", (*PREFERENCE_FILES, *(f".{name}" for name in PREFERENCE_FILES))))
    for folder, (prefix, names) in (homes, (root, ("", PREFERENCE_FILES))):
        if folder is None:
            continue
        files = [folder / name for name in names]
        preferences.sources.extend(files)
        file = next((each for each in files if each.is_file()), None)
        if file is not None:
            _read_file(file, f"{prefix}{file.name}", preferences, findings)
    return preferences


def is_variable(name: str) -> bool:
    """True for a name that Lambda takes for a variable: a letter, then letters, digits and `_`."""
    return _VARIABLE.fullmatch(name) is not None


def _read_file(file: Path, name: str, preferences: Preferences, findings: Findings) -> None:
    own = Findings()
    try:
        manifest = parse_file(file, name, own, ("env", "sandbox"))
    except (ManifestError, ToolError) as fault:
        findings.faults.append(_masked(fault))
        return
    if manifest is None:
        return
    for pragma in manifest.pragmas:
        if pragma.name == "env":
            _read_env(manifest, pragma, preferences, own)
        elif pragma.name == "sandbox":
            for setting in settings_in(manifest, pragma, own):
                _warn_of_comment(manifest, setting.name, setting.value, own)
                values = [value.value for value in setting.values]
                preferences.sandbox[setting.name.text] = values if len(values) > 1 else values[0]
    findings.faults.extend(map(_masked, own.faults))
    findings.warnings.extend(own.warnings)


def _read_env(manifest: Manifest, pragma: Pragma, preferences: Preferences, findings: Findings) -> None:
    for item in pragma.items:
        if not isinstance(item, Map) or item.name.text not in ENVIRONMENTS:
            findings.fault(
                manifest,
                item,
                "@env holds an environment with its variables below it.",
                f"Write one of {', '.join(ENVIRONMENTS)}, and below it, indented by two spaces: NAME value.",
            )
            continue
        variables = preferences.env.setdefault(item.name.text, {})
        for entry in item.entries:
            if not is_variable(entry.key.text):
                findings.fault(
                    manifest,
                    entry.key,
                    "This cannot be the name of a variable.",
                    "Use letters, digits and '_', a letter first.",
                )
            elif entry.several:
                findings.fault(
                    manifest, entry.key, f"{entry.key.text} has several values.", "Put the whole value in quotes."
                )
            else:
                _warn_of_comment(manifest, entry.key, entry.values[0], findings)
                variables[entry.key.text] = entry.values[0].text


def _warn_of_comment(manifest: Manifest, name: Scalar, value: Scalar, findings: Findings) -> None:
    """Warn of a bare value that ends at a `#`, as a password may hold one, and in `.env` goes on behind it."""
    rest = manifest.lines[value.line - 1][value.column - 1 :]
    if rest.startswith(f"{value.text}#"):
        findings.warn(
            manifest,
            name,
            f"The value of {name.text} ends at the '#', where a comment begins. Put the whole value in quotes, or a "
            "space before the comment.",
        )


def _masked(fault: ArcError) -> ArcError:
    """The fault without the values of its line: preferences hold secrets."""
    if not isinstance(fault, ManifestError):
        return fault
    source = re.sub(r"\S", "*", fault.source)  # the first word too: a value may go on over several lines
    return ManifestError(
        fault.message, file=fault.file, line=fault.line, column=fault.column, source=source, hint=fault.hint
    )
