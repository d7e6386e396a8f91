"""What a worker is started with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.errors import ToolError
from arc.inventory import Inventory, read
from arc.tools.sandbox.launch import Launch, launch_of, passed_variables, unheeded, with_variables
from tests.tools.sandbox.apps import says, write_app

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SEEN = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "SYSTEMROOT")


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Inventory:
    """A small app."""
    return read(write_app(tmp_path_factory.mktemp("launch") / "app", {"get /": says("x")}, {".env": "COLOUR=red\n"}))


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


SHELL = st.dictionaries(
    st.sampled_from(
        ["GITHUB_TOKEN", "ARC_APP_SECRET", "AWS_PROFILE", "SESSION_TTL", "PYTHONPATH", "no_proxy", "TZ", *SEEN]
    )
    | st.text(min_size=1),
    st.text(),
)


@given(SHELL, st.none() | st.just(4444))
def test_nothing_else_of_the_shell_reaches_a_function(
    inventory: Inventory, shell: dict[str, str], tables: int | None
) -> None:
    """Whatever is set there: a function gets a handful of variables from it, and the rest as without a shell."""

    def environ(shell: Mapping[str, str]) -> dict[str, str]:
        launch = launch_of(inventory.routes[0], inventory, port=3333, environ=shell, tables=tables)
        return dict(launch.environ)

    assert environ(shell) == environ({}) | {name: shell[name] for name in SEEN if name in shell}


def test_a_function_that_no_shell_surrounds_has_the_time_zone_of_lambda(tmp_path: Path) -> None:
    """As deployed; a .env may say otherwise."""
    assert environ_of(tmp_path / "plain")["TZ"] == ":UTC"
    assert environ_of(tmp_path / "own", "TZ=Europe/Berlin\n")["TZ"] == "Europe/Berlin"


def test_variables_that_are_passed_are_as_good_as_those_of_the_env_file(tmp_path: Path) -> None:
    """They win over it, choose the table of sessions, and are left out where `.env` is."""
    write_app(tmp_path, {"get /": says("x")}, {".env": "COLOUR=red\nSIZE=small\n"})
    inventory = with_variables(read(tmp_path), {"COLOUR": "blue", "SESSION_TABLE_NAME": "session"})
    environ = dict(launch_of(inventory.routes[0], inventory, port=3333, environ={}).environ)
    assert (environ["COLOUR"], environ["SIZE"], environ["ARC_SESSION_TABLE_NAME"]) == ("blue", "small", "session")
    (tmp_path / "src/http/get-index/config.arc").write_text("@arc\nenv false\n")
    without = with_variables(read(tmp_path), {"COLOUR": "blue"})
    assert "COLOUR" not in dict(launch_of(without.routes[0], without, port=3333, environ={}).environ)


def test_a_variable_is_passed_by_its_name() -> None:
    """Its value is the shell's, also when that is empty."""
    shell = {"TOKEN": "t", "EMPTY": "", "OTHER": "o"}
    assert passed_variables(["TOKEN", "EMPTY", "TOKEN"], shell) == {"TOKEN": "t", "EMPTY": ""}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("TOKEN", "TOKEN is not set in this shell"),
        ("", "takes the name of a variable"),
        ("TOKEN=hidden-value", "takes the name of a variable"),
        *((name, f"{name} is set by the sandbox") for name in ("ARC_ENV", "AWS_REGION", "AWS_LAMBDA_X", "_HANDLER")),
    ],
)
def test_a_name_that_cannot_be_passed_is_an_error(name: str, says: str) -> None:
    """The message says why and what to do, without a value that was given by mistake."""
    with pytest.raises(ToolError, match=says) as error:
        passed_variables([name], {"ARC_ENV": "x", "AWS_REGION": "x", "AWS_LAMBDA_X": "x", "_HANDLER": "x"})
    assert "hidden-value" not in str(error.value)


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
def test_a_proxy_is_not_asked_for_tables(tmp_path: Path, name: str, own: str) -> None:
    """It knows nothing of this machine's ports; what the app does not ask it for stays so."""
    environ = environ_of(tmp_path / "app", f"{name}=a.example\n", tables=4444)
    assert environ["NO_PROXY"] == environ["no_proxy"] == f"{own}localhost,127.0.0.1"
    assert "NO_PROXY" not in environ_of(tmp_path / "without")


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
    """Those of sessions alone, and never their values; what is passed is seen."""
    environ = {"ARC_SESSION_TTL": "60", "SESSION_TABLE_NAME": "t", "PATH": "/bin", "AWS_PROFILE": "p"}
    assert unheeded(environ, {}) == ["ARC_SESSION_TTL", "SESSION_TABLE_NAME"]
    assert unheeded(environ, {"ARC_SESSION_TTL": "60"}) == ["SESSION_TABLE_NAME"]
