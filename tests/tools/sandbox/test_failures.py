"""Handlers that fail: the response, the terminal, and the other routes."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.tools.sandbox.apps import COUNT, says, write_app
from tests.tools.sandbox.running import Answer, Sandbox, ends, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HANDLERS = {
    "get /": COUNT,
    "get /raise": """
        def handler(event, context):
            print("before it fails")
            try:
                {}["<b>key</b>"]
            except KeyError as error:
                raise ValueError("<script>alert(1)</script>") from error
        """,
    "get /escape": """
        def handler(event, context):
            raise ValueError(event["queryStringParameters"]["name"])
        """,
    "get /os-exit": "import os\ndef handler(event, context):\n    os._exit(3)\n",
    "get /sys-exit": "import sys\ndef handler(event, context):\n    sys.exit(4)\n",
    "get /kill": "import os, signal\ndef handler(event, context):\n    os.kill(os.getpid(), signal.SIGKILL)\n",
    "get /hang": """
        import subprocess, time
        def handler(event, context):
            print("child", subprocess.Popen(["sleep", "600"]).pid)
            time.sleep(600)
        """,
    "get /hang-in-c": "import re\ndef handler(event, context):\n    re.match(r'(a+)+$', 'a' * 60 + 'b')\n",
    "get /print": """
        def handler(event, context):
            for number in range(12_500):
                print(f"{number:05} " + "x" * 74)
            return {"statusCode": 200, "body": "printed"}
        """,
    "get /import": "import no_such_module\n" + says("x"),
    "get /exit-at-import": "import os\nos._exit(5)\n",
    "get /no-handler": "def handle(event, context):\n    return 1\n",
    "get /unserialisable": "def handler(event, context):\n    return {'statusCode': 200, 'body': {1, 2}}\n",
    "get /async": "async def handler(event, context):\n    return {'statusCode': 200, 'body': 'x'}\n",
    "get /breakpoint": "def handler(event, context):\n    breakpoint()\n    return {'statusCode': 200, 'body': 'x'}\n",
    "get /malformed": "def handler(event, context):\n    return {'statusCode': 'fine'}\n",
    "get /large": "def handler(event, context):\n    return 'x' * (6 * 1024 * 1024 + 1)\n",
    "get /bare": "def handler(event, context):\n    return {'html': '<p>hello', 'status': 201}\n",
    "post /": "def handler(event, context):\n    return str(len(event['body']))\n",
}
TIMEOUT = {
    "src/http/get-hang/config.arc": "@aws\ntimeout 1\n",
    "src/http/get-hang_in_c/config.arc": "@aws\ntimeout 1\n",
}
OTHERS = {"src/http/get-import/vendor/arc/__init__.py": ""}
UNMET = {"src/http/get-import/requirements.txt": "no-such-distribution>=2  # not there\npytest\n"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app with failing handlers and a working one."""
    return write_app(tmp_path_factory.mktemp("failures") / "app", HANDLERS, TIMEOUT | UNMET | OTHERS)


