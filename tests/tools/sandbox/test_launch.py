"""How a worker is started."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.errors import ToolError
from arc.inventory import Inventory, read
from arc.tools.sandbox.functions.launch import Launch, build_launch, ignored_settings, passed_variables, with_variables
from tests.tools.sandbox.apps import says, write_app

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

INHERITED = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "SYSTEMROOT")


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
    """Return how the index of a small app is started."""
    files = {".env": env_file, "src/http/get-index/config.arc": config}
    write_app(app, {"get /": says("x")}, {name: text for name, text in files.items() if text})
    inventory = read(app)
    return build_launch(inventory.routes[0], inventory, port=3333, environ=developers or {}, tables=tables)


def environ_of(app: Path, env_file: str = "", config: str = "", tables: int | None = None) -> dict[str, str]:
    """Return its environment."""
    return dict(launched(app, env_file, config, tables=tables).environ)


@pytest.mark.parametrize("name", ["SESSION_TABLE_NAME", "ARC_SESSION_TABLE_NAME"])
def test_sealed_cookie_is_the_default_store(tmp_path: Path, name: str) -> None:
    """The older variable's value is copied to the newer one, as in a deployment."""
    assert environ_of(tmp_path / "without")["ARC_SESSION_TABLE_NAME"] == "jwe"
    assert environ_of(tmp_path / name, f"{name}=session\n")["ARC_SESSION_TABLE_NAME"] == "session"


def test_env_false_omits_the_apps_variables(tmp_path: Path) -> None:
    """Variables that the sandbox sets remain."""
    environ = environ_of(tmp_path, "COLOUR=red\n", "@arc\nenv false\n")
    assert "COLOUR" not in environ
    assert environ["ARC_ENV"] == "testing"


def test_app_cannot_override_reserved_variables(tmp_path: Path) -> None:
    """A function in the sandbox runs in testing, whatever its .env says."""
    environ = environ_of(tmp_path, "ARC_ENV=production\nARC_APP_SECRET=mine\n")
    assert (environ["ARC_ENV"], environ["ARC_APP_SECRET"]) == ("testing", "mine")


SHELL = st.dictionaries(
    st.sampled_from(
        ["GITHUB_TOKEN", "ARC_APP_SECRET", "AWS_PROFILE", "SESSION_TTL", "PYTHONPATH", "no_proxy", "TZ", *INHERITED]
    )
    | st.text(min_size=1),
    st.text(),
)


@given(SHELL, st.none() | st.just(4444))
def test_functions_inherit_only_a_few_shell_variables(
    inventory: Inventory, shell: dict[str, str], tables: int | None
) -> None:
    """All other variables are the same for any shell."""

    def environ(shell: Mapping[str, str]) -> dict[str, str]:
        launch = build_launch(inventory.routes[0], inventory, port=3333, environ=shell, tables=tables)
        return dict(launch.environ)

    assert environ(shell) == environ({}) | {name: shell[name] for name in INHERITED if name in shell}


def test_default_time_zone_is_lambdas(tmp_path: Path) -> None:
    """A .env may set another one."""
    assert environ_of(tmp_path / "plain")["TZ"] == ":UTC"
    assert environ_of(tmp_path / "own", "TZ=Europe/Berlin\n")["TZ"] == "Europe/Berlin"


def test_passed_variables_act_like_those_of_the_env_file(tmp_path: Path) -> None:
    """They override the .env, select the session table, and are omitted by `env false`."""
    write_app(tmp_path, {"get /": says("x")}, {".env": "COLOUR=red\nSIZE=small\n"})
    inventory = with_variables(read(tmp_path), {"COLOUR": "blue", "SESSION_TABLE_NAME": "session"})
    environ = dict(build_launch(inventory.routes[0], inventory, port=3333, environ={}).environ)
    assert (environ["COLOUR"], environ["SIZE"], environ["ARC_SESSION_TABLE_NAME"]) == ("blue", "small", "session")
    (tmp_path / "src/http/get-index/config.arc").write_text("@arc\nenv false\n")
    without = with_variables(read(tmp_path), {"COLOUR": "blue"})
    assert "COLOUR" not in dict(build_launch(without.routes[0], without, port=3333, environ={}).environ)


