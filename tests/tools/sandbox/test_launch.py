"""What a worker is started with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from arc.inventory import read
from arc.tools.sandbox.launch import Launch, launch_of, unheeded
from tests.tools.sandbox.apps import says, write_app

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def launched(
    app: Path,
    env_file: str = "",
    config: str = "",
    developers: Mapping[str, str] | None = None,
    tables: int | None = None,
) -> Launch:
    """How the index of a small app is started."""
    files = {".env": env_file, "src/http/get-index/config.arc": config}
    write_app(app, {"get /": says("x")}, {name: text for name, text in files.items() if text})
    inventory = read(app)
    return launch_of(inventory.routes[0], inventory, port=3333, environ=developers or {}, tables=tables)


def environ_of(app: Path, env_file: str = "", config: str = "", tables: int | None = None) -> dict[str, str]:
    """Its environment."""
    return dict(launched(app, env_file, config, tables=tables).environ)


@pytest.mark.parametrize("name", ["SESSION_TABLE_NAME", "ARC_SESSION_TABLE_NAME"])
def test_the_store_is_the_sealed_cookie_unless_the_app_says_otherwise(tmp_path: Path, name: str) -> None:
    """The older name is copied onto the newer one, as deploying does."""
    assert environ_of(tmp_path / "without")["ARC_SESSION_TABLE_NAME"] == "jwe"
    assert environ_of(tmp_path / name, f"{name}=session\n")["ARC_SESSION_TABLE_NAME"] == "session"


def test_env_false_keeps_the_apps_variables_out(tmp_path: Path) -> None:
    """But not those that the tools set."""
    environ = environ_of(tmp_path, "COLOUR=red\n", "@arc\nenv false\n")
    assert "COLOUR" not in environ
    assert environ["ARC_ENV"] == "testing"


def test_what_the_tools_set_cannot_be_changed_by_the_app(tmp_path: Path) -> None:
    """A function in the sandbox is in testing, whatever a .env says."""
    environ = environ_of(tmp_path, "ARC_ENV=production\nARC_APP_SECRET=mine\n")
    assert (environ["ARC_ENV"], environ["ARC_APP_SECRET"]) == ("testing", "mine")


@pytest.mark.parametrize("name", ["ARC_APP_SECRET", "AWS_PROFILE", "AWS_SESSION_TOKEN", "SESSION_TTL", "LAMBDA_X"])
def test_the_shells_own_settings_do_not_reach_a_function(tmp_path: Path, name: str) -> None:
    """What concerns Architect and AWS stays out, everything else comes along."""
    environ = dict(launched(tmp_path, developers={name: "secret", "PATH": "/bin"}).environ)
    assert name not in environ
    assert environ["PATH"] == "/bin"


def test_ports_are_told_as_nodes_library_reads_them(tmp_path: Path) -> None:
    """JSON with `ports` and `version`."""
    told = json.loads(environ_of(tmp_path)["ARC_SANDBOX"])
    assert told["ports"] == {"http": 3333, "_arc": 3333}
    assert told["version"] == "5.0.0"  # Node's library raises for less.


def test_the_port_of_the_tables_is_told_to_every_client(tmp_path: Path) -> None:
    """To Architect's libraries, and to AWS's own."""
    environ = environ_of(tmp_path, tables=4444)
    assert json.loads(environ["ARC_SANDBOX"])["ports"] == {"http": 3333, "_arc": 3333, "tables": 4444}
    assert environ["AWS_ENDPOINT_URL_DYNAMODB"] == "http://127.0.0.1:4444"


@pytest.mark.parametrize(("name", "own"), [("NO_PROXY", "a.example,"), ("no_proxy", "a.example,"), ("PATH", "")])
def test_a_proxy_of_the_shell_is_not_asked_for_tables(tmp_path: Path, name: str, own: str) -> None:
    """It knows nothing of this machine's ports; what it is not asked for already stays so."""
    environ = dict(launched(tmp_path, developers={name: "a.example"}, tables=4444).environ)
    assert environ["NO_PROXY"] == environ["no_proxy"] == f"{own}localhost,127.0.0.1"
    assert "NO_PROXY" not in environ_of(tmp_path)


@pytest.mark.parametrize("config", ["", "@arc\nenv false\n"])
def test_credentials_are_dummies_and_the_region_is_the_manifests(tmp_path: Path, config: str) -> None:
    """Whatever the shell has; a .env may bring credentials, and no other region, where no table would be."""
    shell = {"AWS_ACCESS_KEY_ID": "real", "AWS_REGION": "eu-west-1"}
    environ = dict(launched(tmp_path, "AWS_DEFAULT_REGION=eu-west-2\n", config, shell).environ)
    assert (environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"]) == ("dummy", "dummy")
    assert (environ["AWS_REGION"], environ["AWS_DEFAULT_REGION"]) == ("us-east-1", "us-east-1")
    own = environ_of(tmp_path, "AWS_ACCESS_KEY_ID=mine\n", config)
    assert own["AWS_ACCESS_KEY_ID"] == ("dummy" if config else "mine")


def test_a_launch_shows_no_variables(tmp_path: Path) -> None:
    """They hold secrets."""
    assert "mine" not in repr(launched(tmp_path, "ARC_APP_SECRET=mine\n"))


def test_shared_false_leaves_the_shared_code_out(tmp_path: Path) -> None:
    """Neither importable nor watched for this function."""
    (tmp_path / "src" / "shared").mkdir(parents=True)
    assert launched(tmp_path).shared == tmp_path / "src" / "shared"
    without = launched(tmp_path, config="@arc\nshared false\n")
    assert without.shared is None
    assert without.folders == (without.folder,)


def test_settings_of_the_shell_that_no_function_sees_are_named() -> None:
    """Those of sessions alone, and never their values."""
    environ = {"ARC_SESSION_TTL": "60", "SESSION_TABLE_NAME": "t", "PATH": "/bin", "AWS_PROFILE": "p"}
    assert unheeded(environ) == ["ARC_SESSION_TTL", "SESSION_TABLE_NAME"]
