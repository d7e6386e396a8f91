"""The inventory: an app's manifest, files and preferences, read and validated."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from arc.errors import ManifestError, ToolError
from arc.inventory.app_name import NAME_HINT, is_app_name, name_advice
from arc.inventory.files import (
    MANIFEST_FILES,
    NoManifest,
    check_links,
    find_manifest,
    folder_in_app,
    parse_file,
    read_env_file,
)
from arc.inventory.findings import Document, Findings, closest
from arc.inventory.function_config import configure_function, read_aws
from arc.inventory.http import METHODS, read_http
from arc.inventory.places import missing_app
from arc.inventory.preferences import PREFERENCE_FILES, read_preferences
from arc.inventory.routes import HANDLER_FILES, Route, other_language, specificity
from arc.inventory.static import read_static
from arc.inventory.tables import read_tables
from arc.manifest import Array, Scalar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from arc.inventory.function_config import Aws, FunctionConfig
    from arc.inventory.preferences import SandboxPreferences
    from arc.inventory.static import Static
    from arc.inventory.tables import Table
    from arc.manifest import Item, Manifest, Pragma


@dataclass(frozen=True)
class Inventory:
    """A validated app."""

    root: Path
    """The app's folder, absolute."""
    manifest: Path
    """The manifest's file."""
    app: str
    routes: tuple[Route, ...]
    """In the order in which they are matched."""
    tables: tuple[Table, ...]
    aws: Aws
    shared: Path | None
    """The folder of shared code, if it exists."""
    static: Static | None
    """The settings of `@static`, None where static files are turned off."""
    env: Mapping[str, Mapping[str, str]] = field(repr=False)
    """This machine's variables for each environment. They contain secrets, so `repr` leaves them out."""
    sandbox: SandboxPreferences
    """The `@sandbox` settings of the preferences."""
    warnings: tuple[str, ...]
    sources: tuple[Path, ...]
    """Every file that was read or looked for: a change in one of them changes the inventory."""


_FILES = (
    *MANIFEST_FILES,
    *PREFERENCE_FILES,
    *(".env", ".gitignore", "requirements.txt", "sandbox-seed.json", "src", "src/shared"),
)
# A function's own configuration, in Architect's order. Source: @architect/inventory, src/read/index.js.
_CONFIG_FILES = (
    *("config.arc", ".arc-config", "arc.json", "arc-config.json"),
    *("config.yaml", "config.yml", "arc-config.yaml", "arc-config.yml"),
)
_PRAGMAS = ("app", "aws", "http", "shared", "static", "tables", "tables-indexes")


def read(folder: Path, *, environ: Mapping[str, str] | None = None, home: Path | None = None) -> Inventory:
    """Return the app in `folder`.

    `home` is the developer's home folder, by default the one that `environ` (`os.environ`) names. Raises
    `InventoryError` with every fault in the app, and `ToolError` when there is no manifest.
    """
    root = Path(folder).resolve()
    findings = Findings()
    check_links(root, (root / name for name in _FILES), findings)
    findings.raise_faults()
    home = home or _home(os.environ if environ is None else environ)
    try:
        file, manifest = find_manifest(root, findings, _PRAGMAS)
    except NoManifest:
        raise missing_app(root, home=home) from None
    preferences = read_preferences(root, home, findings)
    testing = read_env_file(root / ".env", findings)
    if testing is not None:
        preferences.env["testing"] = testing
    if manifest is None:
        findings.raise_faults()
        raise ToolError(f"{file} is empty. Write @app, and below it a name.")
    document = Document(manifest, findings)
    app = _read_app(document)
    aws = read_aws(document)
    lines = read_http(document, root)
    tables = read_tables(document, app)
    shared = _read_shared(document, root)
    static = read_static(document, root, lines)
    _check_other_pragmas(document)
    folders = dict.fromkeys(line.folder for line in lines)
    handlers = [folder / name for folder in folders for name in HANDLER_FILES]
    configs = [folder / name for folder in folders for name in _CONFIG_FILES]
    check_links(
        root, [*handlers, *configs, *([shared] if shared else []), *([static.folder] if static else [])], findings
    )
    findings.raise_faults()
    functions = {folder: _read_function(folder, aws, root, findings) for folder in folders}
    routes = sorted(
        (Route(line.method, line.path, line.folder, line.logical_id, *functions[line.folder]) for line in lines),
        key=specificity,
    )
    others = ", ".join(f"{route.name} ({route.other_language})" for route in routes if not route.is_python)
    if others:
        findings.warnings.append(f"The sandbox runs Python only and does not serve {others}.")
    findings.raise_faults()
    return Inventory(
        root=root,
        manifest=file,
        app=app,
        routes=tuple(routes),
        tables=tuple(tables),
        aws=aws,
        shared=shared,
        static=static,
        env=preferences.env,
        sandbox=preferences.sandbox,
        warnings=tuple(findings.warnings),
        sources=(*(root / name for name in (*MANIFEST_FILES, ".env")), *preferences.sources, *configs),
    )


def _home(environ: Mapping[str, str]) -> Path | None:
    home = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(home) if home else None


