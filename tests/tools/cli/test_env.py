"""`arc env` as an operator runs it, against a cloud on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cloud_faults import FaultyCloud, on
from tests.deployed import deploy
from tests.engines import Engine, fresh_app
from tests.tools.operator import TABLES, Operator, parameters

SECRET = "a-secret-of-the-tests-that-is-long-enough"


@pytest.fixture
def operator(tmp_path: Path, cloud: Engine) -> Operator:
    """Return an operator with a new app and the cloud."""
    app = fresh_app()
    return Operator(tmp_path / app, app, cloud.environ(tmp_path), more=TABLES)


def enter(operator: Operator, words: Sequence[str], *keys: bytes) -> tuple[int, str]:
    """Run `arc` on a terminal and type `keys`, each at a prompt; return the exit code and the screen."""
    code = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    command = [sys.executable, "-c", code, *operator.command(*words)]
    process = subprocess.Popen(
        command, cwd=operator.folder, env=operator.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        screen = b""
        for count, key in enumerate(keys, start=1):
            while screen.count(b"GREETING: ") < count:
                part = os.read(process.stdout.fileno(), 1024)
                assert part, screen
                screen += part
            process.stdin.write(key)
            process.stdin.flush()
        screen += process.stdout.read()
        return process.wait(60), screen.decode()


def test_help_shows_every_form(operator: Operator) -> None:
    """Also after other words."""
    for words in (["--help"], ["-h"], ["staging", "--help"]):
        shown = operator.does("env", *words)
        for form in (
            "arc env production KEY VALUE",
            "arc env production KEY < file",
            "arc env remove production KEY",
            "arc env verify [production] --check",
            "--add --env production KEY VALUE",
            "--remove --env production KEY",
            "--from-file .env",
            *("--show", "--json", "--local", "--force"),
        ):
            assert form in shown, form
    assert "env" in operator.does("--help")


def test_wrong_usage_exits_with_2(operator: Operator) -> None:
    """The message names the fault, the likely meaning and the choices, and where the help is."""
    done = operator.arc("env", "stagin", "KEY", "hunter2")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "Usage: arc env [OPTIONS] [ENVIRONMENT [KEY [VALUE]]]\n"
        "Try 'arc env -h' for help.\n\n"
        "Error: Unknown environment 'stagin'. Did you mean 'staging'? Choose testing, staging or production.\n"
    )


@pytest.mark.parametrize("words", [["env", "testing", "GREETING"], ["env", "testing", "GREETING", "-"]])
def test_a_terminal_asks_for_the_value_without_echo(operator: Operator, words: list[str]) -> None:
    """It asks again until a value is entered."""
    code, screen = enter(operator, words, b"\n", b"hunter2 # hunter2\n")
    assert code == 0, screen
    assert "GREETING is set in testing, in .env." in screen
    assert "hunter2" not in screen
    assert (operator.folder / ".env").read_text() == "GREETING='hunter2 # hunter2'\n"


@pytest.mark.parametrize("key", [b"\x03", b"\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_the_prompt_can_be_interrupted(operator: Operator, key: bytes) -> None:
    """It exits with 130 and without a traceback, and nothing is changed."""
    code, screen = enter(operator, ["env", "testing", "GREETING"], key)
    assert code == 130, screen
    assert "Traceback" not in screen
    assert not (operator.folder / ".env").exists()


def test_a_name_is_checked_before_its_value_is_asked_for(operator: Operator) -> None:
    """A reserved name is refused at once."""
    code, screen = enter(operator, ["env", "testing", "ARC_ENV"])
    assert code == 1
    assert "ARC_ENV is reserved" in screen


def test_a_value_is_read_from_standard_input(operator: Operator) -> None:
    """Without a value and without a terminal; empty input is wrong usage, unless `-` asks for it."""
    operator.does("env", "testing", "GREETING", given="hunter2\n")
    assert (operator.folder / ".env").read_text() == "GREETING=hunter2\n"
    done = operator.arc("env", "testing", "GREETING", given="")
    assert (done.returncode, done.stdout) == (2, "")
    assert "The value of GREETING is missing. Pipe it to `arc env testing GREETING`" in done.stderr
    operator.does("env", "testing", "GREETING", "-", given="")
    assert (operator.folder / ".env").read_text() == "GREETING=''\n"


def test_set_show_and_remove(operator: Operator, cloud: Engine) -> None:
    """The commands of the documentation, and their output."""
    functions = deploy(cloud, operator.name, "production", ["GetIndex", "PostLogin"])
    assert operator.does("env", "production", "ARC_APP_SECRET", SECRET) == (
        "ARC_APP_SECRET is set in production.\n2 functions have production's variables: 2 updated.\n"
    )
    assert functions.environ("ARC_APP_SECRET", function="GetIndex")["ARC_APP_SECRET"] == SECRET
    shown = operator.does("env", "production")
    assert "ARC_APP_SECRET   ********" in shown
    assert SECRET not in shown
    assert SECRET in operator.does("env", "production", "--show")
    assert operator.json("env", "production") == {"environments": {"production": {"ARC_APP_SECRET": "********"}}}
    again = operator.does("env", "production", "ARC_APP_SECRET", SECRET)
    assert again == "2 functions have production's variables: nothing to update.\n"
    assert operator.does("env", "remove", "production", "ARC_APP_SECRET", "--force") == (
        "ARC_APP_SECRET is removed from production.\n2 functions have production's variables: 2 updated.\n"
    )
    assert "ARC_APP_SECRET" not in functions.variables("GetIndex")


def test_architects_newer_forms_work(operator: Operator, cloud: Engine) -> None:
    """`--add --env` and `-r -e`; a change can answer in JSON."""
    functions = deploy(cloud, operator.name, "staging", ["GetIndex"])
    report = operator.json("env", "--add", "--env", "staging", "GREETING", "hello")
    assert report["set"] == ["GREETING"]
    assert report["functions"][functions.functions["GetIndex"]]["in_step"] is True
    assert functions.variables("GetIndex")["GREETING"] == "hello"
    assert "GREETING is removed" in operator.does("env", "-r", "-e", "staging", "GREETING")


def test_a_value_may_look_like_an_option(operator: Operator, cloud: Engine) -> None:
    """An argument is kept as it is; `-` reads standard input and drops one line end."""
    for value in ("-1", " a\tb ", "é\n'\"`$HOME #"):
        operator.does("env", "staging", "GREETING", value)
        assert parameters(cloud, operator.name) == {"GREETING": value}
    operator.does("env", "staging", "GREETING=--local")
    assert parameters(cloud, operator.name) == {"GREETING": "--local"}
    operator.does("env", "staging", "GREETING", "--", "--show")
    assert parameters(cloud, operator.name) == {"GREETING": "--show"}
    assert operator.arc("env", "staging", "GREETING", "--local").returncode == 2
    assert parameters(cloud, operator.name) == {"GREETING": "--show"}
    for given, value in (("from stdin\n", "from stdin"), ("two\n\n", "two\n"), ("none", "none"), ("w\r\n", "w")):
        operator.does("env", "staging", "GREETING", "-", given=given)
        assert parameters(cloud, operator.name) == {"GREETING": value}


def test_a_file_is_loaded_completely_or_not_at_all(operator: Operator, cloud: Engine) -> None:
    """One invalid variable stops all of them."""
    file = operator.folder / "staging.env"
    file.write_text("GREETING='hello # there'\nexport OTHER=\"two\\nlines\"\n")
    report = operator.does("env", "staging", "--from-file", "staging.env")
    assert report.startswith("GREETING and OTHER are set in staging.\n")
    assert parameters(cloud, operator.name) == {"GREETING": "hello # there", "OTHER": "two\nlines"}
    file.write_text("GREETING=changed\nARC_ENV=production\n")
    done = operator.arc("env", "staging", "--from-file", "staging.env")
    assert (done.returncode, done.stdout) == (1, "")
    assert "ARC_ENV is reserved" in done.stderr
    assert parameters(cloud, operator.name)["GREETING"] == "hello # there"
    file.write_text("GREETING=changed\nmy-key=hunter2\n")
    done = operator.arc("env", "staging", "--from-file", "staging.env")
    assert (done.returncode, done.stdout) == (1, "")
    assert "staging.env:2: 'my-key' is ignored: it is not a valid variable name." in done.stderr
    assert "hunter2" not in done.stderr
    done = operator.arc("env", "staging", "--from-file", "nowhere.env")
    assert done.returncode == 1
    assert "The file 'nowhere.env' does not exist." in done.stderr


def test_all_environments_are_shown_in_order(operator: Operator) -> None:
    """Testing's variables come from this machine."""
    (operator.folder / ".env").write_text("HERE=1\n")
    operator.does("env", "staging", "SESSION_TABLE_NAME", "jwe")
    shown = operator.does("env")
    assert shown.index("testing") < shown.index("staging") < shown.index("production")
    assert "SESSION_TABLE_NAME   jwe" in shown
    assert "production: no variables" in shown
    assert operator.json("env")["environments"] == {
        "testing": {"HERE": "********"},
        "staging": {"SESSION_TABLE_NAME": "jwe"},
        "production": {},
    }


