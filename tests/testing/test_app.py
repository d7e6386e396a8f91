"""`App`: routes, variables, sessions and errors of a whole app in the tests' process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from arc.errors import ConfigurationError, InventoryError, ToolError
from arc.testing import App, Clock
from tests.tools.sandbox.apps import says, write_app

EXAMPLES = Path(__file__).parents[2] / "examples"
SHOWS_PARAMETERS = """
    import json

    def handler(event, context):
        body = json.dumps([event["routeKey"], event.get("pathParameters"), event["rawPath"]])
        return {"statusCode": 200, "body": body}
"""
SHOWS_VARIABLE = """
    import os

    at_import = os.environ.get("GREETING")

    def handler(event, context):
        return {"statusCode": 200, "body": f"{at_import} {os.environ.get('GREETING')} {os.environ.get('ARC_ENV')}"}
"""
COUNTS = """
    import arc

    @arc.http.handler
    def handler(req):
        return {"text": str(req.session.increment("visits"))}
"""


@pytest.mark.parametrize(
    ("path", "key", "parameters"),
    [
        ("/users/me", "GET /users/me", None),
        ("/users/7", "GET /users/{id}", {"id": "7"}),
        ("/users/a%2Fb%20c", "GET /users/{id}", {"id": "a/b c"}),
        ("/users/7/edit", "ANY /users/{id}/{action}", {"id": "7", "action": "edit"}),
        ("/files/a/b.txt", "GET /files/{proxy+}", {"proxy": "a/b.txt"}),
    ],
)
def test_requests_are_routed_as_on_aws(path: str, key: str, parameters: dict[str, str] | None, tmp_path: Path) -> None:
    """Static parts precede parameters and those a catch-all; the event has the route's key and decoded parameters."""
    routes = ("get /files/*", "get /users/:id", "get /users/me", "any /users/:id/:action")
    write_app(tmp_path, dict.fromkeys(routes, SHOWS_PARAMETERS))
    with App(tmp_path) as app:
        shown = app.browser().get(path).json
    assert shown[:2] == [key, parameters]


def test_unknown_route_gets_the_answer_of_aws(tmp_path: Path) -> None:
    """An unknown path and a method that a path does not have are both not found, as in an HTTP API."""
    write_app(tmp_path, {"get /": says("home"), "any /all": says("any")})
    with App(tmp_path) as app:
        browser = app.browser()
        assert (browser.get("/nope").status, browser.get("/nope").json) == (404, {"message": "Not Found"})
        assert browser.post("/").status == browser.head("/").status == browser.get("/all/").status == 404
        assert browser.delete("/all").text == "any"


def test_handlers_see_the_variables_of_testing(tmp_path: Path) -> None:
    """They are in `.env`, at import and later, and the process has its own again afterwards."""
    before = dict(os.environ)
    write_app(tmp_path, {"get /": SHOWS_VARIABLE}, {".env": "GREETING=hello\n"})
    with App(tmp_path) as app:
        assert app.browser().get("/").text == "hello hello testing"
        assert dict(os.environ) == before


def test_handlers_do_not_see_the_variables_of_the_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the sandbox, only `env` adds to the app's own; a change of it takes effect at the next request."""
    monkeypatch.setenv("GREETING", "shell")
    write_app(tmp_path, {"get /": SHOWS_VARIABLE})
    with App(tmp_path) as app:
        assert app.browser().get("/").text == "None None testing"
        app.env["GREETING"] = "later"
        assert app.browser().get("/").text == "None later testing"
    with App(tmp_path, env={"GREETING": "given"}) as app:
        assert app.browser().get("/").text == "given given testing"


def test_variable_that_the_app_sets_itself_is_refused(tmp_path: Path) -> None:
    """An App always runs in testing."""
    write_app(tmp_path, {"get /": says("home")})
    with (
        App(tmp_path, env={"ARC_ENV": "production"}) as app,
        pytest.raises(ToolError, match="ARC_ENV cannot be in env"),
    ):
        app.browser().get("/")


def test_variable_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """The message shows the text to pass."""
    write_app(tmp_path, {"get /": says("home")})
    ports: dict[str, Any] = {"SMTP_PORT": 25}
    with App(tmp_path, env=ports) as app, pytest.raises(TypeError, match=r"^SMTP_PORT is 25 in env\. .* pass '25'\.$"):
        app.browser().get("/")


