"""Type checking of handlers, and of `arc.services`, in mypy's strict mode."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAD = "import arc\n\n@arc.http.handler\ndef handler(req: arc.Request) -> arc.Response:\n"
FINE = {
    "query": 'name = req.query.get("name", "stranger")\nreturn {"text": name.title()}',
    "form": 'email = req.form["email"]\nreturn {"text": email.lower()}',
    "getall": 'return {"json": [tag.strip() for tag in req.query.getall("tag")]}',
    "files": 'photo = req.files["photo"]\nreturn {"body": photo.bytes, "type": photo.type}',
    "session": 'visits: int = req.session.get("n", 0)\nreq.session["n"] = visits + 1\nreturn {"json": visits}',
    "session_methods": 'req.session.flash("info", "hi")\nreturn {"json": req.session.pop("cart", [])}',
    "event": 'stage = req["requestContext"]["stage"]\nreturn {"text": str(stage)}',
    "parts": 'return {"text": req.method + req.path + req.params["id"] + req.headers["accept"] + req.cookies["a"]}',
    "header_number": 'return {"status": 503, "headers": {"retry-after": 2}, "text": "later"}',
    "repeated_headers": 'return {"multiValueHeaders": {"link": ["</a>", "</b>"]}}',
    "bytes": 'return {"html": b"<p>", "css": "p {}"}',
    "session_in_response": 'return {"session": {"count": 1}, "location": "/"}',
    "same_session_in_response": 'session = arc.http.session.read(req)\nreturn {"session": session}',
    "awaited": "async def save() -> str:\n    session: arc.Session = await arc.http.session.read(req)\n"
    "    return await arc.http.session.write(session)\nreturn {'text': save.__name__}",
    "annotated": 'session: arc.Session = arc.http.session_read(req)\nreturn {"json": session}',
}
WRONG = {
    "query_is_no_int": ('page: int = req.query["page"]\nreturn {"json": page + 1}', "page: int"),
    "form_is_no_list": ('tags: list[str] = req.form["tag"]\nreturn {"json": tags}', "tags: list"),
    "file_is_no_text": ('text: str = req.files["photo"]\nreturn {"text": text}', "text: str"),
    "path_parameter_is_no_int": ('number: int = req.params["id"]\nreturn {"json": number}', "number: int"),
    "misspelt_method": ("req.session.cycle_key()\nreturn {}", "cycle_key"),
    "misspelt_response_key": ('return {"htm": "<p>"}', '"htm"'),
}
SERVICES = """
import arc
import arc.services
from arc.services import services
reveal_type(arc.services({}))
reveal_type(services())
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every handler and the module `several_imports`."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / "several_imports.py").write_text(SERVICES, "utf-8")
    for name, body in [*FINE.items(), *((name, body) for name, (body, _) in WRONG.items())]:
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        (folder / f"{name}.py").write_text(HEAD + lines, "utf-8")
    return folder


@pytest.fixture(scope="module")
def checked(folder: Path) -> list[str]:
    """What mypy prints about the folder."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-pretty", "--hide-error-context", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def errors(folder: Path, checked: list[str]) -> dict[str, list[str]]:
    """The source lines with mypy errors, by the name of the module."""
    found: dict[str, list[str]] = {name: [] for name in [*FINE, *WRONG, "several_imports"]}
    for line in checked:
        if ": error: " in line:
            file, number, _ = line.split(":", 2)
            found[Path(file).stem].append((folder / file).read_text("utf-8").splitlines()[int(number) - 1])
    return found


@pytest.mark.parametrize("name", FINE)
def test_valid_handlers_have_no_errors(errors: dict[str, list[str]], name: str) -> None:
    """A typed handler of a few lines needs no cast, no ignore and no internal import."""
    assert errors[name] == []


@pytest.mark.parametrize("name", WRONG)
def test_invalid_handlers_have_an_error(errors: dict[str, list[str]], name: str) -> None:
    """The checker finds a run-time failure at its line."""
    [line] = errors[name]
    assert WRONG[name][1] in line


def test_services_is_a_function_after_each_kind_of_import(checked: list[str], errors: dict[str, list[str]]) -> None:
    """The type checker accepts the call, and knows its result."""
    assert errors["several_imports"] == []
    assert sum('Revealed type is "dict[str, dict[str, Any]]"' in line for line in checked) == 2