@pytest.fixture(scope="module", params=["native", "pure"])
def sandbox(app: Path, request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """The app in a sandbox, with awslambdaric's native client and with the pure one."""
    with running(app, request.param) as sandbox:
        yield sandbox


def page(sandbox: Sandbox, path: str) -> Answer:
    """Return the response for a browser, and print its text."""
    answer = sandbox.get(path, accept="text/html,*/*;q=0.8")
    print(path, answer.status, re.sub(r"(?s)<style>.*</style>|<[^>]+>", " ", answer.text[:20_000])[:700])
    return answer


def test_exception_page_has_the_escaped_traceback(sandbox: Sandbox) -> None:
    """The traceback includes chained exceptions, and its markup is escaped."""
    answer = page(sandbox, "/raise")
    assert answer.status == 500
    assert "ValueError: &lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
    assert "&lt;b&gt;key&lt;/b&gt;" in answer.text
    assert "handler.py&quot;, line 6, in handler" in answer.text
    assert "<script>" not in answer.text
    assert "awslambdaric" not in answer.text
    assert answer.all("cache-control") == ["no-store"]


def test_output_is_labeled_with_the_route(sandbox: Sandbox) -> None:
    """This holds for prints and tracebacks."""
    sandbox.get("/raise")
    sandbox.wait_for(r"(?m)^get /raise \| before it fails$")
    sandbox.wait_for(r"(?m)^get /raise \| Traceback \(most recent call last\):$")
    sandbox.wait_for(r"(?m)^get /raise \| ValueError: <script>alert\(1\)</script>$")


def test_exception_cannot_control_the_terminal(sandbox: Sandbox) -> None:
    """Its message may quote a visitor. Control characters and changes of direction are escaped."""
    sandbox.get("/escape?name=" + quote("a\x1b[2J\r\x9b31m\u202eb"))
    sandbox.wait_for(r"(?m)^get /escape \| ValueError: a\\x1b\[2J\\r\\x9b31m\\u202eb$")


def test_client_that_does_not_accept_html_gets_json(sandbox: Sandbox) -> None:
    """The response is that of API Gateway, without the traceback."""
    for headers in ({}, {"accept": "*/*"}, {"accept": "application/json"}):
        answer = sandbox.get("/raise", **headers)
        assert (answer.status, answer.text) == (500, '{"message":"Internal Server Error"}')
        assert answer.all("content-type") == ["application/json"]


@pytest.mark.parametrize(
    ("path", "status", "expected"),
    [
        ("/os-exit", 500, "ended before the handler returned (exit code 3)"),
        ("/sys-exit", 500, "ended before the handler returned (exit code 4)"),
        ("/kill", 500, "ended before the handler returned (killed by SIGKILL)"),
        ("/hang", 504, "did not return within 1 second"),
        ("/hang-in-c", 504, "did not return within 1 second"),
        ("/import", 500, "No module named &#x27;no_such_module&#x27;"),
        ("/exit-at-import", 500, "ended while the handler was being imported (exit code 5)"),
        ("/no-handler", 500, "has no callable named &#x27;handler&#x27;"),
        ("/unserialisable", 500, "set is not JSON serializable"),
        ("/async", 500, "The handler is async, and Lambda does not await it. Decorate it with @arc.http.handler"),
        ("/breakpoint", 500, "Run `arc sandbox --debug` and attach your editor"),
        ("/malformed", 502, "&#x27;statusCode&#x27; is &#x27;fine&#x27;"),
    ],
)
@pytest.mark.sampled(6)
def test_failure_is_explained_and_affects_no_other_route(
    sandbox: Sandbox, path: str, status: int, expected: str
) -> None:
    """The page names the reason, again at the next request, and another route keeps its process."""
    before = int(sandbox.get("/").text)
    for _ in range(2):
        answer = page(sandbox, path)
        assert answer.status == status
        assert expected in answer.text
    sandbox.wait_for(rf"(?m)^get {path} \| ")
    assert int(sandbox.get("/").text) == before + 1


def test_function_gets_a_new_process_after_a_crash(sandbox: Sandbox) -> None:
    """This holds whatever ended the previous process."""
    assert [sandbox.get(path).status for path in ("/kill", "/kill", "/os-exit", "/os-exit")] == [500] * 4


def test_hanging_handler_is_killed_with_its_children(sandbox: Sandbox) -> None:
    """Another route answers in the meantime."""
    statuses: list[int] = []
    hanging = threading.Thread(target=lambda: statuses.append(sandbox.get("/hang").status))
    hanging.start()
    served = 0
    while hanging.is_alive():
        assert sandbox.get("/").status == 200
        served += 1
    hanging.join()
    assert statuses == [504]
    assert served > 20
    children = re.findall(r"get /hang \| child (\d+)", sandbox.output)
    assert children
    for child in children:
        assert ends(int(child))


def test_large_output_does_not_block(sandbox: Sandbox) -> None:
    """All lines arrive with a label, and other routes answer in the meantime."""
    printing = threading.Thread(target=sandbox.get, args=("/print",))
    printing.start()
    assert sandbox.get("/").status == 200
    printing.join()
    sandbox.wait_for("12499 x")
    lines = re.findall(r"(?m)^get /print \| (\d{5}) x{74}$", sandbox.output)
    assert [int(number) for number in lines[:12_500]] == list(range(12_500))
    assert sandbox.get("/print").text == "printed"


def test_result_over_six_megabytes_is_refused(sandbox: Sandbox) -> None:
    """The status is 413, because the result exceeds Lambda's limit."""
    answer = page(sandbox, "/large")
    assert answer.status == 413
    assert "larger than 6 MB" in answer.text


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream"])
def test_event_over_six_megabytes_is_refused(sandbox: Sandbox, content_type: str) -> None:
    """The limit applies to the event, in which binary bodies grow by a third."""
    headers = {"content-type": content_type}
    most = 6_200_000 if content_type == "text/plain" else 4_600_000
    assert sandbox.request("POST", "/", b"x" * most, headers).status == 200
    too_large = sandbox.request("POST", "/", b"x" * int(most * 1.1), headers)
    assert (too_large.status, too_large.text) == (413, '{"message":"Request Entity Too Large"}')


def test_bare_handler_with_architect_keys_gets_a_hint(sandbox: Sandbox) -> None:
    """The response is JSON as on Lambda, and the terminal says once what to add."""
    for _ in range(2):
        answer = sandbox.get("/bare")
        assert (answer.status, answer.text) == (200, '{"html": "<p>hello", "status": 201}')
        assert answer.all("content-type") == ["application/json"]
    hint = r"get /bare \| .*@arc\.http\.handler.*return arc\.http\.res\(req, "
    sandbox.wait_for(hint)
    assert len(re.findall(hint, sandbox.output)) == 1


def test_unsatisfied_requirement_is_reported_once(sandbox: Sandbox) -> None:
    """The message has the command to install it; a conflicting package is reported too."""
    sandbox.wait_for(
        r"Warning: Packages are missing\. .*\n  src/http/get-import/requirements.txt: no-such-distribution>=2\n"
    )
    sandbox.wait_for(r"get /import \| vendor/arc is imported instead of arc-sessions")
    sandbox.get("/import")
    assert sandbox.output.count("Packages are missing") == 1
