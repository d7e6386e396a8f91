"""The inventory: everything known about an app."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from arc.errors import ManifestError, ToolError
from arc.inventory.files import MANIFEST_FILES, find_links_out, find_manifest, parse_file, read_env_file
from arc.inventory.findings import Findings
from arc.inventory.function_config import Aws, configure_function, read_aws
from arc.inventory.http import read_http
from arc.inventory.preferences import PREFERENCE_FILES, read_preferences
from arc.inventory.routes import HANDLER_FILES, Route, find_handler, other_language, specificity
from arc.inventory.tables import read_indexes, read_tables
from arc.manifest import Array, Scalar, fault_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from arc.inventory.function_config import Aws, FunctionConfig
    from arc.inventory.http import RouteLine
    from arc.inventory.preferences import SandboxPreferences
    from arc.inventory.tables import Table
    from arc.manifest import Manifest


@dataclass(frozen=True)
class Inventory:
    """An app, validated."""

    root: Path
    """The app's folder, absolute."""
    manifest: Path
    """The manifest's file."""
    app: str
    routes: tuple[Route, ...]
    """In the order in which they are to be matched."""
    tables: tuple[Table, ...]
    aws: Aws
    shared: Path | None
    """The folder of shared code, if there is one."""
    env: Mapping[str, Mapping[str, str]] = field(repr=False)
    """Variables for each environment, as this machine knows them. They hold secrets, so `repr` leaves them out."""
    sandbox: SandboxPreferences
    """`@sandbox` of the preferences."""
    warnings: tuple[str, ...]
    sources: tuple[Path, ...]
    """Every file that was read or looked for: a change in one of them changes the inventory."""


# Pragmas of Architect that mean what they say: no misspelling is guessed at.
_ARCHITECTS = frozenset(
    (
        *("bundles", "cdn", "customizations", "domain", "events", "macros", "plugins", "proxy", "queues"),
        *("scheduled", "static", "streams", "tables-streams", "views", "websocket", "ws"),
    )
)
_FILES = (
    *MANIFEST_FILES,
    *PREFERENCE_FILES,
    ".env",
    ".gitignore",
    "requirements.txt",
    "sandbox-seed.json",
    "src",
    "src/shared",
)
_PREFERENCE = "has no effect here: write it into preferences.arc"
_RETIRED = "is retired and has no effect: write its routes below @http."
_ELSEWHERE = {
    "create": f"{_PREFERENCE}.",
    "css": _RETIRED,
    "env": f"{_PREFERENCE}, or testing's variables into .env.",
    "html": _RETIRED,
    "indexes": "is called @tables-indexes now: rename it.",
    "js": _RETIRED,
    "json": _RETIRED,
    "sandbox": f"{_PREFERENCE}.",
    "text": _RETIRED,
    "xml": _RETIRED,
}
"""Pragmas whose lines belong elsewhere, with where."""
# A function's own configuration, in Architect's order. Source: @architect/inventory, src/read/index.js.
CONFIG_FILES = (
    *("config.arc", ".arc-config", "arc.json", "arc-config.json"),
    *("config.yaml", "config.yml", "arc-config.yaml", "arc-config.yml"),
)
_PRAGMAS = ("app", "aws", "http", "shared", "tables", "tables-indexes")


def read(folder: Path, *, environ: Mapping[str, str] | None = None, home: Path | None = None) -> Inventory:
    """The app in `folder`.

    `environ` (default `os.environ`) says where the developer's `home` is, unless that is given. Raises
    `InventoryError` with every fault that was found, and `ToolError` when there is no manifest.
    """
    root = Path(folder).resolve()
    findings = Findings()
    find_links_out(root, (root / name for name in _FILES), findings)
    findings.raise_faults()
    file, manifest = find_manifest(root, findings, _PRAGMAS)
    preferences = read_preferences(root, home or _home(os.environ if environ is None else environ), findings)
    testing = read_env_file(root / ".env", findings)
    if testing is not None:
        preferences.env["testing"] = testing
    if manifest is None:
        findings.raise_faults()
        raise ToolError(f"{file} holds nothing.")
    app = read_app(manifest, findings)
    aws = read_aws(manifest, findings)
    lines = read_http(manifest, root, findings)
    tables = read_indexes(manifest, read_tables(manifest, app, findings), findings)
    shared = read_shared(manifest, root, findings)
    _warn_of_others(manifest, findings)
    folders = dict.fromkeys(line.folder for line in lines)
    files = (file for folder in folders for file in _files_of(folder))
    find_links_out(root, (*files, *([shared] if shared else [])), findings)
    findings.raise_faults()
    functions = {folder: _function(folder, aws, root, findings) for folder in folders}
    routes = sorted((_route(line, functions[line.folder]) for line in lines), key=specificity)
    _warn_of_other_languages(routes, findings)
    findings.raise_faults()
    return Inventory(
        root=root,
        manifest=file,
        app=app,
        routes=tuple(routes),
        tables=tuple(tables),
        aws=aws,
        shared=shared,
        env=preferences.env,
        sandbox=preferences.sandbox,
        warnings=tuple(findings.warnings),
        sources=(
            *(root / name for name in MANIFEST_FILES),
            root / ".env",
            *preferences.sources,
            *(line.folder / name for line in lines for name in CONFIG_FILES),
        ),
    )


