"""Every event format is recognized and read alike."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.errors import BadRequest
from arc.http.body import parse_body
from arc.http.events import Alb, LatticeV1, LatticeV2, PayloadV1, PayloadV2, Shape, shape_of
from arc.testing import alb, function_url, payload_v1, payload_v2
from tests.http.reading import FORMATS, event, format_response, shape


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("http_api_v2", PayloadV2),
        ("function_url", PayloadV2),
        ("http_api_v1", PayloadV1),
        ("rest_v1", PayloadV1),
        ("alb_single", Alb),
        ("alb_multi", Alb),
        ("lattice_v1", LatticeV1),
        ("lattice_v2", LatticeV2),
        ("bare", Shape),
    ],
)
def test_each_format_recognizes_its_events(name: str, kind: type[Shape]) -> None:
    """An event has exactly one format."""
    assert type(shape(name)) is kind


@pytest.mark.parametrize(
    "part",
    [
        {"httpMethod": "GET"},
        {"resource": "/", "httpMethod": "GET"},
        {"httpMethod": "GET", "requestContext": {"stage": "x"}},
        {"resource": "/", "httpMethod": "GET", "requestContext": None},
        {"requestContext": {"http": {"method": "GET"}}},
        {"version": "3.0"},
        {"version": 2.0},
        {"method": "GET"},
        {"raw_path": "/"},
    ],
)
def test_partial_event_is_bare(part: dict[str, Any]) -> None:
    """An event that a user's test writes by hand has no format, and Architect's response."""
    assert type(shape_of(part)) is Shape


@pytest.mark.parametrize(
    ("name", "method", "path"),
    [
        ("http_api_v2", "POST", "/shops/corner/items"),
        ("function_url", "GET", "/report"),
        ("http_api_v1", "PUT", "/users/7"),
        ("rest_v1", "GET", "/search"),
        ("alb_single", "POST", "/café"),
        ("alb_multi", "GET", "/"),
        ("lattice_v1", "POST", "/orders/7"),
        ("lattice_v2", "PUT", "/orders"),
        ("bare", "GET", "/"),
    ],
)
def test_method_and_path(name: str, method: str, path: str) -> None:
    """The method is in capitals, and the path is decoded and without an HTTP API's stage."""
    assert (shape(name).method(), shape(name).path()) == (method, path)


@st.composite
def requests_in_every_format(draw: st.DrawFn) -> tuple[str, str, dict[str, Shape]]:
    """A path, its parameter, and the shapes of AWS's events for them."""
    city = draw(st.text(st.characters(codec="utf-8"), min_size=1))
    path, encoded = f"/cities/{city}", f"/cities/{quote(city, safe='')}"
    names = {"city": city}, {"city": quote(city, safe="")}
    return (
        path,
        city,
        {
            "http_api_v2": shape_of(payload_v2("GET", path, params=names[0])),
            "http_api_v1": shape_of(payload_v1("GET", path, params=names[0], rest=False)),
            "rest_v1": shape_of(payload_v1("GET", encoded, params=names[1])),
            "function_url": shape_of(function_url("GET", encoded)),
            "alb": shape_of(alb("GET", encoded)),
        },
    )


@given(requests_in_every_format())
def test_path_and_parameters_are_decoded_once_in_every_format(sent: tuple[str, str, dict[str, Shape]]) -> None:
    """HTTP APIs decode the path and others do not, but handlers get the same, also for `%25`."""
    path, city, shapes = sent
    assert {name: one.path() for name, one in shapes.items()} == dict.fromkeys(shapes, path)
    with_parameters = ("http_api_v2", "http_api_v1", "rest_v1")
    assert [shapes[name].params() for name in with_parameters] == [{"city": city}] * 3


@pytest.mark.parametrize("name", ["rest_v1", "alb_single", "function_url"])
def test_invalid_utf8_in_a_path_is_replaced(name: str) -> None:
    """An invalid escape in the path never fails a request."""
    assert shape(name, path="/%FF%2x", rawPath="/%FF%2x").path() == "/\ufffd%2x"


@pytest.mark.parametrize(
    ("path", "stage", "expected"),
    [
        ("/beta/users", "beta", "/users"),
        ("/beta", "beta", "/"),
        ("/beta/", "beta", "/"),
        ("/betamax", "beta", "/betamax"),
        ("/users", "beta", "/users"),
        ("/$default/users", "$default", "/$default/users"),
    ],
)
def test_only_a_whole_stage_is_removed(path: str, stage: str, expected: str) -> None:
    """A path that begins with the letters of the stage stays as it is."""
    assert shape("http_api_v2", rawPath=path, requestContext={"stage": stage}).path() == expected


def test_rest_path_keeps_a_folder_named_like_the_stage() -> None:
    """A REST API omits the stage itself, so nothing is removed."""
    assert shape("rest_v1", path="/production/x").path() == "/production/x"