def test_variable_that_a_handler_sets_stays_its_own(tmp_path: Path) -> None:
    """What a function sets at import is there at its next request, and not in another function."""
    sets = "import os\nos.environ['GREETING'] = 'set'\n"
    write_app(tmp_path, {"get /": SHOWS_VARIABLE.replace("import os\n", sets.replace("\n", "\n    "))})
    write_app(tmp_path, {"get /": sets + SHOWS_VARIABLE.replace("\n    ", "\n"), "get /other": SHOWS_VARIABLE})
    with App(tmp_path) as app:
        browser = app.browser()
        for _ in range(2):
            assert browser.get("/").text == "set set testing"
            assert browser.get("/other").text == "None None testing"
    assert "GREETING" not in os.environ


def test_exception_in_a_handler_reaches_the_test(tmp_path: Path) -> None:
    """Its traceback ends in the handler's own line."""
    write_app(tmp_path, {"get /": "def handler(event, context):\n    return {}['missing']\n"})
    with App(tmp_path) as app, pytest.raises(KeyError, match="missing") as raised:
        app.browser().get("/")
    last = traceback.extract_tb(raised.value.__traceback__)[-1]
    assert (last.filename, last.lineno) == (str(tmp_path / "src/http/get-index/handler.py"), 2)


def test_async_handler_without_the_decorator_is_an_error(tmp_path: Path) -> None:
    """Lambda does not await it either."""
    write_app(tmp_path, {"get /": "async def handler(event, context):\n    return {'statusCode': 200}\n"})
    with App(tmp_path) as app, pytest.raises(TypeError, match=r"^The handler is async, and Lambda does not await it\."):
        app.browser().get("/")


@pytest.mark.parametrize("returned", ["arc.http.session.read(event)", "arc.http.session.write({'a': 1})"])
def test_bare_handler_may_return_a_session_or_a_cookie(returned: str, tmp_path: Path) -> None:
    """Both can be awaited, and are data all the same, as in the sandbox."""
    write_app(tmp_path, {"get /": f"import arc\n\ndef handler(event, context):\n    return {returned}\n"})
    with App(tmp_path) as app:
        assert app.browser().get("/").status == 200


def test_parallel_requests_run_one_after_the_other(tmp_path: Path) -> None:
    """Threads of a test may share two Apps: each request has its own app's variables and modules."""
    for name in ("one", "two"):
        write_app(tmp_path / name, {"get /": SHOWS_VARIABLE}, {".env": f"GREETING={name}\n"})
    with App(tmp_path / "one") as one, App(tmp_path / "two") as two, ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(lambda app: app.browser().get("/").text, [one, two] * 20))
    assert texts == ["one one testing", "two two testing"] * 20


def test_handler_that_cannot_be_imported_raises_each_time(tmp_path: Path) -> None:
    """The error names the missing module, and other routes work."""
    write_app(tmp_path, {"get /": "import nonesuch", "get /ok": says("fine")})
    with App(tmp_path) as app:
        for _ in range(2):
            with pytest.raises(ModuleNotFoundError, match="nonesuch"):
                app.browser().get("/")
        assert app.browser().get("/ok").text == "fine"


def test_route_without_a_handler_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    """So is a file without a handler, and a function in another language."""
    write_app(tmp_path, {"get /": "", "get /empty": "x = 1", "get /node": ""})
    (tmp_path / "src/http/get-index/handler.py").unlink()
    (tmp_path / "src/http/get-node/handler.py").rename(tmp_path / "src/http/get-node/index.mjs")
    with pytest.warns(UserWarning, match=r"does not serve get /node \(index\.mjs\)"):
        app = App(tmp_path)
    with app:
        browser = app.browser()
        with pytest.raises(ToolError, match=r"^get / has no handler yet\. Create src/http/get-index/handler\.py"):
            browser.get("/")
        with pytest.raises(ToolError, match=r"get-empty/handler\.py has no callable named 'handler'\."):
            browser.get("/empty")
        with pytest.raises(ToolError, match=r"^get /node is not a Python function \(index\.mjs\)\."):
            browser.get("/node")


@pytest.mark.parametrize(
    ("manifest", "error", "message"),
    [
        (None, ToolError, r"has no manifest .* To create an app there, run: arc init"),
        ("@app\nMy App\n", InventoryError, r"'My App' is not a valid app name"),
        ("@app\nok\n\n@http\nfetch /\n", InventoryError, r"Unknown HTTP method 'fetch'"),
    ],
)
def test_app_with_faults_cannot_be_opened(
    manifest: str | None, error: type[Exception], message: str, tmp_path: Path
) -> None:
    """The message is the one of the commands."""
    if manifest is not None:
        (tmp_path / "app.arc").write_text(manifest)
    with pytest.raises(error, match=message):
        App(tmp_path)


