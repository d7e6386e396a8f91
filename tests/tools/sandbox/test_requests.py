"""Requests reach the handler as on AWS, and its results reach the visitor."""

from __future__ import annotations

import base64
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from tests.tools.sandbox.apps import says, write_app
from tests.tools.sandbox.running import Sandbox, running

if TYPE_CHECKING:
    from collections.abc import Iterator

ECHO = """
import json

def handler(event, context):
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event)}
"""
HANDLERS = {
    "get /": ECHO,
    "post /": ECHO,
    "any /any": ECHO,
    "head /": "def handler(event, context):\n    return {'statusCode': 200, 'body': 'twelve bytes'}\n",
    "options /": "def handler(event, context):\n    return {'statusCode': 204, 'headers': {'allow': 'GET'}}\n",
    "get /users/:id": ECHO,
    "get /users/me": says("me"),
    "get /files/*": ECHO,
    "get /reply": """
        def handler(event, context):
            return {
                "statusCode": 201,
                "headers": {"X-Number": 7, "X-True": True, "Content-Length": "999", "Connection": "close"},
                "cookies": ["a=1; Path=/", "b=2"],
                "isBase64Encoded": True,
                "body": "AAEC/w==",
            }
        """,
    "get /text": "def handler(event, context):\n    return 'bare text ☃'\n",
    "get /none": "def handler(event, context):\n    return None\n",
    "get /context": """
        import json, os

        def handler(event, context):
            names = ("function_name", "function_version", "invoked_function_arn", "memory_limit_in_mb",
                     "aws_request_id", "log_group_name", "log_stream_name")
            result = {name: getattr(context, name) for name in names}
            result["remaining"] = context.get_remaining_time_in_millis()
            result["same_trace"] = os.environ["_X_AMZN_TRACE_ID"] == event["headers"]["x-amzn-trace-id"]
            result["same_id"] = context.aws_request_id == event["requestContext"]["requestId"]
            body = {"context": result, "environ": dict(os.environ), "cwd": os.getcwd()}
            return {"statusCode": 200, "body": json.dumps(body)}
        """,
    "get /vendored": """
        import plain, vendor.own
        from vendor.shared import greeting
        from vendor.shared.deep.words import WORD

        def handler(event, context):
            return {"statusCode": 200, "body": " ".join((greeting.hello(), WORD, plain.NAME, vendor.own.NAME))}
        """,
    "get /shared": """
        import shared.greeting
        from shared.deep import words

        def handler(event, context):
            return " ".join((shared.greeting.hello(), words.WORD))
        """,
    "get /own-shared": "from shared import NAME\ndef handler(event, context):\n    return NAME\n",
    "get /both-shared": """
        from shared import greeting, mine

        def handler(event, context):
            return greeting.hello() + mine.NAME
        """,
    "get /input": "import sys\ndef handler(event, context):\n    return repr(sys.stdin.read())\n",
}
FILES = {
    "src/shared/greeting.py": "from vendor.shared.deep.words import WORD\ndef hello():\n    return 'hello ' + WORD\n",
    "src/shared/deep/words.py": "WORD = 'word'\n",
    "src/http/get-vendored/vendor/own.py": "NAME = 'own'\n",
    "src/http/get-vendored/vendor/plain.py": "NAME = 'plain'\n",
    "src/http/get-own_shared/shared.py": "NAME = 'its own'\n",
    "src/http/get-both_shared/shared/mine.py": "NAME = ' and mine'\n",
    ".env": "COLOUR=red\nARC_ENV=production\n",
}


