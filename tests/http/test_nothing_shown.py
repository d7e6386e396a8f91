"""SECURITY 42: printed, logged and raised texts contain no secret, no whole token and no cookie."""

from __future__ import annotations

import logging
import pprint
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as tested
from hypothesis import strategies as st

import arc
from arc.http.request import Request
from arc.settings import Settings
from arc.testing import Browser, alb, function_url, payload_v1, payload_v2
from tests.sessions.making import SECRET, Made

BUILDERS: dict[str, Any] = {
    "payload_v2": payload_v2,
    "function_url": function_url,
    "payload_v1": payload_v1,
    "alb": alb,
    "alb_multi": lambda *args, **named: alb(*args, multi=True, **named),
}
TOKEN = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=8, max_size=40).map(lambda text: f"tok{text}")


def shown(value: object) -> list[str]:
    """`value` in every way that a program prints or logs it."""
    return [repr(value), str(value), f"{value}", "%s %r" % (value, value), pprint.pformat(value), repr([value])]  # noqa: UP031


@given(token=TOKEN, build=st.sampled_from(sorted(BUILDERS)))
def test_s42_printed_request_shows_no_values(token: str, build: str) -> None:
    """No printed form of a request contains a cookie, a header, a query field or the body."""
    event = BUILDERS[build](
        "POST",
        "/cart",
        query={"key": f"{token}-query"},
        headers={"authorization": f"Bearer {token}", "x-csrf-token": token},
        cookies={"_idx": token, "__Host-_arc_csrf": token},
        form={"_csrf": token, "password": token},
    )
    request = Request(event, None, lambda: Made().manager)
    _ = (request.session, request.form, request.headers, request.cookies)
    for text in shown(request):
        assert token not in text
        assert "POST /cart" in text


@pytest.mark.parametrize("event", [{}, {"body": {"parsed": "already"}}, {"headers": None}, {1: 2}, {"httpMethod": 7}])
def test_s42_any_event_can_be_printed(event: dict[Any, Any]) -> None:
    """A bare or malformed event shows its keys."""
    text = repr(Request(event, None, lambda: Made().manager))
    assert text.startswith("<Request 'GET /")
    assert all(str(key) in text for key in event)


@pytest.mark.parametrize("build", BUILDERS)
def test_request_equals_its_event(build: str) -> None:
    """Only the printed form differs, and a plain copy shows everything."""
    event = BUILDERS[build]("POST", "/", cookies={"_idx": "token"}, form={"a": "1"})
    request = Request(event, None, lambda: Made().manager)
    assert request == event
    assert list(request.items()) == list(event.items())
    assert repr(dict(request)) == repr(event)
    assert repr(request.copy()) == repr(event)


OLD_SECRET = "an older secret of the tests, long enough for AES-256"


def boom(_req: arc.Request) -> None:
    """Raise an error, as a handler may."""
    raise ZeroDivisionError


def down(_req: arc.Request) -> None:
    """Fail like a table."""
    raise arc.StoreError("throttled")


def race(req: arc.Request) -> None:
    """Write to a session that another request ends at the same time."""
    other = req.manager.load(req.cookie_values("_idx"))
    other.sign_out()
    req.manager.commit(other)
    req.session.update(late=1)


STEPS: dict[str, Any] = {
    "/": lambda _req: None,
    "/cart": lambda req: req.session.update(cart=["book"]),
    "/in": lambda req: req.session.sign_in("ada"),
    "/out": lambda req: req.session.sign_out(),
    "/new": lambda req: req.session.regenerate(),
    "/big": lambda req: req.session.update(everything="x" * 5_000),
    "/late": lambda req: (arc.http.session.write(req.session), req.session.update(late=1)),
    "/boom": boom,
    "/down": down,
    "/race": race,
    "/stale": lambda req: req.session.require_fresh(-1),
    "/odd": lambda req: req.session.update(odd=object()),
    "/plain": lambda _req: arc.http.session.write({"plain": 1}),
    "/failed": lambda req: {"cookie": arc.http.session.write(req.session) or "a=1", "status": 500},
}
TAMPERINGS = ("forge", "truncate", "quote", "escape", "second", "foreign", "swap", "forms")


