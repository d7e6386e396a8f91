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
    """Run `arc` with these arguments in `folder`, without a terminal."""
    return warm.arc(arguments, folder, {"HOME": str(folder), "PATH": os.environ["PATH"], **AWS}, "")


def listing(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file below `folder`, by its path."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_init_writes_an_app_that_works(tmp_path: Path) -> None:
    """It writes four files, and the sandbox serves a session that counts."""
    done = arc("init", "hello", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        *("wrote  app.arc", "wrote  src/http/get-index/handler.py", "wrote  requirements.txt", "wrote  .gitignore"),
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


def test_init_has_name_and_runtime_options(tmp_path: Path) -> None:
    """An existing app keeps its name, and a warning says so."""
    done = arc("init", "hello", "--name", "greeter", "--runtime", "python3.12", "--no-install", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "hello/app.arc").read_text() == ("@app\ngreeter\n\n@http\nget /\n\n@aws\nruntime python3.12\n")
    done = arc("init", "hello", "-n", "other", "-r", "python", folder=tmp_path)
    assert done.returncode == 0
    assert done.stderr == "Warning: --name was ignored. The manifest already has the name greeter.\n"


def test_init_twice_changes_nothing(tmp_path: Path) -> None:
    """A second run keeps every byte and says so."""
    arc("init", "hello", folder=tmp_path)
    before = listing(tmp_path)
    done = arc("init", "hello", folder=tmp_path)
    assert done.returncode == 0
    assert "Nothing was changed." in done.stdout
    assert listing(tmp_path) == before


def test_init_adds_missing_files(tmp_path: Path) -> None:
    """Every new route gets a handler, and existing files remain."""
    (tmp_path / "app.arc").write_text("@app\ngrown\n\n@http\nget /\npost /form\nget /old\n")
    (tmp_path / "src/http/get-old").mkdir(parents=True)
    (tmp_path / "src/http/get-old/lambda.py").write_text("mine")
    (tmp_path / ".gitignore").write_text("mine too")
    done = arc("init", folder=tmp_path)
    assert done.returncode == 0
    assert [line for line in done.stdout.splitlines() if line.startswith("wrote")] == [
        *("wrote  src/http/get-index/handler.py", "wrote  src/http/post-form/handler.py", "wrote  requirements.txt"),
    ]
    assert (tmp_path / "src/http/get-old/lambda.py").read_text() == "mine"
    assert not (tmp_path / "src/http/get-old/handler.py").exists()
    assert (tmp_path / ".gitignore").read_text() == "mine too"


def test_init_does_not_overwrite_a_file(tmp_path: Path) -> None:
    """The path of a file is an error, and the file remains."""
    (tmp_path / "hello").write_text("mine")
    done = arc("init", "hello", folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "hello is a file" in done.stderr
    assert (tmp_path / "hello").read_text() == "mine"


def test_init_refuses_a_manifest_that_is_not_a_file(tmp_path: Path) -> None:
    """Neither a folder nor a dangling link is replaced or written through."""
    (tmp_path / "a/app.arc").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "b/app.arc").symlink_to(tmp_path / "elsewhere")
    for folder in ("a", "b"):
        done = arc("init", folder, folder=tmp_path)
        assert (done.returncode, done.stdout) == (1, "")
        assert "app.arc is not a file. Move it away" in done.stderr
    assert listing(tmp_path) == {}


def test_init_writes_no_handler_beside_another_language(tmp_path: Path) -> None:
    """A route with a Node handler gets no Python one."""
    (tmp_path / "app.arc").write_text("@app\ngrown\n\n@http\nget /\n")
    (tmp_path / "src/http/get-index").mkdir(parents=True)
    (tmp_path / "src/http/get-index/index.mjs").write_text("mine")
    done = arc("init", folder=tmp_path)
    assert done.returncode == 0
    assert "The sandbox runs Python only and does not serve get / (index.mjs)." in done.stderr
    assert arc("init", folder=tmp_path).stdout.splitlines()[0] == "Nothing was changed."
    assert not (tmp_path / "src/http/get-index/handler.py").exists()


def test_init_writes_the_handler_of_several_routes_once(tmp_path: Path) -> None:
    """Routes with the same folder share one function."""
    routes = "".join(f"{path}\n  method get\n  src .\n" for path in ("/a", "/b"))
    (tmp_path / "app.arc").write_text(f"@app\ngrown\n\n@http\n{routes}")
    assert arc("init", folder=tmp_path).stdout.count("wrote  handler.py\n") == 1


@pytest.mark.parametrize("command", ["sandbox", "init"])
def test_impossible_path_is_an_error(command: str, tmp_path: Path) -> None:
    """The system's error is shown without a traceback."""
    done = arc(command, "x" * 300, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["sandbox", "init"])
def test_five_faults_are_five_messages(command: str, tmp_path: Path) -> None:
    """Each has its line and a caret, on standard error, and the exit code is 1."""
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
        (["sandbox", "missing"], 1, "missing does not exist. To create an app there, run: arc init missing"),
        (["sandbox", "."], 1, "arc init"),
        (["frobnicate"], 2, "frobnicate"),
        (["package"], 2, "`arc package` is not needed: `arc deploy --dry-run` shows what would be packaged"),
        (["hydrate"], 2, "`arc hydrate` is not needed: the sandbox imports src/shared"),
        (["sandbox", "--port", "many"], 2, "--port"),
        (["sandbox", "--port", "70000"], 2, "65535"),
        (["sandbox", "--env", "NO_SUCH"], 2, "NO_SUCH is not set in this shell"),
        (["sandbox", "--env", "PATH=hidden"], 2, "takes the name of a variable"),
        (["sandbox", "--host", "http://a.test"], 2, "'http://a.test' is neither"),
        (["sandbox", "--host", "localhost", "--host", "a.test:80"], 2, "'a.test:80' is neither"),
        (["init", "--frob"], 2, "--frob"),
        (["start"], 2, "No such command 'start'. To run the app on this machine: arc sandbox"),
        (["test"], 2, "No such command 'test'. To run the app's tests: pytest"),
        (["new", "shop"], 2, "No such command 'new'. To write an app: arc init"),
        (["env", "PRODUCTION"], 2, "Unknown environment 'PRODUCTION'. Did you mean 'production'?"),
        (["deploy", "testing"], 2, "testing is not deployed: `arc sandbox` runs it on this machine. Choose staging or"),
        (["init", "--name", "My App"], 2, "'My App' is not a valid app name."),
        (["init", "--runtime", "nodejs22.x"], 2, "Choose python, python3.11, python3.12"),
        (["help", "frobnicate"], 2, "frobnicate"),
        (["init", "a", "b"], 2, "b"),
    ],
)
def test_wrong_usage_is_an_error(arguments: list[str], code: int, says: str, tmp_path: Path) -> None:
    """The exit code is 2 for wrong usage, otherwise 1."""
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
    """Help and version are printed to standard output, with exit code 0."""
    done = arc(*arguments, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: arc" in done.stdout or done.stdout.startswith("arc 0.")


def test_architect_functions_causes_a_warning(tmp_path: Path) -> None:
    """The warning has the two commands that fix it, and the command continues."""
    metadata = tmp_path / "packages/architect_functions-1.0.0.dist-info/METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text("Metadata-Version: 2.1\nName: architect-functions\nVersion: 1.0.0\n")
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path / "packages"), **AWS}
    command = [sys.executable, "-m", "arc", "--version"]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("arc 0.")
    assert "pip uninstall --yes architect-functions arc-sessions" in done.stderr
    assert "pip install 'arc-sessions[sandbox]'" in done.stderr


def test_sandbox_accepts_options_and_variables_of_architect(tmp_path: Path) -> None:
    """A quiet sandbox prints only its address, a verbose one each request."""
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
            assert re.search(r"  GET     / +200 +\d+ ms  session new$", process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_ctrl_c_ends_the_sandbox_cleanly(number: signal.Signals, code: int, tmp_path: Path) -> None:
    """SIGINT ends it with 130 and SIGTERM with 0, both without output."""
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
