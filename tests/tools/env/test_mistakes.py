"""Variables that are almost certainly a mistake.

Guessable secrets, another environment's table, misspelled names, and what belongs to a developer's machine.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc import inventory as inventories
from arc.errors import ToolError
from arc.tools.cloud.cloud import local_cloud
from arc.tools.create import plan_environment
from arc.tools.env.mistakes import mistake
from arc.tools.env.verify import Verification
from arc.tools.secrets.secrets import new_secret
from tests.deployed import deploy
from tests.engines import Engine
from tests.tools.env.conftest import Make
from tests.tools.env.rotating import OLD, Rotating
from tests.tools.operator import Operator, parameters

SECRET = "ARC_APP_SECRET"
GUESSABLE = [
    "x" * 40,
    "0" * 16,
    "ab" * 16,
    "abc123" * 6,
    "secret" * 6,
    "changemechangemechangeme",
    "changeme-changeme-changeme-2024",
    "ChangeMe!ChangeMe!ChangeMe!",
    "p4ssw0rd-p4ssw0rd-p4ssw0rd-p4ssw0rd",
    "password1234567890123456",
    "your-secret-key-goes-here-please",
    "my_super_secret_password",
    "replace this with a secret key",
    "abcdefghijklmnopqrstuvwxyz012345",
    "zyxwvutsrqponmlkjihgfedcba",
    "qwertyuiopasdfghjklzxcvbnm",
    "0123456789abcdef0123456789abcdef",
    "<insert your secret key here!>",
]


@pytest.mark.parametrize("secret", GUESSABLE)
def test_a_guessable_secret_is_a_mistake(secret: str) -> None:
    """The message says whether it is a pattern or a placeholder, and does not show it."""
    found = mistake(SECRET, secret, app="testapp", environment="production")
    assert found is not None
    assert found.startswith("ARC_APP_SECRET ")
    assert secret not in found
    assert mistake(SECRET, secret, app="testapp", environment="testing") is None


@given(st.randoms(use_true_random=True))
def test_a_random_secret_is_no_mistake(random: Random) -> None:
    """The output of `arc secret new`, of a hex generator and of a word generator is accepted."""
    words = " ".join("".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(4))
    for secret in (new_secret(), random.randbytes(16).hex(), random.randbytes(32).hex(), words):
        assert mistake(SECRET, secret, app="testapp", environment="production") is None


@pytest.mark.parametrize(
    "secret", ["something-much-better-than-this", "secret-f81be6a3f0c94d51a7", "GREETINGS from Ulm 1"]
)
def test_a_secret_with_a_word_in_it_is_no_mistake(secret: str) -> None:
    """A prefix does not make the rest guessable; the well-known example has its own warning."""
    assert mistake(SECRET, secret, app="testapp", environment="production") is None


@pytest.mark.parametrize("name", ["SESSION_TABLE_NAME", "ARC_SESSION_TABLE_NAME", "ARC_SESSION_MIGRATE_FROM"])
@pytest.mark.parametrize("table", ["testapp-staging-session", "TestappStaging-SessionTable-1OQX", "testapp-testing-s"])
def test_a_table_of_another_environment_is_a_mistake(name: str, table: str) -> None:
    """Production does not store its sessions in staging's table."""
    found = mistake(name, table, app="testapp", environment="production")
    assert found is not None
    assert table in found


