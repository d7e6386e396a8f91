"""The pages that a browser gets in place of a response without an explanation."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from arc.tools.sandbox.front.pages import with_banner
from arc.tools.sandbox.front.reply import Reply
from tests.tools.sandbox.apps import says, write_app, write_handler, write_manifest
from tests.tools.sandbox.running import Answer, Sandbox, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
A = "import arc\n\n@arc.http.handler{}\ndef handler(req):\n    return {}\n"
HANDLERS = {
    "get /": A.format("", "{'html': '<h1>Home</h1>'}"),
    "get /cart": says("cart"),
    "post /cart": A.format("(csrf=True)", "{'html': 'bought'}"),
    "put /orders/:id": says("order"),
    "get /orders": says("orders"),
    "get /form": A.format("", "{'text': arc.http.csrf.token(req)}"),
    "get /field": "import arc\n\n@arc.http.handler\ndef handler(req):\n    return {'text': req.query['<name>']}\n",
    "get /store": """
        import arc

        @arc.http.handler
        def handler(req):
            raise arc.StoreError("<b>The table is on fire.</b>")
        """,
    "get /store/cookie": """
        import arc

        @arc.http.handler
        def handler(req):
            req.session.sign_out()
            raise arc.StoreError("gone")
        """,
    "get /when": """
        import datetime
        import arc

        @arc.http.handler
        def handler(req):
            req.session["visits"] = 1
            req.session["when"] = datetime.datetime.now(datetime.UTC)
            return {"html": "x"}
        """,
    "get /bare": "def handler(req):\n    return {'html': 'x'}\n",
    "get /empty": "import arc\n\n@arc.http.handler\ndef handler():\n    return {'html': 'x'}\n",
    "get /deep": "import arc\n\n@arc.http.handler\ndef handler(req):\n    return {'html': len()}\n",
    "get /library": "import arc\n\n@arc.http.handler\ndef handler(req):\n    req.session.increment(7)\n",
    "get /syntax": "import arc\n\n@arc.http.handler\ndef handler(req)\n    return 1\n",
    "get /nothing": "import arc\n",
    "get /new": says("soon deleted"),
    "get /flask": A.format("", "{'error': 'x'}, 404"),
    "get /style.css": A.format("", "{'css': 'p {}'}"),
    "get /note": A.format("", "{'text': 'x'}"),
    "get /kept": A.format("", "{'css': 'p {}', 'cache_control': 'max-age=60'}"),
    "get /plain": says("x"),
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app with mistakes."""
    app = write_app(tmp_path_factory.mktemp("pages") / "app", HANDLERS)
    (app / "src/http/get-new/handler.py").unlink()
    return app


@pytest.fixture(scope="module")
def sandbox(app: Path) -> Iterator[Sandbox]:
    """The app in a sandbox."""
    with running(app) as sandbox:
        yield sandbox


def text_of(answer: Answer) -> str:
    """Return the page's text. The page itself loads nothing and runs nothing."""
    assert answer.all("content-type") == ["text/html; charset=utf-8"]
    assert not re.search(r"<script|<link|<img|<iframe|src=|url\(|@import", answer.text)
    return " ".join(unescape(re.sub(r"(?s)<style>.*?</style>|<[^>]+>", " ", answer.text)).split())


def test_unknown_path_lists_the_routes(sandbox: Sandbox) -> None:
    """Similar ones come first, and those that a browser can open are links."""
    answer = sandbox.get("/crat?token=1", **HTML)
    text = text_of(answer)
    assert answer.status == 404
    assert "No route has the path /crat. The request was GET /crat. Did you mean GET /cart POST /cart" in text
    assert "PUT /orders/:id" in text
    assert '<a href="/orders">/orders</a>' in answer.text
    assert 'href="/orders/:id"' not in answer.text


