"""Finds an app's manifest and parses it, whatever its format."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from arc.errors import ManifestError, ToolError
from arc.inventory.findings import Findings
from arc.manifest import fault_at, parse_all, parse_json, parse_yaml

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from arc.manifest import Manifest


MANIFEST_FILES = ("app.arc", ".arc", "arc.json", "arc.yaml", "arc.yml", "package.json")
_PACKAGE_KEYS = ("arc", "architect")
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_PRAGMA = re.compile(r"\s*@([^\s#]*)")
_VARIABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")


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


def read_text(file: Path, name: str) -> str:
    """The text of a UTF-8 file, which messages call `name`. Raises `ManifestError` and `ToolError`."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ToolError(f"{name} cannot be read: {error.strerror}. Check the file {file}.") from None
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start].decode()
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        good = content.decode(errors="replace").split("\n")
        raise fault_at(
            name,
            tuple(good),
            line,
            column,
            "The file is not UTF-8: this byte is no character.",
            "Save the file as UTF-8.",
        ) from None


def is_variable(name: str) -> bool:
    """True for a name that Lambda takes for a variable: a letter, then letters, digits and `_`."""
    return _VARIABLE.fullmatch(name) is not None


def read_env_file(file: Path, findings: Findings) -> dict[str, str] | None:
    """The variables in a `.env` file, None when there is no file.

    Values are taken as they stand: `$` has no meaning. Messages never quote a line, because it may hold a secret.
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
        place = f"{file.name}:{binding.original.line}"
        if binding.error:
            findings.faults.append(ToolError(f"{place}: This line cannot be read. Write NAME=value."))
        elif binding.key is not None and not is_variable(binding.key):
            hint = "Use letters, digits and '_', a letter first."
            findings.warnings.append(
                f"{place}: {binding.key!r} is left out: it cannot be the name of a variable. {hint}"
            )
        elif binding.key is not None and binding.value is None:
            findings.faults.append(ToolError(f"{place}: {binding.key} has no value. Write {binding.key}=value."))
        elif binding.key is not None:
            variables[binding.key] = binding.value or ""
    return variables


def check_within(root: Path, file: Path) -> None:
    """Raise `ToolError` when `file`, below the app's folder `root`, is out of it once links are followed."""
    place = str(root)
    for part in file.relative_to(root).parts:
        place = os.path.join(place, part)  # noqa: PTH118  # an app is read often, and Path is slower
        if not os.path.islink(place):  # noqa: PTH114
            continue
        target = Path(os.path.realpath(place))
        if not target.is_relative_to(os.path.realpath(root)):
            name = Path(place).relative_to(root).as_posix()
            raise ToolError(
                f"{name} leads out of the app, to {target}, and nothing there is read or written. Put a copy in its "
                "place; a link may lead to another place within the app."
            )


def find_links_out(root: Path, files: Iterable[Path], findings: Findings) -> None:
    """Add a fault for each of `files` that leads out of the app in `root`; several behind one link are one fault."""
    known = {str(fault) for fault in findings.faults}
    for file in files:
        try:
            check_within(root, file)
        except ToolError as fault:
            if str(fault) not in known:
                known.add(str(fault))
                findings.faults.append(fault)
