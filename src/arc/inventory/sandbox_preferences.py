"""`@sandbox` of the preferences: what a developer set for the sandbox on this machine.

No line of it is a reason to refuse an app: what has no effect here is named in a warning.
Source: https://arc.codes/docs/en/reference/configuration/local-preferences
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from arc.manifest import Array, Map, Scalar, Vector

if TYPE_CHECKING:
    from arc.inventory.findings import Findings
    from arc.manifest import Item, Manifest, Pragma

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
