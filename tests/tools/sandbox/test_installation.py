"""Packages that functions need: what the sandbox says about missing ones, and `arc sandbox --install`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.tools.sandbox.apps import says, write_app
from tests.tools.sandbox.environments import Environment, write_wheel
from tests.tools.sandbox.running import PATIENCE, ROOT, Sandbox, running, surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator

IMPORTS = """
import {0}

def handler(event, context):
    return {{"statusCode": 200, "body": {0}.NAME}}
"""
BROWSER = "text/html"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """A virtual environment; pip finds packages only in a folder beside it."""
    folder = tmp_path_factory.mktemp("environment")
    write_wheel(folder / "wheels", "ofapp")
    write_wheel(folder / "wheels", "offunction")
    return Environment(folder / "venv")


def shell(environment: Environment) -> dict[str, str]:
    """Return the variables of a shell in which pip uses no network."""
    wheels = str(environment.folder.parent / "wheels")
    return surroundings({"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels, "PIP_CACHE_DIR": wheels})


def sandbox_command(
    environment: Environment, app: Path, *words: str, **options: str
) -> subprocess.CompletedProcess[str]:
    """Run `arc sandbox`, which fails, in the environment."""
    return subprocess.run(
        [environment.python, "-m", "arc", "sandbox", *words],
        cwd=app,
        env=shell(environment) | options,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An app whose functions need two packages that are not installed."""
    files = {"requirements.txt": "ofapp>=1  # why\n", "src/http/get-own/requirements.txt": "offunction\n"}
    handlers = {"get /": IMPORTS.format("ofapp"), "get /own": IMPORTS.format("offunction"), "get /fine": says("fine")}
    return write_app(tmp_path / "my app", handlers, files)


