"""Small apps that tests write."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


COUNT = """
count = 0

def handler(event, context):
    global count
    count += 1
    return {"statusCode": 200, "body": str(count)}
"""


def says(text: str) -> str:
    """Return a handler that responds with `text`."""
    return f"def handler(event, context):\n    return {{'statusCode': 200, 'body': {text!r}}}\n"


def folder_of(app: Path, route: str) -> Path:
    """Return the source folder of a route such as `get /users/:id`."""
    method, path = route.split()
    name = path.replace("-", "_").replace(".", "_").replace("/", "-").replace(":", "000").replace("*", "catchall")
    return app / "src" / "http" / f"{method}{'-index' if path == '/' else name}"


def write_handler(app: Path, route: str, code: str) -> Path:
    """Write the handler of a route, and return its file."""
    folder = folder_of(app, route)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "handler.py"
    file.write_text(dedent(code).lstrip(), encoding="utf-8")
    return file


def write_manifest(app: Path, *routes: str) -> None:
    """Write a manifest with these routes."""
    (app / "app.arc").write_text("\n".join(["@app", "testapp", "", "@http", *routes, ""]), encoding="utf-8")


def write_app(app: Path, handlers: Mapping[str, str], files: Mapping[str, str] | None = None) -> Path:
    """Write an app to the folder `app`: the code of each route's handler, and other files relative to the folder."""
    app.mkdir(parents=True, exist_ok=True)
    write_manifest(app, *handlers)
    for route, code in handlers.items():
        write_handler(app, route, code)
    for name, text in (files or {}).items():
        file = app / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text).lstrip(), encoding="utf-8")
    return app