class History:
    """A visitor whose cookies, tokens and ids are recorded, and an app that uses and misuses its session."""

    def __init__(self, made: Made) -> None:
        self.made = made
        self.hidden = {SECRET, OLD_SECRET}
        self.shown_texts: list[str] = []
        self.browser = Browser(arc.http.handler(manager=made.manager)(self.app), clock=made.clock)

    def app(self, req: arc.Request) -> Any:
        """Do what the path says; the session's id and a form's token are remembered."""
        session = req.session
        self.hidden.add(session.id)
        token = arc.http.csrf.token(req)
        self.hidden.add(token)
        self.shown_texts += [repr(req), str(req.headers), repr(session), repr(req.manager.keyring)]
        if req.method != "GET":
            arc.http.csrf.verify(req)
        answer = STEPS[req.path](req)
        self.hidden.add(session.id)
        return answer if isinstance(answer, dict) else {"html": "x", "cache_control": "public, max-age=60"}

    def visit(self, path: str) -> None:
        """Request `path`, and log an exception with its traceback, as Lambda would."""
        self._remember()
        try:
            page = self.browser.get(path)
        except Exception:  # noqa: BLE001  # whatever it is, it is logged
            self.shown_texts.append(traceback.format_exc())
        else:
            self.shown_texts += [page.text, repr(page)]
        self._remember()

    def tamper(self, how: str) -> None:
        """Send a changed cookie or token."""
        value = self.browser.jar.get("_idx") or "A" * 40
        changed = {
            "forge": value[:-3] + "AAA",
            "truncate": value[:-8],
            "quote": f'"{value}"',
            "escape": "".join(f"%{ord(one):02X}" for one in value),
            "foreign": Made(secret="another application's secret, as long").cookie(a=1),
            "swap": self.browser.jar.get("__Host-_arc_csrf") or "B" * 40,
        }.get(how, value)
        headers = {"host": "app.example", "x-csrf-token": next(iter(self.hidden)), "origin": "https://app.example"}
        self.hidden |= {value, changed}
        cookies = [f"_idx={value}", f"_idx={value}A"] if how == "second" else [f"_idx={changed}"]
        event = payload_v2("POST" if how == "forms" else "GET", headers=headers, cookies=cookies)
        self.shown_texts.append(self.browser.handler(event, None)["body"])

    def _remember(self) -> None:
        self.hidden |= {value for name in ("_idx", "__Host-_arc_csrf") if (value := self.browser.jar.get(name))}

    def leaks(self, log: list[str]) -> set[str]:
        """The secrets that `text` shows, whole or by a usable part."""
        output = "\n".join([*self.shown_texts, *log, *map(repr, self.made.events)])
        parts = {part for one in self.hidden for part in (one, *re.split("[.]", one)) if len(part) > 12}
        return {part for part in parts if part in output}


@contextmanager
def logged() -> Iterator[list[str]]:
    """Every line that the package logs at any level, formatted with its traceback."""
    lines: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    logger, handler = logging.getLogger("arc"), Keeping()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)


@tested(deadline=None, max_examples=60)
@given(steps=st.lists(st.sampled_from((*STEPS, *TAMPERINGS, "tomorrow")), max_size=14), server=st.booleans())
def test_s42_history_shows_no_secret_token_or_id(steps: list[str], server: bool) -> None:
    """Log lines, events, reprs, tracebacks and responses contain none of them and no usable part."""
    made = Made(server=server, fallbacks=(OLD_SECRET,))
    with logged() as lines:
        life = History(made)
        for step in ("/cart", "/race", "/in", *steps, "forge", "/"):
            if step == "tomorrow":
                made.clock.forward(days=1)
            elif step in TAMPERINGS:
                life.tamper(step)
            else:
                life.visit(step)
    assert any(" created" in line for line in lines)
    assert any(" refused" in line for line in lines)
    assert life.leaks(lines) == set()


@given(
    secret=st.text(min_size=6, max_size=60),
    fallbacks=st.lists(st.text(min_size=6, max_size=60), max_size=2),
    changes=st.fixed_dictionaries(
        {},
        optional={
            "ARC_ENV": st.sampled_from(["testing", "staging", "production", "elsewhere"]),
            "ARC_FORCE_LEGACY_JWE_SECRET": st.just("true"),
            "ARC_APP_SECRET_ALGO": st.sampled_from(["A128GCM", "A192GCM", "RSA"]),
            "ARC_SESSION_SAME_SITE": st.sampled_from(["None", "Perhaps"]),
            "AWS_LAMBDA_FUNCTION_NAME": st.just("real"),
        },
    ),
    broken=st.booleans(),
)
def test_s42_errors_about_settings_show_no_secret(
    secret: str, fallbacks: list[str], changes: dict[str, str], broken: bool
) -> None:
    """Messages, tracebacks, warnings and reprs contain no secret, whichever setting is invalid."""
    hidden = [f"<{one}>" for one in (secret, *fallbacks)]
    listed = ", ".join(f'"{one}"' for one in hidden[1:])
    environ = {"ARC_APP_SECRET": hidden[0], "ARC_APP_SECRET_FALLBACKS": f"[{listed}" + "]" * (not broken), **changes}
    with logged() as lines:
        try:
            manager = arc.http.build_manager(Settings.from_env(environ))
        except arc.ConfigurationError:
            lines.append(traceback.format_exc())
        else:
            lines += [repr(manager.settings), repr(manager.keyring), repr(manager), repr(manager.store)]
    output = "\n".join(lines)
    assert not any(one in output or repr(one) in output for one in hidden)
