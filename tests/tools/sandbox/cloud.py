"""Apps with tables, and access to the tables of a running sandbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.engines import client_of
from tests.tools.sandbox.apps import write_app
from tests.tools.sandbox.running import children_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.tools.sandbox.running import Sandbox

TABLES = """
@tables
session
  _idx *String
  _ttl TTL
products
  id *String
  at **Number
  stream true

@tables-indexes
products
  email *String
"""
ENVIRON = """
import json, os

def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(dict(os.environ))}
"""


def write_tables(
    app: Path, handlers: Mapping[str, str] | None = None, files: Mapping[str, str] | None = None, tables: str = TABLES
) -> Path:
    """Write an app with tables; `get /environ` responds with its function's environment."""
    write_app(app, {"get /environ": ENVIRON, **(handlers or {})}, files)
    with (app / "app.arc").open("a", encoding="utf-8") as manifest:
        manifest.write(tables)
    return app


def environ_of(sandbox: Sandbox) -> dict[str, str]:
    """Return the environment of the functions."""
    environ: dict[str, str] = json.loads(sandbox.get("/environ").text)
    return environ


def port_of(sandbox: Sandbox) -> int:
    """Return the port of the sandbox's DynamoDB, from the functions' environment."""
    return int(json.loads(environ_of(sandbox)["ARC_SANDBOX"])["ports"]["tables"])


def dynamodb(sandbox: Sandbox) -> Any:
    """Return a boto3 client of the sandbox's DynamoDB."""
    return client_of(f"http://127.0.0.1:{port_of(sandbox)}", "dynamodb")


def rows(sandbox: Sandbox, table: str) -> list[dict[str, Any]]:
    """Return all rows of a table of the app testapp, in DynamoDB's JSON."""
    found: list[dict[str, Any]] = dynamodb(sandbox).scan(TableName=f"testapp-testing-{table}")["Items"]
    return found


def put(sandbox: Sandbox, table: str, **row: str) -> None:
    """Write a row of strings."""
    item = {name: {"S": value} for name, value in row.items()}
    dynamodb(sandbox).put_item(TableName=f"testapp-testing-{table}", Item=item)


def cloud_of(sandbox: Sandbox) -> int:
    """Return the local cloud's process id."""
    (found,) = [child for child in children_of(sandbox.process.pid) if is_cloud(child)]
    return found


def is_cloud(process: int) -> bool:
    """Return True if a child process of a sandbox or a command is a local cloud, which may be a fork."""
    command = Path(f"/proc/{process}/cmdline").read_text(encoding="utf-8")
    return "cloud/process.py" in command or "warm_interpreter.py" in command
