"""The line that the sandbox prints for each request."""

from __future__ import annotations

import os
import pty
import re
import secrets
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from arc.tools.sandbox.front.request_line import is_unasked, request_line, shown_path
from tests.tools.sandbox.apps import says, write_app
from tests.tools.sandbox.running import START, Sandbox, running, surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SESSION = """
import arc

@arc.http.handler
def handler(req):
    match req.query.get("do", ""):
        case "count":
            req.session.increment("n")
        case "secret":
            req.session["secret"] = "hush-hush"
        case "sign-in":
            req.session.sign_in("ada")
        case "sign-out":
            req.session.sign_out()
        case "read":
            req.session.get("n")
        case "raise":
            req.session.increment("n")
            raise ValueError("no")
    return {"html": "x"}
"""
LINE = r"(?m)^\d\d:\d\d:\d\d  {} +{} +{} +\d+ ms{}$"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app with sessions, a parameter and bare handlers."""
    handlers = {
        "get /": SESSION,
        "get /reset/:token": says("reset"),
        "post /sent": says("sent"),
        "get /redirect": "def handler(event, context):\n    return {'statusCode': 303, 'headers': {'location': '/'}}\n",
    }
    return write_app(tmp_path_factory.mktemp("lines") / "app", handlers)


@pytest.fixture(scope="module")
def sandbox(app: Path) -> Iterator[Sandbox]:
    """The app in a sandbox."""
    with running(app) as sandbox:
        yield sandbox


def waits_for_line(sandbox: Sandbox, method: str, path: str, status: int, session: str = "") -> None:
    """Wait until the line of a request is printed."""
    sandbox.wait_for(LINE.format(method, re.escape(path), status, f"  {re.escape(session)}" if session else ""))


def test_line_has_verb_path_status_and_time(sandbox: Sandbox) -> None:
    """A function that uses no session has nothing after the milliseconds."""
    sandbox.request("POST", "/sent", b"x")
    waits_for_line(sandbox, "POST", "/sent", 200)
    sandbox.get("/redirect")
    waits_for_line(sandbox, "GET", "/redirect", 303)
    sandbox.get("/nowhere")
    waits_for_line(sandbox, "GET", "/nowhere", 404)


def test_line_says_what_became_of_the_session(sandbox: Sandbox) -> None:
    """The words follow the life of one visitor's session, and the responses do not have them."""
    cookie = ""
    steps = {
        "nothing": "",
        "read": "no session",
        "count": "session new",
        "read&again": "session read",
        "count&again": "session saved",
        "raise": "session not saved",
        "sign-in": "session saved, new id",
        "sign-out": "session ended",
    }
    for step, words in steps.items():
        printed = len(sandbox.output)
        answer = sandbox.get(f"/?do={step}", **({"cookie": cookie} if cookie else {}))
        assert not re.search(r"session (new|read|saved)", str(answer.headers))
        for header in answer.all("set-cookie"):
            cookie = header.partition(";")[0]
        line = sandbox.wait_for(rf"(?s)\A.{{{printed}}}.*?(\d\d:\d\d:\d\d  GET [^\n]*)\n")[1]
        assert re.search(rf"{500 if step == 'raise' else 200} +\d+ ms{f'  {words}' if words else ''}$", line)


def test_no_line_shows_a_secret(sandbox: Sandbox) -> None:
    """Neither cookies, session data and queries nor tokens in a path are printed."""
    token, password = secrets.token_urlsafe(24), secrets.token_hex(16)
    cookie = sandbox.get(f"/?do=secret&password={password}").all("set-cookie")[0].partition(";")[0]
    sandbox.get(f"/?{password}", cookie=cookie)
    sandbox.get(f"/reset/{token}")
    sandbox.get(f"/no/such/{token}?{password}")
    sandbox.get(f"/reset/{token}", host="evil.example")
    waits_for_line(sandbox, "GET", f"/reset/{token[:6]}…", 403)
    for secret in (token, password, cookie.partition("=")[2], "hush-hush"):
        assert secret not in sandbox.output
        assert secret[:20] not in sandbox.output


def test_requests_that_browsers_make_on_their_own_have_no_line(app: Path) -> None:
    """No route answers them, and a line for each page would hide the others. `--verbose` prints them."""
    for options, shown in (((), False), (("verbose",), True)):
        with running(app, *options) as sandbox:
            assert sandbox.get("/favicon.ico").status == 404
            assert sandbox.request("POST", "/_arc/ssm", b"{}").status == 400
            sandbox.get("/redirect")
            waits_for_line(sandbox, "GET", "/redirect", 303)
            assert ("/favicon.ico" in sandbox.output, "/_arc/ssm" in sandbox.output) == (shown, shown)