@pytest.mark.parametrize("folder", ["static", "public", "assets"])
def test_address_of_static_files_elsewhere_names_the_right_one(sandbox: Sandbox, folder: str) -> None:
    """Flask serves them below /static/."""
    text = text_of(sandbox.get(f"/{folder}/site.css", **HTML))
    assert f"Static files are served below /_static/, not below /{folder}/." in text


def test_wrong_verb_names_the_verbs_of_the_path(sandbox: Sandbox) -> None:
    """The path itself is right."""
    text = text_of(sandbox.request("DELETE", "/cart", headers=HTML))
    assert (
        "/cart has no DELETE route. The request was DELETE /cart. This path has routes for GET and POST only." in text
    )
    assert "This path has routes for PUT only. Did you mean PUT /orders/:id" in text_of(
        sandbox.get("/orders/7", **HTML)
    )


def test_slash_at_the_end_is_a_likely_mistake(sandbox: Sandbox) -> None:
    """`/orders/` and `/orders` are different paths."""
    assert "Did you mean GET /orders" in text_of(sandbox.get("/orders/", **HTML))


def test_path_on_the_page_is_escaped(sandbox: Sandbox) -> None:
    """A visitor can send any path."""
    answer = sandbox.get("/<img/src=x>", **HTML)
    assert answer.status == 404
    assert "<img" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "/crat", None, (404, '{"message":"Not Found"}')),
        ("DELETE", "/cart", None, (404, '{"message":"Not Found"}')),
        ("GET", "/store", None, (503, '{"message":"Service Unavailable"}')),
        ("GET", "/field", None, (400, '{"message":"The request\'s query has no field \'<name>\'."}')),
        ("GET", "/bare", None, (500, '{"message":"Internal Server Error"}')),
        ("GET", "/new", None, (500, '{"message":"Internal Server Error"}')),
        ("GET", "/flask", None, (200, '[{"error":"x"},404]')),
    ],
)
def test_other_clients_get_what_aws_sends(
    sandbox: Sandbox, method: str, path: str, body: bytes | None, expected: tuple[int, str]
) -> None:
    """The response is JSON, without an explanation."""
    for headers in ({}, {"accept": "*/*"}, {"accept": "application/json"}):
        answer = sandbox.request(method, path, body, headers)
        assert (answer.status, answer.text) == expected


def test_csrf_page_names_the_check_and_the_field(sandbox: Sandbox) -> None:
    """A form without a token gets the line to put into it."""
    answer = sandbox.request("POST", "/cart", b"a=1", {**HTML, **FORM})
    text = text_of(answer)
    assert answer.status == 403
    assert "The CSRF check refused this request. This request has no CSRF token" in text
    assert "The check that failed no '_csrf' in a body of type 'application/x-www-form-urlencoded'" in text
    assert "{arc.http.csrf.field(req)}" in text


def test_csrf_page_names_the_origins_that_differ(sandbox: Sandbox) -> None:
    """For a form of another site the reason has both, and the remedy."""
    headers = {**HTML, **FORM, "origin": "https://other.example", "sec-fetch-site": "cross-site"}
    text = text_of(sandbox.request("POST", "/cart", b"a=1", headers))
    assert "Origin is 'https://other.example', but this application is" in text
    assert "add it to ARC_TRUSTED_ORIGINS" in text
    assert "{arc.http.csrf.field(req)}" not in text


def test_csrf_page_names_a_cookie_that_is_missing(sandbox: Sandbox) -> None:
    """The token itself is not on the page."""
    token = sandbox.get("/form").text
    answer = sandbox.request("POST", "/cart", f"_csrf={token}".encode(), {**HTML, **FORM})
    assert "the request has neither of the cookies '_idx' and '_arc_csrf'" in text_of(answer)
    assert token not in answer.text


def test_store_page_has_the_text_of_the_error(sandbox: Sandbox) -> None:
    """It is escaped, and the status and other headers stay."""
    answer = sandbox.get("/store", **HTML)
    assert answer.status == 503
    assert answer.all("retry-after") == ["2"]
    assert "<b>The table is on fire.</b>" in text_of(answer)
    assert "<b>" not in answer.text


