"""`arc sandbox --debug`: an editor attaches to a function's process, and the handler stops there."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.tools.sandbox.functions.debugging import read_message
from tests.tools.sandbox.apps import COUNT, folder_of, says, write_app, write_handler, write_manifest
from tests.tools.sandbox.editor import Editor
from tests.tools.sandbox.running import (
    PATIENCE,
    Sandbox,
    children_of,
    ends,
    listening_addresses,
    running,
    starting,
    surroundings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ADD = """
def handler(event, context):
    number = 41
    number += 1
    return {"statusCode": 200, "body": f"%s {number}"}
"""
STOP = """
import time

def handler(event, context):
    secret = "told"
    breakpoint()
    left = context.get_remaining_time_in_millis()
    return {"statusCode": 200, "body": f"{secret} {left > 900_000}"}
"""
WAITS = r"(?m)^get / \| waiting for a debugger: attach your editor to 127\.0\.0\.1:(\d+)$"
WAITS_AGAIN = rf"{WAITS}[\s\S]*{WAITS.removeprefix('(?m)')}"
HURRIED = {"src/http/get-index/config.arc": "@aws\ntimeout 1\n"}
EVALUATE = {"seq": 1, "type": "request", "command": "evaluate", "arguments": {"expression": "1"}}


@pytest.fixture
def pool() -> Iterator[concurrent.futures.ThreadPoolExecutor]:
    """Threads for requests that wait."""
    with concurrent.futures.ThreadPoolExecutor() as executor:
        yield executor


def debugger_port(sandbox: Sandbox, route: str = "get /") -> int:
    """The port that the sandbox prints for a route."""
    return int(sandbox.wait_for(rf"(?m)^{route} \| debugger port: 127\.0\.0\.1:(\d+)$")[1])


def asked(sandbox: Sandbox, pool: concurrent.futures.Executor, path: str = "/") -> concurrent.futures.Future[str]:
    """The text of an answer that is on its way."""
    return pool.submit(lambda: sandbox.get(path).text)


def code(version: str) -> str:
    """A handler that adds in its third line and names its version."""
    return ADD % version


def test_a_breakpoint_stops_the_handler_in_the_editor(
    tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor
) -> None:
    """Attach, stop, read a variable, continue: the response is what the handler returns."""
    app = write_app(tmp_path, {"get /": code("added")})
    with running(app, "debug") as sandbox:
        answer = asked(sandbox, pool)
        port = int(sandbox.wait_for(WAITS)[1])
        assert port == debugger_port(sandbox)
        with Editor(port).attach(folder_of(app, "get /") / "handler.py", 3) as editor:
            sandbox.wait_for(r"(?m)^get / \| a debugger is attached$")
            thread, frame = editor.stopped()
            assert (frame["name"], frame["line"], editor.value("number", frame)) == ("handler", 3, "41")
            assert not answer.done()
            editor.request("continue", threadId=thread)
            assert answer.result(PATIENCE) == "added 42"


def test_breakpoint_stops_in_the_editor_for_longer_than_the_timeout(
    tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor
) -> None:
    """Neither a request that waits for an editor nor a stopped handler is ended, and the handler has time left."""
    app = write_app(tmp_path, {"get /": STOP}, HURRIED)
    with running(app, "debug") as sandbox:
        answer = asked(sandbox, pool)
        sandbox.wait_for(WAITS)
        time.sleep(1.1)
        with Editor(debugger_port(sandbox)).attach() as editor:
            thread, frame = editor.stopped()
            assert editor.value("secret", frame) == "'told'"
            time.sleep(1.1)
            editor.request("continue", threadId=thread)
            assert answer.result(PATIENCE) == "told True"


def test_only_the_first_invocation_waits(tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor) -> None:
    """After the editor has left, the same process answers at once and skips breakpoint(); it can come back."""
    with running(write_app(tmp_path, {"get /": STOP}), "debug") as sandbox:
        answer = asked(sandbox, pool)
        sandbox.wait_for(WAITS)
        with Editor(debugger_port(sandbox)).attach() as editor:
            editor.stopped()
            editor.request("disconnect", terminateDebuggee=False)
        assert answer.result(PATIENCE) == "told True"
        assert sandbox.get("/").text == "told True"
        with Editor(debugger_port(sandbox)).attach() as editor:
            answer = asked(sandbox, pool)
            thread, _ = editor.stopped()
            editor.request("continue", threadId=thread)
            assert answer.result(PATIENCE) == "told True"
        assert len(re.findall(WAITS, sandbox.output)) == 1


def test_a_handler_goes_on_when_its_editor_vanishes(
    tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor
) -> None:
    """An editor that crashes leaves no request hanging."""
    with running(write_app(tmp_path, {"get /": STOP}), "debug") as sandbox:
        answer = asked(sandbox, pool)
        sandbox.wait_for(WAITS)
        with Editor(debugger_port(sandbox)).attach() as editor:
            editor.stopped()
        assert answer.result(PATIENCE) == "told True"


def test_an_editor_that_leaves_before_it_is_attached_changes_nothing(
    tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor
) -> None:
    """The request goes on waiting, and that is said again."""
    with running(write_app(tmp_path, {"get /": STOP}), "debug") as sandbox:
        answer = asked(sandbox, pool)
        sandbox.wait_for(WAITS)
        with Editor(debugger_port(sandbox)) as editor:
            editor.request("initialize", adapterID="debugpy")
        sandbox.wait_for(WAITS_AGAIN)
        assert not answer.done()


def test_an_editor_may_attach_before_the_first_request(tmp_path: Path) -> None:
    """It starts the process, whose module it can stop in, and no request has to wait."""
    app = write_app(tmp_path, {"get /": code("early")})
    with (
        running(app, "debug") as sandbox,
        Editor(debugger_port(sandbox)).attach(folder_of(app, "get /") / "handler.py", 1) as editor,
    ):
        thread, frame = editor.stopped()
        assert frame["name"] == "<module>"
        editor.request("continue", threadId=thread)
        assert sandbox.get("/").text == "early 42"
        assert not re.search(WAITS, sandbox.output)


def test_saved_code_is_debugged_at_the_same_port(tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor) -> None:
    """The editor is asked to attach again, which it does at the port it knows; then the new code stops."""
    app = write_app(tmp_path, {"get /": code("old")})
    file = folder_of(app, "get /") / "handler.py"
    with running(app, "debug") as sandbox:
        port = debugger_port(sandbox)
        with Editor(port).attach() as editor:
            assert sandbox.get("/").text == "old 42"
            write_handler(app, "get /", code("new"))
            assert editor.event("terminated") == {"restart": True}
        with Editor(port).attach(file, 3) as editor:
            answer = asked(sandbox, pool)
            thread, _ = editor.stopped()
            editor.request("continue", threadId=thread)
            assert answer.result(PATIENCE) == "new 42"


@pytest.mark.parametrize("seconds", [0.0, 5.5])  # A request without a debugger runs on older code after five.
@pytest.mark.sampled(1)
def test_code_saved_while_a_request_waits_is_what_runs(
    tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor, seconds: float
) -> None:
    """However long the request has waited for an editor."""
    app = write_app(tmp_path, {"get /": code("old")})
    with running(app, "debug") as sandbox:
        answer = asked(sandbox, pool)
        sandbox.wait_for(WAITS)
        time.sleep(seconds)
        write_handler(app, "get /", code("new"))
        sandbox.wait_for(WAITS_AGAIN)
        with Editor(debugger_port(sandbox)).attach():
            assert answer.result(PATIENCE) == "new 42"


def test_code_saved_while_a_handler_is_stopped_leaves_it_alone(
    tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor
) -> None:
    """The stopped request ends as it began; the next one runs the new code."""
    app = write_app(tmp_path, {"get /": code("old")})
    with running(app, "debug") as sandbox:
        port = debugger_port(sandbox)
        with Editor(port).attach(folder_of(app, "get /") / "handler.py", 3) as editor:
            answer = asked(sandbox, pool)
            thread, _ = editor.stopped()
            write_handler(app, "get /", code("new"))
            sandbox.wait_for(WAITS)
            editor.send("continue", threadId=thread)
            assert answer.result(PATIENCE) == "old 42"
        with Editor(port).attach():
            assert sandbox.get("/").text == "new 42"


def test_an_editor_that_leaves_is_not_called_back(tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor) -> None:
    """Though the process that it leaves is replaced, since its code was saved meanwhile."""
    app = write_app(tmp_path, {"get /": STOP})
    with running(app, "debug") as sandbox, Editor(debugger_port(sandbox)).attach() as editor:
        answer = asked(sandbox, pool)
        editor.stopped()
        write_handler(app, "get /", code("new"))
        sandbox.wait_for(WAITS)
        editor.request("disconnect", terminateDebuggee=False)
        assert answer.result(PATIENCE) == "told True"
        assert not [message for message in editor.rest() if (message.get("body") or {}).get("restart")]


def test_each_function_has_a_port_and_one_process(tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor) -> None:
    """Requests to one function wait for each other, and those to another one do not."""
    with running(write_app(tmp_path, {"get /": COUNT, "get /other": code("other")}), "debug") as sandbox:
        ports = [debugger_port(sandbox, route) for route in ("get /", "get /other")]
        assert len(set(ports)) == 2
        answers = [asked(sandbox, pool) for _ in range(5)]
        with Editor(ports[1]).attach():
            assert sandbox.get("/other").text == "other 42"
        with Editor(ports[0]).attach():
            assert sorted(answer.result(PATIENCE) for answer in answers) == ["1", "2", "3", "4", "5"]


def test_a_new_route_gets_a_port(tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor) -> None:
    """Which is printed when its line is read; a function in another language has none."""
    app = write_app(tmp_path, {"get /": COUNT}, {"src/http/get-node/index.mjs": "// none"})
    with running(app, "debug") as sandbox:
        first = debugger_port(sandbox)
        write_handler(app, "get /new", code("new"))
        write_manifest(app, "get /", "get /node", "get /new")
        answer = asked(sandbox, pool, "/new")
        port = debugger_port(sandbox, "get /new")
        assert port != first
        with Editor(port).attach():
            assert answer.result(PATIENCE) == "new 42"
        assert "get /node | debugger port" not in sandbox.output


def test_a_module_that_cannot_be_imported_is_reported_after_one_attachment(
    tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor
) -> None:
    """Without a second try, for which the editor would have to attach again; it is not asked to."""
    with running(write_app(tmp_path, {"get /": "import no_such_module\n"}), "debug") as sandbox:
        answer = pool.submit(sandbox.get, "/")
        sandbox.wait_for(WAITS)
        with Editor(debugger_port(sandbox)).attach() as editor:
            assert answer.result(PATIENCE).status == 500
            assert editor.event("terminated") == {}
        sandbox.wait_for("No module named 'no_such_module'")
        assert len(re.findall(WAITS, sandbox.output)) == 1


def test_a_port_that_is_taken_is_passed_over(tmp_path: Path) -> None:
    """A second sandbox has the ports after those of the first."""
    app = write_app(tmp_path, {"get /": COUNT})
    with running(app, "debug") as first, running(app, "debug") as second:
        assert debugger_port(first) != debugger_port(second)


@pytest.mark.parametrize("name", ["get /", "GET /", "/"])
@pytest.mark.sampled(1)
def test_one_function_can_be_debugged_alone(
    tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor, name: str
) -> None:
    """Every other one runs as ever: it waits for nobody, and its breakpoint() says what to do."""
    with running(write_app(tmp_path, {"get /": STOP, "get /other": STOP}), f"only={name}") as sandbox:
        other = sandbox.get("/other", accept="text/html")
        assert (other.status, "arc sandbox --debug" in other.text) == (500, True)
        answer = asked(sandbox, pool)
        with Editor(int(sandbox.wait_for(WAITS)[1])).attach() as editor:
            thread, _ = editor.stopped()
            editor.request("continue", threadId=thread)
            assert answer.result(PATIENCE) == "told True"
        assert "get /other | debugger port" not in sandbox.output


def test_a_web_page_reaches_no_debugger(tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor) -> None:
    """Its POST has the header of a debugger's message, but gets no answer; a program of the machine still does."""
    with running(write_app(tmp_path, {"get /": code("safe")}), "debug") as sandbox:
        answer = asked(sandbox, pool)
        port = int(sandbox.wait_for(WAITS)[1])
        page = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        page.request("POST", "/", json.dumps(EVALUATE), {"Content-Type": "text/plain", "Origin": "http://evil.example"})
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            page.getresponse()
        page.close()
        with Editor(port).attach():
            assert answer.result(PATIENCE) == "safe 42"


