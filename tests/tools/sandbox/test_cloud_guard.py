"""The guard of the local cloud: web pages reach the app's APIs and nothing else."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from arc.tools.sandbox.cloud.local_cloud import LocalCloud
from arc.tools.sandbox.cloud.process import guarded
from arc.tools.sandbox.cloud.state import temporary_state
from tests.engines import client_of
from tests.tools.sandbox.cloud_functions import ROLE, ask, functions, make_api, make_function

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FUNCTIONS = "/2015-03-31/functions"
SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=dummy/20300101/us-east-1/lambda/aws4_request"}
EVIL = {"Origin": "https://evil.example"}
STOLEN = {
    "FunctionName": "stolen",
    "Runtime": "python3.13",
    "Role": ROLE,
    "Handler": "handler.handler",
    "Code": {"ZipFile": ""},
}
UNKNOWN = ("deadbeef.execute-api.localhost", f"{'a' * 32}.lambda-url.us-east-1.localhost")


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    """A local cloud with the function shop."""
    state = temporary_state()
    cloud = LocalCloud(state, print)
    make_function(cloud.url)
    yield cloud
    cloud.close()
    state.close()


@pytest.fixture(scope="module")
def host(cloud: LocalCloud) -> str:
    """The host of an HTTP API for the function."""
    return make_api(
        cloud.url, client_of(cloud.url, "lambda").get_function(FunctionName="shop")["Configuration"]["FunctionArn"]
    )


def create(cloud: LocalCloud, headers: Mapping[str, str]) -> int:
    """Return the status of a request that creates a function."""
    return ask(cloud.port, "POST", FUNCTIONS, headers, json.dumps(STOLEN).encode()).status


@pytest.mark.parametrize(
    "headers",
    [
        EVIL,
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:3333"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "localhost.evil.example:80"},
        {"Host": "deadbeef.execute-api.localhost.evil.example"},
        {"Host": ""},
    ],
)
def test_web_pages_cannot_create_functions(cloud: LocalCloud, headers: dict[str, str]) -> None:
    """This includes pages whose host name resolves to this machine, and signed requests."""
    assert create(cloud, headers) == 403
    assert create(cloud, headers | SIGNED) == 403
    assert functions(cloud.url) == ["shop"]


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:80", "127.8.8.8", "[::1]:80", "lambda.localhost", "LOCALHOST"]
)
def test_programs_on_this_machine_are_served(cloud: LocalCloud, host: str) -> None:
    """So is a request from the browser's address bar."""
    assert ask(cloud.port, "GET", f"{FUNCTIONS}/", {"Host": host} | SIGNED).status == 200
    assert ask(cloud.port, "GET", f"{FUNCTIONS}/", {"Host": host, "Sec-Fetch-Site": "none"} | SIGNED).status == 200


def test_unsigned_requests_are_refused(cloud: LocalCloud) -> None:
    """Browsers do not always send the origin of a page, but they never sign requests."""
    assert create(cloud, {}) == 403
    for path in ("/?Action=CreateUser&UserName=stolen&Version=2010-05-08", "/_ministack/x?Action=CreateUser", "/"):
        assert ask(cloud.port, "GET", path).status == 403
    assert ask(cloud.port, "POST", "/_ministack/reset").status == 403
    session = boto3.session.Session(region_name="us-east-1")
    ssm = session.client("ssm", endpoint_url=cloud.url, config=Config(signature_version=UNSIGNED))
    with pytest.raises(ssm.exceptions.ClientError, match=r"AccessDeniedException.*The request is not signed"):
        ssm.describe_parameters()
    assert client_of(cloud.url, "iam").list_users()["Users"] == []
    assert functions(cloud.url) == ["shop"]


def test_responses_have_no_cors_headers(cloud: LocalCloud, host: str) -> None:
    """By default, ministack lets every page read its responses."""
    answers = [
        ask(cloud.port, "OPTIONS", "/"),
        ask(cloud.port, "OPTIONS", "/", EVIL | {"Access-Control-Request-Method": "PUT"}),
        ask(cloud.port, "GET", f"{FUNCTIONS}/", SIGNED),
        ask(cloud.port, "GET", "/_ministack/health"),
        ask(cloud.port, "GET", "/", EVIL | {"Host": host}),
        ask(cloud.port, "GET", "/", EVIL | {"Host": UNKNOWN[0]}),
    ]
    assert [answer.status for answer in answers] == [200, 403, 200, 200, 200, 404]
    assert not [name for answer in answers for name, _ in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    "path", ["/", "/login", "/logout", "/health", "/_ministack/reset", "/_ministack/health", "/v2/x"]
)
def test_apps_own_pages_are_served(cloud: LocalCloud, host: str, path: str) -> None:
    """This includes forms, which send an origin, and paths that ministack handles itself."""
    page = {"Host": host, "Origin": f"http://{host}:{cloud.port}", "Sec-Fetch-Site": "same-origin"}
    methods = ("GET",) if path == "/" else ("GET", "POST")
    for method in methods:
        answer = ask(cloud.port, method, path, page)
        assert (answer.status, json.loads(answer.text)["path"]) == (200, path)
    assert functions(cloud.url) == ["shop"]


@pytest.mark.parametrize("host", UNKNOWN)
def test_unknown_api_host_reaches_no_service(cloud: LocalCloud, host: str) -> None:
    """Web pages may send requests to such hosts."""
    page = EVIL | {"Host": host}
    assert create(cloud, page | SIGNED) == 404
    assert ask(cloud.port, "GET", "/?Action=CreateUser&UserName=stolen", page).status == 404
    assert ask(cloud.port, "POST", "/_ministack/reset", page).status in (403, 404)
    assert functions(cloud.url) == ["shop"]
    assert client_of(cloud.url, "iam").list_users()["Users"] == []


def test_web_sockets_are_refused(cloud: LocalCloud) -> None:
    """They are refused with and without an origin."""
    for origin in ("Origin: https://evil.example\r\n", ""):
        with socket.create_connection(("127.0.0.1", cloud.port)) as connection:
            connection.sendall(
                f"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n{origin}Connection: Upgrade\r\nUpgrade: websocket\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
            )
            assert connection.recv(4096).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("hosts", [[], [b"localhost", b"deadbeef.execute-api.localhost"], [b"127.0.0.1"] * 2])
def test_request_without_exactly_one_host_header_is_refused(hosts: list[bytes]) -> None:
    """The status is 400 (RFC 9112 §3.2), whatever the other headers are."""
    passed: list[Any] = []
    sent: list[Any] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        passed.append(scope)

    async def receive() -> Any:
        raise AssertionError("Nothing is read from a request that is refused.")

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", host) for host in hosts]
    scope = {"type": "http", "method": "PUT", "path": "/", "raw_path": b"/", "headers": headers}

    async def served() -> None:
        await guarded(app)(scope, receive, send)

    asyncio.run(served())
    assert passed == []
    assert sent[0]["status"] == 400
    assert f"{len(hosts)} Host headers".encode() in sent[1]["body"]