def test_missing_field_page_names_the_line(sandbox: Sandbox) -> None:
    """The terminal names it too."""
    answer = sandbox.get("/field", **HTML)
    assert answer.status == 400
    assert "The request's query has no field '<name>'." in text_of(answer)
    assert "src/http/get-field/handler.py, line 5 return {'text': req.query['<name>']}" in text_of(answer)
    sandbox.wait_for(r"(?m)^get /field \| 400: The request's query has no field '<name>'\.$")
    sandbox.wait_for(r"(?m)^get /field \|     return \{'text': req\.query\['<name>'\]\}$")


def test_undecorated_handler_names_the_decorator(sandbox: Sandbox) -> None:
    """The page has the lines to write, and the terminal the advice, once for each request."""
    text = text_of(sandbox.get("/bare", **HTML))
    assert (
        "The handler lacks @arc.http.handler. TypeError: handler() takes 1 positional argument but 2 were given" in text
    )
    assert "src/http/get-bare/handler.py import arc @arc.http.handler def handler(req):" in text
    sandbox.wait_for(r"(?m)^get /bare \| The handler lacks @arc\.http\.handler\. Lambda calls a handler with")


def test_handler_without_an_argument_is_explained(sandbox: Sandbox) -> None:
    """The decorator calls it with a request."""
    text = text_of(sandbox.get("/empty", **HTML))
    assert (
        "The handler does not take the request. TypeError: handler() takes 0 positional arguments but 1 was given"
        in text
    )
    assert "def handler(req):" in text


def test_type_error_of_the_apps_own_call_is_not_mistaken(sandbox: Sandbox) -> None:
    """A wrong call inside the handler is shown with its line."""
    text = text_of(sandbox.get("/deep", **HTML))
    assert "src/http/get-deep/handler.py, line 5 return {'html': len()}" in text
    assert "lacks" not in text


def test_missing_handler_page_has_code_to_paste(sandbox: Sandbox, app: Path) -> None:
    """The pasted code is a working handler."""
    answer = sandbox.get("/new", **HTML)
    code = re.search(
        r'<p class="place">src/http/get-new/handler\.py</p><pre class=""><code>(.*?)</code>', answer.text, re.DOTALL
    )
    assert code
    file = app / "src/http/get-new/handler.py"
    file.write_text(unescape(code[1]))
    try:
        assert sandbox.get("/new", **HTML).text == "<h1>get /new</h1>"
    finally:
        file.unlink()


def test_module_without_a_handler_has_code_to_paste(sandbox: Sandbox) -> None:
    """The page names the file, and the terminal says it once."""
    text = text_of(sandbox.get("/nothing", **HTML))
    assert "has no callable named 'handler'." in text
    assert "@arc.http.handler def handler(req):" in text
    sandbox.wait_for(r"GET +/nothing +500")
    assert sandbox.output.count("has no callable named 'handler'") == 1


def test_unstorable_value_names_the_line_that_assigned_it(sandbox: Sandbox) -> None:
    """The line comes before the traceback, which has no frame of this package; the terminal shows the same."""
    answer = sandbox.get("/when", **HTML)
    line = 'src/http/get-when/handler.py, line 7 req.session["when"] = datetime.datetime.now(datetime.UTC)'
    assert f"for example a date as a string. {line} Traceback" in text_of(answer)
    assert "lambda_handler" not in answer.text
    sandbox.wait_for(r'(?m)^get /when \|     req\.session\["when"\] = datetime\.datetime\.now\(datetime\.UTC\)$')
    assert "snapshot.py" not in sandbox.output


def test_error_of_a_session_method_ends_in_the_apps_line(sandbox: Sandbox) -> None:
    """Frames of this package are left out."""
    text = text_of(sandbox.get("/library", **HTML))
    assert "src/http/get-library/handler.py, line 5 req.session.increment(7)" in text
    assert "session.py" not in text


