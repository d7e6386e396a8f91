"""The `arc` command, run as a user runs it."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools import warm
from tests.tools.sandbox.running import running

AWS = {"AWS_ACCESS_KEY_ID": "dummy", "AWS_SECRET_ACCESS_KEY": "dummy", "AWS_REGION": "us-east-1"}


def arc(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What `arc` with these arguments does in `folder`, without a terminal."""
    return warm.arc(arguments, folder, {"HOME": str(folder), "PATH": os.environ["PATH"], **AWS}, "")


def listing(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` with its bytes."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_init_writes_an_app_that_works(tmp_path: Path) -> None:
    """The four files are there, and the sandbox serves a session that counts."""
    done = arc("init", "hello", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        *("made  app.arc", "made  src/http/get-index/handler.py", "made  requirements.txt", "made  .gitignore"),
        *("", "Next: arc sandbox hello"),
    ]
    requirements = (tmp_path / "hello/requirements.txt").read_text()
    assert all(line.startswith("#") for line in requirements.splitlines())
    assert ".env" in (tmp_path / "hello/.gitignore").read_text().splitlines()
    with running(tmp_path / "hello") as sandbox:
        first = sandbox.get("/")
        assert "Visits: 1" in first.text
        (cookie,) = first.all("set-cookie")
        again = sandbox.request("GET", "/", headers={"Cookie": cookie.partition(";")[0]})
        assert "Visits: 2" in again.text


def test_init_takes_a_name_and_a_version_of_python(tmp_path: Path) -> None:
    """As Architect's users type them; an app that exists keeps its own, and a warning says so."""
    done = arc("init", "hello", "--name", "greeter", "--runtime", "python3.12", "--no-install", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "hello/app.arc").read_text() == ("@app\ngreeter\n\n@http\nget /\n\n@aws\nruntime python3.12\n")
    done = arc("init", "hello", "-n", "other", "-r", "python", folder=tmp_path)
    assert done.returncode == 0
    assert done.stderr == "Warning: the app has a manifest, and keeps its name greeter.\n"


def test_init_twice_changes_nothing(tmp_path: Path) -> None:
    """A second run leaves every byte alone and says so."""
    arc("init", "hello", folder=tmp_path)
    before = listing(tmp_path)
    done = arc("init", "hello", folder=tmp_path)
    assert done.returncode == 0
    assert "nothing was changed" in done.stdout
    assert listing(tmp_path) == before


def test_init_fills_in_what_a_grown_manifest_lacks(tmp_path: Path) -> None:
    """A handler for every new route, and nothing that exists is touched, whatever is in it."""
    (tmp_path / "app.arc").write_text("@app\ngrown\n\n@http\nget /\npost /form\nget /old\n")
    (tmp_path / "src/http/get-old").mkdir(parents=True)
    (tmp_path / "src/http/get-old/lambda.py").write_text("mine")
    (tmp_path / ".gitignore").write_text("mine too")
    done = arc("init", folder=tmp_path)
    assert done.returncode == 0
    assert [line for line in done.stdout.splitlines() if line.startswith("made")] == [
        *("made  src/http/get-index/handler.py", "made  src/http/post-form/handler.py", "made  requirements.txt"),
    ]
    assert (tmp_path / "src/http/get-old/lambda.py").read_text() == "mine"
    assert not (tmp_path / "src/http/get-old/handler.py").exists()
    assert (tmp_path / ".gitignore").read_text() == "mine too"


@pytest.mark.parametrize(
    ("folder", "name"), [("Über uns!", "uber-uns"), ("123", "my-app"), ("a", "my-app"), ("Shop", "shop")]
)
def test_init_makes_a_valid_name_of_any_folder(folder: str, name: str, tmp_path: Path) -> None:
    """Whatever the folder is called, the manifest is one that parses."""
    assert arc("init", folder, folder=tmp_path).returncode == 0
    assert (tmp_path / folder / "app.arc").read_text().startswith(f"@app\n{name}\n")


def test_init_does_not_write_over_a_file_in_the_way(tmp_path: Path) -> None:
    """A file where a folder is needed is named, and stays."""
    (tmp_path / "hello").write_text("mine")
    done = arc("init", "hello", folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "hello is a file" in done.stderr
    assert (tmp_path / "hello").read_text() == "mine"


def test_init_names_what_is_no_file(tmp_path: Path) -> None:
    """A folder or a dangling link of the manifest's name is in the way; nothing is written through it."""
    (tmp_path / "a/app.arc").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "b/app.arc").symlink_to(tmp_path / "elsewhere")
    for folder in ("a", "b"):
        done = arc("init", folder, folder=tmp_path)
        assert (done.returncode, done.stdout) == (1, "")
        assert "app.arc is in the way: a file is needed there" in done.stderr
    assert listing(tmp_path) == {}


def test_init_leaves_functions_in_other_languages_alone(tmp_path: Path) -> None:
    """A route with a Node handler gets no Python one, and the command says so, not that nothing is missing."""
    (tmp_path / "app.arc").write_text("@app\ngrown\n\n@http\nget /\n")
    (tmp_path / "src/http/get-index").mkdir(parents=True)
    (tmp_path / "src/http/get-index/index.mjs").write_text("mine")
    done = arc("init", folder=tmp_path)
    assert done.returncode == 0
    assert "Not Python, so not served by the sandbox: get / (index.mjs)." in done.stderr
    assert arc("init", folder=tmp_path).stdout.splitlines()[0] == "Nothing was changed."
    assert not (tmp_path / "src/http/get-index/handler.py").exists()


def test_init_writes_the_handler_of_several_routes_once(tmp_path: Path) -> None:
    """Routes that name one folder are one function."""
    routes = "".join(f"{path}\n  method get\n  src .\n" for path in ("/a", "/b"))
    (tmp_path / "app.arc").write_text(f"@app\ngrown\n\n@http\n{routes}")
    assert arc("init", folder=tmp_path).stdout.count("made  handler.py\n") == 1


@pytest.mark.parametrize("command", ["sandbox", "init"])
def test_a_path_that_cannot_be_is_a_sentence(command: str, tmp_path: Path) -> None:
    """The system's refusal of a name is told without a traceback."""
    done = arc(command, "x" * 300, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["sandbox", "init"])
def test_five_faults_are_five_messages(command: str, tmp_path: Path) -> None:
    """Each with its line and a caret under the place, on standard error, exit code 1."""
    (tmp_path / "app.arc").write_text("@app\nMy App\n\n@http\nget users\nfetch /x\nget /ok\n get /y\n@http\nget /z\n")
    done = arc(command, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    *messages, count = done.stderr.strip().split("\n\n")
    assert count == "5 faults."
    assert [message.split(":")[1] for message in messages] == ["2", "5", "6", "8", "9"]
    for message in messages:
        _, source, caret, hint = message.splitlines()
        column = int(message.split(":")[2])
        assert caret.index("^") == column + 1
        assert source.strip()
        assert hint.strip()
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["sandbox", "missing"], 1, "missing is not there. Give the folder of an app, or make one: arc init"),
        (["sandbox", "."], 1, "arc init"),
        (["frobnicate"], 2, "frobnicate"),
        (["deploy", "production"], 2, "`arc deploy` is not available yet. Where Architect is installed, run"),
        (["logs"], 2, "run its own command: npx arc logs"),
        (["hydrate"], 2, "`arc hydrate` is not needed: the sandbox imports src/shared"),
        (["sandbox", "--port", "many"], 2, "--port"),
        (["sandbox", "--port", "70000"], 2, "65535"),
        (["sandbox", "--env", "NO_SUCH"], 2, "NO_SUCH is not set in this shell"),
        (["sandbox", "--env", "PATH=hidden"], 2, "takes the name of a variable"),
        (["sandbox", "--host", "http://a.test"], 2, "'http://a.test' is neither"),
        (["sandbox", "--host", "localhost", "--host", "a.test:80"], 2, "'a.test:80' is neither"),
        (["init", "--frob"], 2, "--frob"),
        (["init", "--name", "My App"], 2, "'My App' cannot be the name of an app."),
        (["init", "--runtime", "nodejs22.x"], 2, "Choose python, python3.11, python3.12"),
        (["help", "frobnicate"], 2, "frobnicate"),
        (["init", "a", "b"], 2, "b"),
    ],
)
def test_wrong_use_is_a_sentence(arguments: list[str], code: int, says: str, tmp_path: Path) -> None:
    """What is wrong is named, with exit code 1, or 2 for words the command does not know."""
    done = arc(*arguments, folder=tmp_path)
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["-h"],
        ["init", "--help"],
        ["sandbox", "--help"],
        ["--version"],
        ["version"],
        ["help"],
        ["help", "env"],
        ["help", "secret", "rotate"],
    ],
)
def test_everything_has_help(arguments: list[str], tmp_path: Path) -> None:
    """Help and version go to standard output with exit code 0."""
    done = arc(*arguments, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: arc" in done.stdout or done.stdout.startswith("arc 0.")


def test_a_package_of_the_same_name_is_told(tmp_path: Path) -> None:
    """Beside architect-functions the command warns, with the two commands that mend it, and goes on."""
    metadata = tmp_path / "packages/architect_functions-1.0.0.dist-info/METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text("Metadata-Version: 2.1\nName: architect-functions\nVersion: 1.0.0\n")
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path / "packages"), **AWS}
    command = [sys.executable, "-m", "arc", "--version"]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("arc 0.")
    assert "pip uninstall --yes architect-functions arc-sessions" in done.stderr
    assert "pip install 'arc-sessions[sandbox]'" in done.stderr


def test_the_sandbox_takes_architects_flags_and_variables(tmp_path: Path) -> None:
    """A quiet sandbox prints its address alone, a verbose one each request; flags about copies change nothing."""
    arc("init", "hello", folder=tmp_path)
    needless = ["--no-hydrate", "--disable-symlinks", "--disable-delete-vendor"]
    command = [sys.executable, "-m", "arc", "sandbox", "hello", "-p", "0", "-q", "-v", *needless]
    environ = {"PATH": os.environ["PATH"], "ARC_HOST": "127.0.0.1", **AWS}
    with subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            found = re.match(r"hello listens on http://127\.0\.0\.1:(\d+), in a browser", line)
            assert found, line
            connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=60)
            connection.request("GET", "/")
            assert connection.getresponse().status == 200
            connection.close()
            assert re.match(r"get / \| 200 in \d+ ms", process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_ctrl_c_ends_the_sandbox_cleanly(number: signal.Signals, code: int, tmp_path: Path) -> None:
    """An interrupt ends with 130, as shells expect, a request to end with 0, and neither with a word."""
    arc("init", "hello", folder=tmp_path)
    command = [sys.executable, "-m", "arc", "sandbox", "hello", "--port", "0"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], **AWS},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "listens on" in line:
                break
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (code, "", "")