def test_missing_packages_are_listed_at_the_start_and_installed(app: Path, environment: Environment) -> None:
    """The function works after the installation, without a restart of the sandbox."""
    with running(app, python=(environment.python,)) as sandbox:
        sandbox.wait_for("src/http/get-own/requirements.txt: offunction\n")
        command = f"arc sandbox '{app}' --install"
        assert f"Warning: Packages are missing. Run: {command}\n  requirements.txt: ofapp>=1\n" in sandbox.output
        answer = sandbox.get("/", accept=BROWSER)
        assert answer.status == 500
        assert "requirements.txt names ofapp, which is not installed. Run: arc sandbox" in answer.text
        assert sandbox.get("/fine").text == "fine"
        done = subprocess.Popen(
            [environment.python, "-m", "arc", "sandbox", "--install", "--port", "0"],
            cwd=app,
            env=shell(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        second = Sandbox(done)
        second.listens()
        assert (
            f"Installing requirements.txt, src/http/get-own/requirements.txt into {environment.folder}" in second.output
        )
        assert "Successfully installed ofapp-1.0 offunction-1.0" in second.output
        assert "Warning" not in second.output
        assert second.stop() == 130
        assert (sandbox.get("/").text, sandbox.get("/own").text) == ("ofapp", "offunction")
    with running(app, python=(environment.python,)) as third:
        assert third.get("/").text == "ofapp"
        assert "Warning" not in third.output


def test_installation_without_anything_to_do_says_so(tmp_path: Path, environment: Environment) -> None:
    """The command does not start pip."""
    (tmp_path / "pip.py").write_text("raise SystemExit('started')")
    app = write_app(tmp_path / "app", {"get /": says("x")}, {"requirements.txt": "pytest\n# nothing else\n"})
    code = "import sys; from arc.inventory import read; from pathlib import Path; "
    code += "from arc.tools.sandbox.functions.installation import install; install(read(Path(sys.argv[1])), print)"
    done = subprocess.run(
        [environment.python, "-c", code, str(app)],
        env=shell(environment) | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "Nothing to install: requirements.txt.\n"


def test_failed_installation_does_not_start_the_sandbox(tmp_path: Path, environment: Environment) -> None:
    """The reason is in pip's message, and the command names the file."""
    app = write_app(tmp_path / "app", {"get /": says("x")}, {"requirements.txt": "no-such-distribution\n"})
    done = sandbox_command(environment, app, "--install")
    assert done.returncode == 1
    assert "No matching distribution found for no-such-distribution" in done.stderr
    assert done.stderr.endswith(
        "The packages in requirements.txt could not be installed; the reason is above. Correct it and run this again.\n"
    )
    assert "listens" not in done.stdout


def test_package_that_this_one_replaces_is_not_installed(tmp_path: Path, environment: Environment) -> None:
    """Its files would overwrite ours."""
    app = write_app(tmp_path / "app", {"get /": says("x")}, {"requirements.txt": "architect-functions\n"})
    done = sandbox_command(environment, app, "--install")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "requirements.txt names architect-functions, which arc-sessions replaces. Remove that line.\n"
    )


def test_installation_outside_an_environment_is_refused(app: Path) -> None:
    """The interpreter that this environment was made with is outside of it; it finds the packages by PYTHONPATH."""
    python = next(Path(sys.base_prefix).glob("bin/python3"))
    paths = os.pathsep.join((str(ROOT / "src"), sysconfig.get_path("purelib")))
    done = subprocess.run(
        [python, "-m", "arc", "sandbox", "--install"],
        cwd=app,
        env=surroundings({"PYTHONPATH": paths}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("--install needs a virtual environment, and arc runs on")
    assert done.stderr.endswith("python3 -m venv .venv\n")


def test_environment_without_pip_is_explained(tmp_path: Path, app: Path) -> None:
    """Such an environment is made by uv, which is used where it is installed."""
    bare = Environment(tmp_path / "bare", without=("pip",))
    done = sandbox_command(bare, app, "--install", PATH=str(tmp_path))
    assert done.stderr == f"--install needs pip, which {bare.python} does not have. Run: {bare.python} -m ensurepip\n"
    uv = tmp_path / "uv"
    uv.write_text('#!/bin/sh\necho "uv $@"\nexit 3\n')
    uv.chmod(0o755)
    done = sandbox_command(bare, app, "--install", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert f"uv pip install --python {bare.python} -r {app}/requirements.txt -r" in done.stdout


def test_interrupt_ends_the_installation(tmp_path: Path, app: Path) -> None:
    """A terminal sends it to pip too; no traceback is shown."""
    waiting = Environment(tmp_path / "waiting", without=("pip",))
    (waiting.packages / "pip.py").write_text(
        "import signal, sys\nsignal.signal(signal.SIGINT, lambda *_: sys.exit('cancelled'))\n"
        "print('started', flush=True)\nsignal.pause()\n"
    )
    process = subprocess.Popen(
        [waiting.python, "-m", "arc", "sandbox", "--install"],
        cwd=app,
        env=shell(waiting),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout as output:
        while output.readline() != "started\n":
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)
        assert output.read() == "cancelled\n"
    assert process.wait(PATIENCE) == 130


MODULES = {
    "no_such_module": "Add the line no-such-module to requirements.txt, or to {own} for this function alone. Then ",
    "jsonn": "Add the line jsonn to requirements.txt",
    "src.shared.page": "Import shared code as vendor.shared: from vendor.shared import …",
    "shared.pgae": "Import shared code as vendor.shared: from vendor.shared.page import …",
    "vendor.shared.nothing": "The shared code has no module 'nothing'. It has auth, page.",
    "page": "Import shared code as vendor.shared: from vendor.shared import page",
    "jsno": "Did you mean 'json'?",
    "beside_mee": "Did you mean 'beside_me'?",
    "atuh": "Did you mean 'vendor.shared.auth'?",
}


@pytest.fixture(scope="module")
def importing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox with a route for each module that does not exist."""
    names = {name: name.replace(".", "-").replace("_", "-") for name in MODULES}
    handlers = {f"get /{path}": IMPORTS.format(name) for name, path in names.items()}
    files = {"src/shared/page.py": "", "src/shared/auth.py": ""}
    files |= {f"src/http/get-{path.replace('-', '_')}/beside_me.py": "" for path in names.values()}
    folder = write_app(tmp_path_factory.mktemp("importing") / "app", handlers, files)
    with running(folder) as sandbox:
        yield sandbox


@pytest.mark.parametrize("module", MODULES)
def test_import_of_a_missing_module_is_explained(importing: Sandbox, module: str) -> None:
    """On the page and in the terminal, after the traceback."""
    path = module.replace(".", "-").replace("_", "-")
    text = importing.get(f"/{path}", accept=BROWSER).text.replace("&#x27;", "'")
    says = MODULES[module].format(own=f"src/http/get-{path.replace('-', '_')}/requirements.txt")
    assert says in text
    importing.wait_for(rf"(?m)^get /{path} \| ModuleNotFoundError: .*\nget /{path} \| {says[:12]}")


def test_import_in_a_running_handler_is_explained(tmp_path: Path) -> None:
    """It may happen long after the start, and under another name than the package's."""
    code = "def handler(event, context):\n    import {}\n"
    handlers = {"get /": code.format("sklearn"), "get /dot": "from . import page\n" + says("x")}
    with running(write_app(tmp_path, handlers)) as sandbox:
        assert "Add the line scikit-learn to requirements.txt" in sandbox.get("/", accept=BROWSER).text
        assert "Import the file beside it by its name, without the dot." in sandbox.get("/dot", accept=BROWSER).text


def test_missing_shared_folder_is_explained(tmp_path: Path) -> None:
    """The function may also have opted out of it."""
    with running(write_app(tmp_path, {"get /": IMPORTS.format("shared.page")})) as sandbox:
        assert "because the app has no folder src/shared." in sandbox.get("/", accept=BROWSER).text
    files = {"src/shared/page.py": "", "src/http/get-index/config.arc": "@arc\nshared false\n"}
    with running(write_app(tmp_path, {"get /": IMPORTS.format("vendor.shared.page")}, files)) as sandbox:
        assert "because its config.arc says `shared false` below @arc." in sandbox.get("/", accept=BROWSER).text
