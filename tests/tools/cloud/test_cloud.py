"""Calls to AWS: what fails on the way is made again, at a bearable pace."""

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
    """The tests' cloud behind its proxy; pauses are noted instead of taken, each as long as may be."""
    return Cloud(local_cloud(faulty.url, "us-east-1")._session, url=faulty.url, sleep=pauses.append, chance=lambda: 1.0)


def asked(cloud: Cloud, name: str) -> dict[str, Any]:
    """The answer to one of `CALLS`."""
    service, operation, request = CALLS[name]
    return cloud.call(service, operation, "Doing it", **request)


def put(cloud: Cloud, app: str) -> None:
    """Write one parameter."""
    name = f"/{app}/staging/K"
    cloud.call("ssm", "put_parameter", "Writing K", Name=name, Value="v", Type="SecureString", Overwrite=True)


@pytest.mark.parametrize("name", ["ssm.PutParameter", "lambda.ListFunctions", "tagging.GetResources"])
def test_a_throttled_call_is_made_again_until_it_passes(faulty: FaultyCloud, name: str) -> None:
    """Eleven times if need be, in the words of every service, with pauses that grow up to a limit."""
    faulty.begin(on(name, "throttle", times=11))
    pauses: list[float] = []
    assert asked(through(faulty, pauses), name)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert faulty.calls == [name] * 12
    assert pauses == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5, 5, 5, 5])


@pytest.mark.parametrize("name", CALLS)
def test_what_is_throttled_for_ever_is_given_up(faulty: FaultyCloud, name: str) -> None:
    """After twelve attempts, with the service's own words."""
    faulty.begin(on(name, "throttle", times=100))
    with pytest.raises(Refused, match=r"^Doing it: \w+: Rate exceeded$"):
        asked(through(faulty, []), name)
    assert faulty.calls == [name] * 12


@pytest.mark.parametrize("fault", ["error", "lost", "unsent"])
def test_what_fails_on_the_way_is_made_again_three_times(cloud: Engine, faulty: FaultyCloud, fault: str) -> None:
    """A service that has broken down, an answer that was lost, a call that never arrived."""
    app, pauses = fresh_app(), list[float]()
    faulty.begin(on("ssm.PutParameter", fault, times=3))
    put(through(faulty, pauses), app)
    assert faulty.calls == ["ssm.PutParameter"] * 4
    assert pauses == pytest.approx([0.2, 0.4, 0.8])
    found = cloud.client("ssm").get_parameter(Name=f"/{app}/staging/K", WithDecryption=True)
    assert found["Parameter"]["Value"] == "v"


@pytest.mark.parametrize("fault", ["error", "lost", "unsent"])
def test_what_fails_for_ever_is_given_up(faulty: FaultyCloud, fault: str) -> None:
    """After four attempts, with what happened."""
    faulty.begin(on("ssm.PutParameter", fault, times=100))
    with pytest.raises(ToolError) as caught:
        put(through(faulty, []), fresh_app())
    assert faulty.calls == ["ssm.PutParameter"] * 4
    assert str(caught.value) == (
        "Writing K: InternalServerError: An internal error occurred"
        if fault == "error"
        else f"Writing K: {faulty.url} cannot be reached. Connection was closed before we received a valid response "
        f'from endpoint URL: "{faulty.url}/". Is the network there, and the region right?'
    )


def test_failures_and_throttling_do_not_use_up_each_others_attempts(faulty: FaultyCloud) -> None:
    """Three failures among eleven throttled calls are still no reason to give up."""
    faults = iter(["throttle", "error", "throttle", "lost", "throttle", "unsent", *["throttle"] * 8])
    faulty.begin(lambda _name, _number: next(faults, None))
    put(through(faulty, []), fresh_app())
    assert len(faulty.calls) == 15


def test_pauses_are_drawn_by_chance(faulty: FaultyCloud) -> None:
    """So that those who were throttled together do not come back together."""
    chances = iter([0.5, 0.0, 0.25])
    pauses: list[float] = []
    session = local_cloud(faulty.url, "us-east-1")._session
    faulty.begin(on("ssm.PutParameter", "throttle", times=3))
    put(Cloud(session, url=faulty.url, sleep=pauses.append, chance=lambda: next(chances)), fresh_app())
    assert pauses == pytest.approx([0.1, 0.0, 0.2])


def test_other_refusals_are_told_at_once(faulty: FaultyCloud) -> None:
    """With the service's code, what it said, and what was done."""
    with pytest.raises(Refused, match=r"^Reading K: ParameterNotFound: ") as caught:
        through(faulty, []).call("ssm", "get_parameter", "Reading K", Name=f"/{fresh_app()}/K")
    assert caught.value.code == "ParameterNotFound"
    assert faulty.calls == ["ssm.GetParameter"]


def test_every_element_of_every_page_comes(faulty: FaultyCloud) -> None:
    """An empty page in the middle is no end, and the token goes back under the name that the service has for it."""
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


def test_pages_that_do_not_go_on_are_an_error() -> None:
    """A service that knows no pages must not hold up a command for ever."""
    answering = Answering(lambda _name, _body: told({"Parameters": [], "NextToken": "again"}))
    pages = Cloud(answering.session, sleep=lambda _seconds: None).pages(
        "ssm", "get_parameters_by_path", "Reading", key="Parameters", Path="/shop"
    )
    with pytest.raises(ToolError, match=r"^Reading: ssm gives the same page again and again\.$"):
        list(pages)
    assert len(answering.calls) == 2


def test_every_service_is_asked_in_the_clouds_region() -> None:
    """The one that knows the tags too: each region has its own."""
    cloud = Cloud(Answering(lambda _name, _body: told({}), region="eu-west-3").session)
    addresses = {service: cloud._client(service, "Doing it").meta.endpoint_url for service, _, _ in CALLS.values()}
    assert addresses == {
        "ssm": "https://ssm.eu-west-3.amazonaws.com",
        "lambda": "https://lambda.eu-west-3.amazonaws.com",
        "resourcegroupstaggingapi": "https://tagging.eu-west-3.amazonaws.com",
        "cloudformation": "https://cloudformation.eu-west-3.amazonaws.com",
        "dynamodb": "https://dynamodb.eu-west-3.amazonaws.com",
    }


def test_aws_gets_ten_calls_a_second_and_every_attempt_counts() -> None:
    """Repeated ones too; threads share the pace."""
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
def test_a_cloud_on_this_machine_is_not_spared(host: str) -> None:
    """A hundred calls without a pause, wherever on it the cloud is."""
    clock = Clock()
    answering = Answering(lambda _name, _body: told({}))
    cloud = Cloud(answering.session, url=f"http://{host}:4566", clock=clock, sleep=clock.sleep)
    for _ in range(100):
        cloud.call("dynamodb", "list_tables", "Listing")
    assert (len(answering.calls), clock.sleeps) == (100, [])


def test_a_cloud_elsewhere_is_spared_like_aws() -> None:
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


def test_a_stopped_cloud_waits_for_nothing(faulty: FaultyCloud) -> None:
    """A call that passes comes to its end; one that would have to wait does not hold up whoever interrupts."""
    cloud = local_cloud(faulty.url, "us-east-1")
    cloud.stop()
    put(cloud, fresh_app())
    faulty.begin(on("ssm.PutParameter", "throttle", times=100))
    with pytest.raises(ToolError, match="interrupted"):
        put(cloud, fresh_app())
    assert faulty.calls == ["ssm.PutParameter"]


def test_many_threads_may_begin_at_once(cloud: Engine) -> None:
    """Each has its answer, from the first call of a service on."""
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