def test_missing_folder_cannot_be_opened(tmp_path: Path) -> None:
    """The message names it."""
    with pytest.raises(
        ToolError, match=re.escape(f"{tmp_path / 'nope'} does not exist. To create an app there, run: arc init")
    ):
        App(tmp_path / "nope")


def test_closed_app_refuses_requests(tmp_path: Path) -> None:
    """Closing twice is harmless."""
    write_app(tmp_path, {"get /": says("home")})
    with App(tmp_path) as app:
        browser = app.browser()
    app.close()
    with pytest.raises(ToolError, match=r"^This App is closed\."):
        browser.get("/")


def test_several_browsers_are_several_visitors(tmp_path: Path) -> None:
    """Each has its own cookies, and one function serves them all."""
    write_app(tmp_path, {"get /": COUNTS})
    with App(tmp_path) as app:
        ada, bob = app.browser(), app.browser()
        assert [ada.get("/").text, ada.get("/").text, bob.get("/").text, ada.get("/").text] == ["1", "2", "1", "3"]


def test_session_expires_by_the_clock(tmp_path: Path) -> None:
    """The session, the browser's cookies and the event use the App's clock."""
    write_app(tmp_path, {"get /": COUNTS, "get /time": SHOWS_PARAMETERS.replace("rawPath", "requestContext")})
    clock = Clock()
    with App(tmp_path, clock=clock) as app:
        browser = app.browser()
        browser.get("/")
        value = browser.jar.get("_idx")
        clock.forward(days=6)
        assert browser.get("/").text == "2"
        assert browser.get("/time").json[2]["timeEpoch"] == clock() * 1000
        clock.forward(days=8)
        assert browser.jar.get("_idx") is None
        assert value is not None
        browser.jar.put("_idx", value, "app.example")
        assert browser.get("/").text == "1"


def test_sessions_of_a_table_are_in_memory(tmp_path: Path) -> None:
    """The cookie has an id alone, and every function of the App finds the session, though there is no table."""
    write_app(tmp_path, {"get /": COUNTS, "get /other": COUNTS}, {".env": "SESSION_TABLE_NAME=session\n"})
    with App(tmp_path) as app:
        browser = app.browser()
        assert [browser.get("/").text, browser.get("/other").text] == ["1", "2"]
        assert len(browser.jar.get("_idx") or "") < 100
    with App(tmp_path) as app:
        assert app.browser().get("/").text == "1"


def test_setting_that_is_wrong_is_reported(tmp_path: Path) -> None:
    """As in the sandbox, the message names the variable."""
    write_app(tmp_path, {"get /": COUNTS}, {".env": "ARC_SESSION_TTL=soon\n"})
    with App(tmp_path) as app, pytest.raises(ConfigurationError, match=r"^ARC_SESSION_TTL is 'soon'\."):
        app.browser().get("/")


def test_handler_has_a_context_like_lambdas(tmp_path: Path) -> None:
    """It has the function's name, the request's id and the time that is left."""
    shows = """
        def handler(event, context):
            left = 0 < context.get_remaining_time_in_millis() <= 5000
            text = f"{context.function_name} {context.aws_request_id == event['requestContext']['requestId']} {left}"
            return {"statusCode": 200, "body": text}
    """
    write_app(tmp_path, {"get /users/:id": shows})
    with App(tmp_path) as app:
        assert app.browser().get("/users/1").text == "testapp-testing-GetUsersId True True"


def test_shop_works_with_its_forms() -> None:
    """A visitor adds to the cart, signs in and out; another one is not signed in."""
    with App(EXAMPLES / "shop") as app:
        browser = app.browser()
        browser.get("/")
        browser.submit("/cart", product="lamp")
        browser.get("/sign-in")
        assert "ada@example.com" in browser.submit("/sign-in", email="ada@example.com", password="correct horse").text
        assert app.browser().get("/account").url.endswith("/sign-in")
        browser.submit("/sign-out")
        assert browser.get("/account").url.endswith("/sign-in")


def test_app_without_the_tools_names_the_extra(tmp_path: Path) -> None:
    """Reading `.env` needs a package that a deployed function does not have."""
    write_app(tmp_path, {"get /": says("home")}, {".env": "A=1\n"})
    code = "import sys\nsys.modules['dotenv'] = None\nfrom arc.testing import App\nApp('.')\n"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "not installed. Run: pip install 'arc-sessions[sandbox]'" in done.stderr
