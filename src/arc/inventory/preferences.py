"""Preferences: `preferences.arc`, `prefs.arc` and the like, of the app over those of the developer's home.

A setting of `@sandbox` in the app's file replaces that of the home's; an `@env` replaces the home's `@env` as a whole,
in every environment. Source: @architect/inventory, src/config/project/index.js and prefs/index.js.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from arc.errors import ArcError, ManifestError, ToolError
from arc.inventory.files import is_variable, parse_file
from arc.inventory.findings import Findings
from arc.manifest import Array, Map, Scalar, Vector

if TYPE_CHECKING:
    from pathlib import Path

    from arc.manifest import Entry, Item, Manifest, Pragma


PREFERENCE_FILES = ("preferences.arc", "prefs.arc", ".preferences.arc", ".prefs.arc")
"""In the order in which they are looked for; the first one alone is read."""
_STARTUP = ("sandbox-start", "sandbox-startup")
ENVIRONMENTS = ("testing", "staging", "production")


@dataclass(frozen=True)
class SandboxPreferences:
    """The settings of `@sandbox` that have an effect; None is what they leave open."""

    http_port: int | None = None
    """Where the sandbox listens."""
    tables_port: int | None = None
    """Where DynamoDB answers."""
    external_db: bool = False
    """True for a DynamoDB of the developer's own at `tables_port`."""
    seed_data: str | None = None
    """The file of rows for empty tables, as a path below the app's folder."""


@dataclass
class Preferences:
    """What a developer set for this machine."""

    env: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)
    sandbox: SandboxPreferences = field(default_factory=SandboxPreferences)
    sources: list[Path] = field(default_factory=list)


def read_preferences(root: Path, home: Path | None, findings: Findings) -> Preferences:
    """The preferences of the app in `root` over those in `home`."""
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


def _read_file(file: Path, name: str, preferences: Preferences, findings: Findings) -> None:
    own = Findings()
    try:
        manifest = parse_file(file, name, own, ("env",))
    except (ManifestError, ToolError) as fault:
        findings.faults.append(_masked(fault))
        return
    if manifest is None:
        return
    for pragma in manifest.pragmas:
        if pragma.name == "env":
            preferences.env = _env(manifest, pragma, own)
        elif pragma.name == "sandbox":
            preferences.sandbox = read_sandbox(manifest, pragma, preferences.sandbox, own)
        elif pragma.name in _STARTUP:
            own.warn(manifest, pragma, f"@{pragma.name} has no effect: run its commands before arc sandbox.")
    findings.faults.extend(map(_masked, own.faults))
    findings.warnings.extend(own.warnings)


def _env(manifest: Manifest, pragma: Pragma, findings: Findings) -> dict[str, dict[str, str]]:
    """Return the variables of each environment in an `@env`."""
    env: dict[str, dict[str, str]] = {}
    for item in pragma.items:
        if not isinstance(item, Map):
            findings.fault(
                manifest,
                item,
                "@env holds an environment with its variables below it.",
                f"Write one of {', '.join(ENVIRONMENTS)}, and below it, indented by two spaces: NAME value.",
            )
        elif item.name.text not in ENVIRONMENTS:
            known = f"Choose {', '.join(ENVIRONMENTS[:-1])} or {ENVIRONMENTS[-1]}."
            findings.warn(
                manifest, item, f"Unknown environment '{item.name.text}' in @env, which has no effect. {known}"
            )
        else:
            env.setdefault(item.name.text, {}).update(_variables(manifest, item, findings))
    return env


def _variables(manifest: Manifest, item: Map, findings: Findings) -> dict[str, str]:
    variables: dict[str, str] = {}
    for entry in item.entries:
        if is_variable(entry.key.text):
            _warn_of_comment(manifest, entry, findings)
            variables[entry.key.text] = value_of(entry)
        else:
            findings.warn(
                manifest,
                entry.key,
                "A variable is left out: its first word, which may be a part of a value and is not shown, cannot be "
                "the name of one. Use letters, digits and '_', a letter first.",
            )
    return variables