@pytest.mark.parametrize("table", ["testapp-production-session", "session", "jwe", "other-staging-session", "testapp"])
def test_a_table_of_its_own_environment_is_no_mistake(table: str) -> None:
    """Nor is one whose name contains none of the app's environments."""
    assert mistake("SESSION_TABLE_NAME", table, app="testapp", environment="production") is None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ARC_APP_SECRT", "ARC_APP_SECRET"),
        ("ARC_SESSION_TLL", "ARC_SESSION_TTL"),
        ("SESSION_TABLE", "SESSION_TABLE_NAME"),
        ("ARC_SESSION_TABLE", "ARC_SESSION_TABLE_NAME"),
        ("ARC_APP_SECRET_FALLBACK", "ARC_APP_SECRET_FALLBACKS"),
        ("arc_app_secret", "ARC_APP_SECRET"),
        ("Session_Table_Name", "SESSION_TABLE_NAME"),
        ("ARCAPP_SECRET", "ARC_APP_SECRET"),
        ("SESSION_TABLENAME", "SESSION_TABLE_NAME"),
        ("ARC_SESSIONS_DOMAIN", "ARC_SESSION_DOMAIN"),
        ("ARC_APPNAME", "ARC_APP_NAME"),
        ("SESION_TABLE_NAME", "SESSION_TABLE_NAME"),
        ("SESSIONS_TABLE_NAME", "SESSION_TABLE_NAME"),
    ],
)
def test_a_misspelled_name_is_a_mistake(name: str, meant: str) -> None:
    """The message contains the intended name."""
    found = mistake(name, "a value", app="testapp", environment="testing")
    assert found is not None
    assert f"Did you mean '{meant}'?" in found


@pytest.mark.parametrize(
    "name",
    [
        "ARC_APP_SECRET_FALLBACKS",
        "SESSION_TTL",
        "ARC_STATIC_SPA",
        "SESSION_SECRET",
        "ARCHIVE_BUCKET",
        "GREETING",
        "USER_TABLE_NAME",
    ],
)
def test_other_names_are_no_mistakes(name: str) -> None:
    """Names that the runtime or Architect reads, and the app's own."""
    assert mistake(name, "a value that is long", app="testapp", environment="production") is None


LOCAL_HOSTS = [
    "localhost",
    "LocalHost",
    "shop.localhost",
    "localhost.localstack.cloud",
    "dynamodb.localhost.localstack.cloud",
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",  # noqa: S104  # nothing is bound to it
    "[::1]",
    "[::]",
    "host.docker.internal",
]


@pytest.mark.parametrize("environment", ["staging", "production"])
@pytest.mark.parametrize("name", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])
def test_a_profile_is_a_mistake_in_a_deployed_function(name: str, environment: str) -> None:
    """boto3 fails where the profile is missing; the message says what to do, and does not show the value."""
    assert mistake(name, "hunter2", app="testapp", environment=environment) == (
        f"{name} names a profile of your machine, without which boto3 fails in {environment}. Functions get their "
        f"credentials from their role. Leave it out, or run `arc env remove {environment} {name}`."
    )
    assert mistake(name, "hunter2", app="testapp", environment="testing") is None


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SSM"])
@pytest.mark.parametrize("host", LOCAL_HOSTS)
def test_a_local_endpoint_is_a_mistake_in_a_deployed_function(name: str, host: str) -> None:
    """With or without scheme, port and credentials; the message shows only the host."""
    for value in (host, f"{host}:8000", f"http://{host}:4566", f"https://me:hunter2@{host}/path"):
        assert mistake(name, value, app="testapp", environment="staging") == (
            f"{name} points to {host.lower().strip('[]')}, where functions in staging find no AWS service. Leave it "
            f"out, or run `arc env remove staging {name}`."
        )
        assert mistake(name, value, app="testapp", environment="testing") is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_ENDPOINT_URL", "https://vpce-1.dynamodb.eu-west-1.vpce.amazonaws.com"),
        ("AWS_ENDPOINT_URL_SSM", "http://10.0.0.7:8000"),
        ("AWS_ENDPOINT_URL_SSM", "http://localhosts.example"),
        ("AWS_ENDPOINT_URL_SSM", "http://[fd00::1]:8000"),
        ("AWS_ENDPOINT_URL_SSM", "http://[not an address"),
        ("AWS_ENDPOINT_URLS", "http://localhost"),
        ("MY_SERVICE_URL", "http://localhost:2773"),
        ("AWS_PROFILER", "on"),
    ],
)
def test_other_endpoints_are_no_mistakes(name: str, value: str) -> None:
    """An endpoint in a VPC, and one that boto3 does not read, such as a Lambda extension's."""
    assert mistake(name, value, app="testapp", environment="production") is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (SECRET, "changeme" * 4),
        ("SESSION_TABLE_NAME", "{app}-production-session"),
        ("ARC_SESSION_TLL", "60"),
        ("AWS_PROFILE", "dev"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://localhost:8000"),
    ],
)
def test_a_mistake_is_refused_without_force(cloud: Engine, app: str, change: Make, name: str, value: str) -> None:
    """The message names `--force`, which sets the value, and later changes accept it."""
    value = value.format(app=app)
    with pytest.raises(ToolError, match="anyway, use --force") as refused:
        change(app, "staging", {name: value, "GREETING": "hello"})
    assert "Nothing was changed." in str(refused.value)
    assert parameters(cloud, app) == {}
    change(app, "staging", {name: value}, force=True)
    assert parameters(cloud, app) == {name: value}
    change(app, "staging", {"GREETING": "hello"})
    change(app, "staging", {name: None})