def _read_app(document: Document) -> str:
    """Return the app's name; empty after a fault."""
    manifest = document.manifest
    pragma = manifest.pragma("app")
    if pragma is None:
        if not document.findings.faults and "@app" not in _misspelled_pragmas(manifest).values():
            start = Scalar("", "", 1, 1)
            document.fault(start, "The manifest has no @app.", "Write @app, and below it a name.")
        return ""
    name = pragma.items[0] if len(pragma.items) == 1 else None
    if isinstance(name, (Scalar, Array)):
        text = name.text if isinstance(name, Scalar) else " ".join(word.text for word in name.items)
        if isinstance(name, Scalar) and is_app_name(text):
            return text
        document.fault(name, f"{text!r} is not a valid app name.", name_advice(text))
    elif pragma.whole:
        where = pragma.items[min(1, len(pragma.items) - 1)] if pragma.items else pragma
        document.fault(where, "@app must contain one name and nothing else.", _pragma_above(where) or NAME_HINT)
    return ""


def _pragma_above(where: Item | Pragma) -> str:
    """Return what to write above a line that is below another pragma because its own lacks the `@` or is missing."""
    if isinstance(where, Scalar) and where.text in _PRAGMAS:
        return f"Write @{where.text}."
    is_route = isinstance(where, Array) and where.items[0].text in METHODS
    return "Write @http, and below it the routes." if is_route else ""


def _read_shared(document: Document, root: Path) -> Path | None:
    """Return the shared folder: the one that `src` names, else `src/shared` if it exists."""
    default = root / "src" / "shared"
    folder = default if default.is_dir() else None
    for item in document.items("shared"):
        if not isinstance(item, Array) or len(item.items) != 2 or item.items[0].text != "src":  # noqa: PLR2004
            document.warn(item, "This line of @shared has no effect: every function can import shared code.")
            continue
        source = item.items[1]
        named = folder_in_app(document, root, source, example="src/shared")
        if named is not None and (named == root or not named.is_dir()):
            hint = "Create it, or write a path such as src/shared."
            document.fault(source, f"'{source.text}' is not a folder in the app.", hint)
        folder = named
    return folder


# Architect's other pragmas, which are no misspellings.
_OF_ARCHITECT = (
    *("bundles", "cdn", "customizations", "domain", "events", "macros", "plugins", "proxy", "queues"),
    *("scheduled", "streams", "tables-streams", "views", "websocket", "ws"),
)
_CLOSE = 0.7  # the least similarity of a misspelled pragma, as difflib measures it
_RETIRED = "is retired and has no effect. Declare its routes in @http."
_ELSEWHERE = {
    **dict.fromkeys(("css", "html", "js", "json", "text", "xml"), _RETIRED),
    **dict.fromkeys(("create", "sandbox"), "has no effect in the manifest. Move it to preferences.arc."),
    "env": "has no effect in the manifest. Move it to preferences.arc, or testing's variables to .env.",
    "indexes": "has a new name. Rename it to @tables-indexes.",
}
"""Pragmas that do not belong in a manifest, and what to do instead."""


def _check_other_pragmas(document: Document) -> None:
    """Add a fault for a misspelled pragma, and a warning for one that has no effect."""
    misspelled = _misspelled_pragmas(document.manifest)
    has_plugins = any(document.manifest.pragma(name) is not None for name in ("plugins", "macros"))
    for pragma in document.manifest.pragmas:
        name = pragma.name
        if name in _ELSEWHERE:
            document.warn(pragma, f"@{name} {_ELSEWHERE[name]}")
        elif name in misspelled and not has_plugins:
            document.fault(pragma, f"Unknown pragma @{name}.", f"Did you mean {misspelled[name]!r}?")
        elif name not in _PRAGMAS:
            meant = f" Did you mean {misspelled[name]!r}?" if name in misspelled else ""
            document.warn(pragma, f"@{name} is not supported and has no effect.{meant}")


def _misspelled_pragmas(manifest: Manifest) -> dict[str, str]:
    """Return the pragma that each misspelled one resembles, such as `@http` for `htpp`."""
    known, others = [f"@{each}" for each in _PRAGMAS], [f"@{each}" for each in _OF_ARCHITECT]
    names = [pragma.name for pragma in manifest.pragmas if pragma.name not in (*_PRAGMAS, *_ELSEWHERE)]
    meant = {name: closest(f"@{name}".lower(), known, others=others, cutoff=_CLOSE) for name in names}
    return {name: word for name, word in meant.items() if word}


def _read_function(folder: Path, aws: Aws, root: Path, findings: Findings) -> tuple[Path | None, FunctionConfig, str]:
    """Return a function's handler, configuration and other language; it may answer several routes."""
    config, place = aws.function, folder.relative_to(root).as_posix()
    file = _first_file(folder, _CONFIG_FILES, place, findings)
    if file is not None:
        try:
            manifest = parse_file(file, file.relative_to(root).as_posix(), findings, ("aws", "arc"))
        except (ManifestError, ToolError) as fault:
            findings.faults.append(fault)
        else:
            config = config if manifest is None else configure_function(Document(manifest, findings), config)
    other = other_language(folder, config)
    return None if other else _first_file(folder, HANDLER_FILES, place, findings), config, other


def _first_file(folder: Path, names: Sequence[str], place: str, findings: Findings) -> Path | None:
    """Return the first file that exists, with a warning about the others, which have no effect."""
    files = [name for name in names if (folder / name).is_file()]
    if len(files) > 1:
        findings.warnings.append(f"{place} has {', '.join(files[:-1])} and {files[-1]}. Only {files[0]} is used.")
    return folder / files[0] if files else None