def value_of(entry: Entry) -> str:
    """Return the value of a variable: several words are one value, as in Architect."""
    return " ".join(value.text for value in entry.values)


def _warn_of_comment(manifest: Manifest, entry: Entry, findings: Findings) -> None:
    """Warn of a bare value that ends at a `#`, as a password may hold one, and in `.env` goes on behind it."""
    value = entry.values[-1]
    rest = manifest.lines[value.line - 1][value.column - 1 :]
    if rest.startswith(f"{value.text}#"):
        findings.warn(
            manifest,
            entry.key,
            f"The value of {entry.key.text} ends at the '#', where a comment begins. Put the whole value in quotes, or "
            "a space before the comment.",
        )


def _masked(fault: ArcError) -> ArcError:
    """The fault without the values of its line: preferences hold secrets."""
    if not isinstance(fault, ManifestError):
        return fault
    source = re.sub(r"\S", "*", fault.source)  # the first word too: a value may go on over several lines
    return ManifestError(
        fault.message, file=fault.file, line=fault.line, column=fault.column, source=source, hint=fault.hint
    )


_HIGHEST_PORT = 65535
# Functions here never get copies of shared code, so there is nothing to write and nothing to delete.
_NEEDLESS = ("delete-vendor", "no-hydrate")
_WITHOUT_EFFECT = {
    "autocreate": "write missing handlers with: arc init",
    "coldstart": "functions start as fast as they can",
    "env": "the sandbox runs the environment testing",
    "livereload": "reload the page yourself",
    "useAWS": "the sandbox uses the tables of this machine",
}
_PORTS = ("http", "tables")


def read_sandbox(
    manifest: Manifest, pragma: Pragma, preferences: SandboxPreferences, findings: Findings
) -> SandboxPreferences:
    """Return `preferences` with what a `@sandbox` pragma sets; what has no effect is a warning."""
    if not pragma.whole:
        findings.warn(manifest, pragma, "Some lines of @sandbox cannot be read and have no effect.")
    for item in pragma.items:
        name = item.text if isinstance(item, Scalar) else item.start.text
        if name == "ports":
            http, tables = _ports(manifest, item, findings)
            preferences = replace(preferences, http_port=http, tables_port=tables)
        elif name == "external-db" and _single(item):
            preferences = replace(preferences, external_db=_single(item) != "false")
        elif name == "seed-data" and _single(item):
            preferences = replace(preferences, seed_data=_single(item))
        elif name not in _NEEDLESS:
            reason = f": {_WITHOUT_EFFECT[name]}" if name in _WITHOUT_EFFECT else ""
            findings.warn(manifest, item, f"'{name}' in @sandbox has no effect{reason}.")
    return preferences


def _single(item: Item) -> str:
    """Return the value on a setting's line, empty without one."""
    return item.items[1].text if isinstance(item, Array) else ""


def _ports(manifest: Manifest, item: Item, findings: Findings) -> tuple[int | None, int | None]:
    """Return the ports of HTTP and of the tables, None for one that is not set."""
    entries = {entry.key: entry.values[0] for entry in item.entries} if isinstance(item, Map) else {}
    if isinstance(item, (Scalar, Array, Vector)):
        findings.warn(manifest, item, "'ports' in @sandbox has no effect: write below it, indented, http 3333.")
    ports: dict[str, int] = {}
    for key, value in entries.items():
        number = value.value
        if key.text not in _PORTS:
            findings.warn(manifest, key, f"The port of '{key.text}' in @sandbox has no effect here.")
        elif isinstance(number, bool) or not isinstance(number, int) or not 0 < number <= _HIGHEST_PORT:
            findings.warn(
                manifest, value, f"The port of '{key.text}' in @sandbox is not a number from 1 to {_HIGHEST_PORT}."
            )
        else:
            ports[key.text] = number
    return ports.get("http"), ports.get("tables")
