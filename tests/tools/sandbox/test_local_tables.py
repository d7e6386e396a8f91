"""The manifest's tables in a running sandbox."""

from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from tests.tools.sandbox.apps import write_manifest
from tests.tools.sandbox.cloud import ENVIRON, TABLES, dynamodb, environ_of, port_of, put, rows, write_tables
from tests.tools.sandbox.running import failed_start, running

if TYPE_CHECKING:
    from pathlib import Path

COUNTS = """
import arc

@arc.http.handler
def handler(req):
    return {"text": str(req.session.increment("visits"))}
"""
TELLS = """
import arc

def handler(event, context):
    try:
        arc.http.session.read(event)["visits"] = 1
        return {"statusCode": 200, "body": arc.http.session.write(arc.http.session.read(event))}
    except arc.StoreError as error:
        return {"statusCode": 200, "body": str(error)}
"""
OWN_CLIENT = """
import boto3

def handler(event, context):
    table = boto3.resource("dynamodb").Table("testapp-testing-session")
    table.put_item(Item={"_idx": "mine"})
    return {"statusCode": 200, "body": table.get_item(Key={"_idx": "mine"})["Item"]["_idx"]}
"""
SEEDS = {"products": [{"id": "a", "at": 1.5}, {"id": "b", "at": 2, "tags": ["x", None]}], "session": []}


def test_tables_have_the_keys_indexes_and_ttl_of_the_manifest(tmp_path: Path) -> None:
    """They have the names of testing, and no other table exists."""
    with running(write_tables(tmp_path)) as sandbox:
        client = dynamodb(sandbox)
        assert client.list_tables()["TableNames"] == ["testapp-testing-products", "testapp-testing-session"]
        products = client.describe_table(TableName="testapp-testing-products")["Table"]
        ttl = client.describe_time_to_live(TableName="testapp-testing-session")["TimeToLiveDescription"]
    assert products["KeySchema"] == [
        {"AttributeName": "id", "KeyType": "HASH"},
        {"AttributeName": "at", "KeyType": "RANGE"},
    ]
    assert [index["IndexName"] for index in products["GlobalSecondaryIndexes"]] == ["email-index"]
    assert products["StreamSpecification"]["StreamEnabled"] is True
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "_ttl"}


def test_app_without_tables_starts_no_cloud(tmp_path: Path) -> None:
    """Nothing is written to its folder."""
    with running(write_tables(tmp_path, tables="")) as sandbox:
        variable = json.loads(environ_of(sandbox)["ARC_SANDBOX"])
        assert variable["ports"] == {"http": sandbox.port, "_arc": sandbox.port}
        assert "AWS_ENDPOINT_URL_DYNAMODB" not in environ_of(sandbox)
    assert not (tmp_path / ".arc-sandbox").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
@pytest.mark.sampled(1)
def test_rows_are_kept_between_runs(tmp_path: Path, number: int) -> None:
    """This holds whatever ended the sandbox."""
    write_tables(tmp_path)
    with running(tmp_path) as first:
        put(first, "session", _idx="kept")
        first.stop(number)
    with running(tmp_path) as second:
        assert rows(second, "session") == [{"_idx": {"S": "kept"}}]


def test_seeds_fill_only_empty_tables(tmp_path: Path) -> None:
    """The start prints the number of rows; a fresh start has the seeds and nothing else."""
    write_tables(tmp_path, files={"sandbox-seed.json": json.dumps(SEEDS)})
    said = "Added 2 rows from sandbox-seed.json to products"
    with running(tmp_path) as first:
        assert said in first.output
        assert sorted(row["at"]["N"] for row in rows(first, "products")) == ["1.5", "2"]
        key = {"id": {"S": "a"}, "at": {"N": "1.5"}}
        dynamodb(first).delete_item(TableName="testapp-testing-products", Key=key)
    with running(tmp_path) as second:
        assert "sandbox-seed.json" not in second.output
        assert len(rows(second, "products")) == 1
        put(second, "session", _idx="kept")
    with running(tmp_path, "fresh") as third:
        assert said in third.output
        assert len(rows(third, "products")) == 2
        assert rows(third, "session") == []


def test_seeds_fixed_while_the_sandbox_runs_are_loaded(tmp_path: Path) -> None:
    """The error is printed, and the app keeps running."""
    with running(write_tables(tmp_path)) as sandbox:
        (tmp_path / "sandbox-seed.json").write_text('{"products": [{"id": "a"}]}')
        assert rows(sandbox, "products") == []
        sandbox.wait_for("row 1 of products lacks the key 'at'. Add it as a Number.")
        (tmp_path / "sandbox-seed.json").write_text(json.dumps(SEEDS))
        assert environ_of(sandbox)
        sandbox.wait_for("Added 2 rows from sandbox-seed.json to products")
        assert len(rows(sandbox, "products")) == 2