TOKENS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=20)
VALUES = st.text('Content-Length: 0123456789/{}"', max_size=40)


@given(method=TOKENS, target=VALUES, headers=st.lists(st.tuples(TOKENS, VALUES)), body=st.binary(max_size=50))
def test_no_http_request_is_read_as_a_debuggers_message(
    method: str, target: str, headers: list[tuple[str, str]], body: bytes
) -> None:
    """Whatever its method, address, headers and body."""
    fields = [*headers, ("Content-Length", str(len(body)))]
    lines = [f"{method} /{target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields), "", ""]

    async def read() -> bytes:
        reader = asyncio.StreamReader()
        reader.feed_data("\r\n".join(lines).encode() + body)
        reader.feed_eof()
        return await read_message(reader)

    with pytest.raises(ValueError, match="no message of the Debug Adapter Protocol"):
        asyncio.run(read())


def test_the_functions_own_port_needs_a_secret(tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor) -> None:
    """Whoever finds the port that the process listens on is not let in."""
    with running(write_app(tmp_path, {"get /": code("safe")}), "debug") as sandbox:
        asked(sandbox, pool)
        sandbox.wait_for(WAITS)
        (worker,) = children_of(sandbox.process.pid)
        (port,) = listening_ports(worker)
        with Editor(port) as editor, pytest.raises(AssertionError, match="Client not authenticated"):
            editor.request("evaluate", expression="1")


def listening_ports(process: int) -> list[int]:
    """The ports on which a process waits for connections, on 127.0.0.1 alone."""
    found = [address.rpartition(":") for address in listening_addresses(process)]
    assert {host for host, _, _ in found} == {"127.0.0.1"}
    return [int(port) for _, _, port in found]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.sampled(1)
def test_ctrl_c_ends_a_sandbox_that_waits(
    tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor, number: int
) -> None:
    """No traceback, no process that stays, and an editor is told that its session has ended for good."""
    handlers = {"get /": STOP, "get /stopped": STOP}
    with running(write_app(tmp_path, handlers), "debug") as sandbox:
        with contextlib.suppress(OSError), Editor(debugger_port(sandbox, "get /stopped")).attach() as editor:
            for path in ("/", "/stopped"):
                pool.submit(_ask, sandbox, path)
            editor.stopped()
            sandbox.wait_for(WAITS)
            workers = children_of(sandbox.process.pid)
            assert len(workers) == 2
            assert sandbox.stop(number) == 0
            assert editor.event("terminated") == {}
        assert all(ends(worker) for worker in workers)
        assert "Traceback" not in sandbox.output


def _ask(sandbox: Sandbox, path: str) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException):  # The sandbox ends while the request waits.
        sandbox.get(path)


