"""Zips for Lambda: one for each function, and one layer for each set of dependencies.

A function's zip has the files of its folder and the shared code as `vendor/shared`. Its layer has the packages of the
app's and the function's `requirements.txt`, this package without its tools, and what that needs. Functions that need
the same packages share a layer, so most deployments upload a few kilobytes. Zips are reproducible: equal files
make equal bytes. Where this Python is the functions', modules are packed with their bytecode.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

import arc
from arc.errors import ToolError
from arc.tools.deploy.bytecode import compile_modules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from arc.inventory import FunctionConfig, Inventory, Route

    Install = Callable[[Path, Path, FunctionConfig | None, str], None]

MAX_ZIP = 262_144_000
"""Bytes that a function and its layers may have when they are unzipped. Source: AWS Lambda quotas."""
ENTRY = "arc_entry"
"""The module that Lambda imports in a function with a folder `vendor`, which it puts on the path as Architect does."""
STATIC_MODULE = "static_function"
"""The module that Lambda imports in the function that serves static files."""
_ENTRY_SOURCE = """\
import importlib
import os
import sys

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "vendor"))
handler = importlib.import_module("{module}").handler
"""
_TOOLS = ("tools", "inventory", "manifest", "__main__.py")
_OURS = ("arc-sessions", "architect-functions")  # the runtime is packed from this installation
_OF_LAMBDA = ("boto3", "botocore")  # unless a version is named
_LEFT_OUT = ("__pycache__", "node_modules")
_DATE = (1980, 1, 1, 0, 0, 0)
# Lambda's Amazon Linux: glibc 2.26 for Python 3.11, 2.34 for later versions.
_GLIBC = {"python3.11": 26}
_NEWEST_GLIBC = 34
_OPTION = re.compile(r"(-r|--requirement|-c|--constraint|-e|--editable)[ =]\s*(.+)")
_NO_WHEEL = re.compile(r"No matching distribution found for (\S+)")


@dataclass(frozen=True)
class Package:
    """A zip; `key` is its name in the bucket, made of its content."""

    name: str
    """The route, or `dependencies of …`, for people."""
    content: bytes
    unzipped: int
    """Bytes."""

    @cached_property
    def key(self) -> str:
        """Where it is stored: `{SHA-256}.zip`."""
        return f"{hashlib.sha256(self.content).hexdigest()}.zip"


@dataclass(frozen=True)
class FunctionPackage:
    """The zip of a route's function, the handler that Lambda calls in it, and the layer with its dependencies."""

    route: Route
    code: Package
    handler: str
    layer: Package


