"""Which route answers a request."""

from __future__ import annotations

from pathlib import Path

import pytest

from arc.inventory import match
from tests.inventory.writing import app

ROUTES = (
    "any /*\nget /\nget /users\nget /users/:id\npost /users/:id\nany /users/:id\nget /users/new\nget /:page\n"
    "any /files/*\nget /files/:name/raw\nhead /users"
)


@pytest.mark.parametrize(
    ("method", "path", "route", "parameters"),
    [
        ("GET", "/", "get /", {}),
        ("POST", "/", "any /*", {"proxy": ""}),
        ("GET", "/users", "get /users", {}),
        ("HEAD", "/users", "head /users", {}),
        ("HEAD", "/users/new", "any /users/:id", {"id": "new"}),
        ("GET", "/users/new", "get /users/new", {}),
        ("GET", "/users/7", "get /users/:id", {"id": "7"}),
        ("POST", "/users/7", "post /users/:id", {"id": "7"}),
        ("DELETE", "/users/7", "any /users/:id", {"id": "7"}),
        ("GET", "/users/a%2Fb", "get /users/:id", {"id": "a/b"}),
        ("GET", "/users/%C3%A9", "get /users/:id", {"id": "é"}),
        ("GET", "/about", "get /:page", {"page": "about"}),
        ("PUT", "/about", "any /*", {"proxy": "about"}),
        ("GET", "/a/b/c", "any /*", {"proxy": "a/b/c"}),
        ("GET", "/files/a/b", "any /files/*", {"proxy": "a/b"}),
        ("GET", "/files/a/raw", "get /files/:name/raw", {"name": "a"}),
        ("GET", "users", None, None),
    ],
)
def test_most_specific_route_matches(
    method: str, path: str, route: str | None, parameters: dict[str, str] | None, tmp_path: Path
) -> None:
    """Static parts come before parameters and catch-alls, deeper catch-alls first, and `any` last."""
    found = match(app(tmp_path, ROUTES).routes, method, path)
    assert (found and found[0].name, found and found[1]) == (route, parameters)


def test_near_misses_do_not_match(tmp_path: Path) -> None:
    """A get route does not match HEAD, a slash at the end counts, and a catch-all needs its slash."""
    routes = app(tmp_path, "get /a\nget /files/*\nget /p/:id").routes
    for method, path in (("HEAD", "/a"), ("GET", "/a/"), ("GET", "/"), ("GET", "/files"), ("GET", "/p/")):
        assert match(routes, method, path) is None


@pytest.mark.parametrize(
    ("routes", "method", "path", "parameters"),
    [
        ("get /*", "GET", "/", {"proxy": ""}),
        ("any /*", "POST", "/", {"proxy": ""}),
        ("get /:page", "GET", "/", {"page": ""}),
        ("get /x/*", "GET", "/x/", {"proxy": ""}),
        ("get /x/*", "GET", "/x/a/", {"proxy": "a/"}),
        ("get /:a/*", "GET", "/x/", {"a": "x", "proxy": ""}),
    ],
)
def test_catch_all_and_parameter_match_the_root(
    routes: str, method: str, path: str, parameters: dict[str, str], tmp_path: Path
) -> None:
    """A single-page app has no other route."""
    found = match(app(tmp_path, routes).routes, method, path)
    assert (found and found[1]) == parameters


def test_root_route_precedes_parameter_and_catch_all(tmp_path: Path) -> None:
    """Then comes the parameter, which is a full match, then the catch-all."""
    for routes in (["get /", "get /:page", "get /*"], ["get /:page", "get /*"], ["get /*", "any /*"]):
        found = match(app(tmp_path, "\n".join(reversed(routes))).routes, "GET", "/")
        assert found is not None
        assert found[0].name == routes[0]


def test_route_keys_have_the_format_of_api_gateway(tmp_path: Path) -> None:
    """Parameters are in braces, and the catch-all is greedy."""
    keys = {route.route_key for route in app(tmp_path, "get /\nget /users/:id\nany /files/*").routes}
    assert keys == {"GET /", "GET /users/{id}", "ANY /files/{proxy+}"}