def test_debugpy_is_imported_in_debugged_functions_alone(tmp_path: Path) -> None:
    """Not in other functions, and not in the sandbox."""
    shows = "import sys\ndef handler(event, context):\n    return str('debugpy' in sys.modules)\n"
    app = write_app(tmp_path, {"get /": shows, "get /other": shows})
    python = (sys.executable, "-X", "importtime")
    with running(app, "only=get /", python=python) as sandbox:
        assert sandbox.get("/other").text == "False"
        with Editor(debugger_port(sandbox)).attach():
            assert sandbox.get("/").text == "True"
        assert re.search(r"\| +uvicorn$", sandbox.output, re.MULTILINE)
        assert not re.search(r"\| +(debugpy|pydevd)$", sandbox.output, re.MULTILINE)


def test_debugging_changes_nothing_that_a_handler_imports(tmp_path: Path) -> None:
    """The path has no folder of the debugger's in it, and a module of the app may have any name."""
    shows = "import json, sys, debugger, lifeline\n"
    shows += (
        "def handler(event, context):\n    return {'statusCode': 200, 'body': json.dumps([*sys.path, debugger.X])}\n"
    )
    named = {
        f"src/http/{folder}/{name}.py": "X = 'mine'\n"
        for folder in ("get-index", "get-other")
        for name in ("debugger", "lifeline")
    }
    app = write_app(tmp_path, {"get /": shows, "get /other": shows}, named)
    with running(app, "only=/") as sandbox, Editor(debugger_port(sandbox)).attach():
        debugged, other = (json.loads(sandbox.get(path).text) for path in ("/", "/other"))
        assert debugged[1:] == other[1:]
        assert debugged[-1] == "mine"