def test_control_characters_are_escaped(operator: Operator) -> None:
    """Also with --show."""
    operator.does("env", "staging", "GREETING", "a\x1b[31mred\nline")
    assert '"a\\u001b[31mred\\nline"' in operator.does("env", "staging", "--show")


def test_a_failed_function_is_reported(operator: Operator, cloud: Engine, faulty: FaultyCloud, tmp_path: Path) -> None:
    """The exit code is 1, and the message says which functions have which variables and how to continue."""
    deploy(cloud, operator.name, "staging", ["GetIndex", "PostLogin"])
    operator.environ = faulty.environ(tmp_path)
    faulty.begin(on("lambda.UpdateFunctionConfiguration", "error", first=2, times=100))
    done = operator.arc("env", "staging", "GREETING", "hunter2hunter2")
    assert done.returncode == 1
    assert "1 of 2 functions in staging are out of sync:" in done.stderr
    assert "has old variables (GREETING): Updating the function" in done.stderr
    assert "To continue, run `arc env verify staging`." in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    faulty.begin(lambda _name, _number: None)
    assert "1 updated, 1 already in sync" in operator.does("env", "verify", "staging")


@pytest.mark.parametrize("missing", ["credentials", "region"])
def test_missing_aws_settings_are_reported(operator: Operator, missing: str) -> None:
    """Testing's variables are shown anyway."""
    if missing == "region":
        del operator.environ["AWS_REGION"]
    else:
        del operator.environ["AWS_ACCESS_KEY_ID"], operator.environ["AWS_SECRET_ACCESS_KEY"]
    (operator.folder / ".env").write_text("HERE=1\n")
    done = operator.arc("env")
    assert done.returncode == 1
    assert "HERE" in done.stdout
    assert ("No AWS region is set." if missing == "region" else "Sign in (aws sso login") in done.stderr
    assert "Traceback" not in done.stderr
    assert operator.arc("env", "staging", "KEY", "1").returncode == 1


