"""Calls to AWS are paced, and repeated when they fail on the way."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from arc.errors import ToolError
from arc.tools.cloud.cloud import Cloud, Refused, local_cloud
from tests.cloud_calls import Reply
from tests.cloud_faults import FaultyCloud, on
from tests.engines import Engine, fresh_app
from tests.tools.cloud.answering import CALLS, Answering, refused, told
from tests.tools.cloud.clock import Clock


def through(faulty: FaultyCloud, pauses: list[float]) -> Cloud:
    """Return the tests' cloud behind its proxy, with the longest pauses, which are recorded and not taken."""
    return Cloud(local_cloud(faulty.url, "us-east-1")._session, url=faulty.url, sleep=pauses.append, chance=lambda: 1.0)


def asked(cloud: Cloud, name: str) -> dict[str, Any]:
    """Return the answer to one of `CALLS`."""
    service, operation, request = CALLS[name]
    return cloud.call(service, operation, "Doing it", **request)


def put(cloud: Cloud, app: str) -> None:
    """Write one parameter."""
    name = f"/{app}/staging/K"
    cloud.call("ssm", "put_parameter", "Writing K", Name=name, Value="v", Type="SecureString", Overwrite=True)


@pytest.mark.parametrize("name", ["ssm.PutParameter", "lambda.ListFunctions", "tagging.GetResources"])
def test_throttled_call_is_repeated(faulty: FaultyCloud, name: str) -> None:
    """Up to eleven times, for every service, with pauses that grow up to a limit."""
    faulty.begin(on(name, "throttle", times=11))
    pauses: list[float] = []
    assert asked(through(faulty, pauses), name)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert faulty.calls == [name] * 12
    assert pauses == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5, 5, 5, 5])


@pytest.mark.parametrize("name", CALLS)
def test_throttling_fails_after_twelve_attempts(faulty: FaultyCloud, name: str) -> None:
    """The message is the service's."""
    faulty.begin(on(name, "throttle", times=100))
    with pytest.raises(Refused, match=r"^Doing it: \w+: Rate exceeded$"):
        asked(through(faulty, []), name)
    assert faulty.calls == [name] * 12


@pytest.mark.parametrize("fault", ["error", "lost", "unsent"])
def test_failed_call_is_repeated_three_times(cloud: Engine, faulty: FaultyCloud, fault: str) -> None:
    """A broken service, a lost answer, and a call that did not arrive."""
    app, pauses = fresh_app(), list[float]()
    faulty.begin(on("ssm.PutParameter", fault, times=3))
    put(through(faulty, pauses), app)
    assert faulty.calls == ["ssm.PutParameter"] * 4
    assert pauses == pytest.approx([0.2, 0.4, 0.8])
    found = cloud.client("ssm").get_parameter(Name=f"/{app}/staging/K", WithDecryption=True)
    assert found["Parameter"]["Value"] == "v"


@pytest.mark.parametrize("fault", ["error", "lost", "unsent"])
def test_call_fails_after_four_attempts(faulty: FaultyCloud, fault: str) -> None:
    """The message says what happened."""
    faulty.begin(on("ssm.PutParameter", fault, times=100))
    with pytest.raises(ToolError) as caught:
        put(through(faulty, []), fresh_app())
    assert faulty.calls == ["ssm.PutParameter"] * 4
    assert str(caught.value) == (
        "Writing K: InternalServerError: An internal error occurred"
        if fault == "error"
        else f"Writing K: {faulty.url} cannot be reached. Connection was closed before we received a valid response "
        f'from endpoint URL: "{faulty.url}/". Check the network and the region.'
    )


def test_failures_and_throttling_are_counted_separately(faulty: FaultyCloud) -> None:
    """Three failures among eleven throttled calls are accepted."""
    faults = iter(["throttle", "error", "throttle", "lost", "throttle", "unsent", *["throttle"] * 8])
    faulty.begin(lambda _name, _number: next(faults, None))
    put(through(faulty, []), fresh_app())
    assert len(faulty.calls) == 15


def test_pauses_are_random(faulty: FaultyCloud) -> None:
    """Clients that were throttled together must not return together."""
    chances = iter([0.5, 0.0, 0.25])
    pauses: list[float] = []
    session = local_cloud(faulty.url, "us-east-1")._session
    faulty.begin(on("ssm.PutParameter", "throttle", times=3))
    put(Cloud(session, url=faulty.url, sleep=pauses.append, chance=lambda: next(chances)), fresh_app())
    assert pauses == pytest.approx([0.1, 0.0, 0.2])


def test_other_refusals_are_not_repeated(faulty: FaultyCloud) -> None:
    """The error has the service's code and message."""
    with pytest.raises(Refused, match=r"^Reading K: ParameterNotFound: ") as caught:
        through(faulty, []).call("ssm", "get_parameter", "Reading K", Name=f"/{fresh_app()}/K")
    assert caught.value.code == "ParameterNotFound"
    assert faulty.calls == ["ssm.GetParameter"]


