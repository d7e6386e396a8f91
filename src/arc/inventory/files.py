"""Finds and reads an app's files: its manifest in any format, `.env`, and what links lead to."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from arc.errors import ManifestError, ToolError
from arc.inventory.findings import Findings
from arc.manifest import fault_at, parse_all

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from arc.inventory.findings import Document
    from arc.manifest import Manifest, Scalar


MANIFEST_FILES = ("app.arc", ".arc", "arc.json", "arc.yaml", "arc.yml", "package.json")
_PACKAGE_KEYS = ("arc", "architect")
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_PRAGMA = re.compile(r"\s*@([^\s#]*)")
_VARIABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")
VARIABLE_HINT = "Begin with a letter, and use only letters, digits and '_'."


class NoManifest(ToolError):
    """A folder is not that of an app."""


def find_manifest(folder: Path, findings: Findings, known: Container[str]) -> tuple[Path, Manifest | None]:
    """Return the file and the content of the folder's first manifest; None when the content cannot be read.

    `known` is passed to `parse_file`. Raises `NoManifest` when the folder has none.
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
    raise NoManifest(f"{folder} has no manifest ({', '.join(MANIFEST_FILES)}).")


def has_manifest(folder: Path) -> bool:
    """Return whether `folder` contains a manifest, valid or not."""
    try:
        find_manifest(folder, Findings(), ())
    except NoManifest:
        return False
    return True


def parse_file(file: Path, name: str, findings: Findings, known: Container[str]) -> Manifest | None:
    """Parse the manifest in one file; None for a package.json without one.

    Errors in `.arc` syntax are added to `findings`. Pragmas that are not `known` belong to plugins, which may use
    another syntax, so nothing below them is an error.
    """
    text = read_text(file, name)
    if name.endswith((".json", ".yaml", ".yml")):
        from arc.manifest.data import parse_json, parse_yaml

        if not name.endswith(".json"):
            return parse_yaml(text, name, known=known)
        return parse_json(text, name, keys=_PACKAGE_KEYS if name == "package.json" else (), known=known)
    manifest, faults = parse_all(text, name)
    findings.faults.extend(fault for fault in faults if _is_ours(manifest, fault, known))
    return manifest


def _is_ours(manifest: Manifest, fault: ManifestError, known: Container[str]) -> bool:
    """Return whether a fault is outside the pragmas of plugins, judged by the lines as written.

    A quote that opens below a plugin's pragma and ends below a known one hides lines of the known one, so it counts.
    """
    for line in reversed(manifest.lines[: fault.line]):
        found = _PRAGMA.match(line)
        if found:
            return found[1] in known or not _NAME.fullmatch(found[1])
    return True


def read_text(file: Path, name: str) -> str:
    """Return the text of a UTF-8 file, which messages call `name`. Raises `ManifestError` and `ToolError`."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ToolError(f"{name} cannot be read: {error.strerror}. Check the file {file}.") from None
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start].decode().split("\n")
        lines = tuple(content.decode(errors="replace").split("\n"))
        message = "The file is not UTF-8."
        raise fault_at(name, lines, len(before), len(before[-1]) + 1, message, "Save the file as UTF-8.") from None


def is_variable(name: str) -> bool:
    """Return whether Lambda accepts a variable's name: a letter, then letters, digits and `_`."""
    return _VARIABLE.fullmatch(name) is not None


def read_env_file(file: Path, findings: Findings) -> dict[str, str] | None:
    """Return the variables in a `.env` file, None when it does not exist.

    Values are literal: `$` has no meaning. Messages never quote a line, because it may contain a secret.
    """
    if not file.is_file():
        return None
    from dotenv.parser import parse_stream

    try:
        text = read_text(file, file.name)
    except ToolError as fault:
        findings.faults.append(fault)
        return {}
    except ManifestError as fault:
        findings.faults.append(ToolError(f"{fault.file}:{fault.line}: {fault.message} {fault.hint}"))
        return {}
    variables: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(text.removeprefix("\N{BYTE ORDER MARK}"), newline="")):
        place, name = f"{file.name}:{binding.original.line}", binding.key
        if binding.error:
            findings.faults.append(ToolError(f"{place}: This line cannot be read. Write NAME=value."))
        elif name is not None and not is_variable(name):
            findings.warnings.append(f"{place}: {name!r} is ignored: it is not a valid variable name. {VARIABLE_HINT}")
        elif name is not None and binding.value is None:
            findings.faults.append(ToolError(f"{place}: {name} has no value. Write {name}=value."))
        elif name is not None:
            variables[name] = binding.value or ""
    return variables


def folder_in_app(document: Document, root: Path, source: Scalar, *, example: str) -> Path | None:
    """Return the folder that a manifest names below the app's folder `root`; one outside it is a fault."""
    folder = Path(root, *source.text.split("/"))
    if ".." not in folder.parts:
        return folder
    document.fault(source, f"The folder '{source.text}' is outside the app.", f"Write a path such as {example}.")
    return None


def check_within(root: Path, file: Path) -> None:
    """Raise `ToolError` when a link on the way from the app's folder `root` to `file` leads out of the app."""
    place = str(root)
    for part in file.relative_to(root).parts:
        place = os.path.join(place, part)  # noqa: PTH118  # an app is read often, and Path is slower
        if not os.path.islink(place):  # noqa: PTH114
            continue
        target = Path(os.path.realpath(place))
        if not target.is_relative_to(os.path.realpath(root)):
            name = Path(place).relative_to(root).as_posix()
            raise ToolError(
                f"{name} leads out of the app, to {target}. Replace the link with a copy, or link to a place inside "
                "the app."
            )


def check_links(root: Path, files: Iterable[Path], findings: Findings) -> None:
    """Add a fault for each link that leads out of the app in `root` on the way to one of `files`."""
    faults: dict[str, ToolError] = {}
    for file in files:
        try:
            check_within(root, file)
        except ToolError as fault:
            faults.setdefault(str(fault), fault)
    findings.faults.extend(faults.values())