def test_syntax_error_shows_its_line(sandbox: Sandbox) -> None:
    """The frames of the import system are left out."""
    text = text_of(sandbox.get("/syntax", **HTML))
    assert "src/http/get-syntax/handler.py, line 4 def handler(req) Traceback" in text
    assert "app_code.py" not in text


def test_misread_result_is_explained_once_in_the_terminal(sandbox: Sandbox) -> None:
    """The response stays as it is on AWS."""
    for _ in range(2):
        assert sandbox.get("/flask").text == '[{"error":"x"},404]'
    advice = r"(?m)^get /flask \| The handler returned a tuple, .* Return \{'json': …, 'status': 404\}\.$"
    sandbox.wait_for(advice)
    assert len(re.findall(advice, sandbox.output)) == 1


@pytest.mark.parametrize(
    ("path", "control"),
    [("/style.css", "no-cache"), ("/note", "no-cache"), ("/plain", "no-cache"), ("/kept", "max-age=60")],
)
def test_browsers_keep_nothing_unless_the_app_says_so(sandbox: Sandbox, path: str, control: str) -> None:
    """A reload shows the code that was saved."""
    assert sandbox.get(path).all("cache-control") == [control]


# -- a broken manifest


def test_broken_manifest_is_shown_while_the_old_app_goes_on(tmp_path: Path) -> None:
    """It is a banner on the app's pages and on the sandbox's, until it is fixed."""
    app = write_app(tmp_path, {"get /": A.format("", "{'html': '<h1>Home</h1>'}"), "get /data": says("data")})
    with running(app) as sandbox:
        assert sandbox.get("/", **HTML).text == "<h1>Home</h1>"
        with (app / "app.arc").open("a") as manifest:
            manifest.write("fetch /<b>\n")
        assert 'role="alert"' in sandbox.get("/", **HTML).text
        sandbox.wait_for("The routes remain unchanged until this is fixed.")
        page = sandbox.get("/", **HTML)
        assert page.text.startswith('<h1>Home</h1><div role="alert"')
        assert "app.arc:" in page.text
        assert "&lt;b&gt;" in page.text
        for encoding in ("gzip", "br"):
            packed = sandbox.get("/", **HTML, accept_encoding=encoding)
            assert (packed.text, packed.all("content-encoding")) == (page.text, [])
        assert "the sandbox serves the app as it was before: app.arc:" in text_of(sandbox.get("/nowhere", **HTML))
        assert sandbox.get("/").text == "<h1>Home</h1>"
        assert sandbox.get("/", **HTML, sec_fetch_dest="empty").text == "<h1>Home</h1>"
        assert sandbox.get("/data", **HTML).text == "data"
        write_manifest(app, "get /", "get /data")
        sandbox.get("/")
        sandbox.wait_for("app.arc is valid again.")
        assert sandbox.get("/", **HTML).text == "<h1>Home</h1>"


@pytest.mark.parametrize("encoding", [b"br", b"gzip", b"zstd"])
def test_body_that_cannot_be_read_gets_no_banner(encoding: bytes) -> None:
    """The app's response is sent as it is."""
    reply = Reply(200, [(b"content-type", b"text/html"), (b"content-encoding", encoding)], b"\x00")
    assert with_banner(reply, "fault") is reply


def test_saved_fix_of_an_undecorated_handler_works_at_the_next_request(tmp_path: Path) -> None:
    """Following the page's advice is enough."""
    app = write_app(tmp_path, {"get /": "def handler(req):\n    return {'html': 'x'}\n"})
    with running(app) as sandbox:
        assert sandbox.get("/", **HTML).status == 500
        write_handler(app, "get /", A.format("", "{'html': 'x'}"))
        assert sandbox.get("/", **HTML).text == "x"