def test_refused_row_leaves_the_table_empty(tmp_path: Path) -> None:
    """Otherwise the fixed file would never be loaded."""
    with running(write_tables(tmp_path)) as sandbox:
        too_large = {"id": "c", "at": 3, "text": "x" * 500_000}
        (tmp_path / "sandbox-seed.json").write_text(json.dumps({"products": [*SEEDS["products"], too_large]}))
        assert environ_of(sandbox)
        sandbox.wait_for("row 3 of products was refused")
        assert rows(sandbox, "products") == []
        (tmp_path / "sandbox-seed.json").write_text(json.dumps(SEEDS))
        assert environ_of(sandbox)
        sandbox.wait_for("Added 2 rows from sandbox-seed.json to products")


def test_functions_find_the_tables(tmp_path: Path) -> None:
    """They use Architect's variable or, with plain boto3, AWS's own; the interpreter is a fresh one."""
    with running(write_tables(tmp_path, {"get /own": OWN_CLIENT}), python=(sys.executable,)) as sandbox:
        port = port_of(sandbox)
        environ = environ_of(sandbox)
        assert json.loads(environ["ARC_SANDBOX"])["ports"]["_arc"] == sandbox.port
        assert environ["AWS_ENDPOINT_URL_DYNAMODB"] == f"http://127.0.0.1:{port}"
        assert sandbox.get("/own").text == "mine"


def test_tables_bypass_a_proxy_of_the_shell(tmp_path: Path) -> None:
    """This includes functions that the proxy's variables are passed to."""
    proxies = dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"), "http://127.0.0.1:9")
    passed = [f"env={name}" for name in proxies]
    with running(write_tables(tmp_path, {"get /own": OWN_CLIENT}), *passed, environ=proxies) as sandbox:
        assert sandbox.get("/own").text == "mine"


def test_endpoint_in_the_env_file_is_kept(tmp_path: Path) -> None:
    """It overrides the sandbox's DynamoDB."""
    files = {".env": "AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:8000\n"}
    with running(write_tables(tmp_path, files=files)) as sandbox:
        assert environ_of(sandbox)["AWS_ENDPOINT_URL_DYNAMODB"] == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    "chosen",
    ["SESSION_TABLE_NAME=session", "ARC_SESSION_TABLE_NAME=session", "SESSION_TABLE_NAME=testapp-testing-session"],
)
@pytest.mark.sampled(1)
def test_sessions_are_stored_in_the_selected_table(tmp_path: Path, chosen: str) -> None:
    """Either variable and either name selects it, and sessions survive a restart."""
    write_tables(tmp_path, {"get /": COUNTS}, {".env": f"{chosen}\n"})
    with running(tmp_path) as first:
        answer = first.get("/")
        (cookie,) = answer.all("set-cookie")
        assert (answer.text, len(rows(first, "session"))) == ("1", 1)
    with running(tmp_path) as second:
        assert second.get("/", cookie=cookie.partition(";")[0]).text == "2"
        (row,) = rows(second, "session")
        assert row["visits"] == {"N": "2"}


def test_misspelled_session_table_has_a_suggestion(tmp_path: Path) -> None:
    """It is the same in the terminal and in the function's error."""
    meant = "Did you mean 'session'? Set SESSION_TABLE_NAME to it."
    with running(write_tables(tmp_path, {"get /": TELLS}, {".env": "SESSION_TABLE_NAME=sesjon\n"})) as sandbox:
        assert f"app.arc does not declare the session table 'sesjon'. {meant}" in sandbox.output
        assert sandbox.get("/").text == (
            f"No table for sessions was found under sesjon and testapp-testing-sesjon. {meant}"
        )


def test_session_table_of_an_app_without_tables_is_declared_in_the_manifest(tmp_path: Path) -> None:
    """The function already runs in the sandbox, so the error does not advise to start one."""
    tells = TELLS.replace("arc.StoreError", "arc.ConfigurationError")
    environ = {".env": "SESSION_TABLE_NAME=session\n"}
    with running(write_tables(tmp_path, {"get /": tells}, environ, tables="")) as sandbox:
        assert sandbox.get("/").text == (
            "SESSION_TABLE_NAME is a table, but the sandbox runs this app without tables. Declare the table below "
            "@tables in app.arc, or set SESSION_TABLE_NAME=jwe."
        )


