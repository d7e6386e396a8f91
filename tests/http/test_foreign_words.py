"""Attribute names of other libraries' requests raise errors with advice."""

from __future__ import annotations

import re

import pytest

import arc
from arc.sessions.foreign_words import FOREIGN_OF_REQUEST, REQUEST_ADVICE
from arc.testing import payload_v2

EXPECTED = {
    "args": "req.query",
    "GET": "req.query",
    "query_params": "req.query",
    "POST": "req.form",
    "get_json": "req.json",
    "view_args": "req.params",
    "path_params": "req.params",
    "data": "req.body",
    "user": "req.session.user_id",
}


def request() -> arc.Request:
    """Return a request as a handler gets it."""
    received: list[arc.Request] = []

    @arc.http.handler
    def handler(req: arc.Request) -> None:
        received.append(req)

    handler(payload_v2("GET", "/"), None)
    return received[0]


@pytest.mark.parametrize(("name", "words"), EXPECTED.items())
def test_name_of_another_library_raises_advice(name: str, words: str) -> None:
    """Names of Flask, Django, Starlette and Pyramid raise an AttributeError that says what to use."""
    with pytest.raises(AttributeError, match=f"^A request has no '{name}'\\. Use {re.escape(words)}"):
        getattr(request(), name)


def test_advice_mentions_only_existing_attributes() -> None:
    """Every name has one piece of advice, and the attributes that it mentions exist."""
    assert len(FOREIGN_OF_REQUEST) == sum(len(names.split()) for names in REQUEST_ADVICE.values())
    for advice in REQUEST_ADVICE:
        assert [one for one in re.findall(r"\breq\.(\w+)", advice) if not hasattr(arc.Request, one)] == []


def test_foreign_names_are_hidden_from_hasattr_and_dir() -> None:
    """They are missing in `hasattr`, in `dir` and among dict's names."""
    req = request()
    assert [name for name in FOREIGN_OF_REQUEST if hasattr(req, name) or name in dir(req) or hasattr({}, name)] == []
    assert {"query", "form", "session", "get"} < set(dir(req))


def test_unknown_name_raises_pythons_error() -> None:
    """A misspelling raises the interpreter's message."""
    with pytest.raises(AttributeError, match="object has no attribute 'colour'"):
        request().colour  # type: ignore[attr-defined]  # noqa: B018  # the lookup is the test