@pytest.fixture(scope="module", params=["native", "pure"])
def sandbox(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """An app that returns what it receives, with awslambdaric's native client and with the pure one."""
    app = write_app(tmp_path_factory.mktemp("requests") / "app", HANDLERS, FILES)
    shell = {
        "ARC_APP_SECRET": "of the shell",
        "AWS_PROFILE": "work",
        "SESSION_TTL": "5",
        "GITHUB_TOKEN": "t",
        "PASSED": "on",
    }
    with running(app, request.param, "env=PASSED", environ=shell) as sandbox:
        yield sandbox


def event_of(sandbox: Sandbox, method: str, path: str, body: bytes | None = None, **headers: str) -> dict[str, Any]:
    """Return the event that reached the handler."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    event: dict[str, Any] = json.loads(sandbox.request(method, path, body, named).body)
    return event


def test_event_has_exactly_the_keys_of_api_gateway(sandbox: Sandbox) -> None:
    """The request is a plain GET, in payload format 2.0."""
    event = event_of(sandbox, "GET", "/", user_agent="test")
    keys = {"version", "routeKey", "rawPath", "rawQueryString", "headers", "requestContext", "isBase64Encoded"}
    assert event.keys() == keys
    assert (event["version"], event["routeKey"], event["rawPath"]) == ("2.0", "GET /", "/")
    context = event["requestContext"]
    assert context["http"] == {
        "method": "GET",
        "path": "/",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "test",
    }
    assert context["stage"] == "$default"
    assert isinstance(context["timeEpoch"], int)


def test_cookies_are_a_list_and_not_a_header(sandbox: Sandbox) -> None:
    """API Gateway removes the Cookie header."""
    event = event_of(sandbox, "GET", "/", cookie="a=1; b=2;c=3")
    assert event["cookies"] == ["a=1", "b=2", "c=3"]
    assert "cookie" not in event["headers"]


def test_repeated_query_keys_are_joined(sandbox: Sandbox) -> None:
    """The raw query string is unchanged."""
    event = event_of(sandbox, "GET", "/?a=1&a=2&b=%26%20&c=")
    assert event["rawQueryString"] == "a=1&a=2&b=%26%20&c="
    assert event["queryStringParameters"] == {"a": "1,2", "b": "& ", "c": ""}


def test_repeated_headers_are_joined(sandbox: Sandbox) -> None:
    """They are separated by commas, under a lower-case name."""
    with socket.create_connection(("127.0.0.1", sandbox.port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: 1\r\nx-a: 2\r\nConnection: close\r\n\r\n")
        response = b"".join(iter(lambda: connection.recv(65536), b""))
    assert json.loads(response.partition(b"\r\n\r\n")[2])["headers"]["x-a"] == "1,2"


def test_text_bodies_arrive_as_text_and_binary_ones_as_base64(sandbox: Sandbox) -> None:
    """Forms, and text that is not valid UTF-8, are base64 too."""
    data = event_of(sandbox, "POST", "/", b'{"a": 1}', content_type="application/json")
    assert (data["body"], data["isBase64Encoded"]) == ('{"a": 1}', False)
    form = event_of(sandbox, "POST", "/", b"a=1&b=%C3%A9", content_type="application/x-www-form-urlencoded")
    assert (base64.b64decode(form["body"]), form["isBase64Encoded"]) == (b"a=1&b=%C3%A9", True)
    for content_type in ("image/png", "text/plain"):
        event = event_of(sandbox, "POST", "/", b"\x00\xff\xfe", content_type=content_type)
        assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (b"\x00\xff\xfe", True)


def test_most_specific_route_matches(sandbox: Sandbox) -> None:
    """Static parts precede parameters, and parameters precede catch-alls; parameters are decoded."""
    assert sandbox.get("/users/me").text == "me"
    user = event_of(sandbox, "GET", "/users/j%C3%BCrgen")
    assert (user["routeKey"], user["pathParameters"]) == ("GET /users/{id}", {"id": "jürgen"})
    assert user["rawPath"] == "/users/jürgen"
    file = event_of(sandbox, "GET", "/files/a/b.txt")
    assert (file["routeKey"], file["pathParameters"]) == ("GET /files/{proxy+}", {"proxy": "a/b.txt"})


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_any_matches_every_method(sandbox: Sandbox, method: str) -> None:
    """The route key is ANY, and the method is the request's."""
    event = event_of(sandbox, method, "/any")
    assert (event["routeKey"], event["requestContext"]["http"]["method"]) == ("ANY /any", method)


def test_head_has_the_length_and_no_body(sandbox: Sandbox) -> None:
    """RFC 9110 §9.3.2 requires it."""
    answer = sandbox.request("HEAD", "/")
    assert (answer.status, answer.body, answer.all("content-length")) == (200, b"", ["12"])


def test_options_routes_are_invoked(sandbox: Sandbox) -> None:
    """A 204 response has neither a body nor a length."""
    answer = sandbox.request("OPTIONS", "/")
    assert (answer.status, answer.all("allow"), answer.all("content-length"), answer.body) == (204, ["GET"], [], b"")


@pytest.mark.parametrize(("method", "path"), [("GET", "/no"), ("DELETE", "/"), ("GET", "/users")])
def test_unknown_route_is_not_found(sandbox: Sandbox, method: str, path: str) -> None:
    """The response is byte for byte that of API Gateway."""
    answer = sandbox.request(method, path)
    assert (answer.status, answer.text) == (404, '{"message":"Not Found"}')
    assert answer.all("content-type") == ["application/json"]


def test_reply_has_all_cookies_and_binary_bodies(sandbox: Sandbox) -> None:
    """Header values may be numbers, and connection headers are replaced."""
    answer = sandbox.get("/reply")
    assert (answer.status, answer.body) == (201, b"\x00\x01\x02\xff")
    assert answer.all("set-cookie") == ["a=1; Path=/", "b=2"]
    assert (answer.all("x-number"), answer.all("x-true")) == (["7"], ["true"])
    assert answer.all("content-length") == ["4"]
    assert answer.all("content-type") == ["text/plain;charset=UTF-8"]


def test_result_without_a_status_is_the_body(sandbox: Sandbox) -> None:
    """A string is sent as it is, null as JSON, both with the content type of JSON."""
    assert (sandbox.get("/text").text, sandbox.get("/none").text) == ("bare text ☃", "null")
    assert sandbox.get("/text").all("content-type") == ["application/json"]


def test_catch_all_matches_its_own_folder(sandbox: Sandbox) -> None:
    """The parameter is empty, as in Architect."""
    event = json.loads(sandbox.get("/files/").text)
    assert (event["routeKey"], event["pathParameters"]) == ("GET /files/{proxy+}", {"proxy": ""})


def test_context_has_lambdas_attributes(sandbox: Sandbox) -> None:
    """The remaining time counts down from the timeout."""
    context = json.loads(sandbox.get("/context").text)["context"]
    assert context["function_name"] == "testapp-testing-GetContext"
    assert context["invoked_function_arn"].endswith(":function:testapp-testing-GetContext")
    assert context["memory_limit_in_mb"] == "1152"
    assert context["function_version"] == "$LATEST"
    assert context["log_group_name"] == "/aws/lambda/testapp-testing-GetContext"
    assert context["log_stream_name"]
    assert 0 < context["remaining"] <= 5000
    assert context["same_id"] is True
    assert context["same_trace"] is True


def test_function_environment_excludes_the_shell(sandbox: Sandbox) -> None:
    """It has Architect's variables, the app's, and those that `--env` names."""
    result = json.loads(sandbox.get("/context").text)
    environ = result["environ"]
    assert environ["ARC_ENV"] == "testing"
    assert environ["ARC_APP_NAME"] == "testapp"
    assert environ["ARC_SESSION_TABLE_NAME"] == "jwe"
    assert environ["ARC_STACK_NAME"] == "TestappTesting"
    assert json.loads(environ["ARC_SANDBOX"])["ports"] == {"http": sandbox.port, "_arc": sandbox.port}
    assert (environ["COLOUR"], environ["PASSED"]) == ("red", "on")
    assert environ["AWS_ACCESS_KEY_ID"] == "dummy"
    assert not {"ARC_APP_SECRET", "AWS_PROFILE", "SESSION_TTL", "GITHUB_TOKEN"} & environ.keys()
    assert result["cwd"].endswith("src/http/get-context")


def test_shared_code_is_importable_beside_a_real_vendor_folder(sandbox: Sandbox) -> None:
    """Handlers and shared code can import it, and packages in the function's vendor folder."""
    assert sandbox.get("/vendored").text == "hello word word plain own"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/shared", "hello word word"),
        ("/own-shared", "its own"),
        ("/both-shared", "hello word and mine"),
    ],
)
def test_shared_code_is_importable_as_shared(sandbox: Sandbox, path: str, text: str) -> None:
    """Architect puts `vendor` on the path, after the function's own folder."""
    assert sandbox.get(path).text == text


def test_standard_input_of_a_handler_is_empty(sandbox: Sandbox) -> None:
    """It does not wait for a terminal."""
    assert sandbox.get("/input").text == "''"


def test_head_over_ten_kilobytes_is_refused(sandbox: Sandbox) -> None:
    """API Gateway has this limit for the request line and all headers."""
    answer = sandbox.get("/", x_long="x" * 10_240)
    assert (answer.status, answer.text) == (431, '{"message":"Request Header Fields Too Large"}')
