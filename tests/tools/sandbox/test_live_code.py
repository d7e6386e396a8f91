"""Saved changes are live at the next request, and fail no request."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Self

import pytest

from tests.tools.sandbox.apps import COUNT, folder_of, says, write_app, write_handler, write_manifest
from tests.tools.sandbox.running import Sandbox, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SAVES = 20
CLIENTS = 8


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An app whose index returns `0`."""
    return write_app(tmp_path / "app", {"get /": says("0")})


@pytest.fixture
def sandbox(app: Path) -> Iterator[Sandbox]:
    """The app in a sandbox."""
    with running(app) as sandbox:
        yield sandbox


class Load:
    """Clients that load a page until the block ends; `answers` lists `(time, status, text)`."""

    def __init__(self, sandbox: Sandbox, path: str = "/") -> None:
        self.answers: list[tuple[float, int, str]] = []
        self._sandbox, self._path, self._stop = sandbox, path, threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(CLIENTS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                answer = self._sandbox.get(self._path)
                self.answers.append((time.monotonic(), answer.status, answer.text))
            except OSError as error:
                self.answers.append((time.monotonic(), 0, repr(error)))


def save_in_one(file: Path, code: str) -> None:
    """Save like `open(…).write(…)`, which leaves the file empty for a moment."""
    file.write_text(code, encoding="utf-8")


def save_by_rename(file: Path, code: str) -> None:
    """Save like careful editors, which rename a new file to the old one's name."""
    other = file.with_name(".saving")
    other.write_text(code, encoding="utf-8")
    other.replace(file)


def save_slowly(file: Path, code: str) -> None:
    """Save in two halves, between which the file is a syntax error."""
    with file.open("w", encoding="utf-8") as stream:
        half = code.index("{") + 5
        stream.write(code[:half])
        stream.flush()
        time.sleep(0.02)
        stream.write(code[half:])


@pytest.mark.parametrize("save", [save_in_one, save_by_rename, save_slowly])
@pytest.mark.sampled(1)
def test_saving_under_load_fails_no_request(app: Path, sandbox: Sandbox, save: Callable[[Path, str], None]) -> None:
    """Eight clients load a route while it is saved twenty times: all requests succeed, and the last code remains."""
    file = folder_of(app, "get /") / "handler.py"
    sandbox.get("/")
    with Load(sandbox) as load:
        for number in range(1, SAVES + 1):
            save(file, says(str(number)))
            time.sleep(0.05)
        saved = time.monotonic()
        newest = sandbox.get("/").text
        took = time.monotonic() - saved
        time.sleep(0.2)
    failed = [answer for answer in load.answers if answer[1] != 200]
    print(f"{save.__name__}: {len(load.answers)} answers, {len(failed)} failed, newest code after {took:.3f} s")
    assert not failed
    assert newest == str(SAVES)
    assert load.answers[-1][2] == str(SAVES)


def test_every_save_is_live_at_the_next_request(app: Path, sandbox: Sandbox) -> None:
    """This includes saves of the same size within one second, because no bytecode is cached."""
    texts = []
    for number in range(10, 20):
        write_handler(app, "get /", says(str(number)))
        texts.append(sandbox.get("/").text)
    assert texts == [str(number) for number in range(10, 20)]


def test_module_state_is_kept_until_the_code_changes(app: Path, sandbox: Sandbox) -> None:
    """A worker stays warm between requests."""
    write_handler(app, "get /", COUNT)
    assert [sandbox.get("/").text for _ in range(3)] == ["1", "2", "3"]
    write_handler(app, "get /", COUNT + "\n")
    assert sandbox.get("/").text == "1"


def test_running_event_finishes_on_the_old_code(app: Path, sandbox: Sandbox) -> None:
    """A new worker answers the next request."""
    write_handler(app, "get /", "import time\nprint('begun', flush=True)\n" + SLEEPY)
    old: list[str] = []
    visitor = threading.Thread(target=lambda: old.append(sandbox.get("/").text))
    visitor.start()
    sandbox.wait_for("sleeping")
    write_handler(app, "get /", says("new"))
    assert sandbox.get("/").text == "new"
    visitor.join()
    assert old == ["old"]


SLEEPY = """
def handler(event, context):
    print("sleeping", flush=True)
    time.sleep(1)
    return {"statusCode": 200, "body": "old"}
"""


def test_new_route_is_live_once_the_manifest_is_saved(app: Path, sandbox: Sandbox) -> None:
    """Before that, and after it is removed from the manifest, the status is 404."""
    write_handler(app, "get /new", says("new"))
    assert sandbox.get("/new").status == 404
    write_manifest(app, "get /", "get /new")
    assert sandbox.get("/new").text == "new"
    write_manifest(app, "get /")
    assert sandbox.get("/new").status == 404


def test_handler_file_can_be_created_while_the_sandbox_runs(app: Path, sandbox: Sandbox) -> None:
    """Until then, the page says which file to create."""
    write_manifest(app, "get /", "get /later")
    page = sandbox.get("/later", accept="text/html")
    assert page.status == 500
    assert "Create src/http/get-later/handler.py" in page.text
    assert "arc init" in page.text
    write_handler(app, "get /later", says("here"))
    assert sandbox.get("/later").text == "here"


def test_invalid_manifest_is_reported_once_and_changes_nothing(app: Path, sandbox: Sandbox) -> None:
    """The routes remain until it is fixed."""
    good = (app / "app.arc").read_text()
    (app / "app.arc").write_text(good + "get\n")
    assert [sandbox.get("/").status for _ in range(3)] == [200, 200, 200]
    sandbox.wait_for("remain unchanged")
    (app / "app.arc").write_text(good + "get /new\n")
    write_handler(app, "get /new", says("new"))
    assert sandbox.get("/new").text == "new"
    assert sandbox.output.count("remain unchanged") == 1


# In a process of its own: beside eight busy threads the halves may lie far apart.
SAVE_IN_HALVES = """
import sys, time
file, text, saves = sys.argv[1], sys.argv[2], int(sys.argv[3])
for _ in range(saves):
    with open(file, "w") as stream:
        for half in (text[: len(text) // 2], text[len(text) // 2 :]):
            stream.write(half)
            stream.flush()
    time.sleep(0.02)
"""


def test_saving_the_manifest_under_load_fails_no_request(app: Path, sandbox: Sandbox) -> None:
    """A half-written manifest loses no route and prints no error."""
    write_handler(app, "get /last", says("last"))
    text = "@app\ntestapp\n\n@http\n" + "".join(f"get /{name}\n" for name in ("", "one", "two", "last"))
    (app / "app.arc").write_text(text)
    assert sandbox.get("/last").text == "last"
    saving = [sys.executable, "-c", SAVE_IN_HALVES, str(app / "app.arc"), text, str(SAVES)]
    with Load(sandbox, "/last") as load:
        subprocess.run(saving, check=True)
    assert load.answers
    assert [answer for answer in load.answers if answer[1] != 200] == []
    assert "remain unchanged" not in sandbox.output


def test_lasting_syntax_error_is_shown(app: Path, sandbox: Sandbox) -> None:
    """The page and the terminal show its place."""
    sandbox.get("/")
    write_handler(app, "get /", "def handler(event, context)\n    return 1\n")
    page = sandbox.get("/", accept="text/html")
    assert page.status == 500
    assert "SyntaxError" in page.text
    assert "handler.py" in page.text
    sandbox.wait_for(r"get / \| SyntaxError")
    assert sandbox.output.count("SyntaxError") == 1
    write_handler(app, "get /", says("fixed"))
    assert sandbox.get("/").text == "fixed"


def test_changes_of_shared_code_configuration_and_variables_are_live(app: Path) -> None:
    """These are src/shared, config.arc and .env."""
    write_handler(
        app,
        "get /",
        """
        import os
        from vendor.shared.words import WORD

        def handler(event, context):
            left = round(context.get_remaining_time_in_millis() / 1000)
            return {"statusCode": 200, "body": f"{WORD} {os.environ.get('COLOUR')} {left}"}
        """,
    )
    shared = app / "src" / "shared"
    shared.mkdir(parents=True)
    (shared / "words.py").write_text("WORD = 'one'\n")
    with running(app) as sandbox:
        assert sandbox.get("/").text == "one None 5"
        (shared / "words.py").write_text("WORD = 'two'\n")
        assert sandbox.get("/").text == "two None 5"
        (app / ".env").write_text("COLOUR=red\n")
        assert sandbox.get("/").text == "two red 5"
        (folder_of(app, "get /") / "config.arc").write_text("@aws\ntimeout 9\n")
        assert sandbox.get("/").text == "two red 9"


def test_sandbox_writes_nothing_to_the_app(app: Path, sandbox: Sandbox) -> None:
    """Neither bytecode nor vendored code appears in the app."""
    write_handler(app, "get /", "import beside\n" + says("x"))
    (folder_of(app, "get /") / "beside.py").write_text("")
    assert sandbox.get("/").status == 200
    found = sorted(name for _, folders, files in os.walk(app) for name in folders + files)
    assert found == ["app.arc", "beside.py", "get-index", "handler.py", "http", "src"]


@pytest.mark.parametrize(
    ("name", "good", "faulty"),
    [
        (".env", "A_B=1\n", "A_B=1\nnot a line\n"),
        ("src/http/get-index/config.arc", "@aws\ntimeout 3\n", "@aws\ntimeout none\n"),
        ("app.arc", "@app\ntestapp\n\n@http\nget /\n", "@app\ntestapp\n\n@http\nget\n"),
    ],
)
def test_fixed_file_is_named(name: str, good: str, faulty: str, tmp_path: Path) -> None:
    """Any of the app's files may have had the error."""
    write_app(tmp_path, {"get /": says("x")}, {name: good})
    with running(tmp_path) as sandbox:
        (tmp_path / name).write_text(faulty)
        sandbox.get("/")
        sandbox.wait_for("remain unchanged")
        (tmp_path / name).write_text(good)
        sandbox.get("/")
        sandbox.wait_for(rf"(?m)^{re.escape(name)} is valid again\.")
