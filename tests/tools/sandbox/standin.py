"""A small stand-in for the inventory until it is there."""

from __future__ import annotations
import re
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class FunctionConfig:
    memory: int = 1152
    timeout: int = 5
    env: bool = True
    shared: bool = True


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    folder: Path
    logical_id: str
    handler: Path | None
    config: FunctionConfig

    @property
    def name(self):
        return f"{self.method} {self.path}"

    @property
    def route_key(self):
        path = re.sub(r":(\w+)", r"{\1}", self.path).replace("*", "{proxy+}")
        return f"{self.method.upper()} {path}"


@dataclass(frozen=True)
class Inventory:
    root: Path
    manifest: Path
    app: str
    routes: tuple
    shared: Path | None
    env: dict
    warnings: tuple = ()
    sources: tuple = ()
    tables: tuple = ()


def read(folder, **_):
    from arc.errors import ToolError

    folder = Path(folder).resolve()
    text = (folder / "app.arc").read_text()
    routes, app, section = [], "", ""
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("@"):
            section = line
        elif not line:
            continue
        elif section == "@app":
            app = line
        elif section == "@http":
            try:
                method, path = line.split()
            except ValueError:
                raise ToolError(f"bad line {line}")
            name = (
                path.replace("-", "_").replace(".", "_").replace("/", "-").replace(":", "000").replace("*", "catchall")
            )
            place = folder / "src" / "http" / f"{method}{name if path != '/' else '-index'}"
            handler = next((place / f for f in ("handler.py", "lambda.py", "index.py") if (place / f).is_file()), None)
            timeout = 5
            conf = place / "config.arc"
            if conf.is_file():
                found = re.search(r"timeout (\d+)", conf.read_text())
                timeout = int(found[1]) if found else 5
            routes.append(
                Route(
                    method,
                    path,
                    place,
                    (method + "-" + name).title().replace("-", ""),
                    handler,
                    FunctionConfig(timeout=timeout),
                )
            )
    env = {}
    if (folder / ".env").is_file():
        env = {"testing": dict(l.split("=", 1) for l in (folder / ".env").read_text().splitlines() if "=" in l)}
    shared = folder / "src" / "shared"
    routes.sort(key=lambda r: ("*" in r.path, ":" in r.path, -r.path.count("/"), r.method == "any"))
    return Inventory(
        folder,
        folder / "app.arc",
        app,
        tuple(routes),
        shared if shared.is_dir() else None,
        env,
        (),
        (folder / "app.arc",),
    )


def match(routes, method, path):
    for route in routes:
        if route.method not in ("any", method.lower()):
            continue
        pattern = re.sub(r":(\w+)", r"(?P<\1>[^/]+)", re.sub(r"\*$", "(?P<proxy>.+)", route.path))
        found = re.fullmatch(pattern, path)
        if found:
            return route, found.groupdict()
    return None
