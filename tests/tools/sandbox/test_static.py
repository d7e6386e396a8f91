"""The sandbox's static files over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from arc.tools.static_files import MAX_SIZE
from tests.tools.sandbox.apps import says, write_app
from tests.tools.sandbox.running import Sandbox, running

PAGE = """
import arc

@arc.http.handler
def handler(req):
    req.session["seen"] = True
    return {"text": arc.http.static(req.query.get("file", "site.css"))}
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app with a page, a catch-all for POST, and a few files."""
    files = {"public/site.css": "body {}\n", "public/.env": "SECRET=1\n", "public/draft.txt": "draft\n"}
    folder = write_app(tmp_path_factory.mktemp("static") / "app", {"get /": PAGE, "post /*": says("posted")}, files)
    with (folder / "app.arc").open("a", encoding="utf-8") as manifest:
        manifest.write("\n@static\nfingerprint true\nignore\n  draft\n")
    return folder


@pytest.fixture(scope="module")
def sandbox(app: Path) -> Iterator[Sandbox]:
    """The app in a sandbox."""
    with running(app) as sandbox:
        yield sandbox


def test_a_file_has_its_type_and_is_checked_each_time(sandbox: Sandbox) -> None:
    """The sandbox serves files as they are now, so nothing is kept, with a fingerprint or without."""
    answer = sandbox.get("/_static/site.css")
    assert (answer.status, answer.text) == (200, "body {}\n")
    assert answer.all("content-type") == ["text/css; charset=utf-8"]
    assert answer.all("cache-control") == ["no-cache"]
    assert answer.all("x-content-type-options") == ["nosniff"]


def test_an_unchanged_file_is_not_sent_again(sandbox: Sandbox, app: Path) -> None:
    """The entity tag changes with the content."""
    (tag,) = sandbox.get("/_static/site.css").all("etag")
    for value in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = sandbox.get("/_static/site.css", if_none_match=value)
        assert (answer.status, answer.body) == (304, b"")
        assert answer.all("etag") == [tag]
    (app / "public/changing.css").write_text("one", encoding="utf-8")
    (before,) = sandbox.get("/_static/changing.css").all("etag")
    (app / "public/changing.css").write_text("two", encoding="utf-8")
    answer = sandbox.get("/_static/changing.css", if_none_match=before)
    assert (answer.status, answer.text) == (200, "two")


def test_head_has_the_headers_alone(sandbox: Sandbox) -> None:
    """The length is that of the file."""
    answer = sandbox.request("HEAD", "/_static/site.css")
    assert (answer.status, answer.body, answer.all("content-length")) == (200, b"", ["8"])


def test_a_static_file_never_touches_a_session(sandbox: Sandbox) -> None:
    """No cookie is set, neither for a new visitor nor for one with a session."""
    (cookie,) = sandbox.get("/").all("set-cookie")
    for answer in (
        sandbox.get("/_static/site.css"),
        sandbox.get("/_static/site.css", cookie=cookie.partition(";")[0]),
    ):
        assert answer.status == 200
        assert answer.all("set-cookie") == []
        assert answer.all("vary") == []


@pytest.mark.parametrize(
    "path",
    [
        *("/_static/", "/_static", "/_static/nope.css", "/_static/.env", "/_static/draft.txt"),
        *("/_static/../app.arc", "/_static/%2e%2e/app.arc", "/_static/..%2fapp.arc", "/_static/%2e%2e%5capp.arc"),
        *("/_static//site.css", "/_static/site.css%00", f"/_static/{'a' * 300}"),
    ],
)
def test_anything_else_is_missing(sandbox: Sandbox, path: str) -> None:
    """Lists, hidden and ignored files, places outside the folder, and names that no file system takes."""
    assert sandbox.get(path).status == 404


def test_a_folder_that_becomes_a_link_out_of_the_app_is_not_served(sandbox: Sandbox, app: Path) -> None:
    """At the start it would be a fault; a build may replace the folder later."""
    outside = app.parent / "outside"
    outside.mkdir()
    (outside / "private.txt").write_text("private", encoding="utf-8")
    (app / "public").rename(app / "moved")
    (app / "public").symlink_to(outside)
    status = sandbox.get("/_static/private.txt").status
    (app / "public").unlink()
    (app / "moved").rename(app / "public")
    assert (status, sandbox.get("/_static/site.css").status) == (404, 200)


def test_other_methods_reach_the_apps_routes(sandbox: Sandbox) -> None:
    """As deployed, where GET and HEAD alone lead to the files."""
    assert sandbox.request("POST", "/_static/site.css").text == "posted"


def test_a_file_that_lambda_could_not_send_is_reported(sandbox: Sandbox, app: Path) -> None:
    """The answer and the terminal say its size and the limit."""
    (app / "public/large.bin").write_bytes(bytes(MAX_SIZE + 1))
    assert sandbox.get("/_static/large.bin").status == 413
    sandbox.wait_for(r"large\.bin is 4,715,521 bytes, and Lambda sends static files of at most 4,715,520\.")
    (app / "public/large.bin").write_bytes(bytes(MAX_SIZE))
    assert sandbox.get("/_static/large.bin").status == 200


def test_an_address_of_an_unknown_file_is_an_error(sandbox: Sandbox) -> None:
    """The plain name is the address of a known one, and the terminal says what is wrong with another."""
    assert sandbox.get("/").text == "/_static/site.css"
    assert sandbox.get("/?file=sight.css").status == 500
    sandbox.wait_for(r"ConfigurationError: Unknown static file 'sight\.css'\. Create it in ")