def test_favicon_of_the_app_has_a_line(tmp_path: Path) -> None:
    """The app's own route is one like any other."""
    write_app(tmp_path, {"get /favicon.ico": says("icon")})
    with running(tmp_path) as sandbox:
        sandbox.get("/favicon.ico")
        waits_for_line(sandbox, "GET", "/favicon.ico", 200)


def test_quiet_sandbox_prints_no_lines(app: Path) -> None:
    """Only the addresses are left, and what goes wrong."""
    with running(app, "quiet") as sandbox:
        sandbox.get("/nowhere")
        sandbox.get("/?do=raise")
        sandbox.wait_for("ValueError: no")
        sandbox.stop()
        first, *rest = sandbox.output.splitlines()
        assert first.startswith("testapp listens on ")
        assert first.endswith(f", in a browser http://testapp.localhost:{sandbox.port}")
        assert all(line.startswith("get / | ") for line in rest)


@pytest.mark.parametrize(
    ("path", "parts", "shown"),
    [
        ("/cart", ("cart",), "/cart"),
        ("/", (), "/"),
        ("/posts/how-to-write-a-good-title-in-2026", ("posts", ":slug"), "/posts/how-to-write-a-good-title-in-2026"),
        ("/posts/A-PDF-of-2026-11-27", ("posts", ":slug"), "/posts/A-PDF-of-2026-11-27"),
        ("/codes/ABCD-EFGH-IJKL-MNOP", ("codes", ":code"), "/codes/ABCD-E…"),
        ("/cards/4111-1111-1111-1111", ("cards", ":number"), "/cards/4111-1…"),
        ("/users/12345", ("users", ":id"), "/users/12345"),
        ("/users/550e8400-e29b-41d4-a716-446655440000", ("users", ":id"), "/users/550e84…"),
        ("/reset/Zk3vQ0r9x7JmP2LsT8wYbA", ("reset", ":token"), "/reset/Zk3vQ0…"),
        ("/Zk3vQ0r9x7JmP2LsT8wYbA", (), "/Zk3vQ0…"),
        (
            "/a-static-part-of-a-route-with-4096bytes",
            ("a-static-part-of-a-route-with-4096bytes",),
            "/a-static-part-of-a-route-with-4096bytes",
        ),
        ("/a%1b[31mb", (), "/a%1b[31mb"),
        ("/a\x1b[31m\u2028", (), "/a\\x1b[31m\\u2028"),
        ("/" + "a/" * 60, (), "/" + "a/" * 29 + "…"),
        ("*", (), "*"),
    ],
)
def test_path_is_clipped_where_it_may_be_a_secret(path: str, parts: tuple[str, ...], shown: str) -> None:
    """Words, short parts and what the manifest contains are printed."""
    assert shown_path(path, parts) == shown


@pytest.mark.parametrize(
    ("path", "unasked"),
    [
        ("/favicon.ico", True),
        ("/apple-touch-icon-precomposed.png", True),
        ("/.well-known/appspecific/com.chrome.devtools.json", True),
        ("/favicon.ico/x", False),
        ("/.well-known/security.txt", False),
        ("/", False),
    ],
)
def test_requests_that_nobody_typed_are_known(path: str, unasked: bool) -> None:
    """They are a browser's own."""
    assert is_unasked(path) is unasked


def test_colors_are_only_for_terminals() -> None:
    """The status is green, and without colors the text is plain."""
    plain = request_line("GET", "/", 200, 0.0042, "session new", at=0.0, colored=False)
    assert plain.split("  ", 1)[1] == "GET     /                         200     4 ms  session new"
    colored = request_line("GET", "/", 200, 0.0042, "session new", at=0.0, colored=True)
    assert "\x1b[32m200\x1b[0m" in colored
    assert re.sub(r"\x1b\[\d+m", "", colored) == plain
    assert "\x1b" not in plain


def test_sandbox_in_a_terminal_prints_colors_and_a_link(app: Path) -> None:
    """`NO_COLOR` turns both off."""
    for environ, expected in (({"TERM": "xterm-256color"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False)):
        output = in_terminal(app, environ)
        assert ("\x1b[" in output) == expected
        assert bool(re.search(r"\x1b\]8;[^;]*;http://testapp\.localhost:\d+\x1b\\", output)) == expected


def in_terminal(app: Path, environ: dict[str, str]) -> str:
    """Return what a sandbox prints in a terminal until it listens."""
    terminal, side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", START, str(app), "0"], stdin=side, stdout=side, stderr=side, env=surroundings(environ)
    )
    os.close(side)
    timer = threading.Timer(60, process.kill)
    timer.start()
    printed = b""
    try:
        while b"listens on" not in printed:
            printed += os.read(terminal, 65_536)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        timer.cancel()
        os.close(terminal)
    return printed.decode()
