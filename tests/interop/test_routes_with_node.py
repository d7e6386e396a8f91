"""Any routes handle the requests that Architect's sandbox routes to them, with the same parameters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from arc.inventory import Route, match
from arc.inventory.function_config import FunctionConfig
from arc.inventory.routes import specificity
from arc.tools.sandbox.front.event import make_event

if TYPE_CHECKING:
    from tests.interop.peer import Peer

NOBODY = {"HOME": "/nowhere"}
METHODS = ["get", "post", "any"]
PATHS = st.builds(
    lambda parts, greedy: "/" + "/".join([*parts, *["*"] * greedy]),
    st.lists(st.sampled_from(["a", "b", ":x", ":y"]), max_size=3, unique=True),
    st.booleans(),
)


def shape(line: tuple[str, str]) -> tuple[str, str]:
    """Return a route's verb and path without the names of its parameters: two of one shape are no table."""
    return line[0], line[1].replace(":y", ":x")


TABLES = st.lists(st.tuples(st.sampled_from(METHODS), PATHS), min_size=1, max_size=5, unique_by=shape)
SENT = st.builds(
    lambda parts, slash: "/" + "/".join(parts) + "/" * (slash and bool(parts)),
    st.lists(st.sampled_from(["a", "b", "c", "a%20b", "a%2Fb", "%C3%A9"]), max_size=4),
    st.booleans(),
)
REQUESTS = st.lists(st.tuples(st.sampled_from(["GET", "POST", "HEAD"]), SENT), min_size=1, max_size=6)


def route(method: str, path: str) -> Route:
    """A route without files."""
    return Route(method, path, Path("src"), "Id", None, FunctionConfig())


many = settings(max_examples=5 * settings().max_examples, suppress_health_check=[HealthCheck.function_scoped_fixture])


@many
@given(TABLES, REQUESTS)
@example([("get", "/*")], [("GET", "/"), ("GET", "/a/"), ("HEAD", "/"), ("POST", "/")])
@example([("any", "/*")], [("GET", "/"), ("POST", "/"), ("HEAD", "/")])
@example([("get", "/:x")], [("GET", "/"), ("GET", "/a"), ("HEAD", "/")])
@example([("get", "/a/*")], [("GET", "/a"), ("GET", "/a/"), ("GET", "/a/b/")])
@example([("any", "/a/*"), ("any", "/:x/a/*")], [("GET", "/a/a/a")])
def test_requests_are_routed_as_in_architect(
    node_peer: Peer, table: list[tuple[str, str]], requests: list[tuple[str, str]]
) -> None:
    """The same routes handle the same requests, except where AWS documents otherwise."""
    routes = {f"{method.upper()} {path}": route(method, path) for method, path in table}
    text = "\n".join(f"{method} {path}" for method, path in table)
    in_order = sorted(routes.values(), key=specificity)
    by_key = {each.route_key: each for each in in_order}
    for (method, path), event in zip(
        requests, node_peer.ask("events", NOBODY, routes=text, requests=requests), strict=True
    ):
        found = match(in_order, method, path)
        if event is None:
            assert found is None or is_root_parameter(found[0], path)
        elif "failed" in event:  # The sandbox itself fails for the folder of a catch-all below a parameter.
            continue
        elif is_another_request(theirs := by_key[event["routeKey"]], method, path):
            assert found is None or found[0] is not theirs
        else:
            assert match([theirs], method, path) == (theirs, event.get("pathParameters", {}))
            assert found is not None
            assert found[0] is theirs or is_before(found[0], theirs)


def test_events_have_the_headers_of_architect(node_peer: Peer) -> None:
    """Only AWS's trace header is added, and headers of the connection are left out by both."""
    sent = {"te": "trailers", "connection": "close", "x-own": "1", "x-forwarded-proto": "https"}
    (theirs,) = node_peer.ask("events", NOBODY, routes="get /*", requests=[("GET", "/", sent)])
    scope = {
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "http_version": "1.1",
        "headers": [(name.encode(), value.encode()) for name, value in (sent | {"host": "localhost"}).items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 3333),
    }
    ours = make_event(scope, b"", route("get", "/*"), {"proxy": ""}, 0.0)
    assert ours["headers"].keys() - {"x-amzn-trace-id"} == theirs["headers"].keys()
    for name in ("x-forwarded-for", "x-forwarded-proto", "x-own"):
        assert ours["headers"][name] == theirs["headers"][name]
    assert ours["pathParameters"] == theirs["pathParameters"]


def is_greedy(found: Route) -> bool:
    """Return True for a catch-all."""
    return found.path.endswith("*")


def is_root_parameter(found: Route, path: str) -> bool:
    """Return True for `post /:x` at `/`. Architect's sandbox looks for `get` alone there; AWS treats methods alike."""
    return path == "/" and found.method != "get" and found.path in ("/:x", "/:y")


def is_another_request(theirs: Route, method: str, path: str) -> bool:
    """Return True where Architect's sandbox is more lenient than AWS.

    It ignores a slash at the end (`/a/` and `get /a`, `/a` and `get /a/*`), and where it has an `any` it takes a HEAD
    for a GET.
    """
    if theirs.method == "get" and method == "HEAD":
        return True
    if path == "/":
        return False
    return path.count("/") < theirs.path.count("/") if is_greedy(theirs) else path.endswith("/")


def is_before(ours: Route, theirs: Route) -> bool:
    """Return True where AWS's documented order differs from the sandbox's, which looks for the exact method first.

    API Gateway selects a full match before a greedy one, and `ANY` for methods that the resource does not define.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
    """
    return (is_greedy(theirs) and not is_greedy(ours)) or (ours.method == "any" and theirs.method != "any")