def test_a_missing_manifest_is_reported(operator: Operator, tmp_path: Path) -> None:
    """The message names the files that were looked for."""
    operator.folder = tmp_path / "empty"
    operator.folder.mkdir()
    done = operator.arc("env")
    assert done.returncode == 1
    assert "app.arc" in done.stderr


def test_verify_in_json_reports_each_function(operator: Operator, cloud: Engine) -> None:
    """The missing, different and surplus variables, and that the function is in sync afterwards."""
    functions = deploy(cloud, operator.name, "staging", ["GetIndex"], variables={"SURPLUS": "1", "GREETING": "old"})
    cloud.client("ssm").put_parameter(Name=f"/{operator.name}/staging/GREETING", Value="new", Type="SecureString")
    cloud.client("ssm").put_parameter(Name=f"/{operator.name}/staging/MISSING", Value="1", Type="SecureString")
    checked = operator.arc("env", "verify", "staging", "--check", "--json")
    assert checked.returncode == 1
    expected = {"missing": ["MISSING"], "differs": ["GREETING"], "surplus": ["SURPLUS"]}
    name = functions.functions["GetIndex"]
    (report,) = json.loads(checked.stdout)["environments"]["staging"]["functions"].items()
    assert report == (name, {**expected, "in_step": False, "kept": ["SURPLUS"]})
    synced = operator.json("env", "verify", "staging")["environments"]["staging"]["functions"][name]
    assert synced == {**expected, "in_step": True, "kept": ["SURPLUS"]}
    pruned = operator.json("env", "verify", "staging", "--prune")["environments"]["staging"]["functions"][name]
    assert pruned == {"missing": [], "differs": [], "surplus": ["SURPLUS"], "in_step": True}


