"""What the sandbox learns about a request."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import arc
from arc.errors import StoreError
from arc.http.development import Observer, Report, observed_by
from arc.sessions import lifecycle
from arc.testing import Clock, payload_v2
from tests.sessions.making import Made

FORM = {"content-type": "application/x-www-form-urlencoded"}


class Visitor:
    """A visitor whose requests are observed."""

    def __init__(self, made: Made) -> None:
        self.made = made
        self.cookies: dict[str, str] = {}

    def sends(self, function: Callable[..., Any], **options: Any) -> dict[str, Any]:
        """Return the report about a request."""
        report = Report()
        with observed_by(report):
            handler = arc.http.handler(manager=self.made.manager, **options)(function)
            reply = handler(payload_v2(cookies=self.cookies), None)
        for cookie in reply.get("cookies", ()) or [reply["headers"].get("set-cookie", "")]:
            name, _, value = cookie.partition(";")[0].partition("=")
            if name:
                self.cookies = {name: value} if value else {}
        return report.contents()

    def session(self, function: Callable[[arc.Session], object]) -> str:
        """Return what became of the session when a handler does this with it."""

        def handle(req: arc.Request) -> dict[str, Any]:
            function(req.session)
            return {"html": "x"}

        return str(self.sends(handle)["session"])


@pytest.mark.parametrize("server", [False, True])
def test_report_says_what_became_of_the_session(server: bool) -> None:
    """Its words are the same for the cookie and for a table."""
    visitor = Visitor(Made(server=server, clock=Clock()))
    assert visitor.sends(lambda _req: {"html": "x"})["session"] == ""
    assert visitor.session(len) == "no session"
    assert visitor.session(lambda session: session.increment("n")) == "session new"
    assert visitor.session(len) == "session read"
    assert visitor.session(lambda session: session.increment("n")) == "session saved"
    assert visitor.session(lambda session: session.sign_in("ada")) == "session saved, new id"
    assert visitor.session(lambda session: session.sign_out()) == "session ended"
    assert visitor.session(len) == "no session"


def test_requests_of_several_threads_leave_no_observer_behind() -> None:
    """Their blocks end in any order."""
    before = lifecycle.observer
    first, second = observed_by(Report()), observed_by(last := Report())
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert lifecycle.observer is last
    second.__exit__(None, None, None)
    assert lifecycle.observer is before


def test_report_says_why_a_cookie_was_refused() -> None:
    """A visitor whose session has expired has none, and the reason follows."""
    made = Made(clock=Clock(), idle=60)
    visitor = Visitor(made)
    visitor.session(lambda session: session.increment("n"))
    made.clock.forward(61)
    assert visitor.session(len) == "no session (expired cookie)"
    assert visitor.session(lambda session: session.increment("n")) == "session new (expired cookie)"
    visitor.cookies = {"_idx": "forged"}
    assert visitor.session(len) == "no session (malformed cookie)"


def test_report_says_when_changes_are_dropped() -> None:
    """A response with status 500 stores nothing."""
    visitor = Visitor(Made())
    assert visitor.sends(lambda req: {"status": 500, "html": str(req.session.increment("n"))})["session"] == (
        "session not saved"
    )


def test_report_has_no_token_and_no_data() -> None:
    """Neither the session's id nor its contents are in it."""
    visitor = Visitor(Made())
    visitor.session(lambda session: session.update(secret="hush-hush"))
    token = visitor.cookies["_idx"]
    text = json.dumps(visitor.sends(lambda req: {"html": req.session["secret"]}))
    assert "hush-hush" not in text
    assert token[40:60] not in text


def test_report_marks_the_librarys_own_cache_control() -> None:
    """The sandbox replaces it, and leaves the application's alone."""
    visitor = Visitor(Made())
    assert visitor.sends(lambda _req: {"css": "p {}"})["caches_by_default"] is True
    assert "caches_by_default" not in visitor.sends(lambda _req: {"css": "p {}", "cache_control": "max-age=5"})


def test_report_has_the_warnings_about_a_result() -> None:
    """At most five, so that it fits into a pipe."""
    visitor = Visitor(Made())
    (warning,) = visitor.sends(lambda _req: "hello")["warnings"]
    assert "Return {'text': …}" in warning
    many = {"html": "x", **{f"header{number}"[:6] + "s" * number: 1 for number in range(2, 20)}}
    assert len(json.dumps(visitor.sends(lambda _req: many))) < 32_768