class Packages:
    """Builds the packages of an app.

    `install` unpacks the wheels of a `requirements.txt` into a folder, for the platform of a function's configuration,
    or for this machine where that is None. With `local` the packages are for a local cloud, which runs them here.
    Every function gets the `static_manifest`, from which `arc.http.static` reads names of files.
    """

    def __init__(
        self,
        inventory: Inventory,
        *,
        local: bool = False,
        install: Install | None = None,
        static_manifest: bytes | None = None,
    ) -> None:
        self._inventory, self._local, self._static_manifest = inventory, local, static_manifest
        self._install = install or (install_here if local else install_wheels)
        self._layers: dict[tuple[str, str, str], Package] = {}

    def build(self) -> list[FunctionPackage]:
        """The package of every route's function. Raises `ToolError` for what cannot be packed or is too large."""
        return [self._function(route) for route in self._inventory.routes]

    def _function(self, route: Route) -> FunctionPackage:
        if not route.is_python:
            raise ToolError(
                f"'{route.name}' is not a Python function ({route.other_language}), and `arc deploy` supports only "
                "Python. Deploy this app with Architect, or remove the route."
            )
        if route.handler is None:
            raise ToolError(f"'{route.name}' has no handler. Run `arc init` to write {route.folder / 'handler.py'}.")
        files = dict(_files(route.folder))
        shared = self._inventory.shared
        if shared is not None and route.config.shared:
            files = {f"vendor/shared/{name}": file for name, file in _files(shared)} | files
        module = route.handler.stem
        own: dict[str, bytes] = {name: file.read_bytes() for name, file in files.items()}
        if self._static_manifest is not None:
            own["vendor/shared/static.json"] = self._static_manifest
        if any(name.startswith("vendor/") for name in own):
            own[f"{ENTRY}.py"] = _ENTRY_SOURCE.format(module=module).encode()
            module = ENTRY
        if not self._local:
            own |= compile_modules(own, route.config.runtime)
        package = _zipped(route.name, own)
        layer = self._layer(route)
        size = package.unzipped + layer.unzipped
        if size > MAX_ZIP:
            raise ToolError(
                f"'{route.name}' and its dependencies are {size:,} bytes, and Lambda's limit is {MAX_ZIP:,}. Remove "
                f"files from {route.folder}, or packages from requirements.txt."
            )
        return FunctionPackage(route, package, f"{module}.handler", layer)

    def _layer(self, route: Route) -> Package:
        config = route.config
        files = [
            file for folder in (self._inventory.root, route.folder) if (file := folder / "requirements.txt").is_file()
        ]
        lines = "\n".join(line for file in files for line in _requirements(file))
        key = (config.runtime, config.architecture, lines)
        if key not in self._layers:
            self._layers[key] = self._dependencies(route.name, None if self._local else config, lines)
        return self._layers[key]

    def _dependencies(self, name: str, config: FunctionConfig | None, lines: str) -> Package:
        """The layer with the packages that `lines` of a `requirements.txt` name, and with this package."""
        with tempfile.TemporaryDirectory(prefix="arc-deploy-") as folder:
            target = Path(folder) / "python"
            requirements = Path(folder) / "requirements.txt"
            # pip wants a hash for every line or for none, and ours has none.
            for part in ("\n".join(_needed()), lines) if "--hash" in lines else ("\n".join((*_needed(), lines)),):
                requirements.write_text(part, encoding="utf-8")
                self._install(requirements, target, config, name)
            contents = {f"python/{place}": file.read_bytes() for place, file in _files(target) if not _varies(place)}
            contents |= dict(_runtime())
            if config is not None:
                contents |= compile_modules(contents, config.runtime)
            return _zipped(f"dependencies of {name}", contents)


def static_package() -> Package:
    """The zip of the function that serves static files."""
    return _zipped("static files", {f"{STATIC_MODULE}.py": Path(__file__).with_name("static_function.py").read_bytes()})


def install_wheels(requirements: Path, target: Path, config: FunctionConfig | None, name: str) -> None:
    """Download and unpack wheels for a function's platform. Raises `ToolError` for one that does not exist."""
    if importlib.util.find_spec("pip") is None:
        raise ToolError(
            f"Packaging needs pip, which {sys.executable} does not have. Run: {sys.executable} -m ensurepip"
        )
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"),
        *(
            "--only-binary=:all:",
            "--no-compile",
            "--upgrade",
            "--target",
            str(target),
            "--requirement",
            str(requirements),
        ),
        *(() if config is None else _platform(config)),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603  # the interpreter's own pip
    if done.returncode == 0:
        return
    missing = _NO_WHEEL.search(done.stderr)
    if missing is not None:
        platform = "this machine" if config is None else f"{config.runtime} on Linux ({config.architecture})"
        raise ToolError(
            f"'{missing[1]}', which '{name}' needs, has no wheel for {platform}. "
            "Name a version that has one in requirements.txt, or choose another `architecture` or `runtime` in @aws."
        )
    said = "\n".join(line for line in done.stderr.splitlines() if line.startswith("ERROR")) or done.stderr.strip()
    raise ToolError(f"pip could not install the packages of '{name}':\n{said}")