def _files_of(folder: Path) -> Iterator[Path]:
    return (folder / name for name in (*HANDLER_FILES, *CONFIG_FILES))


def _home(environ: Mapping[str, str]) -> Path | None:
    home = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(home) if home else None


def _warn_of_others(manifest: Manifest, findings: Findings) -> None:
    for pragma in manifest.pragmas:
        if pragma.name in _ELSEWHERE:
            findings.warn(manifest, pragma, f"@{pragma.name} {_ELSEWHERE[pragma.name]}")
        elif pragma.name not in _PRAGMAS:
            known = pragma.name in _ARCHITECTS
            close = [] if known else difflib.get_close_matches(pragma.name, (*_PRAGMAS, *sorted(_ARCHITECTS)), n=1)
            meant = f" Did you mean @{close[0]}?" if close and close[0] in _PRAGMAS else ""
            findings.warn(manifest, pragma, f"@{pragma.name} is not supported yet and is left alone.{meant}")


def _warn_of_other_languages(routes: Sequence[Route], findings: Findings) -> None:
    others = ", ".join(f"{route.name} ({route.other_language})" for route in routes if not route.is_python)
    if others:
        findings.warnings.append(f"Not Python, so not served by the sandbox: {others}.")


class _Function(NamedTuple):
    handler: Path | None
    config: FunctionConfig
    other_language: str


def _function(folder: Path, aws: Aws, root: Path, findings: Findings) -> _Function:
    """The function in a folder, whose routes may be several."""
    config = _config(folder, aws.function, root, findings)
    other = other_language(folder, config)
    files = [name for name in HANDLER_FILES if (folder / name).is_file()]
    if len(files) > 1 and not other:
        place = folder.relative_to(root).as_posix()
        findings.warnings.append(f"{place} has {' and '.join(files)}: {files[0]} is the handler.")
    return _Function(None if other else find_handler(folder), config, other)


def _route(line: RouteLine, function: _Function) -> Route:
    return Route(line.method, line.path, line.folder, line.logical_id, *function)


def _config(folder: Path, config: FunctionConfig, root: Path, findings: Findings) -> FunctionConfig:
    files = [folder / name for name in CONFIG_FILES if (folder / name).is_file()]
    if not files:
        return config
    file = files[0]
    if len(files) > 1:
        names = ", ".join(each.name for each in files[:-1])
        place = folder.relative_to(root).as_posix()
        findings.warnings.append(f"{place} has {names} and {files[-1].name}: {file.name} is the configuration.")
    try:
        manifest = parse_file(file, file.relative_to(root).as_posix(), findings, ("aws", "arc"))
    except (ManifestError, ToolError) as fault:
        findings.faults.append(fault)
        return config
    return config if manifest is None else configure_function(manifest, config, findings)


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


def read_shared(manifest: Manifest, root: Path, findings: Findings) -> Path | None:
    """The shared folder: what `src` names, else `src/shared` when it is there, else None."""
    pragma = manifest.pragma("shared")
    default = root / "src" / "shared"
    folder = default if default.is_dir() else None
    for item in pragma.items if pragma is not None else ():
        if not isinstance(item, Array) or len(item.items) != 2 or item.items[0].text != "src":  # noqa: PLR2004
            findings.warn(manifest, item, "This line of @shared has no effect: shared code goes to every function.")
            continue
        source = item.items[1]
        named = Path(root, *source.text.split("/"))
        if ".." in named.parts or named == root:
            findings.fault(
                manifest, source, f"'{source.text}' is not below the app's folder.", "Write a path such as src/shared."
            )
        elif not named.is_dir():
            findings.fault(manifest, source, f"There is no folder '{source.text}'.", "Make it, or mend the path.")
        else:
            folder = named
    return folder
