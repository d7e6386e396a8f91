"""The service map: its path, its content, its reuse, and the messages if it cannot be read."""

from __future__ import annotations

import json
import logging
import secrets
import socketserver
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from arc.errors import ConfigurationError, StoreError
from arc.service_map import mapped_ports, service_map, service_path, table_names
from arc.services import services
from arc.sessions import visit
from arc.settings import Settings
from tests.engines import AWS, fresh_app
from tests.local_server import serving
from tests.sandbox_services import sandbox_services
from tests.sessions.making import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.engines import Engine

SHOW = "import arc, json; print(json.dumps(arc.services(), sort_keys=True))"
TELL = """
import arc
try:
    arc.services()
except arc.ArcError as error:
    print(type(error).__name__, error)
"""


def fresh_stack() -> str:
    """A stack that no other test uses."""
    return f"Stack{secrets.token_hex(8)}"


def put(engine: Engine, **parameters: str) -> None:
    """Put parameters into SSM. `__` stands for `/`."""
    client = engine.client("ssm")
    for name, value in parameters.items():
        client.put_parameter(Name="/" + name.replace("__", "/"), Value=value, Type="String")


def counted(engine: Engine) -> tuple[Any, list[str]]:
    """A client of SSM, and the list of its calls."""
    client, calls = engine.client("ssm"), []
    client.meta.events.register("before-call.ssm", lambda model, **_: calls.append(model.name))
    return client, calls


def run(code: str, environ: dict[str, str]) -> str:
    """The output of `code` in a separate process."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=environ, check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout


def proxied(port: int) -> dict[str, str]:
    """Variables of a machine whose proxy is at `port`, in every spelling."""
    return dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"), f"http://127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("app", "environment", "path"),
    [
        ("testapp", "staging", "/TestappStaging"),
        ("my-app", "production", "/MyAppProduction"),
        ("myApp", "staging", "/MyAppStaging"),
        ("my_app2", "testing", "/MyApp2Testing"),
        ("ABc", "testing", "/ABcTesting"),
        ("my--app-", "staging", "/MyAppStaging"),
        (None, "testing", "/ArcAppTesting"),
    ],
)
def test_stack_is_named_after_app_and_environment(app: str | None, environment: str, path: str) -> None:
    """The names equal Node's."""
    assert service_path(Settings(app_name=app, environment=environment)) == path


def test_stack_name_takes_precedence() -> None:
    """ARC_STACK_NAME takes precedence over app and environment."""
    settings = Settings.from_env({"ARC_STACK_NAME": "Mine", "ARC_APP_NAME": "testapp", "ARC_ENV": "staging"})
    assert service_path(settings) == "/Mine"


@pytest.mark.parametrize(
    ("environ", "missing"),
    [({"ARC_ENV": "staging"}, "ARC_APP_NAME"), ({"ARC_APP_NAME": "testapp"}, "ARC_ENV"), ({}, "ARC_APP_NAME")],
)
def test_unnamed_stack_is_a_configuration_error(environ: dict[str, str], missing: str) -> None:
    """Nothing is read, and the message says what to set."""
    with pytest.raises(ConfigurationError, match=rf"Neither ARC_STACK_NAME nor {missing} is set"):
        services(environ)


def test_every_page_of_the_map_is_read_once(ministack: Engine) -> None:
    """Parameters on several pages are nested, and are not read again."""
    stack = fresh_stack()
    many = {f"{stack}__tables__t{number:02}": f"testapp-staging-t{number:02}" for number in range(23)}
    put(ministack, **many, **{f"{stack}__static__bucket": "b", f"{stack}__cdn__my__deep__url": "u"})
    put(ministack, **{f"{stack}Other__tables__theirs": "x"})
    settings = Settings(environment="staging", stack_name=stack)
    client, calls = counted(ministack)
    found = service_map(settings, client=client)
    assert found == {
        "tables": {f"t{number:02}": f"testapp-staging-t{number:02}" for number in range(23)},
        "static": {"bucket": "b"},
        "cdn": {"my": {"deep": {"url": "u"}}},
    }
    assert calls == ["GetParametersByPath"] * 3
    assert service_map(settings, client=client) is found
    assert len(calls) == 3


