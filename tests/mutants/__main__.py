"""Make the mutants of a part of the package with mutmut, in a copy of the project, and run the tests on them.

`python -m tests.mutants` takes both folders; `python -m tests.mutants sessions http/csrf.py` takes parts of them.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.mutation.trampoline_templates import mangle_function_name
from mutmut.utils.format_utils import get_mutant_name, mangled_name_from_mutant_name

# Python imports it at its start: a process that a test starts reports what it reached, too.
REPORTING = """\
import atexit, os

def report():
    from mutmut.state import state
    with open(os.environ["MUTANTS_REACHED"], "a") as file:
        print(*state()._stats, sep="\\n", file=file)

if os.environ.get("MUTANT_UNDER_TEST") == "stats" and "MUTANTS_REACHED" in os.environ:
    atexit.register(report)
"""
ROOT = Path(__file__).parents[2]
COPY = ROOT / "mutants"
FOLDERS = ("sessions", "http")
TESTS = ("tests/sessions", "tests/http", "tests/testing", "tests/test_public_names.py")


def main(words: list[str]) -> int:
    """Return pytest's exit code: 0 if enough mutants of each folder are killed."""
    os.chdir(ROOT)
    files = [file for word in words or FOLDERS for file in python_files(Path("src/arc") / word)]
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir()
    shutil.copy("pyproject.toml", COPY)
    for folder in ("src", "tests"):
        ignored = shutil.ignore_patterns("__pycache__", "node_modules")
        shutil.copytree(folder, COPY / folder, ignore=ignored)
    modules = Path("tests/interop/node_modules")
    if modules.exists():
        (COPY / modules).symlink_to(modules.resolve())
    with ProcessPoolExecutor() as pool:
        mutants = [mutant for made in pool.map(mutate, files) for mutant in made]
    (COPY / "src/sitecustomize.py").write_text(REPORTING, encoding="utf-8")
    (COPY / "mutants.json").write_text(json.dumps(mutants), encoding="utf-8")
    quiet = ["-q", "-rN", "--no-summary", "--tb=native", "--capture=sys", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", "-p", "tests.mutants.killing", *quiet, *TESTS]
    path = os.pathsep.join([str(COPY / "src"), str(COPY)])
    try:
        return subprocess.run(command, cwd=COPY, env={**os.environ, "PYTHONPATH": path}, check=False).returncode
    except KeyboardInterrupt:
        return 130


def python_files(path: Path) -> list[Path]:
    """Return the Python files at `path`, a file or a folder. Raises SystemExit if there is none."""
    found = [path] if path.is_file() else sorted(path.rglob("*.py"))
    return found or sys.exit(f"No Python file at {path}. FOLDER is sessions, http, or a file such as http/csrf.py.")


def mutate(file: Path) -> list[dict[str, Any]]:
    """Write all mutants of a file over its copy, and describe each."""
    source = file.read_text(encoding="utf-8")
    made = mutate_file_contents(str(file), source)
    (COPY / file).write_text(made.code, encoding="utf-8")
    lines, spans, starts = made.code.splitlines(), made.line_span_by_function_name, function_lines(source)
    mutants = []
    for name in made.mutant_names:
        function = mangled_name_from_mutant_name(name)
        before, after = (lines[spans[key].start - 1 : spans[key].end] for key in (f"{function}__mutmut_orig", name))
        first = next(place for place, line in enumerate(before) if line.lstrip().startswith(("def ", "async def ")))
        after[first] = after[first].replace(name, f"{function}__mutmut_orig", 1)
        offset, old, new = difference(before, after)
        mutants.append(
            {
                "name": get_mutant_name(file, name),
                "function": get_mutant_name(file, function),
                "file": str(file),
                "line": starts[function] + offset - first,
                "line_in_copy": spans[f"{function}__mutmut_orig"].start + offset,
                "before": old,
                "after": new,
            }
        )
    return mutants


def function_lines(source: str) -> dict[str, int]:
    """Return the line of each function and method, by the name that mutmut gives it."""
    lines = {}
    for node in ast.parse(source).body:
        within = node.name if isinstance(node, ast.ClassDef) else None
        for function in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                lines[mangle_function_name(name=function.name, class_name=within)] = function.lineno
    return lines


def difference(before: list[str], after: list[str]) -> tuple[int, str, str]:
    """Return where two texts start to differ, and the lines of each that do."""
    start = next((n for n, (old, new) in enumerate(zip(before, after, strict=False)) if old != new), 0)
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    old, new = (" ".join(line.strip() for line in text[start : len(text) - end]) for text in (before, after))
    return start, old, new


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
