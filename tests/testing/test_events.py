"""The builders make events as AWS makes them."""

from __future__ import annotations

import inspect
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest

from arc.http.body import parse_body
from arc.http.events import Alb, LatticeV1, LatticeV2, PayloadV1, PayloadV2, Shape, shape_of
from arc.testing import alb, events, function_url, payload_v1, payload_v2, vpc_lattice
from tests.http.reading import event

Builder = Callable[..., dict[str, Any]]


def http_api_v1(*args: Any, **options: Any) -> dict[str, Any]:
    """An HTTP API's event in payload format 1.0."""
    return payload_v1(*args, rest=False, **options)


def alb_multi(*args: Any, **options: Any) -> dict[str, Any]:
    """A load balancer's event with multi-value headers."""
    return alb(*args, multi=True, **options)


def lattice_v1(*args: Any, **options: Any) -> dict[str, Any]:
    """VPC Lattice's event, version 1."""
    return vpc_lattice(*args, version=1, **options)


BUILDERS: list[Builder] = [payload_v2, function_url, payload_v1, http_api_v1, alb, alb_multi, vpc_lattice, lattice_v1]
every = pytest.mark.parametrize("build", BUILDERS, ids=lambda build: build.__name__)


@pytest.mark.parametrize(
    ("build", "shape"),
    [
        (payload_v2, PayloadV2),
        (function_url, PayloadV2),
        (payload_v1, PayloadV1),
        (http_api_v1, PayloadV1),
        (alb, Alb),
        (alb_multi, Alb),
        (vpc_lattice, LatticeV2),
        (lattice_v1, LatticeV1),
    ],
)
def test_event_is_recognized(build: Builder, shape: type[Shape]) -> None:
    """Each builder's event has the shape of its name."""
    assert type(shape_of(build())) is shape


@pytest.mark.parametrize(
    ("build", "name", "options"),
    [
        (
            payload_v2,
            "http_api_v2",
            {"params": {"shop": "corner"}, "query": {"a": "1"}, "cookies": ["a=1"], "body": "x"},
        ),
        (function_url, "function_url", {}),
        (payload_v1, "rest_v1", {}),
        (http_api_v1, "http_api_v1", {}),
        (alb, "alb_single", {"query": {"a": "1"}}),
        (alb_multi, "alb_multi", {"query": {"a": "1"}}),
        (vpc_lattice, "lattice_v2", {"query": {"a": "1"}, "body": "x"}),
        (lattice_v1, "lattice_v1", {"query": {"a": "1"}, "body": "x"}),
    ],
)
def test_event_is_complete(build: Builder, name: str, options: dict[str, Any]) -> None:
    """It has exactly the keys of AWS's event, also in the request's context."""
    made, real = build(**options), event(name)
    assert set(made) == set(real)
    assert set(made.get("requestContext", ())) == set(real.get("requestContext", ()))
    if "http" in made.get("requestContext", ()):
        assert set(made["requestContext"]["http"]) == set(real["requestContext"]["http"])


@every
def test_parts_are_read_as_passed(build: Builder) -> None:
    """Method, path, query, headers, cookies and form are read as they were passed."""
    made = build(
        "post",
        "/a b",
        query={"q": ["é&=+ ", ""], "r": "1"},
        headers={"X-Tag": "one"},
        cookies={"a": "1", "b": "2"},
        form={"name": ["Zoë", "x&y"]},
    )
    shape = shape_of(made)
    assert (shape.method(), shape.path()) == ("POST", "/a b")
    assert shape.query().getall("q") == ([""] if build is alb else ["é&=+ ", ""])
    assert shape.query()["r"] == "1"
    assert shape.headers()["x-tag"] == "one"
    assert "; ".join(shape.cookie_headers()) == "a=1; b=2"
    assert parse_body(made).getall("name") == ["Zoë", "x&y"]
    assert shape.headers()["content-length"] == str(len(shape.body() or b""))


@every
@pytest.mark.parametrize("query", [{"q": ["1", "2"]}, [("q", "1"), ("q", "2")]], ids=["mapping", "pairs"])
def test_repeated_fields(build: Builder, query: Any) -> None:
    """Both forms of a query repeat a field, and only an ALB with single values keeps just the last."""
    values = shape_of(build(query=query)).query().getall("q")
    assert values == (["2"] if build is alb else ["1", "2"])


@every
def test_body(build: Builder) -> None:
    """JSON and text stay text, bytes and forms are base64, and a header of the caller's is kept."""
    assert shape_of(build("POST", json={"é": 1})).body() == b'{"\\u00e9": 1}'
    encoded = "is_base64_encoded" if build is lattice_v1 else "isBase64Encoded"
    assert build("POST", json=[])[encoded] is False
    raw = build("POST", body=b"\xff\x00")
    assert (raw[encoded], b64decode(raw["body"])) == (True, b"\xff\x00")
    assert build("POST", form={"a": "1"})[encoded] is True
    text = build("POST", body="é", headers={"Content-Type": "text/plain"})
    assert (text[encoded], text["body"]) == (False, "é")
    broken = build("POST", body=b"\xff", headers={"content-type": "text/plain"})
    assert shape_of(broken).body() == b"\xff"
    packed = build("POST", body="é", headers={"content-type": "text/plain", "content-encoding": "zstd"})
    assert packed[encoded] is True
    own = shape_of(build("POST", json={}, headers={"Content-Type": "application/vnd.api+json"})).headers()
    assert own["content-type"] == "application/vnd.api+json"


