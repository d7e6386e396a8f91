"""`arc.tables`: the app's tables by the manifest's names, on AWS and in a sandbox."""

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
from tests.architect_sandbox import sandbox_environ
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


@contextmanager
def mapped(parameters: dict[str, str], **ports: int) -> Iterator[tuple[dict[str, str], SandboxServices]]:
    """Variables whose service map is `parameters` below the stack, and the sandbox that serves it."""
    with sandbox_services({}) as sandbox:
        environ = sandbox_environ(_arc=sandbox.port, **ports)
        stack = f"/{environ['ARC_APP_NAME'].capitalize()}Testing"
        sandbox.parameters = {f"{stack}/{name}": value for name, value in parameters.items()}
        yield environ, sandbox


def test_table_has_the_name_in_the_service_map() -> None:
    """The manifest's name resolves to the physical one, and the map is read once."""
    with mapped({"tables/notes": "physical-notes", "tables/session": "physical-session"}) as (environ, sandbox):
        assert arc.tables.name("notes", environ=environ) == "physical-notes"
        assert arc.tables.name(tablename="session", environ=environ) == "physical-session"
        assert len(sandbox.requests) == 1


@pytest.mark.parametrize("kind", [NameError, ConfigurationError, arc.ArcError, arc.UnknownTable])
def test_unknown_table_is_also_a_name_error(kind: type[Exception]) -> None:
    """The message lists the known tables and the one that was meant."""
    message = r"Unknown table 'nots'\. The service map /App\w+Testing has notes, session\. Did you mean 'notes'\?"
    with (
        mapped({"tables/notes": "physical-notes", "tables/session": "s"}) as (environ, _),
        pytest.raises(kind, match=message),
    ):
        arc.tables.name("nots", environ=environ)


def test_app_without_tables_is_reported() -> None:
    """The map may have no table, or a folder of that name."""
    remedy = r"has no tables\. Write notes below @tables in app\.arc\.$"
    with mapped({"static/bucket": "b"}) as (environ, _), pytest.raises(NameError, match=remedy):
        arc.tables.name("notes", environ=environ)
    with mapped({"tables/notes/deeper": "b"}) as (environ, _), pytest.raises(NameError, match="Unknown table 'notes'"):
        arc.tables.name("notes", environ=environ)


def test_sandbox_table_stores_an_item(ministack: Engine) -> None:
    """It is boto3's Table on the sandbox's port, created once, without credentials."""
    physical = ministack.table()
    with mapped({"tables/notes": physical}, tables=ministack.port) as (environ, sandbox):
        table = arc.tables.table("notes", environ=environ)
        assert arc.tables.table("notes", environ=environ) is table
        assert len(sandbox.requests) == 1
    table.put_item(Item={"_idx": "a", "text": "kept"})
    assert ministack.items(physical) == [{"_idx": {"S": "a"}, "text": {"S": "kept"}}]
    assert table.meta.client.meta.endpoint_url == f"http://localhost:{ministack.port}"


def test_tables_are_separate(ministack: Engine) -> None:
    """Each name has a separate table."""
    first, second = ministack.table(), ministack.table()
    with mapped({"tables/one": first, "tables/two": second}, tables=ministack.port) as (environ, _):
        one, two = arc.tables.table("one", environ=environ), arc.tables.table("two", environ=environ)
    assert (one.name, two.name) == (first, second)
    two.put_item(Item={"_idx": "a"})
    assert ministack.items(first) == []


def test_port_is_read_from_the_service_map(ministack: Engine) -> None:
    """If ARC_SANDBOX has no port for tables, the service map has it."""
    ports = json.dumps({"tables": ministack.port})
    with mapped({"tables/notes": "n", "ARC_SANDBOX/ports": ports}) as (environ, _):
        table = arc.tables.table("notes", environ=environ)
    assert table.meta.client.meta.endpoint_url == f"http://localhost:{ministack.port}"


@pytest.mark.parametrize("extra", [{}, {"ARC_SANDBOX/ports": "{}"}, {"ARC_SANDBOX/ports": "no JSON"}])
def test_sandbox_without_tables_is_reported(extra: dict[str, str]) -> None:
    """The message says what to write and what to start."""
    with (
        mapped({"tables/notes": "n", **extra}) as (environ, _),
        pytest.raises(ConfigurationError, match=r"has a port for tables.*@tables.*arc sandbox"),
    ):
        arc.tables.table("notes", environ=environ)


def test_deployed_function_uses_aws(ministack: Engine) -> None:
    """Outside a sandbox boto3's settings apply."""
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


def test_unknown_table_on_aws_names_the_command(ministack: Engine) -> None:
    """The remedy is a deployment."""
    code = "import arc\ntry: arc.tables.name('nots')\nexcept NameError as error: print(error)"
    environ = {**AWS, "ARC_ENV": "production", "ARC_APP_NAME": "none-yet", "AWS_ENDPOINT_URL": ministack.url}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, check=True, capture_output=True, text=True, timeout=60
    )
    assert "/NoneYetProduction has no tables" in done.stdout
    assert done.stdout.endswith("deploy: arc deploy production\n")
