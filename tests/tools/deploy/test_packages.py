"""Zips for Lambda: what is in them, what is not, and that equal files make equal bytes."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from arc import inventory as inventories
from arc.errors import ToolError
from arc.inventory import FunctionConfig
from arc.tools.deploy.packages import FunctionPackage, Package, Packages, distinct, install_here, install_wheels
from tests.tools.deploy.apps import COUNTER, app_of, one_file

Install = Callable[[Path, Path, FunctionConfig | None, str], None]


def names(package: Package) -> list[str]:
    """The places of a zip's files."""
    return zipfile.ZipFile(io.BytesIO(package.content)).namelist()


def packed(tmp_path: Path, *, install: Install = one_file) -> list[FunctionPackage]:
    """The packages of an app with a counter and a page."""
    inventory = app_of(tmp_path / "app", "shop", {"get /": COUNTER, "get /about": COUNTER})
    return Packages(inventory, local=True, install=install).build()


def called(package: FunctionPackage, folder: Path) -> str:
    """What the handler of an unpacked zip returns, in a process of its own."""
    zipfile.ZipFile(io.BytesIO(package.code.content)).extractall(folder)
    module = package.handler.partition(".")[0]
    script = f"import sys; sys.path[0:0] = [{str(folder)!r}]; import {module}; print({module}.handler(1, 2))"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_a_function_has_its_own_files_and_a_layer_with_the_runtime(tmp_path: Path) -> None:
    """The layer is one zip for both functions, and has this package without its tools."""
    first, second = packed(tmp_path)
    assert names(first.code) == ["handler.py"]
    assert first.handler == "handler.handler"
    assert first.layer.key == second.layer.key
    found = names(first.layer)
    assert "python/arc/http/lambda_handler.py" in found
    assert "python/package.py" in found
    assert not [name for name in found if name.startswith(("python/arc/tools", "python/arc/inventory"))]


def test_equal_files_make_equal_zips(tmp_path: Path) -> None:
    """Two builds in different folders at different times are the same to the byte."""
    first, second = packed(tmp_path / "one"), packed(tmp_path / "two")
    assert [one.key for one in distinct(first)] == [one.key for one in distinct(second)]
    assert [one.content for one in distinct(first)] == [one.content for one in distinct(second)]


def test_the_packages_alone_answer_an_event(tmp_path: Path) -> None:
    """A handler runs with nothing but its unpacked zip and its layer on the path."""
    package = packed(tmp_path, install=install_here)[0]
    for zipped, place in ((package.code, "code"), (package.layer, "layer")):
        zipfile.ZipFile(io.BytesIO(zipped.content)).extractall(tmp_path / place)
    script = "import json, handler; print(handler.handler({'version': '2.0', 'rawPath': '/'}, None)['statusCode'])"
    path = f"{tmp_path / 'code'}:{tmp_path / 'layer' / 'python'}"
    environ = {"PYTHONPATH": path, "ARC_APP_SECRET": "a secret of thirty-two characters", "ARC_ENV": "staging"}
    done = subprocess.run([sys.executable, "-I", "-c", f"import sys; sys.path[:0] = {path.split(':')!r}; {script}"],
                          env=environ, capture_output=True, text=True, check=False)  # fmt: skip
    assert done.stdout.endswith("200\n"), done.stderr


def test_shared_code_is_on_the_path_of_a_function(tmp_path: Path) -> None:
    """`vendor.shared` and `shared` both import what is in src/shared."""
    source = (
        "import shared.words\nimport vendor.shared.words\n\ndef handler(event, context):\n    return shared.words.HI"
    )
    folder = tmp_path / "app"
    app_of(folder, "shop", {"get /": source})
    (folder / "src/shared").mkdir()
    (folder / "src/shared/words.py").write_text("HI = 'hi'\n", encoding="utf-8")
    inventory = app_of(folder, "shop", {"get /": source})
    package = Packages(inventory, local=True, install=one_file).build()[0]
    assert called(package, tmp_path / "code") == "hi\n"


def test_shared_code_beside_a_handler_whose_name_is_a_keyword(tmp_path: Path) -> None:
    """`lambda.py` is Architect's first choice of a handler's file."""
    folder = tmp_path / "app"
    app_of(folder, "shop", {"get /": COUNTER})
    (folder / "src/http/get-index/handler.py").unlink()
    (folder / "src/http/get-index/lambda.py").write_text(
        "def handler(event, context):\n    return 'hi'\n", encoding="utf-8"
    )
    (folder / "src/shared").mkdir()
    (folder / "src/shared/words.py").write_text("HI = 'hi'\n", encoding="utf-8")
    package = Packages(inventories.read(folder, environ={}), local=True, install=one_file).build()[0]
    assert called(package, tmp_path / "code") == "hi\n"


