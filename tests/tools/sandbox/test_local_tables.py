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
OWN_CLIENT = """
import boto3

def handler(event, context):
    table = boto3.resource("dynamodb").Table("testapp-testing-session")
    table.put_item(Item={"_idx": "mine"})
    return {"statusCode": 200, "body": table.get_item(Key={"_idx": "mine"})["Item"]["_idx"]}
"""
SEEDS = {"products": [{"id": "a", "at": 1.5}, {"id": "b", "at": 2, "tags": ["x", None]}], "session": []}


def test_tables_have_the_keys_indexes_and_time_to_live_of_the_manifest(tmp_path: Path) -> None:
    """Named as in testing; nothing else is there."""
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


def test_an_app_without_tables_starts_no_cloud(tmp_path: Path) -> None:
    """And leaves nothing in its folder."""
    with running(write_tables(tmp_path, tables="")) as sandbox:
        told = json.loads(environ_of(sandbox)["ARC_SANDBOX"])
        assert told["ports"] == {"http": sandbox.port, "_arc": sandbox.port}
        assert "AWS_ENDPOINT_URL_DYNAMODB" not in environ_of(sandbox)
    assert not (tmp_path / ".arc-sandbox").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
@pytest.mark.sampled(1)
def test_rows_are_there_again_however_the_sandbox_ended(tmp_path: Path, number: int) -> None:
    """Nobody adds an item to a cart twice because of a restart."""
    write_tables(tmp_path)
    with running(tmp_path) as first:
        put(first, "session", _idx="kept")
        first.stop(number)
    with running(tmp_path) as second:
        assert rows(second, "session") == [{"_idx": {"S": "kept"}}]


def test_seeds_fill_empty_tables_alone(tmp_path: Path) -> None:
    """The start says how many; later rows are not covered by them, and a fresh start has them and nothing else."""
    write_tables(tmp_path, files={"sandbox-seed.json": json.dumps(SEEDS)})
    said = "products begins with 2 rows of sandbox-seed.json"
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


def test_seeds_that_are_mended_while_it_runs_fill_their_tables(tmp_path: Path) -> None:
    """What is wrong with them is said, and the app goes on."""
    with running(write_tables(tmp_path)) as sandbox:
        (tmp_path / "sandbox-seed.json").write_text('{"products": [{"id": "a"}]}')
        assert rows(sandbox, "products") == []
        sandbox.wait_for("row 1 of products lacks the key 'at'. Give it a Number.")
        (tmp_path / "sandbox-seed.json").write_text(json.dumps(SEEDS))
        assert environ_of(sandbox)
        sandbox.wait_for("products begins with 2 rows")
        assert len(rows(sandbox, "products")) == 2


def test_seeds_of_which_one_is_refused_leave_their_table_empty(tmp_path: Path) -> None:
    """Half a seed would keep the mended file from ever being loaded."""
    with running(write_tables(tmp_path)) as sandbox:
        too_large = {"id": "c", "at": 3, "text": "x" * 500_000}
        (tmp_path / "sandbox-seed.json").write_text(json.dumps({"products": [*SEEDS["products"], too_large]}))
        assert environ_of(sandbox)
        sandbox.wait_for("row 3 of products was refused")
        assert rows(sandbox, "products") == []
        (tmp_path / "sandbox-seed.json").write_text(json.dumps(SEEDS))
        assert environ_of(sandbox)
        sandbox.wait_for("products begins with 2 rows")


def test_functions_find_the_tables(tmp_path: Path) -> None:
    """Through Architect's variable, and with boto3 alone through AWS's own; in an interpreter that starts afresh."""
    with running(write_tables(tmp_path, {"get /own": OWN_CLIENT}), python=(sys.executable,)) as sandbox:
        port = port_of(sandbox)
        told = environ_of(sandbox)
        assert json.loads(told["ARC_SANDBOX"])["ports"]["_arc"] == sandbox.port
        assert told["AWS_ENDPOINT_URL_DYNAMODB"] == f"http://127.0.0.1:{port}"
        assert sandbox.get("/own").text == "mine"


def test_a_proxy_of_the_shell_stands_in_nobodys_way(tmp_path: Path) -> None:
    """Tables are made and used past it, also in functions that the proxy's variables are passed to."""
    proxies = dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"), "http://127.0.0.1:9")
    passed = [f"env={name}" for name in proxies]
    with running(write_tables(tmp_path, {"get /own": OWN_CLIENT}), *passed, environ=proxies) as sandbox:
        assert sandbox.get("/own").text == "mine"