def _platform(config: FunctionConfig) -> Iterator[str]:
    """Options of pip for the platform that a function runs on."""
    machine = "aarch64" if config.architecture == "arm64" else config.architecture
    yield from ("--implementation", "cp", "--python-version", config.runtime.removeprefix("python"))
    for minor in range(_GLIBC.get(config.runtime, _NEWEST_GLIBC), 16, -1):
        yield from ("--platform", f"manylinux_2_{minor}_{machine}")
    yield from ("--platform", f"manylinux2014_{machine}")


def install_here(requirements: Path, target: Path, config: FunctionConfig | None, name: str) -> None:
    """Copy what the runtime needs from this environment, and let pip install the rest: most apps need no download."""
    needed = _needed()
    for distribution in with_dependencies("arc-sessions")[1:]:
        for file in metadata.files(distribution) or ():
            source = Path(str(file.locate()))
            if file.parts[0] != ".." and "__pycache__" not in file.parts and source.is_file():
                (target / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target / file)
    rest = [line for line in requirements.read_text(encoding="utf-8").splitlines() if line and line not in needed]
    if rest:
        requirements.write_text("\n".join(rest), encoding="utf-8")
        install_wheels(requirements, target, config, name)


def _needed() -> list[str]:
    """What the runtime itself requires: `cryptography`, as this installation demands it."""
    return [text for text in metadata.requires("arc-sessions") or () if Requirement(text).marker is None]


def with_dependencies(distribution: str) -> list[str]:
    """Return the names of an installed distribution and of all that it needs on this machine, without extras."""
    found = [distribution]
    for name in found:
        for requirement in map(Requirement, metadata.requires(name) or ()):
            is_needed = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if is_needed and requirement.name not in found:
                found.append(requirement.name)
    return found


def _runtime() -> Iterator[tuple[str, bytes]]:
    """The files of this package that a deployed function uses: everything but the tools."""
    root = Path(arc.__file__).parent
    for place, file in _files(root):
        if place.split("/")[0] not in _TOOLS:
            yield f"python/arc/{place}", file.read_bytes()


def _requirements(file: Path) -> Iterator[str]:
    """The lines of a `requirements.txt` for pip, with absolute paths, without what is packed anyway."""
    text = file.read_text(encoding="utf-8-sig").replace("\\\n", " ")
    for line in (one.strip() for one in text.splitlines()):
        if not line or line.startswith("#"):
            continue
        option = _OPTION.fullmatch(line)
        if option is not None:
            yield f"{option[1]} {file.parent / option[2]}"
            continue
        try:
            requirement = Requirement(line.split(" #")[0])
        except InvalidRequirement:
            yield line
            continue
        name = canonicalize_name(requirement.name)
        if name in _OURS or (name in _OF_LAMBDA and not requirement.specifier):
            continue
        yield line


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files below a folder by their place in it, sorted, without hidden ones and caches."""
    for file in sorted(folder.rglob("*")):
        parts = file.relative_to(folder).parts
        if file.is_file() and not any(part.startswith(".") or part in _LEFT_OUT for part in parts):
            yield "/".join(parts), file


def _varies(place: str) -> bool:
    """True for a file that differs between installations of a package, and for commands, which Lambda never runs."""
    first, _, rest = place.partition("/")
    return first == "bin" or (
        first.endswith(".dist-info") and rest in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
    )


def _zipped(name: str, files: dict[str, bytes]) -> Package:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for place in sorted(files):
            info = zipfile.ZipInfo(place, _DATE)
            info.external_attr = 0o755 << 16  # some wheels have programs
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, files[place])
    return Package(name, buffer.getvalue(), sum(map(len, files.values())))


def distinct(packages: Iterable[FunctionPackage]) -> list[Package]:
    """Every zip once, layers first."""
    packages = list(packages)
    every = [one.layer for one in packages] + [one.code for one in packages]
    return list({package.key: package for package in every}.values())
