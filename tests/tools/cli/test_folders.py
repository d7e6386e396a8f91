"""Which app a command uses, and what it says where there is none."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.tools import warm
from tests.tools.sandbox.running import running

AWS = {"AWS_ACCESS_KEY_ID": "dummy", "AWS_SECRET_ACCESS_KEY": "dummy", "AWS_REGION": "us-east-1"}
MANIFEST = "@app\nmyapp\n\n@http\nget /\n"


def arc(*words: str, folder: Path, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run `arc` in `folder`, below a home folder."""
    environ = {"HOME": str(home or "/nowhere"), "PATH": os.environ["PATH"], **AWS}
    return warm.arc(words, folder, environ, "")


def app_in(folder: Path, *below: str) -> Path:
    """Write an app with a `.env`, and return a folder below it."""
    place = folder.joinpath(*below)
    place.mkdir(parents=True)
    (folder / "app.arc").write_text(MANIFEST)
    (folder / ".env").write_text("GREETING=hello\n")
    return place


@pytest.mark.parametrize("below", ["src", "src/http/get-index"])
def test_command_below_an_app_uses_it(tmp_path: Path, below: str) -> None:
    """Standard error says which one; a function's configuration in JSON is not a manifest."""
    folder = app_in(tmp_path / "app", below)
    (folder / "arc.json").write_text('{"aws": {"timeout": 30}}')
    done = arc("env", "testing", "--show", "--json", folder=folder)
    assert (done.returncode, done.stderr) == (0, f"The app is in {tmp_path / 'app'}.\n")
    assert '"GREETING": "hello"' in done.stdout
    assert arc("env", "testing", "NEW", "1", folder=folder).returncode == 0
    assert (tmp_path / "app/.env").read_text() == "GREETING=hello\nNEW=1\n"


def test_user_without_a_home_folder_has_apps_too(tmp_path: Path) -> None:
    """A container's user often has none; Python then expands `~` to itself."""
    folder = app_in(tmp_path / "app", "src")
    done = arc("env", "testing", folder=folder, home=Path("~"))
    assert (done.returncode, done.stderr) == (0, f"The app is in {tmp_path / 'app'}.\n")


def test_nearest_app_is_used(tmp_path: Path) -> None:
    """An app may contain another one."""
    app_in(tmp_path / "outer", "inner")
    folder = app_in(tmp_path / "outer/inner", "src")
    assert f"The app is in {tmp_path / 'outer/inner'}." in arc("env", "testing", folder=folder).stderr
    assert arc("env", "testing", folder=tmp_path / "outer").stderr == ""


def test_init_below_an_app_completes_it(tmp_path: Path) -> None:
    """A path, also `.`, names the folder of a new app."""
    folder = app_in(tmp_path / "app", "src")
    done = arc("init", folder=folder)
    assert "wrote  src/http/get-index/handler.py" in done.stdout
    assert (tmp_path / "app/src/http/get-index/handler.py").is_file()
    assert not (folder / "app.arc").exists()
    assert arc("init", ".", folder=folder).returncode == 0
    assert (folder / "app.arc").is_file()


@pytest.mark.parametrize("border", ["home", "link to home", "repository", "shared folder"])
def test_app_beyond_a_border_is_not_used(tmp_path: Path, border: str) -> None:
    """It is outside the home folder or the repository, or in a folder that every user can write to."""
    folder = app_in(tmp_path / "above", "border", "work")
    if border == "repository":
        (tmp_path / "above/border/.git").mkdir()
    if border == "shared folder":
        (tmp_path / "above").chmod(0o777)
    (tmp_path / "link").symlink_to("above")
    home = {"home": tmp_path / "above", "link to home": tmp_path / "link"}.get(border)
    done = arc("env", "testing", folder=folder, home=home)
    assert done.returncode == 1
    assert f"{folder} has no manifest" in done.stderr


def test_repository_itself_may_be_the_app(tmp_path: Path) -> None:
    """The search ends after it."""
    folder = app_in(tmp_path / "app", "src")
    (tmp_path / "app/.git").mkdir()
    assert arc("env", "testing", folder=folder).returncode == 0


def test_sandbox_below_an_app_serves_it(tmp_path: Path) -> None:
    """It says which one, and listens."""
    folder = app_in(tmp_path / "app", "src")
    code = "import sys; from arc.tools.cli import main; main(sys.argv[1:])"
    environ = {"HOME": "/nowhere", "PATH": os.environ["PATH"]}
    process = warm.Process.piped(code, ["sandbox", "--port", "0"], folder, environ)
    with process.stdin, process.stdout as output:
        lines = [output.readline().decode()]
        while lines[-1] and "listens on" not in lines[-1]:
            lines.append(output.readline().decode())
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
    assert f"The app is in {tmp_path / 'app'}.\n" in lines
    assert any(line.startswith("Open http://myapp.localhost:") for line in lines)