def test_variable_is_passed_by_its_name() -> None:
    """The value is the shell's, even if it is empty."""
    shell = {"TOKEN": "t", "EMPTY": "", "OTHER": "o"}
    assert passed_variables(["TOKEN", "EMPTY", "TOKEN"], shell) == {"TOKEN": "t", "EMPTY": ""}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("TOKEN", "TOKEN is not set in this shell"),
        ("", "takes the name of a variable"),
        ("TOKEN=hidden-value", "takes the name of a variable"),
        *((name, f"The sandbox sets {name} ") for name in ("ARC_ENV", "AWS_REGION", "AWS_LAMBDA_X", "_HANDLER")),
    ],
)
def test_invalid_name_to_pass_is_an_error(name: str, says: str) -> None:
    """The message says why and what to do, and omits a value that was passed by mistake."""
    with pytest.raises(ToolError, match=says) as error:
        passed_variables([name], {"ARC_ENV": "x", "AWS_REGION": "x", "AWS_LAMBDA_X": "x", "_HANDLER": "x"})
    assert "hidden-value" not in str(error.value)


def test_arc_sandbox_has_the_format_of_nodes_library(tmp_path: Path) -> None:
    """It is JSON with `ports` and `version`."""
    variable = json.loads(environ_of(tmp_path)["ARC_SANDBOX"])
    assert variable["ports"] == {"http": 3333, "_arc": 3333}
    assert variable["version"] == "5.0.0"  # Node's library raises for less.


def test_port_of_the_tables_is_in_the_environment(tmp_path: Path) -> None:
    """Both Architect's libraries and AWS's own find it."""
    environ = environ_of(tmp_path, tables=4444)
    assert json.loads(environ["ARC_SANDBOX"])["ports"] == {"http": 3333, "_arc": 3333, "tables": 4444}
    assert environ["AWS_ENDPOINT_URL_DYNAMODB"] == "http://127.0.0.1:4444"


@pytest.mark.parametrize(("name", "own"), [("NO_PROXY", "a.example,"), ("no_proxy", "a.example,"), ("PATH", "")])
def test_tables_bypass_a_proxy(tmp_path: Path, name: str, own: str) -> None:
    """A proxy cannot reach this machine's ports; the app's own exceptions are kept."""
    environ = environ_of(tmp_path / "app", f"{name}=a.example\n", tables=4444)
    assert environ["NO_PROXY"] == environ["no_proxy"] == f"{own}localhost,127.0.0.1"
    assert "NO_PROXY" not in environ_of(tmp_path / "without")


@pytest.mark.parametrize("config", ["", "@arc\nenv false\n"])
def test_credentials_are_dummies_and_the_region_is_that_of_the_tables(tmp_path: Path, config: str) -> None:
    """A .env may set credentials but not the region, because the tables are in only one."""
    shell = {"AWS_ACCESS_KEY_ID": "real", "AWS_REGION": "eu-west-1"}
    environ = dict(launched(tmp_path, "AWS_DEFAULT_REGION=eu-west-2\n", config, shell).environ)
    assert (environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"]) == ("dummy", "dummy")
    assert (environ["AWS_REGION"], environ["AWS_DEFAULT_REGION"]) == ("us-east-1", "us-east-1")
    own = environ_of(tmp_path, "AWS_ACCESS_KEY_ID=mine\n", config)
    assert own["AWS_ACCESS_KEY_ID"] == ("dummy" if config else "mine")


def test_repr_of_a_launch_omits_variables(tmp_path: Path) -> None:
    """They may contain secrets."""
    assert "mine" not in repr(launched(tmp_path, "ARC_APP_SECRET=mine\n"))


def test_shared_false_omits_the_shared_code(tmp_path: Path) -> None:
    """It is neither importable nor watched for this function."""
    (tmp_path / "src" / "shared").mkdir(parents=True)
    assert launched(tmp_path).shared == tmp_path / "src" / "shared"
    without = launched(tmp_path, config="@arc\nshared false\n")
    assert without.shared is None
    assert without.folders == (without.folder,)


def test_ignored_settings_of_the_shell() -> None:
    """Only session settings that are not passed are listed, without their values."""
    environ = {"ARC_SESSION_TTL": "60", "SESSION_TABLE_NAME": "t", "PATH": "/bin", "AWS_PROFILE": "p"}
    assert ignored_settings(environ, {}) == ["ARC_SESSION_TTL", "SESSION_TABLE_NAME"]
    assert ignored_settings(environ, {"ARC_SESSION_TTL": "60"}) == ["SESSION_TABLE_NAME"]