@pytest.mark.parametrize(
    ("name", "params"),
    [("http_api_v2", {"shop": "corner"}), ("http_api_v1", {"id": "7"}), ("rest_v1", {"proxy": "search"}), ("bare", {})],
)
def test_path_parameters(name: str, params: dict[str, str]) -> None:
    """The route's parameters are read, and an event without them has none."""
    assert shape(name).params() == params


@pytest.mark.parametrize(
    ("name", "route"),
    [("http_api_v2", {"routeKey": "GET /{shop}/{rest+}"}), ("rest_v1", {"resource": "/{shop}/{rest+}"})],
)
def test_catch_all_is_also_found_under_a_star(name: str, route: dict[str, str]) -> None:
    """The parameters themselves stay the same, so they can be passed on as arguments."""
    params = shape(name, pathParameters={"shop": "corner", "rest": "a/b"}, **route).params()
    assert dict(params) == {"shop": "corner", "rest": "a/b"} == params
    assert (params["*"], params.get("*"), params.get("shop"), params.get("other", "x")) == ("a/b", "a/b", "corner", "x")
    assert "*" in params
    assert "other" not in params
    with pytest.raises(KeyError, match="other"):
        params["other"]


def test_star_is_unknown_without_a_catch_all() -> None:
    """A parameter called `proxy` is not one."""
    params = shape("http_api_v2", pathParameters={"proxy": "a"}, routeKey="GET /{proxy}").params()
    assert "*" not in params
    with pytest.raises(KeyError):
        params["*"]


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("http_api_v2", {"colour": ["red", "blue"], "q": ["a b,c"], "empty": [""]}),
        ("function_url", {}),
        ("http_api_v1", {"notify": ["yes", "no"]}),
        ("rest_v1", {"q": ["red", "blue pen"]}),
        ("alb_single", {"q": ["a b+c"], "name ": ["x y"]}),
        ("alb_multi", {"tag": ["été", "b&b"]}),
        ("lattice_v1", {"tag": ["café", "b&b"]}),
        ("lattice_v2", {"tag": ["one", "two"], "page": ["7"]}),
        ("bare", {}),
    ],
)
def test_query_values_are_decoded(name: str, fields: dict[str, list[str]]) -> None:
    """Repeated fields keep all values in order, and `query[name]` is the last."""
    query = shape(name).query()
    assert {field: query.getall(field) for field in query} == fields
    assert dict(query) == {field: values[-1] for field, values in fields.items()}


def test_query_is_read_from_parameters() -> None:
    """An event in a user's test may have no `rawQueryString`."""
    written = shape_of({"version": "2.0", "queryStringParameters": {"a": "1,2"}})
    assert written.query().getall("a") == ["1,2"]


def test_repeated_and_single_parameters_are_merged() -> None:
    """An event in a test may have one field in each form, as with headers."""
    query = shape_of(
        {
            "multiValueQueryStringParameters": {"id": ["1", "2"], "odd": None},
            "queryStringParameters": {"id": "2", "status": "open", "odd": "x"},
        }
    ).query()
    assert {name: query.getall(name) for name in query} == {"status": ["open"], "id": ["1", "2"], "odd": ["x"]}


@pytest.mark.parametrize(
    "name", ["http_api_v2", "http_api_v1", "rest_v1", "alb_single", "alb_multi", "lattice_v1", "lattice_v2"]
)
def test_cookies_are_read(name: str) -> None:
    """Both cookies of each fixture are found, wherever the format has them."""
    assert "; ".join(shape(name).cookie_headers()) == "_idx=abc.def; theme=dark"


def test_cookies_in_list_and_header_are_read_once() -> None:
    """A function URL may send the same cookies twice, and the list counts."""
    both = shape_of({"version": "2.0", "cookies": ["a=1"], "headers": {"cookie": "a=1"}})
    assert both.cookie_headers() == ["a=1"]


@pytest.mark.parametrize("odd", [[], {}, {"a": "1"}, "a=1", 5, None, True])
def test_cookie_header_counts_without_a_list(odd: object) -> None:
    """Only a nonempty list counts as the event's cookies."""
    assert shape_of({"version": "2.0", "cookies": odd, "headers": {"cookie": "b=2"}}).cookie_headers() == ["b=2"]


def test_headers_of_other_types_are_left_out() -> None:
    """Numbers become text, and lists and other values are left out."""
    odd: dict[str, Any] = {"a": None, "b": 5, "c": ["x"], "d": "y", "e": {}}
    assert dict(shape_of({"headers": odd}).headers()) == {"b": "5", "d": "y"}
    repeated = {"a": "x", "b": ["1", 2, None, "3"], "c": None}
    assert dict(shape_of({"multiValueHeaders": repeated}).headers()) == {"b": "1, 3"}


@pytest.mark.parametrize("header", ["cookie", "Cookie", "COOKIE"])
@pytest.mark.parametrize("version", [None, "1.0", "2.0"])
def test_cookie_header_ignores_case(header: str, version: str | None) -> None:
    """Without a list of cookies the header is read, in every format."""
    assert shape_of({"version": version, "headers": {header: "a=1; b=2"}}).cookie_headers() == ["a=1; b=2"]


