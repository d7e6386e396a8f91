"""Fields that a request does not have."""

from __future__ import annotations

from typing import Any

import pytest

import arc
from arc.http.request import Request
from arc.testing import alb, function_url, payload_v1, payload_v2
from tests.http.making import browser
from tests.sessions.making import Made

MESSAGES = {
    "form": "The request's form has no field 'email'.",
    "query": "The request's query has no field 'email'.",
    "params": "The request's path has no parameter 'email'.",
    "files": "The request's form has no file 'email'.",
}


@pytest.mark.parametrize("part", MESSAGES)
@pytest.mark.parametrize("event", [payload_v2, payload_v1, alb, function_url])
def test_uncaught_missing_field_is_a_400_that_names_it(part: str, event: Any) -> None:
    """The visitor's request is at fault, in every format."""
    handler = arc.http.handler(manager=Made().manager)(lambda req: {"text": getattr(req, part)["email"]})
    reply = handler(event("POST", form={"name": "Ada"}), None)
    assert (reply["statusCode"], reply["body"]) == (400, f'{{"message":"{MESSAGES[part]}"}}')


def test_missing_field_commits_a_session_like_any_400() -> None:
    """What the handler changed before is stored, as for other refused requests."""
    visitor = browser(lambda req: {"text": req.query["name"] if req.session.increment("visits") else ""})
    assert visitor.get("/").status == 400
    assert visitor.get("/?name=Ada").status == 200


def test_browser_gets_the_message_as_a_page() -> None:
    """The field's name is escaped, although it is the application's."""
    page = browser(lambda req: {"text": req.query["<b>"]}).get("/", headers={"accept": "text/html"})
    assert page.status == 400
    assert "has no field &#x27;&lt;b&gt;&#x27;." in page.text


def test_missing_field_is_a_key_error_of_its_name() -> None:
    """A handler that catches `KeyError` works as with any dict."""

    def handle(req: arc.Request) -> dict[str, Any]:
        try:
            return {"text": req.form["email"]}
        except KeyError as error:
            return {"text": f"missing: {error.args[0]}"}

    assert browser(handle).post("/", {}).text == "missing: email"
    assert issubclass(arc.MissingField, KeyError)


def test_other_key_errors_still_propagate() -> None:
    """A mistake of the application stays an error that Lambda counts."""
    visitor = browser(lambda req: {"text": dict(req.query)["email"]})
    with pytest.raises(KeyError) as raised:
        visitor.get("/")
    assert type(raised.value) is KeyError


def test_hint_about_another_mapping_stays_a_plain_key_error() -> None:
    """Reading a text field as a file is a mistake of the application, and no visitor's."""
    request = Request(payload_v2("POST", form={"photo": "a.png"}), None, lambda: Made().manager)
    with pytest.raises(KeyError) as raised:
        request.files["photo"]
    assert type(raised.value) is KeyError


def test_absent_fields_have_defaults() -> None:
    """`get`, `in` and `getall` raise nothing."""
    request = Request(payload_v2("POST", form={}), None, lambda: Made().manager)
    for fields in (request.form, request.query, request.params):
        assert (fields.get("email"), "email" in fields, fields.getall("email")) == (None, False, [])
