"""Preferences: `preferences.arc` and its other names, in the app's folder and in the developer's home.

Each `@sandbox` setting in the app's file replaces the one in the home's. An `@env` in the app's file replaces the
home's `@env` completely. Source: @architect/inventory, src/config/project/index.js and prefs/index.js.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from arc.errors import ArcError, ManifestError, ToolError
from arc.inventory.files import VARIABLE_HINT, is_variable, parse_file
from arc.inventory.findings import Document, Findings, choose
from arc.manifest import Array, Map, Scalar

if TYPE_CHECKING:
    from pathlib import Path

    from arc.manifest import Entry, Pragma


PREFERENCE_FILES = ("preferences.arc", "prefs.arc", ".preferences.arc", ".prefs.arc")
"""In order of precedence: only the first that exists is read."""
ENVIRONMENTS = ("testing", "staging", "production")


@dataclass(frozen=True)
class SandboxPreferences:
    """The settings of `@sandbox` that have an effect; None for one that is not set."""

    http_port: int | None = None
    """The sandbox's port."""
    tables_port: int | None = None
    """DynamoDB's port."""
    external_db: bool = False
    """True when the developer runs a DynamoDB at `tables_port`."""
    seed_data: str | None = None
    """The file of rows for empty tables, as a path below the app's folder."""


@dataclass
class Preferences:
    """The settings of a developer for this machine."""

    env: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)
    sandbox: SandboxPreferences = field(default_factory=SandboxPreferences)
    sources: list[Path] = field(default_factory=list)


def read_preferences(root: Path, home: Path | None, findings: Findings) -> Preferences:
    """Return the preferences of the app in `root`, over those in `home`."""
    preferences = Preferences()
    for folder, prefix in ((home, "~/"), (root, "")):
        if folder is None:
            continue
        files = [folder / name for name in PREFERENCE_FILES]
        preferences.sources.extend(files)
        file = next((each for each in files if each.is_file()), None)
        if file is not None:
            _read_file(file, f"{prefix}{file.name}", preferences, findings)
    return preferences


def value_of(entry: Entry) -> str:
    """Return the value of a variable: several words are one value, as in Architect."""
    return " ".join(value.text for value in entry.values)


def _read_file(file: Path, name: str, preferences: Preferences, findings: Findings) -> None:
    found = Findings()
    try:
        manifest = parse_file(file, name, found, ("env",))
    except (ManifestError, ToolError) as fault:
        findings.faults.append(_masked(fault))
        return
    if manifest is None:
        return
    document = Document(manifest, found)
    for pragma in manifest.pragmas:
        if pragma.name == "env":
            preferences.env = _read_env(document, pragma)
        elif pragma.name == "sandbox":
            preferences.sandbox = _read_sandbox(document, pragma, preferences.sandbox)
        elif pragma.name in ("sandbox-start", "sandbox-startup"):
            document.warn(pragma, f"@{pragma.name} has no effect. Run its commands before `arc sandbox`.")
    findings.faults.extend(map(_masked, found.faults))
    findings.warnings.extend(found.warnings)


def _masked(fault: ArcError) -> ArcError:
    """Return the fault without the text of its line, since preferences contain secrets."""
    if not isinstance(fault, ManifestError):
        return fault
    source = re.sub(r"\S", "*", fault.source)  # the first word too: a value may span several lines
    return ManifestError(
        fault.message, file=fault.file, line=fault.line, column=fault.column, source=source, hint=fault.hint
    )


def _read_env(document: Document, pragma: Pragma) -> dict[str, dict[str, str]]:
    """Return the variables of each environment in an `@env`."""
    env: dict[str, dict[str, str]] = {}
    for item, below in zip_longest(pragma.items, pragma.items[1:]):
        name = item.start.text
        if isinstance(below, Array) and isinstance(item, (Scalar, Map)) and name in ENVIRONMENTS:
            message = f"This line does not belong to '{name}', because it is not indented below it."
            document.fault(below, message, f"Indent the variables of '{name}' by two spaces.")
            break
        if not isinstance(item, Map):
            hint = "Write testing, staging or production, and below it, indented by two spaces: NAME value."
            document.fault(item, "@env needs an environment with variables below it.", hint)
        elif item.name.text not in ENVIRONMENTS:
            ignored = f"Unknown environment '{item.name.text}' in @env, which has no effect."
            document.warn(item, f"{ignored} {choose(ENVIRONMENTS)}")
        else:
            env.setdefault(item.name.text, {}).update(_read_variables(document, item))
    return env


def _read_variables(document: Document, item: Map) -> dict[str, str]:
    variables: dict[str, str] = {}
    for entry in item.entries:
        if not is_variable(entry.key.text):  # the name may be a part of a value
            document.warn(
                entry.key, f"This line is ignored: its first word is not a valid variable name. {VARIABLE_HINT}"
            )
            continue
        variables[entry.key.text] = value_of(entry)
        value = entry.values[-1]
        rest = document.manifest.lines[value.line - 1][value.column - 1 :]
        if rest.startswith(f"{value.text}#"):
            ends = f"The value of {entry.key.text} ends at the '#', where a comment begins."
            document.warn(entry.key, f"{ends} Put the whole value in quotes, or a space before the comment.")
    return variables


_HIGHEST_PORT = 65535
_WITHOUT_NEED = ("delete-vendor", "no-hydrate")  # functions use shared code where it is, so nothing is copied
_WITHOUT_EFFECT = {
    "autocreate": "Create missing handlers with `arc init`.",
    "coldstart": "Functions start as fast as they can.",
    "env": "The sandbox always uses the testing environment.",
    "livereload": "Reload the page in the browser.",
    "useAWS": "The sandbox uses the tables of this machine.",
}


def _read_sandbox(document: Document, pragma: Pragma, preferences: SandboxPreferences) -> SandboxPreferences:
    """Return `preferences`, changed by a `@sandbox` pragma; a setting without effect is a warning."""
    if not pragma.whole:
        document.warn(pragma, "Some lines of @sandbox cannot be read and have no effect.")
    for item in pragma.items:
        name = item.start.text
        value = item.items[1].text if isinstance(item, Array) else ""
        if name == "ports" and isinstance(item, Map):
            ports = _read_ports(document, item)
            preferences = replace(preferences, http_port=ports.get("http"), tables_port=ports.get("tables"))
        elif name == "ports":
            document.warn(item, "'ports' in @sandbox has no effect. Add an indented line below it, such as http 3333.")
        elif name == "external-db" and value:
            preferences = replace(preferences, external_db=value != "false")
        elif name == "seed-data" and value:
            preferences = replace(preferences, seed_data=value)
        elif name not in _WITHOUT_NEED:
            message = f"'{name}' in @sandbox has no effect. {_WITHOUT_EFFECT.get(name, '')}"
            document.warn(item, message.rstrip())
    return preferences


def _read_ports(document: Document, item: Map) -> dict[str, int]:
    ports: dict[str, int] = {}
    for entry in item.entries:
        name, value = entry.key.text, entry.values[0]
        number = value.value
        if name not in ("http", "tables"):
            document.warn(entry.key, f"The port '{name}' in @sandbox has no effect.")
        elif isinstance(number, bool) or not isinstance(number, int) or not 0 < number <= _HIGHEST_PORT:
            document.warn(value, f"The port '{name}' in @sandbox must be a number from 1 to {_HIGHEST_PORT}.")
        else:
            ports[name] = number
    return ports
