"""Architect's own libraries, which find the tables of a running sandbox through ARC_SANDBOX."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.tools.sandbox.cloud import environ_of, rows, write_tables
from tests.tools.sandbox.running import PATIENCE, ROOT, Sandbox, running, surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WRITES_AND_READS = """
const arc = require('@architect/functions')
async function main () {
  const tables = await arc.tables()
  await tables.session.put({ _idx: 'from-node', visits: 3 })
  const row = await tables.session.get({ _idx: 'from-node' })
  console.log(JSON.stringify({ row, names: await tables.reflect(), services: Object.keys(await arc.services()) }))
}
main()
"""
PYTHON = """
import arc, json

@arc.http.handler
def handler(req):
    table = arc.tables.table("session")
    table.put_item(Item={"_idx": "from-python"})
    return {"json": {"name": table.name, "services": arc.services()["tables"], "found": table.scan()["Count"]}}
"""
NAMES = {"session": "testapp-testing-session", "products": "testapp-testing-products"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """An app with tables."""
    with running(write_tables(tmp_path_factory.mktemp("app"), {"get /": PYTHON})) as sandbox:
        yield sandbox


def node_says(node: str, environ: Mapping[str, str]) -> Any:
    """Return what Node's library finds."""
    run = subprocess.run(
        [node, "-e", WRITES_AND_READS],
        capture_output=True,
        text=True,
        cwd=ROOT / "tests/interop",
        env=dict(environ),
        timeout=PATIENCE,
        check=False,
    )
    assert (run.stderr, run.returncode) == ("", 0)
    return json.loads(run.stdout)


def test_nodes_library_writes_and_reads_a_row(library: str, sandbox: Sandbox) -> None:
    """It runs in the environment of a function, without any address except ARC_SANDBOX."""
    environ = environ_of(sandbox)
    del environ["AWS_ENDPOINT_URL_DYNAMODB"]
    result = node_says(library, environ)
    assert result["row"] == {"_idx": "from-node", "visits": 3}
    assert result["names"] == NAMES
    assert {"_idx": {"S": "from-node"}, "visits": {"N": "3"}} in rows(sandbox, "session")


def test_nodes_library_finds_the_tables_by_the_apps_name(library: str, sandbox: Sandbox) -> None:
    """It runs outside of the sandbox, where no variable names the stack."""
    ports = {"_arc": sandbox.port, "tables": json.loads(environ_of(sandbox)["ARC_SANDBOX"])["ports"]["tables"]}
    environ = surroundings(
        {
            "ARC_ENV": "testing",
            "ARC_APP_NAME": "testapp",
            "ARC_SANDBOX": json.dumps({"ports": ports, "version": "5.0.0"}),
        }
    )
    result = node_says(library, environ)
    assert result["names"] == NAMES
    assert sorted(result["services"]) == ["ARC_SANDBOX", "tables"]


@pytest.mark.parametrize("path", ["/TestappTesting", "/MyStack"])
def test_boto3_reads_the_service_map_in_pages(sandbox: Sandbox, path: str) -> None:
    """Python's `architect-functions` reads it like this."""
    client = boto3.session.Session(
        aws_access_key_id="dummy", aws_secret_access_key="dummy", region_name="us-east-1"
    ).client("ssm", endpoint_url=f"http://localhost:{sandbox.port}/_arc/ssm")
    pages = client.get_paginator("get_parameters_by_path").paginate(Path=path, Recursive=True)
    found = {parameter["Name"]: parameter["Value"] for page in pages for parameter in page["Parameters"]}
    ports = json.loads(found.pop(f"{path}/ARC_SANDBOX/ports"))
    assert found == {f"{path}/tables/{name}": physical for name, physical in NAMES.items()}
    assert ports == json.loads(environ_of(sandbox)["ARC_SANDBOX"])["ports"]


def test_own_library_finds_the_tables(sandbox: Sandbox) -> None:
    """It uses the manifest's names."""
    result = json.loads(sandbox.get("/").text)
    assert (result["name"], result["services"]) == (NAMES["session"], NAMES)
    assert {"_idx": {"S": "from-python"}} in rows(sandbox, "session")
    assert result["found"] >= 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Origin": "http://localhost:3333"}, 403),
        ({"X-Amz-Target": ""}, 400),
    ],
)
def test_service_map_is_for_programs_on_this_machine(sandbox: Sandbox, headers: dict[str, str], status: int) -> None:
    """Web pages and other host names are refused."""
    target = {"X-Amz-Target": "AmazonSSM.GetParametersByPath"}
    answer = sandbox.request("POST", "/_arc/ssm", b'{"Path": "/TestappTesting"}', target | headers)
    assert answer.status == status
    assert (NAMES["session"] in answer.text) is (status == 200)


def test_reserved_paths_never_reach_the_app(sandbox: Sandbox) -> None:
    """The response is 404, in JSON."""
    answer = sandbox.get("/_arc/nothing")
    assert answer.status == 404
    assert "/_arc/ssm" in json.loads(answer.text)["message"]
