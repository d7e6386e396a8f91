"""Dependencies of a function's platform: which wheels are taken, and that the package runs where it is meant to."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import platform
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from arc import inventory as inventories
from arc.inventory import FunctionConfig
from arc.tools.deploy.packages import Packages, distinct, install_here, install_wheels
from tests.tools.deploy.apps import COUNTER, app_of

EVENT = "{'version': '2.0', 'rawPath': '/', 'requestContext': {'http': {'method': 'GET'}}}"
CALLED = "import sys; sys.path[:0] = {path!r}; import handler; print(handler.handler({event}, None)['statusCode'])"
MACHINE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def write_wheel(folder: Path, tag: str, version: str = "1.0") -> None:
    """Write a wheel of the package `demo` whose one module contains its tag."""
    info = f"demo-{version}.dist-info"
    files = {
        "demo.py": f"TAG = {tag!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: demo\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: {tag}\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},"
        f"{len(text)}\n"
        for name, text in files.items()
    )
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"demo-{version}-{tag}.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
        wheel.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")


def installed(tmp_path: Path, config: FunctionConfig) -> str:
    """The tag of the wheel that is taken for a platform."""
    requirements, target = tmp_path / "requirements.txt", tmp_path / "target"
    requirements.write_text(f"--no-index\n--find-links {tmp_path / 'wheels'}\ndemo\n", encoding="utf-8")
    install_wheels(requirements, target, config, "get /")
    return (target / "demo.py").read_text(encoding="utf-8").split("'")[1]


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
@pytest.mark.parametrize("runtime", [f"python{version}" for version in PYTHONS])
@pytest.mark.sampled(2)
def test_the_wheel_of_the_functions_platform_is_taken(tmp_path: Path, runtime: str, architecture: str) -> None:
    """By its name: Python, glibc and machine are those of the function, whatever runs `arc`."""
    machine = {"arm64": "aarch64", "x86_64": "x86_64"}
    python = f"cp{runtime.removeprefix('python').replace('.', '')}"
    for abi in ("cp310-cp310", *(f"cp3{minor}-cp3{minor}" for minor in range(11, 15))):
        for name in machine.values():
            for glibc in ("manylinux_2_17", "musllinux_1_2", "manylinux_2_39"):
                write_wheel(tmp_path / "wheels", f"{abi}-{glibc}_{name}")
        write_wheel(tmp_path / "wheels", f"{abi}-win_amd64")
        write_wheel(tmp_path / "wheels", f"{abi}-macosx_11_0_arm64")
    found = installed(tmp_path, FunctionConfig(runtime=runtime, architecture=architecture))
    assert found == f"{python}-{python}-manylinux_2_17_{machine[architecture]}"


@pytest.mark.sampled(1)
@pytest.mark.parametrize(("runtime", "glibc"), [("python3.11", "manylinux_2_26"), ("python3.12", "manylinux_2_34")])
def test_the_newest_glibc_that_the_runtime_has_is_taken(tmp_path: Path, runtime: str, glibc: str) -> None:
    """Python 3.11 runs on Amazon Linux 2, later versions on 2023; wheels of the stable ABI and pure ones serve too."""
    for minor in (17, 26, 28, 34, 35):
        write_wheel(tmp_path / "wheels", f"cp311-abi3-manylinux_2_{minor}_aarch64")
    assert installed(tmp_path, FunctionConfig(runtime=runtime)) == f"cp311-abi3-{glibc}_aarch64"
    write_wheel(tmp_path / "wheels", "py3-none-any", "2.0")
    shutil.rmtree(tmp_path / "target")
    assert installed(tmp_path, FunctionConfig(runtime=runtime)) == "py3-none-any"


def test_two_clean_builds_are_identical(tmp_path: Path) -> None:
    """To the byte: with this library, its dependencies, and a wheel that pip unpacks in different folders."""
    write_wheel(tmp_path / "wheels", "py3-none-any")

    def install(requirements: Path, target: Path, config: FunctionConfig | None, name: str) -> None:
        own = requirements.parent / "own.txt"
        own.write_text("", encoding="utf-8")
        install_here(own, target, config, name)
        requirements.write_text(f"--no-index\n--find-links {tmp_path / 'wheels'}\ndemo\n", encoding="utf-8")
        install_wheels(requirements, target, config, name)

    builds = []
    for folder in (tmp_path / "one", tmp_path / "another-place"):
        app_of(folder, "shop", {"get /": COUNTER, "get /about": COUNTER})
        (folder / "requirements.txt").write_text("demo\n", encoding="utf-8")
        (folder / "src/shared").mkdir()
        (folder / "src/shared/words.py").write_text("HI = 'hi'\n", encoding="utf-8")
        inventory = inventories.read(folder, environ={})
        builds.append(distinct(Packages(inventory, local=True, install=install, static_manifest=b"{}").build()))
    first, second = builds
    assert [one.content for one in first] == [one.content for one in second]
    names = zipfile.ZipFile(io.BytesIO(first[0].content)).namelist()
    assert {"python/demo.py", "python/cryptography/__init__.py", "python/arc/__init__.py"} <= set(names)
    assert not [name for name in names if name.endswith((".pyc", "RECORD", "INSTALLER", "direct_url.json"))]


@pytest.mark.exhaustive
@pytest.mark.parametrize("version", PYTHONS)
def test_the_package_alone_answers_an_event_on_its_python(tmp_path: Path, version: str) -> None:
    """With the wheels of that Python, which pip downloads, and nothing else on the path."""
    python = interpreter(version)
    more = f"\n@aws\nruntime python{version}\narchitecture {MACHINE}\n"
    inventory = app_of(tmp_path / "app", "shop", {"get /": COUNTER}, more=more)
    (package,) = Packages(inventory).build()
    for zipped, place in ((package.code, "code"), (package.layer, "layer")):
        zipfile.ZipFile(io.BytesIO(zipped.content)).extractall(tmp_path / place)
    path = [str(tmp_path / "code"), str(tmp_path / "layer/python")]
    environ = {"ARC_APP_SECRET": "a secret of thirty-two characters", "ARC_ENV": "staging"}
    command = [python, "-I", "-S", "-c", CALLED.format(path=path, event=EVENT)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.stdout.endswith("200\n"), done.stderr


@pytest.mark.exhaustive
@pytest.mark.parametrize("version", PYTHONS)
def test_every_dependency_has_a_wheel_for_arm64(tmp_path: Path, version: str) -> None:
    """Looked at by its name: each compiled file is for that machine."""
    inventory = app_of(tmp_path / "app", "shop", {"get /": COUNTER}, more=f"\n@aws\nruntime python{version}\n")
    (package,) = Packages(inventory).build()
    archive = zipfile.ZipFile(io.BytesIO(package.layer.content))
    tags = [
        line.removeprefix("Tag: ")
        for name in archive.namelist()
        if name.endswith(".dist-info/WHEEL")
        for line in archive.read(name).decode().splitlines()
        if line.startswith("Tag: ")
    ]
    assert any(tag.startswith("cp311-abi3-manylinux") for tag in tags)
    assert {tag.rpartition("_")[2] for tag in tags if "linux" in tag} == {"aarch64"}


def interpreter(version: str) -> str:
    """The path of a Python of this machine; skips without one, and fails under CI for the oldest and the default."""
    others = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    for place in (shutil.which(f"python{version}") or "python3", *map(str, others)):
        done = subprocess.run([place, "--version"], capture_output=True, text=True, check=False)
        if done.stdout.startswith(f"Python {version}."):
            return place
    if os.environ.get("CI") == "true" and version == "3.11":
        pytest.fail(f"Python {version} is not installed.", pytrace=False)
    pytest.skip(f"Python {version} is not installed.")