def test_pages_yields_every_element(faulty: FaultyCloud) -> None:
    """An empty page is not the end, and each service's token name is used."""
    pages = {"": (["a", "b"], "1"), "1": ([], "2"), "2": (["c"], None)}

    def answer(_name: str, body: dict[str, Any]) -> Reply:
        found, token = pages[body.get("NextToken", "")]
        return told({"Parameters": [{"Name": name} for name in found]} | ({"NextToken": token} if token else {}))

    answering = Answering(answer)
    found = Cloud(answering.session, sleep=lambda _seconds: None).pages(
        "ssm", "get_parameters_by_path", "Reading", key="Parameters", Path="/shop"
    )
    assert [one["Name"] for one in found] == ["a", "b", "c"]
    assert [body for _, body in answering.calls] == [
        {"Path": "/shop"},
        {"Path": "/shop", "NextToken": "1"},
        {"Path": "/shop", "NextToken": "2"},
    ]


def test_repeated_page_is_an_error() -> None:
    """A service without pages must not block a command."""
    answering = Answering(lambda _name, _body: told({"Parameters": [], "NextToken": "again"}))
    pages = Cloud(answering.session, sleep=lambda _seconds: None).pages(
        "ssm", "get_parameters_by_path", "Reading", key="Parameters", Path="/shop"
    )
    with pytest.raises(ToolError, match=r"^Reading: ssm returned the same page twice\.$"):
        list(pages)
    assert len(answering.calls) == 2


def test_every_service_uses_the_region() -> None:
    """Tags are regional too."""
    cloud = Cloud(Answering(lambda _name, _body: told({}), region="eu-west-3").session)
    addresses = {service: cloud._client(service, "Doing it").meta.endpoint_url for service, _, _ in CALLS.values()}
    assert addresses == {
        "ssm": "https://ssm.eu-west-3.amazonaws.com",
        "lambda": "https://lambda.eu-west-3.amazonaws.com",
        "resourcegroupstaggingapi": "https://tagging.eu-west-3.amazonaws.com",
        "cloudformation": "https://cloudformation.eu-west-3.amazonaws.com",
        "dynamodb": "https://dynamodb.eu-west-3.amazonaws.com",
    }


def test_aws_gets_ten_attempts_a_second() -> None:
    """Repeated calls count, and threads share the limit."""
    clock = Clock()
    answers = threading.local()

    def answer(_name: str, _body: dict[str, Any]) -> Reply:
        answers.number = getattr(answers, "number", 0) + 1
        return refused("ThrottlingException", "Slower") if answers.number == 1 else told({"Parameters": []})

    answering = Answering(answer)
    cloud = Cloud(answering.session, clock=clock, sleep=clock.sleep, chance=lambda: 0.0)

    def read(_number: int) -> None:
        cloud.call("ssm", "get_parameters_by_path", "Reading", Path="/shop")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(read, range(40)))
    assert len(answering.calls) > 40
    assert clock.now - 1000 == pytest.approx((len(answering.calls) - 1) / 10)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.8.9.10", "cloud.localhost"])
def test_local_cloud_has_no_limit(host: str) -> None:
    """A hundred calls have no pause, at any address of this machine."""
    clock = Clock()
    answering = Answering(lambda _name, _body: told({}))
    cloud = Cloud(answering.session, url=f"http://{host}:4566", clock=clock, sleep=clock.sleep)
    for _ in range(100):
        cloud.call("dynamodb", "list_tables", "Listing")
    assert (len(answering.calls), clock.sleeps) == (100, [])


def test_remote_cloud_has_the_limit_of_aws() -> None:
    """An address in the network may be a shared account."""
    clock = Clock()
    cloud = Cloud(
        Answering(lambda _name, _body: told({})).session,
        url="http://10.0.0.7:4566",
        clock=clock,
        sleep=clock.sleep,
    )
    for _ in range(11):
        cloud.call("dynamodb", "list_tables", "Listing")
    assert sum(clock.sleeps) == pytest.approx(1)


def test_stopped_cloud_does_not_wait(faulty: FaultyCloud) -> None:
    """A running call continues; one that would have to wait raises an error."""
    cloud = local_cloud(faulty.url, "us-east-1")
    cloud.stop()
    put(cloud, fresh_app())
    faulty.begin(on("ssm.PutParameter", "throttle", times=100))
    with pytest.raises(ToolError, match="interrupted"):
        put(cloud, fresh_app())
    assert faulty.calls == ["ssm.PutParameter"]


def test_threads_may_create_clients_at_once(cloud: Engine) -> None:
    """Each gets its answer, from a service's first call on."""
    app, shared = fresh_app(), local_cloud(cloud.url, "us-east-1")
    barrier = threading.Barrier(16)

    def write(number: int) -> None:
        barrier.wait(30)
        name = f"/{app}/staging/K{number}"
        shared.call("ssm", "put_parameter", "Writing", Name=name, Value=str(number), Type="SecureString")
        assert shared.call("ssm", "get_parameter", "Reading", Name=name)["Parameter"]["Name"] == name

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(write, range(16)))
    found = shared.pages("ssm", "get_parameters_by_path", "Reading", key="Parameters", Path=f"/{app}/staging")
    assert len(list(found)) == 16