def test_sessions_are_stored_in_the_cookie_by_default(tmp_path: Path) -> None:
    """This holds even if the app has tables."""
    with running(write_tables(tmp_path, {"get /": COUNTS})) as sandbox:
        assert sandbox.get("/").text == "1"
        assert rows(sandbox, "session") == []


def test_unsuitable_session_table_is_a_warning(tmp_path: Path) -> None:
    """The warning has the lines that fix it."""
    tables = "\n@tables\nsession\n  _idx *String\n"
    with running(write_tables(tmp_path, files={".env": "SESSION_TABLE_NAME=session\n"}, tables=tables)) as sandbox:
        assert "Warning: Ended sessions stay in the table 'session' forever" in sandbox.output
        assert "  session\n    _idx *String\n    _ttl TTL\n" in sandbox.output


def test_tables_added_while_the_sandbox_runs_are_created(tmp_path: Path) -> None:
    """The first one starts the cloud, and requests succeed in the meantime."""
    write_tables(tmp_path, tables="")
    with running(tmp_path) as sandbox:
        assert "AWS_ENDPOINT_URL_DYNAMODB" not in environ_of(sandbox)
        for tables in ("\n@tables\nfirst\n  id *String\n", TABLES):
            write_manifest(tmp_path, "get /environ", "get /new", tables)
            (tmp_path / "src/http/get-new").mkdir(exist_ok=True)
            (tmp_path / "src/http/get-new/handler.py").write_text(ENVIRON)
            assert sandbox.get("/new").status == 200
            names = set(dynamodb(sandbox).list_tables()["TableNames"])
            assert names >= {f"testapp-testing-{name}" for name in ("first",)}
        assert names == {f"testapp-testing-{name}" for name in ("first", "session", "products")}


def test_changed_key_is_an_error(tmp_path: Path) -> None:
    """At the start it ends the sandbox; in a running sandbox the app remains unchanged."""
    write_tables(tmp_path)
    message = (
        "The table testapp-testing-session has the key _idx *String, but the manifest declares id *String. "
        "A table's key cannot be changed. Rename the table, or start with empty tables: arc sandbox --fresh"
    )
    with running(tmp_path) as sandbox:
        manifest = (tmp_path / "app.arc").read_text()
        (tmp_path / "app.arc").write_text(manifest.replace("_idx *String", "id *String"))
        assert environ_of(sandbox)
        sandbox.wait_for("Rename the table")
        assert message in sandbox.output
    assert failed_start(tmp_path).stderr.endswith(f"WrongKey: {message}\n")
    with running(tmp_path, "fresh") as fresh:
        assert dynamodb(fresh).describe_table(TableName="testapp-testing-session")["Table"]["KeySchema"] == [
            {"AttributeName": "id", "KeyType": "HASH"}
        ]


def test_second_sandbox_of_an_app_has_temporary_tables(tmp_path: Path) -> None:
    """It prints a warning, and the data of the first one is unchanged."""
    write_tables(tmp_path)
    with running(tmp_path) as first, running(tmp_path) as second:
        put(first, "session", _idx="first")
        put(second, "session", _idx="second")
        assert (
            "Warning: Another sandbox is using this app's tables. This sandbox starts with empty tables and deletes "
            "them when it ends." in second.output
        )
        assert rows(first, "session") == [{"_idx": {"S": "first"}}]
    with running(tmp_path) as third:
        assert rows(third, "session") == [{"_idx": {"S": "first"}}]


def test_unwritable_app_has_temporary_tables(tmp_path: Path) -> None:
    """The warning has the reason."""
    (tmp_path / ".arc-sandbox").write_text("a file in the way")
    with running(write_tables(tmp_path)) as sandbox:
        assert (
            f"Warning: Cannot write to {tmp_path / '.arc-sandbox'}: File exists. This sandbox starts with empty tables "
            "and deletes them when it ends."
        ) in sandbox.output
        put(sandbox, "session", _idx="mine")
        assert rows(sandbox, "session") == [{"_idx": {"S": "mine"}}]


def test_quiet_prints_nothing_about_tables(tmp_path: Path) -> None:
    """Only the address is printed."""
    files = {"sandbox-seed.json": json.dumps(SEEDS), ".env": "SESSION_TABLE_NAME=nobody\n"}
    with running(write_tables(tmp_path, files=files), "quiet") as sandbox:
        assert len(rows(sandbox, "products")) == 2
        assert len(sandbox.output.splitlines()) == 1