def test_the_users_own_address_of_dynamodb_stays(tmp_path: Path) -> None:
    """A line of the .env is stronger."""
    files = {".env": "AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:8000\n"}
    with running(write_tables(tmp_path, files=files)) as sandbox:
        assert environ_of(sandbox)["AWS_ENDPOINT_URL_DYNAMODB"] == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    "chosen",
    ["SESSION_TABLE_NAME=session", "ARC_SESSION_TABLE_NAME=session", "SESSION_TABLE_NAME=testapp-testing-session"],
)
@pytest.mark.sampled(1)
def test_sessions_live_in_the_table_that_was_chosen(tmp_path: Path, chosen: str) -> None:
    """By either variable and either name; the same visitor goes on after a restart."""
    write_tables(tmp_path, {"get /": COUNTS}, {".env": f"{chosen}\n"})
    with running(tmp_path) as first:
        answer = first.get("/")
        (cookie,) = answer.all("set-cookie")
        assert (answer.text, len(rows(first, "session"))) == ("1", 1)
    with running(tmp_path) as second:
        assert second.get("/", cookie=cookie.partition(";")[0]).text == "2"
        (row,) = rows(second, "session")
        assert row["visits"] == {"N": "2"}


def test_sessions_live_in_the_cookie_unless_a_table_was_chosen(tmp_path: Path) -> None:
    """Though there are tables."""
    with running(write_tables(tmp_path, {"get /": COUNTS})) as sandbox:
        assert sandbox.get("/").text == "1"
        assert rows(sandbox, "session") == []


def test_what_the_chosen_table_lacks_is_said_at_the_start(tmp_path: Path) -> None:
    """With the lines that mend it."""
    tables = "\n@tables\nsession\n  _idx *String\n"
    with running(write_tables(tmp_path, files={".env": "SESSION_TABLE_NAME=session\n"}, tables=tables)) as sandbox:
        assert "Warning: ended sessions stay in the table 'session' for ever" in sandbox.output
        assert "  session\n    _idx *String\n    _ttl TTL\n" in sandbox.output


def test_tables_that_come_while_it_runs_are_made(tmp_path: Path) -> None:
    """The first of all, which starts the cloud, and further ones; requests go on."""
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


def test_a_changed_key_is_told_with_what_to_do(tmp_path: Path) -> None:
    """At the start the sandbox ends with it, while it runs the app stays as it was."""
    write_tables(tmp_path)
    told = (
        "The table testapp-testing-session has the key _idx *String, and the manifest declares id *String. "
        "A table cannot change its key. Give the table another name, or begin with empty tables: arc sandbox --fresh"
    )
    with running(tmp_path) as sandbox:
        manifest = (tmp_path / "app.arc").read_text()
        (tmp_path / "app.arc").write_text(manifest.replace("_idx *String", "id *String"))
        assert environ_of(sandbox)
        sandbox.wait_for("Give the table another name")
        assert told in sandbox.output
    assert failed_start(tmp_path).stderr.endswith(f"WrongKey: {told}\n")
    with running(tmp_path, "fresh") as fresh:
        assert dynamodb(fresh).describe_table(TableName="testapp-testing-session")["Table"]["KeySchema"] == [
            {"AttributeName": "id", "KeyType": "HASH"}
        ]


def test_two_sandboxes_of_one_app_do_not_share_a_table(tmp_path: Path) -> None:
    """The second says so, has tables all the same, and leaves the data of the first as it was."""
    write_tables(tmp_path)
    with running(tmp_path) as first, running(tmp_path) as second:
        put(first, "session", _idx="first")
        put(second, "session", _idx="second")
        assert (
            "Warning: another sandbox of this app has its tables: the tables begin empty here, "
            "and are gone when this sandbox ends." in second.output
        )
        assert rows(first, "session") == [{"_idx": {"S": "first"}}]
    with running(tmp_path) as third:
        assert rows(third, "session") == [{"_idx": {"S": "first"}}]


def test_an_app_that_cannot_be_written_to_has_tables_all_the_same(tmp_path: Path) -> None:
    """For as long as the sandbox runs; the reason is said."""
    (tmp_path / ".arc-sandbox").write_text("a file in the way")
    with running(write_tables(tmp_path)) as sandbox:
        assert (
            f"Warning: {tmp_path / '.arc-sandbox'} cannot be used (File exists): the tables begin empty here, "
            "and are gone when this sandbox ends."
        ) in sandbox.output
        put(sandbox, "session", _idx="mine")
        assert rows(sandbox, "session") == [{"_idx": {"S": "mine"}}]


def test_quiet_says_nothing_of_tables(tmp_path: Path) -> None:
    """The address alone, as without tables."""
    files = {"sandbox-seed.json": json.dumps(SEEDS), ".env": "SESSION_TABLE_NAME=nobody\n"}
    with running(write_tables(tmp_path, files=files), "quiet") as sandbox:
        assert len(rows(sandbox, "products")) == 2
        assert len(sandbox.output.splitlines()) == 1
