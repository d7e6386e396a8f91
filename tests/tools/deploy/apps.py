"""Apps to deploy, and their dependencies without a download."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from arc import inventory as inventories
from arc.inventory import FunctionConfig, Inventory

COUNTER = """
import arc

print("starting")  # the local cloud waits for a line of a silent function

@arc.http.handler
def handler(req):
    return {"json": {"visits": req.session.increment("visits"), "page": "first"}}
"""


def one_file(_requirements: Path, target: Path, _config: FunctionConfig | None, _name: str) -> None:
    """Put one small file into a folder, where pip puts packages of megabytes."""
    target.mkdir()
    (target / "package.py").write_text("", encoding="utf-8")


def app_of(
    folder: Path, name: str, routes: Mapping[str, str] = {"get /": COUNTER}, *, more: str = "", environment: str = ""
) -> Inventory:
    """An app in `folder` with a handler's source for each route; `more` are further lines of its manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = "\n".join(routes)
    (folder / "app.arc").write_text(f"@app\n{name}\n\n@http\n{lines}\n{more}", encoding="utf-8")
    if environment:
        (folder / ".env").write_text(environment, encoding="utf-8")
    inventory = inventories.read(folder, environ={})
    for route in inventory.routes:
        route.folder.mkdir(parents=True, exist_ok=True)
        (route.folder / "handler.py").write_text(routes[route.name], encoding="utf-8")
    return inventories.read(folder, environ={})