def test_empty_map_is_read_again(ministack: Engine) -> None:
    """The stack may be deployed in the meantime."""
    settings = Settings(environment="staging", stack_name=fresh_stack())
    client, calls = counted(ministack)
    assert service_map(settings, client=client) == {}
    put(ministack, **{f"{settings.stack_name}__tables__session": "physical"})
    assert service_map(settings, client=client) == {"tables": {"session": "physical"}}
    assert len(calls) == 2


def test_threads_read_the_map_once(ministack: Engine) -> None:
    """Many first requests at the same time make one call."""
    settings = Settings(environment="staging", stack_name=fresh_stack())
    put(ministack, **{f"{settings.stack_name}__tables__session": "physical"})
    client, calls = counted(ministack)
    with ThreadPoolExecutor(20) as threads:
        maps = list(threads.map(lambda _: service_map(settings, client=client), range(20)))
    assert maps == [{"tables": {"session": "physical"}}] * 20
    assert calls == ["GetParametersByPath"]


def test_deployed_function_reads_from_aws(ministack: Engine) -> None:
    """Outside a sandbox boto3's credentials and address are used."""
    stack = fresh_stack()
    put(ministack, **{f"{stack}__tables__session": "physical"})
    environ = {**AWS, "ARC_ENV": "production", "ARC_STACK_NAME": stack, "AWS_ENDPOINT_URL_SSM": ministack.url}
    assert json.loads(run(SHOW, environ)) == {"tables": {"session": "physical"}}


def test_sandbox_map_is_read_from_the_sandbox() -> None:
    """All pages are read from its SSM, without credentials or a region."""
    many = {f"/TestappTesting/tables/t{number:02}": f"p{number:02}" for number in range(12)}
    with sandbox_services({**many, "/OtherTesting/tables/x": "y"}) as sandbox:
        ports = json.dumps({"ports": {"_arc": sandbox.port}, "version": "1"})
        environ = {"ARC_ENV": "testing", "ARC_APP_NAME": "testapp", "ARC_SANDBOX": ports}
        assert services(environ) == {"tables": {f"t{number:02}": f"p{number:02}" for number in range(12)}}
        assert services(environ) == services({**environ, "UNRELATED": "1"})
    assert [request["Path"] for request in sandbox.requests] == ["/TestappTesting"] * 2
    assert all(request["Recursive"] for request in sandbox.requests)


def test_no_proxy_is_used_for_this_machine(ministack: Engine) -> None:
    """The sandbox's map and tables are found on a machine with a proxy."""
    physical = ministack.table()
    with sandbox_services({}) as gone:
        pass
    with sandbox_services({"/ProxiedTesting/tables/notes": physical}) as sandbox:
        ports = json.dumps({"ports": {"_arc": sandbox.port, "tables": ministack.port}})
        environ = {**AWS, "ARC_ENV": "testing", "ARC_APP_NAME": "proxied", "ARC_SANDBOX": ports}
        output = run("import arc; print(arc.tables.table('notes').item_count)", {**environ, **proxied(gone.port)})
    assert output == "0\n"
    assert len(sandbox.requests) == 1


def test_unusual_parameters_are_accepted() -> None:
    """A parameter without a name below its kind is ignored, and one that is also a folder is a folder."""
    odd = {"/S/alone": "1", "/S/tables/a": "2", "/S/tables/a/b": "3", "/S/": "4"}
    with sandbox_services(odd) as sandbox:
        settings = Settings(environment="testing", stack_name="S", sandbox_ports={"_arc": sandbox.port})
        assert service_map(settings) == {"tables": {"a": {"b": "3"}}}


@pytest.mark.parametrize("text", ["", "no JSON", "[1]", '{"events": "x"}', "null"])
def test_invalid_ports_are_ignored(text: str) -> None:
    """The map's value for a sandbox's ports may be anything."""
    with sandbox_services({"/S/ARC_SANDBOX/ports": text}) as sandbox:
        settings = Settings(environment="testing", stack_name="S", sandbox_ports={"_arc": sandbox.port})
        assert mapped_ports(settings) == {}