def test_hashed_requirements_are_installed_apart(tmp_path: Path) -> None:
    """Pip wants a hash for every line or for none, and what the runtime needs has none."""
    inventory = app_of(tmp_path / "app", "shop")
    (tmp_path / "app/requirements.txt").write_text("markdown==3.7 --hash=sha256:00\n", encoding="utf-8")
    seen: list[str] = []

    def install(requirements: Path, target: Path, config: FunctionConfig | None, name: str) -> None:
        seen.append(requirements.read_text(encoding="utf-8"))
        target.mkdir(exist_ok=True)

    Packages(inventory, local=True, install=install).build()
    assert [text.partition("=")[0].rstrip(">") for text in seen] == ["cryptography", "markdown"]


def test_caches_and_hidden_files_stay_behind(tmp_path: Path) -> None:
    """Neither `__pycache__` nor `.env` nor `.git` is packed."""
    packed(tmp_path)
    folder = tmp_path / "app/src/http/get-index"
    for name in ("__pycache__/handler.cpython-313.pyc", ".env", ".git/config"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x", encoding="utf-8")
    assert names(packed(tmp_path)[0].code) == ["handler.py"]


def test_requirements_reach_pip_without_what_is_packed_anyway(tmp_path: Path) -> None:
    """This package, the one it replaces and an unpinned boto3 are left out; files named are found from anywhere."""
    inventory = app_of(tmp_path / "app", "shop")
    (tmp_path / "app/requirements.txt").write_text(
        "arc-sessions\narchitect-functions>=1\nboto3\n# a comment\nmarkdown==3.7  # pinned\n-r more.txt\n",
        encoding="utf-8",
    )
    (tmp_path / "app/src/http/get-index/requirements.txt").write_text("boto3==1.35.0\n", encoding="utf-8")
    seen: list[str] = []

    def install(requirements: Path, target: Path, config: FunctionConfig | None, name: str) -> None:
        seen.extend(requirements.read_text(encoding="utf-8").splitlines())
        one_file(requirements, target, config, name)

    Packages(inventory, local=True, install=install).build()
    assert seen[0].startswith("cryptography")
    assert seen[1:] == ["markdown==3.7  # pinned", f"-r {tmp_path / 'app/more.txt'}", "boto3==1.35.0"]


def test_functions_with_other_needs_have_other_layers(tmp_path: Path) -> None:
    """A function's own requirements or runtime make a layer of its own."""
    inventory = app_of(tmp_path / "app", "shop", {"get /": COUNTER, "get /a": COUNTER, "get /b": COUNTER})
    (tmp_path / "app/src/http/get-a/config.arc").write_text("@aws\nruntime python3.12\n", encoding="utf-8")
    (tmp_path / "app/src/http/get-b/requirements.txt").write_text("markdown\n", encoding="utf-8")
    inventory = app_of(tmp_path / "app", "shop", {"get /": COUNTER, "get /a": COUNTER, "get /b": COUNTER})
    asked: list[tuple[str, str]] = []

    def install(requirements: Path, target: Path, config: FunctionConfig | None, name: str) -> None:
        assert config is not None
        asked.append((name, config.runtime))
        one_file(requirements, target, config, name)

    Packages(inventory, install=install).build()
    assert sorted(asked) == [("get /", "python3.13"), ("get /a", "python3.12"), ("get /b", "python3.13")]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("@aws\nruntime nodejs22.x\n", "'get /' is not a Python function (nodejs22.x)"),
        ("", "'get /' has no handler. Run `arc init` to write "),
    ],
)
def test_what_cannot_be_packed_is_refused(tmp_path: Path, more: str, message: str) -> None:
    """A function in another language, and one without a handler."""
    inventory = app_of(tmp_path / "app", "shop", more=more)
    if not more:
        inventory.routes[0].folder.joinpath("handler.py").unlink()
        inventory = inventories.read(tmp_path / "app", environ={})
    with pytest.raises(ToolError) as refused:
        Packages(inventory, local=True, install=one_file).build()
    assert str(refused.value).startswith(message)


def test_a_package_without_a_wheel_is_named_with_the_platform(tmp_path: Path) -> None:
    """Nothing is found in an empty index."""
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"--no-index\n--find-links {tmp_path}\nno-such-package==1.0\n", encoding="utf-8")
    with pytest.raises(ToolError) as refused:
        install_wheels(requirements, tmp_path / "target", FunctionConfig(), "get /")
    assert str(refused.value) == (
        "'no-such-package==1.0', which 'get /' needs, has no wheel for python3.13 on Linux (arm64). Name a version "
        "that has one in requirements.txt, or choose another `architecture` or `runtime` in @aws."
    )