def test_report_has_the_csrf_check_that_failed() -> None:
    """The message for the visitor and the reason for the operator."""
    report = Report()
    with observed_by(report):
        handler = arc.http.handler(manager=Made().manager, csrf=True)(lambda _req: None)
        assert handler(payload_v2("POST", form={"a": "1"}), None)["statusCode"] == 403
    problem = report.contents()["problem"]
    assert problem["kind"] == "ForgedRequest"
    assert "has no CSRF token" in problem["message"]
    assert "no '_csrf' in a body of type" in problem["reason"]


def test_report_has_the_text_of_a_store_error() -> None:
    """The response itself does not show it."""

    def fail(_req: arc.Request) -> None:
        raise StoreError("the table is on fire")

    assert Visitor(Made()).sends(fail)["problem"] == {"kind": "store", "message": "the table is on fire"}


def test_report_has_the_line_that_read_a_missing_field() -> None:
    """The line is the application's, and not this package's."""
    problem = Visitor(Made()).sends(lambda req: {"html": req.query["name"]})["problem"]
    assert problem["message"] == "The request's query has no field 'name'."
    assert problem["line"].endswith('sends(lambda req: {"html": req.query["name"]})["problem"]')
    assert f'File "{__file__}"' in problem["line"]


@pytest.mark.parametrize("base", [arc.BadRequest, arc.FreshSignInRequired])
def test_error_of_the_app_is_not_confused_with_one_of_the_same_name(base: type[Exception]) -> None:
    """A page explains only this package's errors."""

    def fail(_req: arc.Request) -> None:
        raise type("MissingField", (base,), {})("no")

    assert Visitor(Made()).sends(fail)["problem"]["kind"] == "refused"


def test_error_of_an_unstorable_value_names_the_line_that_assigned_it() -> None:
    """The commit fails after the handler has returned, so the traceback has no line of the application."""

    def handle(req: arc.Request) -> dict[str, Any]:
        req.session["fine"] = 1
        req.session["when"] = dt.datetime.now(dt.UTC)
        req.session["later"] = 2
        return {"html": "x"}

    with observed_by(Observer()), pytest.raises(TypeError, match=r"session\['when'\] is a datetime") as raised:
        arc.http.handler(manager=Made().manager)(handle)(payload_v2(), None)
    (note,) = raised.value.__notes__
    assert note.startswith(f'  File "{__file__}", line ')
    assert note.endswith('in handle\n    req.session["when"] = dt.datetime.now(dt.UTC)')


@pytest.mark.parametrize(
    "assign",
    [
        lambda req: req.session.update(when={1}),
        lambda req: len(req.session.setdefault("when", {1})),
        lambda req: setattr(req, "session", {"when": {1}}),
    ],
)
def test_every_way_of_assigning_is_remembered(assign: Callable[[arc.Request], object]) -> None:
    """`update`, `setdefault` and replacing all data name their line as well."""
    with observed_by(Observer()), pytest.raises(TypeError) as raised:
        arc.http.handler(manager=Made().manager)(assign)(payload_v2(), None)
    assert f'File "{__file__}"' in raised.value.__notes__[0]


def test_value_put_into_a_stored_container_names_no_wrong_line() -> None:
    """A container that was not assigned in this request has no line."""
    visitor = Visitor(Made())
    visitor.session(lambda session: session.update(cart=[]))
    with observed_by(Observer()), pytest.raises(TypeError) as raised:
        arc.http.handler(manager=visitor.made.manager)(lambda req: req.session["cart"].append({1}))(
            payload_v2(cookies=visitor.cookies), None
        )
    assert not hasattr(raised.value, "__notes__")


def test_overlapping_observers_leave_none_behind() -> None:
    """Test browsers in several threads begin and end in any order."""
    first, second = Observer(), Observer()
    one, other = observed_by(first), observed_by(second)
    one.__enter__()
    other.__enter__()
    assert lifecycle.observer is second
    one.__exit__(None, None, None)
    assert lifecycle.observer is second
    other.__exit__(None, None, None)
    assert lifecycle.observer is None


def test_deployed_function_does_not_import_any_of_this() -> None:
    """A cold start is the same as without it, also with ARC_ENV=testing."""
    code = """
import sys
import arc
@arc.http.handler
def handler(req):
    req.session["a"] = 1
    return {"htm": "x"}
handler({"version": "2.0", "headers": {}, "requestContext": {"http": {"method": "GET"}}}, None)
print(sorted({"arc.http.development", "arc.http.misread", "difflib", "linecache"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"ARC_ENV": "testing"}, timeout=60
    )
    assert done.stdout == "[]\n"