def test_missing_port_is_reported() -> None:
    """The message lists the ports in ARC_SANDBOX."""
    environ = {"ARC_ENV": "testing", "ARC_SANDBOX": '{"ports": {"http": 3333}}'}
    with pytest.raises(ConfigurationError, match=r"ARC_SANDBOX has no port '_arc' for the service map \(found: http\)"):
        services(environ)


def test_s38_refusal_is_a_store_error() -> None:
    """The message names the permission that the role needs, and the next call reads again."""
    with sandbox_services({"/Refused/tables/a": "b"}, refusal="AccessDeniedException") as sandbox:
        settings = Settings(environment="testing", stack_name="Refused", sandbox_ports={"_arc": sandbox.port})
        with pytest.raises(StoreError, match=r"AccessDeniedException \(not for you\).*ssm:GetParametersByPath"):
            service_map(settings)
        sandbox.refusal = None
        assert service_map(settings) == {"tables": {"a": "b"}}


def test_s38_unreachable_sandbox_is_reported() -> None:
    """The message names the command that starts it."""
    with sandbox_services({}) as gone:
        pass
    settings = Settings(environment="testing", stack_name="Gone", sandbox_ports={"_arc": gone.port})
    with pytest.raises(StoreError, match=rf"the sandbox runs at http://localhost:{gone.port}/_arc/ssm: arc sandbox"):
        service_map(settings)


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "ConfigurationError No AWS region is set. Set AWS_REGION"),
        ({"AWS_REGION": "us-east-1"}, "StoreError No AWS credentials were found to read the parameters below /Mine"),
        (
            {**AWS, "AWS_PROFILE": "nonesuch"},
            "ConfigurationError boto3 cannot be set up: The config profile (nonesuch)",
        ),
    ],
)
def test_s38_missing_access_is_reported(tmp_path: Path, environ: dict[str, str], message: str) -> None:
    """The message says whether region, credentials or profile are missing, and where to set them."""
    bare = {"ARC_ENV": "staging", "ARC_STACK_NAME": "Mine", "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path)}
    assert run(TELL, {**bare, **environ}).startswith(message)


def test_missing_boto3_names_the_extra() -> None:
    """The message says what to install."""
    code = f"import sys; sys.modules['boto3'] = None{TELL}"
    output = run(code, {**AWS, "ARC_ENV": "staging", "ARC_STACK_NAME": "Mine"})
    assert output.startswith("ConfigurationError Tables and services need boto3")
    assert "pip install 'arc-sessions[aws]'" in output


def test_physical_name_of_the_app_is_not_looked_up() -> None:
    """`{app}-{env}-…` is a physical name."""
    settings = Settings(app_name="testapp", environment="production", stack_name="Nobody")
    arn = "arn:aws:dynamodb:us-east-1:111122223333:table/sessions"
    assert list(table_names(settings, "testapp-production-session", client=object())) == ["testapp-production-session"]
    assert list(table_names(settings, arn, client=object())) == [arn]


def test_value_is_tried_before_the_map_is_read() -> None:
    """A physical name needs no service map, which a role or a network may not allow."""
    settings = Settings(app_name="testapp", environment="production", stack_name="Nobody")
    assert next(table_names(settings, "my-sessions", client=object())) == "my-sessions"


def test_map_resolves_a_tables_name(ministack: Engine) -> None:
    """A logical name is mapped, a physical one is kept, and an unknown one gets the app's prefix, in one call."""
    stack = fresh_stack()
    put(ministack, **{f"{stack}__tables__session": "TestappStaging-Session-1", f"{stack}__tables__deep__er": "x"})
    settings = Settings(app_name="testapp", environment="staging", stack_name=stack)
    client, calls = counted(ministack)
    names = {
        value: tuple(table_names(settings, value, client=client))
        for value in ("session", "TestappStaging-Session-1", "others", "deep", "testapp-production-session")
    }
    assert names == {
        "session": ("session", "TestappStaging-Session-1"),
        "TestappStaging-Session-1": ("TestappStaging-Session-1",),
        "others": ("others", "testapp-staging-others"),
        "deep": ("deep", "testapp-staging-deep"),
        "testapp-production-session": ("testapp-production-session", "testapp-staging-testapp-production-session"),
    }
    assert calls == ["GetParametersByPath"]


def test_unreadable_map_leaves_both_names(caplog: pytest.LogCaptureFixture) -> None:
    """Sessions work without a map or a stack."""
    with sandbox_services({}, refusal="AccessDeniedException") as sandbox:
        settings = Settings(app_name="testapp", environment="testing", sandbox_ports={"_arc": sandbox.port})
        with caplog.at_level(logging.DEBUG, logger="arc.sessions"):
            assert list(table_names(settings, "session")) == ["session", "testapp-testing-session"]
    (line,) = [record for record in caplog.records if record.name == "arc.sessions"]
    assert line.levelno == logging.DEBUG
    assert "AccessDeniedException" in line.getMessage()
    assert list(table_names(Settings(environment="staging"), "session")) == ["session"]


# -- the map's age, and the time of the invocation


def test_map_without_a_name_is_read_again(ministack: Engine) -> None:
    """A later deployment is found within a minute, without unnecessary calls."""
    stack = fresh_stack()
    put(ministack, **{f"{stack}__tables__notes": "physical"})
    settings = Settings(environment="staging", stack_name=stack)
    client, calls = counted(ministack)
    seconds = 0.0
    before = service_map(settings, client=client, clock=lambda: seconds)
    put(ministack, **{f"{stack}__tables__session": "new"})
    assert service_map(settings, client=client, new=True, clock=lambda: seconds) is before
    seconds = 60.0
    assert service_map(settings, client=client, clock=lambda: seconds) is before
    assert service_map(settings, client=client, new=True, clock=lambda: seconds)["tables"]["session"] == "new"
    assert len(calls) == 2


class Silent(socketserver.ThreadingTCPServer):
    """A server that accepts connections and sends nothing. `taken` counts them."""

    daemon_threads = True
    taken = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self.port = int(self.server_address[1])
        self._open: list[Any] = []

    def process_request(self, request: Any, client_address: Any) -> None:  # socketserver's shape
        """Keep the connection open."""
        self.taken += 1
        self._open.append(request)

    def server_close(self) -> None:
        """Close every connection too."""
        super().server_close()
        for connection in self._open:
            connection.close()


@pytest.fixture
def silent() -> Iterator[Silent]:
    """A silent server."""
    with serving(Silent()) as server:
        yield server


@pytest.mark.parametrize(("milliseconds", "questions"), [(3000, 1), (700, 0)])
def test_s38_slow_map_leaves_time_for_a_response(silent: Silent, milliseconds: int, questions: int) -> None:
    """With little time left there is one short call, or none if even that takes too long."""
    settings = Settings(environment="testing", stack_name=fresh_stack(), sandbox_ports={"_arc": silent.port})
    token = visit.clock.set(lambda: milliseconds)
    try:
        with pytest.raises(StoreError, match=settings.stack_name):
            service_map(settings)
    finally:
        visit.clock.reset(token)
    assert silent.taken == questions


VISIT = """
import arc
from arc.testing import payload_v2

@arc.http.handler
def handler(req):
    return {"text": str(req.session.increment("visits"))}

class Context:
    def get_remaining_time_in_millis(self):
        return 3000

print(handler(payload_v2("GET", "/"), Context())["statusCode"])
"""


@pytest.mark.parametrize("value", ["session", "own"])
def test_sessions_work_without_access_to_ssm(ministack: Engine, silent: Silent, value: str) -> None:
    """A physical name is not looked up; a name in the manifest is, once, and then gets the app's prefix."""
    app = fresh_app()
    name = f"{app}-staging-session"
    ministack.client().create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "_idx", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "_idx", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    environ = {
        **AWS,
        "ARC_ENV": "staging",
        "ARC_APP_NAME": app if value == "session" else "another",
        "ARC_APP_SECRET": SECRET,
        "SESSION_TABLE_NAME": value if value == "session" else name,
        "AWS_ENDPOINT_URL_DYNAMODB": ministack.url,
        "AWS_ENDPOINT_URL_SSM": f"http://127.0.0.1:{silent.port}",
    }
    assert run(VISIT, environ) == "200\n"
    assert silent.taken == (1 if value == "session" else 0)