@pytest.mark.parametrize("words", [["sandbox"], ["env"], ["create"], ["init"], ["deploy"], ["sandbox", "."]])
def test_deleted_folder_is_explained(tmp_path: Path, words: list[str]) -> None:
    """The shell may still be in it."""
    program = (
        "import os, sys; os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone');"
        "from arc.tools.cli import main; main(sys.argv[1:])"
    )
    done = warm.python(program, words, tmp_path, dict(os.environ))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "The current folder has been deleted. Change to another one, and run the command again.\n"


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("nowhere", "nowhere does not exist. To create an app there, run: arc init nowhere\n"),
        ("no where", "no where does not exist. To create an app there, run: arc init 'no where'\n"),
        ("empty", "empty has no manifest (app.arc). To create an app there, run: arc init empty\n"),
        ("file", "file is a file. Name the folder of an app.\n"),
        ("my app/app.arc", "my app/app.arc is a file. Name the folder of the app: 'my app'\n"),
        ("my app/src", "my app/src has no manifest (app.arc). The app that it belongs to is in 'my app'.\n"),
    ],
)
def test_folder_without_an_app_is_explained(tmp_path: Path, word: str, says: str) -> None:
    """Paths in commands are quoted for the shell, and no command is advised that would be refused."""
    app_in(tmp_path / "my app", "src")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    done = arc("sandbox", word, folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", says)


@pytest.mark.parametrize("name", ["App.arc", "app.arc.txt", "arc.app", "app.ar", "architect.arc"])
def test_manifest_with_another_name_is_recognized(tmp_path: Path, name: str) -> None:
    """An editor may have added an extension."""
    (tmp_path / name).write_text(MANIFEST)
    done = arc("sandbox", folder=tmp_path)
    assert done.stderr == f"{tmp_path} has no manifest (app.arc). Rename {name} to app.arc.\n"


def test_app_in_a_folder_below_is_named(tmp_path: Path) -> None:
    """`arc init my-app` does not change to the folder."""
    app_in(tmp_path / "my app")
    for command in ("sandbox", "env"):
        done = arc(command, folder=tmp_path)
        assert done.stderr == f"{tmp_path} has no manifest (app.arc). Change to the app's folder: cd 'my app'\n"
    app_in(tmp_path / "other")
    assert arc("env", folder=tmp_path).stderr.endswith("Change to an app's folder: cd 'my app' or cd other\n")


def test_folder_that_cannot_be_written_is_not_advised(tmp_path: Path) -> None:
    """`arc init` would fail there."""
    code = (
        "import os; from pathlib import Path; from arc.inventory.places import missing_app\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "print(missing_app(Path('/usr'), home=None))"
    )
    done = warm.python(code, [], tmp_path.parents[-1], {"PATH": os.environ["PATH"]})
    assert done.stdout == "usr has no manifest (app.arc). Change to the folder of an app.\n"


def test_path_with_spaces_is_quoted_in_the_greeting(tmp_path: Path) -> None:
    """The command for a missing handler can be copied."""
    app_in(tmp_path / "my app")
    with running(tmp_path / "my app") as sandbox:
        assert f"(run arc init '{tmp_path / 'my app'}')" in sandbox.output


LOCAL = [
    (["deploy"], "Run `arc create staging --local`, or deploy with --create."),
    (["env", "production", "ARC_APP_SECRET", "changeme" * 5], "Run `arc secret rotate production --local` to get"),
    (["env", "production", "SESSION_TABLE_NAME", "myapp-staging-session"], "Choose a table of production."),
    (["open", "production"], "Run: arc deploy production --local\n"),
    (["env", "production", "SESSION_TABLE_NAME", "session"], "`arc create production --local`"),
]


@pytest.mark.parametrize(("words", "says"), LOCAL)
@pytest.mark.sampled(2)
def test_advice_repeats_the_local_option(tmp_path: Path, words: list[str], says: str) -> None:
    """Otherwise the advised command would use AWS."""
    app_in(tmp_path / "app")
    with (tmp_path / "app/app.arc").open("a") as manifest:
        manifest.write("\n@tables\nsession\n  _idx *String\n  _ttl TTL\n")
    arc("init", folder=tmp_path / "app")
    done = arc(*words, "--local", folder=tmp_path / "app")
    assert done.returncode == 1
    assert says in done.stderr
