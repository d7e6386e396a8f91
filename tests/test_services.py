"""The service map: where it lies, what it holds, that it is asked once, and what is said when it cannot be had."""

from __future__ import annotations

import json
import logging
import secrets
import socketserver
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from arc.errors import ConfigurationError, StoreError
from arc.service_map import mapped_ports, service_map, service_path, table_names
from arc.services import services
from arc.sessions import time_left
from arc.settings import Settings
from tests.engines import AWS, fresh_app
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
    """Parameters in SSM; `__` stands for `/`."""
    client = engine.client("ssm")
    for name, value in parameters.items():
        client.put_parameter(Name="/" + name.replace("__", "/"), Value=value, Type="String")


def counted(engine: Engine) -> tuple[Any, list[str]]:
    """A client of SSM, and the list of the calls it makes."""
    client, calls = engine.client("ssm"), []
    client.meta.events.register("before-call.ssm", lambda model, **_: calls.append(model.name))
    return client, calls


def run(code: str, environ: dict[str, str]) -> str:
    """What `code` prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=environ, check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout


def proxied(port: int) -> dict[str, str]:
    """The environment of a machine whose way out is a proxy at `port`, in every spelling."""
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
def test_a_stack_is_named_after_app_and_environment(app: str | None, environment: str, path: str) -> None:
    """The names are Node's, letter for letter."""
    assert service_path(Settings(app_name=app, environment=environment)) == path


def test_a_named_stack_comes_first() -> None:
    """ARC_STACK_NAME counts before app and environment."""
    settings = Settings.from_env({"ARC_STACK_NAME": "Mine", "ARC_APP_NAME": "testapp", "ARC_ENV": "staging"})
    assert service_path(settings) == "/Mine"


@pytest.mark.parametrize(
    ("environ", "missing"),
    [({"ARC_ENV": "staging"}, "ARC_APP_NAME"), ({"ARC_APP_NAME": "testapp"}, "ARC_ENV"), ({}, "ARC_APP_NAME")],
)
def test_an_unnamed_stack_is_the_operator_s_fault(environ: dict[str, str], missing: str) -> None:
    """Without a name nothing is asked, and the message says what to set."""
    with pytest.raises(ConfigurationError, match=rf"Neither ARC_STACK_NAME nor {missing} is set"):
        services(environ)


def test_every_page_of_the_map_is_read_once(ministack: Engine) -> None:
    """More than one page of parameters, nested as deep as they are; asked again, SSM is not."""
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


def test_an_empty_map_is_asked_for_again(ministack: Engine) -> None:
    """What was not deployed yet may be there next time."""
    settings = Settings(environment="staging", stack_name=fresh_stack())
    client, calls = counted(ministack)
    assert service_map(settings, client=client) == {}
    put(ministack, **{f"{settings.stack_name}__tables__session": "physical"})
    assert service_map(settings, client=client) == {"tables": {"session": "physical"}}
    assert len(calls) == 2


def test_threads_ask_once(ministack: Engine) -> None:
    """Many first requests at the same time make one call."""
    settings = Settings(environment="staging", stack_name=fresh_stack())
    put(ministack, **{f"{settings.stack_name}__tables__session": "physical"})
    client, calls = counted(ministack)
    with ThreadPoolExecutor(20) as threads:
        maps = list(threads.map(lambda _: service_map(settings, client=client), range(20)))
    assert maps == [{"tables": {"session": "physical"}}] * 20
    assert calls == ["GetParametersByPath"]


def test_a_deployed_function_asks_aws(ministack: Engine) -> None:
    """Outside a sandbox the credentials and the address are those of boto3."""
    stack = fresh_stack()
    put(ministack, **{f"{stack}__tables__session": "physical"})
    environ = {**AWS, "ARC_ENV": "production", "ARC_STACK_NAME": stack, "AWS_ENDPOINT_URL_SSM": ministack.url}
    assert json.loads(run(SHOW, environ)) == {"tables": {"session": "physical"}}