def command(app: Path, *words: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """What `arc sandbox` with these words does, when it ends by itself."""
    program = f"import sys; {before}sys.argv[0] = 'arc'; from arc.__main__ import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, "sandbox", str(app), "--port", "0", *words],
        capture_output=True,
        text=True,
        env=surroundings(),
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.parametrize("words", [["--debug"], ["--debug-only", "/"]])
@pytest.mark.sampled(1)
def test_without_debugpy_the_command_says_what_to_install(tmp_path: Path, words: list[str]) -> None:
    """Before anything is started."""
    app = write_app(tmp_path, {"get /": COUNT})
    done = command(app, *words, before="sys.modules['debugpy'] = None; ")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "--debug needs debugpy, which is not installed. Run: pip install 'arc-sessions[debug]'\n"


def test_an_unknown_route_is_named(tmp_path: Path) -> None:
    """With those that there are."""
    app = write_app(tmp_path, {"get /": COUNT, "post /cart": says("x")})
    done = command(app, "--debug-only", "get /cart")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Unknown route 'get /cart'. Choose one of: get /, post /cart.\n"


def test_the_command_ends_with_130_while_it_waits(tmp_path: Path) -> None:
    """Ctrl-C is how it ends, with a request that waits for a debugger too."""
    app = write_app(tmp_path, {"get /": COUNT})
    arc = f"import sys; sys.argv = ['arc', 'sandbox', {str(app)!r}, '--port', '0', '--debug']; "
    arc += "from arc.__main__ import main; main(); "
    with starting(app, python=(sys.executable, "-c", arc)) as sandbox:
        sandbox.listens()
        with socket.create_connection(("127.0.0.1", sandbox.port)) as visitor:
            visitor.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            sandbox.wait_for(WAITS)
            assert sandbox.stop(signal.SIGINT) == 130
        assert "Traceback" not in sandbox.output