@every
def test_absent_parts(build: Builder) -> None:
    """Absent parts are absent, null or empty, depending on the format."""
    made = build()
    assert not made.get("body")
    assert not made.get("queryStringParameters")
    assert shape_of(made).is_base64 is False
    assert "cookies" not in made
    assert "cookie" not in shape_of(made).headers()


@every
def test_two_bodies_are_refused(build: Builder) -> None:
    """A form together with JSON raises TypeError."""
    with pytest.raises(TypeError, match="one of body, form and json"):
        build(form={"a": "1"}, json={})


@every
def test_equal_arguments_give_equal_events(build: Builder) -> None:
    """Builders are pure: they use no clock, randomness or shared state."""
    arguments: dict[str, Any] = {"query": {"a": "1"}, "headers": {"x": "1"}, "json": [1]}
    first, second = build(**arguments), build(**arguments)
    assert first == second
    first.get("requestContext", {}).clear()
    (first.get("headers") or first["multiValueHeaders"]).clear()
    assert second == build(**arguments)


@pytest.mark.parametrize("build", [payload_v2, function_url, payload_v1, http_api_v1])
def test_time_address_and_request_id_are_arguments(build: Builder) -> None:
    """A test may set the values that AWS would choose."""
    context = build(time=1_795_431_600.5, source_ip="192.0.2.1", request_id="r-1")["requestContext"]
    written = context.get("time", context.get("requestTime"))
    assert written == "23/Nov/2026:11:00:00 +0000"
    assert context.get("timeEpoch", context.get("requestTimeEpoch")) == 1_795_431_600_500
    assert context["requestId"] == "r-1"
    assert context.get("http", context.get("identity"))["sourceIp"] == "192.0.2.1"


def test_route_and_path_parameters() -> None:
    """The route is named as in API Gateway."""
    made = payload_v2("GET", "/users/7", route="/users/{id}", params={"id": "7"})
    assert (made["routeKey"], made["requestContext"]["routeKey"]) == ("GET /users/{id}", "GET /users/{id}")
    assert shape_of(made).params() == {"id": "7"}
    older = payload_v1("GET", "/users/7", route="/users/{id}", params={"id": "7"})
    assert (older["resource"], older["requestContext"]["path"]) == ("/users/{id}", "/production/users/7")
    assert older["requestContext"]["resourcePath"] == "/users/{id}"
    assert older["requestContext"]["resourceId"].isalnum()
    plain = payload_v1("PUT", "/users", rest=False)
    assert (plain["resource"], plain["requestContext"]["resourcePath"]) == ("/users", "/users")
    assert plain["requestContext"]["resourceId"] == "PUT /users"


@pytest.mark.parametrize("build", [payload_v2, function_url, payload_v1, http_api_v1])
def test_host_is_the_domain_name(build: Builder) -> None:
    """The context has the Host header as domain name, and its first label as prefix."""
    made = build(headers={"Host": "shop.example.org", "user-agent": "tests"})
    context = made["requestContext"]
    assert (context["domainName"], context["domainPrefix"]) == ("shop.example.org", "shop")
    assert context.get("http", context.get("identity"))["userAgent"] == "tests"


def test_rest_api_has_the_query_twice() -> None:
    """Once with the last value of each field, once with all values; null without a query."""
    made = payload_v1(query=[("a", "1"), ("a", "é &")])
    assert made["queryStringParameters"] == {"a": "é &"}
    assert made["multiValueQueryStringParameters"] == {"a": ["1", "é &"]}
    assert payload_v1()["queryStringParameters"] is payload_v1()["multiValueQueryStringParameters"] is None


def test_load_balancer_keeps_the_query_encoded() -> None:
    """An ALB passes on the query as it was sent."""
    assert alb(query={"a b": "é"})["queryStringParameters"] == {"a+b": "%C3%A9"}
    assert alb(multi=True, query={"a b": ["é", "/"]})["multiValueQueryStringParameters"] == {"a+b": ["%C3%A9", "%2F"]}


@pytest.mark.parametrize("build", [alb, alb_multi, vpc_lattice, lattice_v1])
def test_forwarded_headers_can_be_set(build: Builder) -> None:
    """A test may simulate a visitor over plain http, or from another address."""
    sent = {"X-Forwarded-Proto": "http", "x-forwarded-for": "192.0.2.9"}
    headers = shape_of(build(headers=sent)).headers()
    assert (headers["x-forwarded-proto"], headers["x-forwarded-for"]) == ("http", "192.0.2.9")


def test_builders_are_documented() -> None:
    """The documentation names every argument of every builder."""
    for build in (payload_v2, function_url, payload_v1, alb, vpc_lattice):
        words = f"{events.__doc__}{build.__doc__}"
        shared = inspect.signature(events._Request).parameters.keys() - {"host"}
        names = (inspect.signature(build).parameters.keys() - {"parts"}) | shared
        missing = [name for name in names if f"`{name}" not in words]
        assert missing == []