def test_repeated_headers_are_joined() -> None:
    """Repeated values are joined, and names ignore case."""
    headers = shape("rest_v1").headers()
    assert headers["x-tag"] == headers["X-Tag"] == "one, two"
    assert headers["HOST"] == "m3n4b5v6c7.execute-api.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("http_api_v2", b"item=blue+pen&count=2&note="),
        ("function_url", None),
        ("http_api_v1", '{"name": "Zoë"}'.encode()),
        ("rest_v1", None),
        ("alb_single", b"hello there"),
        ("alb_multi", None),
        ("lattice_v1", '{"name": "Zoë"}'.encode()),
        ("lattice_v2", b"hello there"),
        ("bare", None),
    ],
)
def test_body_is_bytes(name: str, body: bytes | None) -> None:
    """Text and base64 bodies become bytes, and an absent body None."""
    assert shape(name).body() == body


@pytest.mark.parametrize("body", ["a", "YQ", "YQ==\n", "Y Q==", "YQ=", "é", "====", "YQ==YQ=="])
def test_invalid_base64_raises_bad_request(body: str) -> None:
    """Noncanonical base64 is answered with status 400 and does not crash."""
    with pytest.raises(BadRequest, match="isBase64Encoded"):
        shape("bare", body=body, isBase64Encoded=True).body()


@pytest.mark.parametrize("body", [{"a": 1}, ["a"], 5, True, "\ud800"])
def test_body_of_another_type_raises_bad_request(body: object) -> None:
    """A body must be text."""
    with pytest.raises(BadRequest, match="event's body"):
        shape("bare", body=body).body()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("lost", [None, "", 0, [], {}, [1], "x", {"x": None}])
def test_null_and_invalid_parts_count_as_absent(name: str, lost: object) -> None:
    """Any part of any fixture may be missing or invalid without an exception."""
    whole = event(name)
    for key in whole:
        if key not in ("body", "version"):
            read_everything({**whole, key: lost})


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"queryStringParameters": {"a": "1", "b": ["2", "3"]}}, {"a": ["1"], "b": ["2", "3"]}),
        ({"path": "/orders?a=%C3%A9", "queryStringParameters": {"a": ["other"]}}, {"a": ["é"]}),
        ({"queryStringParameters": None}, {}),
    ],
)
def test_lattice_query_is_read_from_the_path_or_the_fields(
    changes: dict[str, Any], fields: dict[str, list[str]]
) -> None:
    """VPC Lattice's fields are text or lists; a query in the path is complete and not part of `path`."""
    read = shape("lattice_v2", **changes)
    assert {field: read.query().getall(field) for field in read.query()} == fields
    assert read.path() == "/orders"


def test_base64_body_of_lattice_version_1_is_parsed() -> None:
    """`is_base64_encoded` applies to `parse_body` and `req.json`."""
    assert parse_body(event("lattice_v1")) == {"name": "Zoë"}
    octets = {**event("lattice_v1"), "headers": {"content-type": "application/octet-stream"}, "body": "AAE="}
    assert parse_body(octets) == {"base64": "AAE="}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    sorted({key for name in FORMATS for key in event(name)} | {"elb", "http", "method", "stage", "cookie"})
)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "version": st.sampled_from(["1.0", "2.0", "3.0", 2]) | JSON,
        "headers": JSON | st.dictionaries(st.sampled_from(["cookie", "Content-Type"]), JSON | st.text(max_size=8)),
        "requestContext": JSON | st.dictionaries(NAMES, JSON, max_size=3),
        "isBase64Encoded": st.booleans() | JSON,
        "body": JSON | st.text(),
        "rawQueryString": JSON | st.text(alphabet="%&=+aC3é;\ud800"),
    },
)


@given(EVENTS, st.dictionaries(NAMES | st.text(max_size=8), JSON, max_size=4))
def test_events_raise_nothing_but_bad_request(first: dict[str, Any], second: dict[str, Any]) -> None:
    """Reading any JSON as an event returns parts of the right types or raises `BadRequest`."""
    read_everything(second | first)


def read_everything(whole: dict[str, Any]) -> None:
    """Read every part of an event and check its type."""
    read = shape_of(whole)
    assert read.method() == read.method().upper() != ""
    assert isinstance(read.path(), str)
    assert read.path()
    assert all(isinstance(part, str) for pair in read.params().items() for part in pair)
    assert all(isinstance(value, str) for name in read.query() for value in read.query().getall(name))
    assert all(isinstance(part, str) for pair in read.headers().items() for part in pair)
    assert all(isinstance(header, str) for header in read.cookie_headers())
    assert read.compresses in (True, False)
    with suppress(BadRequest):
        assert isinstance(read.body(), bytes | None)
    with suppress(BadRequest):
        parse_body(whole)
    result = {
        "multiValueHeaders": {"x": ["1"], "y": ["2", "3"]},
        "cookies": ["a=1"],
        "body": "body",
        "compression": False,
    }
    reply = format_response(result, read)
    assert (reply["statusCode"], reply["body"]) == (200, "body")
