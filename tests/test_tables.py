"""`arc.tables`: the app's own tables by the manifest's names, on AWS and in a sandbox."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

import arc
from arc.errors import ConfigurationError
from tests.engines import AWS
from tests.sandbox_services import sandbox_services

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.engines import Engine
    from tests.sandbox_services import SandboxServices

ON_AWS = """
import arc
table = arc.tables.table("notes")
table.put_item(Item={"_idx": "a", "text": "from " + arc.tables.name("notes")})
print(table.get_item(Key={"_idx": "a"})["Item"]["text"])
"""


def named(*ports: tuple[str, int]) -> dict[str, str]:
    """The environment of a function of an app that no other test has, in a sandbox with these ports."""
    sandbox = json.dumps({"ports": dict(ports), "version": "1"})
    own = {"ARC_ENV": "testing", "ARC_APP_NAME": f"app{secrets.token_hex(8)}", "AWS_REGION": AWS["AWS_REGION"]}
    return {**own, "ARC_SANDBOX": sandbox}


@contextmanager
def mapped(parameters: dict[str, str], **ports: int) -> Iterator[tuple[dict[str, str], SandboxServices]]:
    """An environment whose service map is `parameters` below its stack, and the sandbox that tells it."""
    with sandbox_services({}) as sandbox:
        environ = named(("_arc", sandbox.port), *ports.items())
        stack = f"/{environ['ARC_APP_NAME'].capitalize()}Testing"
        sandbox.parameters = {f"{stack}/{name}": value for name, value in parameters.items()}
        yield environ, sandbox


def test_a_table_has_the_name_of_the_service_map() -> None:
    """The manifest's name gives the physical one; the map is asked once."""
    with mapped({"tables/notes": "physical-notes", "tables/session": "physical-session"}) as (environ, sandbox):
        assert arc.tables.name("notes", environ=environ) == "physical-notes"
        assert arc.tables.name(tablename="session", environ=environ) == "physical-session"
        assert len(sandbox.asked) == 1


@pytest.mark.parametrize("kind", [NameError, ConfigurationError, arc.ArcError, arc.UnknownTable])
def test_an_unknown_table_is_a_name_error_too(kind: type[Exception]) -> None:
    """Code that catches NameError goes on working; the message says what there is and what to do."""
    told = r"no table 'nots' in the service map /App\w+Testing; it has notes, session\. .*@tables.*start the sandbox"
    with (
        mapped({"tables/notes": "physical-notes", "tables/session": "s"}) as (environ, _),
        pytest.raises(kind, match=told),
    ):
        arc.tables.name("nots", environ=environ)


def test_an_app_without_tables_is_told_so() -> None:
    """Without a single table, and with one that is a folder of names."""
    with mapped({"static/bucket": "b"}) as (environ, _), pytest.raises(NameError, match="it has no tables at all"):
        arc.tables.name("notes", environ=environ)
    with mapped({"tables/notes/deeper": "b"}) as (environ, _), pytest.raises(NameError, match="no table 'notes'"):
        arc.tables.name("notes", environ=environ)


def test_a_table_of_the_sandbox_keeps_an_item(ministack: Engine) -> None:
    """It is boto3's Table on the sandbox's port, the same one every time, and needs no credentials."""
    physical = ministack.table()
    with mapped({"tables/notes": physical}, tables=ministack.port) as (environ, sandbox):
        table = arc.tables.table("notes", environ=environ)
        assert arc.tables.table("notes", environ=environ) is table
        assert len(sandbox.asked) == 1
    table.put_item(Item={"_idx": "a", "text": "kept"})
    assert ministack.items(physical) == [{"_idx": {"S": "a"}, "text": {"S": "kept"}}]
    assert table.meta.client.meta.endpoint_url == f"http://localhost:{ministack.port}"


def test_two_tables_are_two(ministack: Engine) -> None:
    """Each name has a table of its own."""
    first, second = ministack.table(), ministack.table()
    with mapped({"tables/one": first, "tables/two": second}, tables=ministack.port) as (environ, _):
        one, two = arc.tables.table("one", environ=environ), arc.tables.table("two", environ=environ)
    assert (one.name, two.name) == (first, second)
    two.put_item(Item={"_idx": "a"})
    assert ministack.items(first) == []


def test_a_process_beside_the_sandbox_finds_the_port_in_the_map(ministack: Engine) -> None:
    """Where ARC_SANDBOX tells no port of the tables, the service map does."""
    ports = json.dumps({"tables": ministack.port})
    with mapped({"tables/notes": "n", "ARC_SANDBOX/ports": ports}) as (environ, _):
        table = arc.tables.table("notes", environ=environ)
    assert table.meta.client.meta.endpoint_url == f"http://localhost:{ministack.port}"


@pytest.mark.parametrize("told", [{}, {"ARC_SANDBOX/ports": "{}"}, {"ARC_SANDBOX/ports": "no JSON"}])
def test_a_sandbox_without_tables_is_told_so(told: dict[str, str]) -> None:
    """Nobody tells a port: the message says what to write, and what to start."""
    with (
        mapped({"tables/notes": "n", **told}) as (environ, _),
        pytest.raises(ConfigurationError, match=r"no port of its tables.*@tables.*arc sandbox"),
    ):
        arc.tables.table("notes", environ=environ)


def test_a_deployed_function_uses_aws(ministack: Engine) -> None:
    """Outside a sandbox the tables are where boto3's own settings say."""
    physical, stack = ministack.table(), f"Stack{secrets.token_hex(8)}"
    ministack.client("ssm").put_parameter(Name=f"/{stack}/tables/notes", Value=physical, Type="String")
    environ = {**AWS, "ARC_ENV": "production", "ARC_STACK_NAME": stack, "AWS_ENDPOINT_URL": ministack.url}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ON_AWS],
        env=environ,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == f"from {physical}\n"
    assert ministack.items(physical) == [{"_idx": {"S": "a"}, "text": {"S": f"from {physical}"}}]


def test_an_unknown_table_on_aws_names_the_command(ministack: Engine) -> None:
    """There the remedy is a deployment."""
    code = "import arc\ntry: arc.tables.name('nots')\nexcept NameError as error: print(error)"
    environ = {**AWS, "ARC_ENV": "production", "ARC_APP_NAME": "none-yet", "AWS_ENDPOINT_URL": ministack.url}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, check=True, capture_output=True, text=True, timeout=60
    )
    assert "/NoneYetProduction; it has no tables at all" in done.stdout
    assert done.stdout.endswith("deploy: arc deploy production\n")