def test_a_sandbox_answers_by_itself() -> None:
    """In a sandbox its own SSM is asked, page by page, and neither credentials nor a region are needed."""
    many = {f"/TestappTesting/tables/t{number:02}": f"p{number:02}" for number in range(12)}
    with sandbox_services({**many, "/OtherTesting/tables/x": "y"}) as sandbox:
        ports = json.dumps({"ports": {"_arc": sandbox.port}, "version": "1"})
        environ = {"ARC_ENV": "testing", "ARC_APP_NAME": "testapp", "ARC_SANDBOX": ports}
        assert services(environ) == {"tables": {f"t{number:02}": f"p{number:02}" for number in range(12)}}
        assert services(environ) == services({**environ, "UNRELATED": "1"})
    assert [question["Path"] for question in sandbox.asked] == ["/TestappTesting"] * 2
    assert all(question["Recursive"] for question in sandbox.asked)


def test_a_proxy_is_not_asked_for_what_is_on_this_machine(ministack: Engine) -> None:
    """Where every way out leads through a proxy, the sandbox's map and tables are still found."""
    physical = ministack.table()
    with sandbox_services({}) as gone:
        pass
    with sandbox_services({"/ProxiedTesting/tables/notes": physical}) as sandbox:
        ports = json.dumps({"ports": {"_arc": sandbox.port, "tables": ministack.port}})
        environ = {**AWS, "ARC_ENV": "testing", "ARC_APP_NAME": "proxied", "ARC_SANDBOX": ports}
        said = run("import arc; print(arc.tables.table('notes').item_count)", {**environ, **proxied(gone.port)})
    assert said == "0\n"
    assert len(sandbox.asked) == 1


def test_odd_parameters_do_no_harm() -> None:
    """A parameter without a name below its kind is no service; one that is also a folder is a folder."""
    odd = {"/S/alone": "1", "/S/tables/a": "2", "/S/tables/a/b": "3", "/S/": "4"}
    with sandbox_services(odd) as sandbox:
        settings = Settings(environment="testing", stack_name="S", sandbox_ports={"_arc": sandbox.port})
        assert service_map(settings) == {"tables": {"a": {"b": "3"}}}


@pytest.mark.parametrize("text", ["", "no JSON", "[1]", '{"events": "x"}', "null"])
def test_ports_that_cannot_be_read_are_none(text: str) -> None:
    """What the map says of a sandbox's ports may be anything."""
    with sandbox_services({"/S/ARC_SANDBOX/ports": text}) as sandbox:
        settings = Settings(environment="testing", stack_name="S", sandbox_ports={"_arc": sandbox.port})
        assert mapped_ports(settings) == {}


def test_a_sandbox_without_the_port_is_told() -> None:
    """ARC_SANDBOX that tells other ports: the message shows which."""
    environ = {"ARC_ENV": "testing", "ARC_SANDBOX": '{"ports": {"http": 3333}}'}
    with pytest.raises(ConfigurationError, match=r"ARC_SANDBOX tells no port '_arc' \(found: http\)"):
        services(environ)


def test_s38_a_refusal_is_an_error_of_the_store() -> None:
    """What SSM refuses is told with what the role needs, and is not remembered."""
    with sandbox_services({"/Refused/tables/a": "b"}, refusal="AccessDeniedException") as sandbox:
        settings = Settings(environment="testing", stack_name="Refused", sandbox_ports={"_arc": sandbox.port})
        with pytest.raises(StoreError, match=r"AccessDeniedException \(not for you\).*ssm:GetParametersByPath"):
            service_map(settings)
        sandbox.refusal = None
        assert service_map(settings) == {"tables": {"a": "b"}}