def test_a_region_without_functions_is_named(operator: Operator, cloud: Engine) -> None:
    """Whether the shell or the manifest sets it, because the app may be deployed to another region."""
    functions = deploy(cloud, operator.name, "staging", ["GetIndex"])
    none = "No functions are deployed to staging in {} yet."
    later = " They will get these variables when they are."
    other = " If the app is deployed to another region, set it below @aws in the manifest or in AWS_REGION."
    operator.environ["AWS_REGION"] = "eu-west-1"
    said = f"{none.format('eu-west-1')}{later}{other}\n"
    assert operator.does("env", "staging", "KEY", "1") == f"KEY is set in staging.\n{said}"
    assert operator.does("env", "verify", "staging") == said
    manifest = operator.folder / "app.arc"
    manifest.write_text(f"{manifest.read_text(encoding='utf-8')}\n@aws\nregion eu-north-1\n", encoding="utf-8")
    assert operator.does("env", "verify", "staging", "--check") == f"{none.format('eu-north-1')}{other}\n"
    assert operator.json("env", "verify", "staging")["environments"]["staging"]["region"] == "eu-north-1"
    assert operator.json("env", "staging", "KEY", "1")["region"] == "eu-north-1"
    assert "KEY" not in functions.variables("GetIndex")


def test_functions_that_opt_out_are_listed(operator: Operator, cloud: Engine) -> None:
    """The message does not say that no functions are deployed."""
    deploy(cloud, operator.name, "staging", ["GetIndex"])
    config = operator.folder / "src" / "http" / "get-index" / "config.arc"
    config.parent.mkdir(parents=True)
    config.write_text("@arc\nenv false\n", encoding="utf-8")
    left_alone = f"Left alone, because their config.arc says env false: {operator.name}-staging-GetIndex.\n"
    assert operator.does("env", "staging", "KEY", "1") == f"KEY is set in staging.\n{left_alone}"
    assert operator.does("env", "verify", "staging") == left_alone
    assert operator.does("env", "verify", "staging", "--check") == left_alone


def test_testing_needs_no_aws(operator: Operator) -> None:
    """Its variables are written to `.env`, and the sandbox reads them."""
    operator.environ = {name: value for name, value in operator.environ.items() if not name.startswith("AWS_")}
    assert operator.does("env", "testing", "GREETING", "hello # there") == (
        "GREETING is set in testing, in .env.\nA running sandbox applies this at the next request.\n"
    )
    assert (operator.folder / ".env").read_text() == "GREETING='hello # there'\n"
    (operator.folder / "more.env").write_text("ONE_1=1\nTWO_2=2\n")
    assert operator.json("env", "testing", "--from-file", "more.env") == {
        "environment": "testing",
        "set": ["ONE_1", "TWO_2"],
        "removed": [],
        "file": ".env",
    }
    assert "TWO_2 is removed from testing" in operator.does("env", "remove", "testing", "TWO_2")
    shown = operator.json("env", "testing", "--show")["environments"]["testing"]
    assert shown == {"GREETING": "hello # there", "ONE_1": "1"}


def test_testing_refuses_an_unknown_table(operator: Operator) -> None:
    """The manifest declares the tables of testing; `--force` accepts any name."""
    done = operator.arc("env", "testing", "SESSION_TABLE_NAME", "nope")
    assert done.returncode == 1
    assert "app.arc does not declare the session table 'nope'. Write:" in done.stderr
    assert not (operator.folder / ".env").exists()
    for words in (["session"], ["jwe"], [f"{operator.name}-testing-session"], ["nope", "--force"]):
        operator.does("env", "testing", "SESSION_TABLE_NAME", *words)
        assert (operator.folder / ".env").read_text() == f"SESSION_TABLE_NAME={words[0]}\n"


def test_testing_refuses_an_invalid_setting(operator: Operator) -> None:
    """The message names the setting that no function could read."""
    done = operator.arc("env", "testing", "ARC_SESSION_TTL", "a week")
    assert done.returncode == 1
    assert "Use whole seconds" in done.stderr
    assert not (operator.folder / ".env").exists()


def test_without_boto3_the_package_to_install_is_named(operator: Operator, tmp_path: Path) -> None:
    """Testing's variables are shown anyway."""
    (tmp_path / "without").mkdir()
    (tmp_path / "without/boto3.py").write_text("raise ModuleNotFoundError(\"No module named 'boto3'\", name='boto3')\n")
    operator.environ["PYTHONPATH"] = str(tmp_path / "without")
    (operator.folder / ".env").write_text("HERE=1\n")
    for words in (["env", "staging"], ["create"], ["secret", "rotate", "staging"], ["env"]):
        done = operator.arc(*words)
        assert done.returncode == 1
        assert "pip install 'arc-sessions[sandbox,aws]'" in done.stderr
        assert "Traceback" not in done.stderr
    assert "HERE" in done.stdout