def test_several_mistakes_are_reported_at_once(cloud: Engine, app: str, change: Make) -> None:
    """A file may contain more than one."""
    with pytest.raises(ToolError) as refused:
        change(app, "staging", {"ARC_APP_SECRT": "x", "SESSION_TABLE": "jwe"})
    assert "Did you mean 'ARC_APP_SECRET'?" in str(refused.value)
    assert "Did you mean 'SESSION_TABLE_NAME'?" in str(refused.value)
    assert parameters(cloud, app) == {}


def test_existing_mistakes_are_reported(cloud: Engine, app: str, change: Make, tmp_path: Path) -> None:
    """`arc env verify` and `arc create` warn of each."""
    change(app, "staging", {SECRET: "changeme" * 4, "ARC_SESSION_TLL": "60"}, force=True)
    inventory = inventories.read(Operator(tmp_path / app, app, {}).folder, environ={})
    local = local_cloud(cloud.url, "us-east-1")
    verification = Verification(local, inventory, "staging")
    for notes in (
        verification.inspect(lambda _done, _of: None).notes,
        plan_environment(local, inventory, "staging").notes,
    ):
        text = "\n".join(notes)
        assert "consists of placeholder words" in text or "repeats a few characters" in text
        assert "Did you mean 'ARC_SESSION_TTL'?" in text


def test_mistakes_that_only_functions_have_are_reported(cloud: Engine, app: str, tmp_path: Path) -> None:
    """`arc env verify` warns of each, before and after it has updated functions."""
    functions = deploy(cloud, app, names=["GetIndex", "PostLogin"])
    functions.set_variables({"AWS_PROFILE": "dev", "AWS_ENDPOINT_URL": "http://localhost:4566"}, "GetIndex")
    functions.set_variables({"AWS_ENDPOINT_URL": "https://proxy.example"}, "PostLogin")
    inventory = inventories.read(Operator(tmp_path / app, app, {}).folder, environ={})
    verification = Verification(local_cloud(cloud.url, "us-east-1"), inventory, "staging")
    for outcome in (verification.inspect(lambda _done, _of: None), verification.sync(lambda _done, _of: None)):
        text = "\n".join(outcome.notes)
        assert text.count("AWS_PROFILE names a profile") == 1
        assert text.count("AWS_ENDPOINT_URL points to localhost") == 1


def test_a_rotation_refuses_a_guessable_secret(cloud: Engine, tmp_path: Path) -> None:
    """A secret from standard input is checked like one that `arc env` sets."""
    rotating = Rotating(cloud, tmp_path, {SECRET: OLD})
    with pytest.raises(ToolError, match="is easy to guess"):
        rotating.rotate("changeme" * 4)
    assert rotating.noted() is None