def test_s38_a_sandbox_that_is_not_there_is_told() -> None:
    """Nobody listens: the message says what to start."""
    with sandbox_services({}) as gone:
        pass
    settings = Settings(environment="testing", stack_name="Gone", sandbox_ports={"_arc": gone.port})
    with pytest.raises(StoreError, match=rf"Is the sandbox up at http://localhost:{gone.port}/_arc/ssm.*arc sandbox"):
        service_map(settings)


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({}, "ConfigurationError No AWS region is set. Set AWS_REGION"),
        ({"AWS_REGION": "us-east-1"}, "StoreError There are no AWS credentials to read the parameters below /Mine"),
        (
            {**AWS, "AWS_PROFILE": "nonesuch"},
            "ConfigurationError boto3 cannot be set up: The config profile (nonesuch)",
        ),
    ],
)
def test_s38_a_machine_without_access_is_told(tmp_path: Path, environ: dict[str, str], told: str) -> None:
    """No region, no credentials, no such profile: what is missing, and where to set it."""
    bare = {"ARC_ENV": "staging", "ARC_STACK_NAME": "Mine", "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path)}
    assert run(TELL, {**bare, **environ}).startswith(told)


def test_without_boto3_the_extra_is_named() -> None:
    """One sentence says what to install."""
    code = f"import sys; sys.modules['boto3'] = None{TELL}"
    said = run(code, {**AWS, "ARC_ENV": "staging", "ARC_STACK_NAME": "Mine"})
    assert said.startswith("ConfigurationError Tables and services need boto3")
    assert "pip install 'arc-sessions[aws]'" in said


def test_a_name_of_the_app_s_own_is_asked_of_nobody() -> None:
    """`{app}-{env}-…` is physical as it stands."""
    settings = Settings(app_name="testapp", environment="production", stack_name="Nobody")
    arn = "arn:aws:dynamodb:us-east-1:111122223333:table/sessions"
    assert list(table_names(settings, "testapp-production-session", client=object())) == ["testapp-production-session"]
    assert list(table_names(settings, arn, client=object())) == [arn]


def test_a_value_is_tried_as_it_stands_before_the_map_is_asked() -> None:
    """A table's own name needs no service map, which a role may not read and a network may not reach."""
    settings = Settings(app_name="testapp", environment="production", stack_name="Nobody")
    assert next(table_names(settings, "my-sessions", client=object())) == "my-sessions"


def test_the_map_decides_what_a_table_s_name_stands_for(ministack: Engine) -> None:
    """A logical name is mapped, a physical one of the map stands, an unknown one may be ours; one call in all."""
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


def test_a_map_that_cannot_be_had_leaves_both_names(caplog: pytest.LogCaptureFixture) -> None:
    """A refusal, or no stack at all, is no reason to have no sessions."""
    with sandbox_services({}, refusal="AccessDeniedException") as sandbox:
        settings = Settings(app_name="testapp", environment="testing", sandbox_ports={"_arc": sandbox.port})
        with caplog.at_level(logging.DEBUG, logger="arc.sessions"):
            assert list(table_names(settings, "session")) == ["session", "testapp-testing-session"]
    (line,) = [record for record in caplog.records if record.name == "arc.sessions"]
    assert line.levelno == logging.DEBUG
    assert "AccessDeniedException" in line.getMessage()
    assert list(table_names(Settings(environment="staging"), "session")) == ["session"]


# -- the map's age, and the time of the invocation


def test_a_map_that_lacks_something_is_asked_for_again(ministack: Engine) -> None:
    """What was deployed after a warm process read the map is found within a minute, and no call is made in vain."""
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
    """A server that takes connections and says nothing; `taken` counts them."""

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
        """End every connection, too."""
        super().server_close()
        for connection in self._open:
            connection.close()


@pytest.fixture
def silent() -> Iterator[Silent]:
    """A silent server."""
    with Silent() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("milliseconds", "questions"), [(3000, 1), (700, 0)])
def test_s38_a_map_that_does_not_come_leaves_time_for_an_answer(
    silent: Silent, milliseconds: int, questions: int
) -> None:
    """With little time left there is one short question, and none where not even that has time."""
    settings = Settings(environment="testing", stack_name=fresh_stack(), sandbox_ports={"_arc": silent.port})
    token = time_left.clock.set(lambda: milliseconds)
    try:
        with pytest.raises(StoreError, match=settings.stack_name):
            service_map(settings)
    finally:
        time_left.clock.reset(token)
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
def test_a_network_without_a_way_to_ssm_has_sessions(ministack: Engine, silent: Silent, value: str) -> None:
    """A table's own name asks SSM nothing, the manifest's asks once and goes on with the name that we give."""
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
