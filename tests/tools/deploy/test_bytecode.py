"""Bytecode in packages: where it is made, that Python uses it, and that equal sources make equal bytes."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from arc.tools.deploy.bytecode import RUNTIME, compile_modules
from arc.tools.deploy.packages import Packages
from tests.tools.deploy.apps import COUNTER, app_of, one_file

SOURCE = b"WORDS = {'b', 'a', 'c'}\n\ndef is_known(word):\n    return word in {'one', 'two', 'three'} and word != ''\n"
BUILD = """
import hashlib, sys
from pathlib import Path
import arc
from arc.tools.deploy.bytecode import RUNTIME, compile_modules
root = Path(arc.__file__).parent
files = {file.relative_to(root).as_posix(): file.read_bytes() for file in sorted(root.rglob("*.py"))}
made = compile_modules(files, RUNTIME)
print(len(made), hashlib.sha256(b"".join(made[name] for name in sorted(made))).hexdigest())
"""


def test_python_runs_the_bytecode_and_not_the_source(tmp_path: Path) -> None:
    """Whatever the times of the files are; tracebacks name the place of the source."""
    (made,) = compile_modules(
        {"python/words.py": SOURCE + b"VERSION = 'compiled'\nWHERE = is_known.__code__\n"}, RUNTIME
    ).items()
    place, content = made
    assert place == f"python/__pycache__/words.{sys.implementation.cache_tag}.pyc"
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / place.rpartition("/")[2]).write_bytes(content)
    (tmp_path / "words.py").write_text("VERSION = 'source'\nWHERE = None\n", encoding="utf-8")
    script = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}]; import words; print(words.VERSION, words.WHERE.co_filename)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == f"compiled {tmp_path / 'words.py'}\n"


@pytest.mark.sampled(1)
@pytest.mark.parametrize("first", ["", "import json, unittest, xml.dom; ", "import typer, boto3; "])
def test_bytecode_depends_on_the_source_alone(first: str) -> None:
    """Not on the order of hashes, nor on what the process has imported."""
    printed = {
        subprocess.run(
            [sys.executable, "-c", f"{code}{BUILD}"],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, code in (("1", ""), ("2", first))
    }
    assert len(printed) == 1
    assert int(printed.pop().split()[0]) > 50


def test_modules_are_left_to_the_interpreter_where_bytecode_would_not_fit() -> None:
    """Another version of Python, and files that are not Python."""
    assert compile_modules({"a.py": SOURCE}, "python3.10") == {}
    assert list(compile_modules({"a.py": b"print 'old'", "b.py": b"\0", "c.txt": SOURCE}, RUNTIME)) == []


@pytest.mark.parametrize(("runtime", "is_packed"), [(RUNTIME, True), ("python3.13", RUNTIME == "python3.13")])
def test_packages_of_this_python_have_bytecode(tmp_path: Path, runtime: str, *, is_packed: bool) -> None:
    """In the function's zip and in the layer; those of a local cloud have none, because it keeps its own."""
    inventory = app_of(tmp_path / "app", "shop", {"get /": COUNTER}, more=f"\n@aws\nruntime {runtime}\n")
    for is_local in (False, True):
        (package,) = Packages(inventory, local=is_local, install=one_file).build()
        for zipped in (package.code, package.layer):
            names = zipfile.ZipFile(io.BytesIO(zipped.content)).namelist()
            modules = [name for name in names if name.endswith(".py")]
            compiled = [name for name in names if name.endswith(".pyc")]
            assert len(compiled) == (len(modules) if is_packed and not is_local else 0)
