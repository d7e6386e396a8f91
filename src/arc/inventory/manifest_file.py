"""Finds an app's manifest and parses it, whatever its format."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from arc.errors import ManifestError, ToolError
from arc.inventory.findings import Findings
from arc.inventory.source_file import read_text
from arc.manifest import parse_all, parse_json, parse_yaml

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

    from arc.manifest import Manifest

MANIFEST_FILES = ("app.arc", ".arc", "arc.json", "arc.yaml", "arc.yml", "package.json")
_PACKAGE_KEYS = ("arc", "architect")
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_PRAGMA = re.compile(r"\s*@([^\s#]*)")


def find_manifest(folder: Path, findings: Findings, known: Container[str]) -> tuple[Path, Manifest | None]:
    """The first manifest of `folder` with its file; None when it is so faulty that nothing was read.

    `known` is that of `parse_file`.
    Raises `ToolError` when there is none.
    """
    for name in MANIFEST_FILES:
        file = folder / name
        if not file.is_file():
            continue
        try:
            manifest = parse_file(file, name, findings, known)
        except (ManifestError, ToolError) as fault:
            findings.faults.append(fault)
            return file, None
        if manifest is not None:
            return file, manifest
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "is not there"
        raise ToolError(f"{folder} {what}. Give the folder of an app, or make one: arc init {folder}")
    looked = ", ".join(MANIFEST_FILES)
    raise ToolError(f"There is no manifest in {folder} (looked for {looked}). Make an app there: arc init {folder}")


def has_manifest(folder: Path) -> bool:
    """True when `folder` holds a manifest, good or faulty."""
    for name in MANIFEST_FILES:
        file = folder / name
        if file.is_file():
            try:
                return name != "package.json" or parse_file(file, name, Findings(), ()) is not None
            except (ManifestError, ToolError):
                return True
    return False


def parse_file(file: Path, name: str, findings: Findings, known: Container[str]) -> Manifest | None:
    """The manifest in one file, None for a package.json without one. Faults of `.arc` syntax go to `findings`.

    Pragmas that are not `known` belong to others, who may have a syntax of their own: nothing below one is a fault.
    """
    text = read_text(file, name)
    if name.endswith(".json"):
        return parse_json(text, name, keys=_PACKAGE_KEYS if name == "package.json" else (), known=known)
    if name.endswith((".yaml", ".yml")):
        return parse_yaml(text, name, known=known)
    manifest, faults = parse_all(text, name)
    findings.faults.extend(fault for fault in faults if _is_ours(manifest, fault, known))
    return manifest


def _is_ours(manifest: Manifest, fault: ManifestError, known: Container[str]) -> bool:
    """True for a fault in a line that is not below a pragma of others, as the lines are written.

    A quote of theirs that ends below a known pragma has swallowed lines of it, and is a fault there.
    """
    for line in reversed(manifest.lines[: fault.line]):
        found = _PRAGMA.match(line)
        if found:
            return found[1] in known or not _NAME.fullmatch(found[1])
    return True
