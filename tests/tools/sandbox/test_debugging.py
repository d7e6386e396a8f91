"""`arc sandbox --debug`: an editor attaches to a function's process and stops its handler."""

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
    secret = "plain"
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
    """Return the port that the sandbox prints for a route."""
    return int(sandbox.wait_for(rf"(?m)^{route} \| debugger port: 127\.0\.0\.1:(\d+)$")[1])


def pending(sandbox: Sandbox, pool: concurrent.futures.Executor, path: str = "/") -> concurrent.futures.Future[str]:
    """Return the text of a pending response."""
    return pool.submit(lambda: sandbox.get(path).text)


def code(version: str) -> str:
    """Return a handler that adds in its third line and returns its version."""
    return ADD % version


def test_breakpoint_in_the_editor_stops_the_handler(
    tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor
) -> None:
    """Attach, stop, read a variable and continue: the response is the handler's."""
    app = write_app(tmp_path, {"get /": code("added")})
    with running(app, "debug") as sandbox:
        answer = pending(sandbox, pool)
        port = int(sandbox.wait_for(WAITS)[1])
        assert port == debugger_port(sandbox)
        with Editor(port).attach(folder_of(app, "get /") / "handler.py", 3) as editor:
            sandbox.wait_for(r"(?m)^get / \| a debugger is attached$")
            thread, frame = editor.stopped()
            assert (frame["name"], frame["line"], editor.value("number", frame)) == ("handler", 3, "41")
            assert not answer.done()
            editor.request("continue", threadId=thread)
            assert answer.result(PATIENCE) == "added 42"


def test_breakpoint_call_may_last_longer_than_the_timeout(
    tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor
) -> None:
    """Neither a request that waits for an editor nor a paused handler times out."""
    app = write_app(tmp_path, {"get /": STOP}, HURRIED)
    with running(app, "debug") as sandbox:
        answer = pending(sandbox, pool)
        sandbox.wait_for(WAITS)
        time.sleep(1.1)
        with Editor(debugger_port(sandbox)).attach() as editor:
            thread, frame = editor.stopped()
            assert editor.value("secret", frame) == "'plain'"
            time.sleep(1.1)
            editor.request("continue", threadId=thread)
            assert answer.result(PATIENCE) == "plain True"


def test_only_the_first_invocation_waits_for_an_editor(
    tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor
) -> None:
    """Once the editor disconnects, the process answers at once and skips breakpoint(); the editor can attach again."""
    with running(write_app(tmp_path, {"get /": STOP}), "debug") as sandbox:
        answer = pending(sandbox, pool)
        sandbox.wait_for(WAITS)
        with Editor(debugger_port(sandbox)).attach() as editor:
            editor.stopped()
            editor.request("disconnect", terminateDebuggee=False)
        assert answer.result(PATIENCE) == "plain True"
        assert sandbox.get("/").text == "plain True"
        with Editor(debugger_port(sandbox)).attach() as editor:
            answer = pending(sandbox, pool)
            thread, _ = editor.stopped()
            editor.request("continue", threadId=thread)
            assert answer.result(PATIENCE) == "plain True"
        assert len(re.findall(WAITS, sandbox.output)) == 1


def test_handler_continues_when_the_editor_crashes(tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor) -> None:
    """The request does not hang."""
    with running(write_app(tmp_path, {"get /": STOP}), "debug") as sandbox:
        answer = pending(sandbox, pool)
        sandbox.wait_for(WAITS)
        with Editor(debugger_port(sandbox)).attach() as editor:
            editor.stopped()
        assert answer.result(PATIENCE) == "plain True"


def test_request_keeps_waiting_if_the_editor_leaves_before_it_attaches(
    tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor
) -> None:
    """The sandbox prints again that it waits."""
    with running(write_app(tmp_path, {"get /": STOP}), "debug") as sandbox:
        answer = pending(sandbox, pool)
        sandbox.wait_for(WAITS)
        with Editor(debugger_port(sandbox)) as editor:
            editor.request("initialize", adapterID="debugpy")
        sandbox.wait_for(WAITS_AGAIN)
        assert not answer.done()


def test_an_editor_may_attach_before_the_first_request(tmp_path: Path) -> None:
    """This starts the process, so that breakpoints in the module work and no request has to wait."""
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


def test_new_code_is_debugged_at_the_same_port(tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor) -> None:
    """The editor is pending to attach again, and then stops in the new code."""
    app = write_app(tmp_path, {"get /": code("old")})
    file = folder_of(app, "get /") / "handler.py"
    with running(app, "debug") as sandbox:
        port = debugger_port(sandbox)
        with Editor(port).attach() as editor:
            assert sandbox.get("/").text == "old 42"
            write_handler(app, "get /", code("new"))
            assert editor.event("terminated") == {"restart": True}
        with Editor(port).attach(file, 3) as editor:
            answer = pending(sandbox, pool)
            thread, _ = editor.stopped()
            editor.request("continue", threadId=thread)
            assert answer.result(PATIENCE) == "new 42"


@pytest.mark.parametrize("seconds", [0.0, 5.5])  # A request without a debugger runs on older code after five.
@pytest.mark.sampled(1)
def test_request_that_waits_for_an_editor_runs_the_newest_code(
    tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor, seconds: float
) -> None:
    """This holds however long the request has waited."""
    app = write_app(tmp_path, {"get /": code("old")})
    with running(app, "debug") as sandbox:
        answer = pending(sandbox, pool)
        sandbox.wait_for(WAITS)
        time.sleep(seconds)
        write_handler(app, "get /", code("new"))
        sandbox.wait_for(WAITS_AGAIN)
        with Editor(debugger_port(sandbox)).attach():
            assert answer.result(PATIENCE) == "new 42"


def test_saving_does_not_affect_a_paused_handler(tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor) -> None:
    """The paused request finishes on the old code, and the next one runs the new code."""
    app = write_app(tmp_path, {"get /": code("old")})
    with running(app, "debug") as sandbox:
        port = debugger_port(sandbox)
        with Editor(port).attach(folder_of(app, "get /") / "handler.py", 3) as editor:
            answer = pending(sandbox, pool)
            thread, _ = editor.stopped()
            write_handler(app, "get /", code("new"))
            sandbox.wait_for(WAITS)
            editor.send("continue", threadId=thread)
            assert answer.result(PATIENCE) == "old 42"
        with Editor(port).attach():
            assert sandbox.get("/").text == "new 42"


def test_editor_that_disconnects_is_not_asked_to_attach_again(
    tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor
) -> None:
    """This holds even if its process is replaced because the code was saved."""
    app = write_app(tmp_path, {"get /": STOP})
    with running(app, "debug") as sandbox, Editor(debugger_port(sandbox)).attach() as editor:
        answer = pending(sandbox, pool)
        editor.stopped()
        write_handler(app, "get /", code("new"))
        sandbox.wait_for(WAITS)
        editor.request("disconnect", terminateDebuggee=False)
        assert answer.result(PATIENCE) == "plain True"
        assert not [message for message in editor.rest() if (message.get("body") or {}).get("restart")]


def test_each_function_has_its_own_port_and_one_process(
    tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor
) -> None:
    """Requests to one function wait for each other, but not for another function."""
    with running(write_app(tmp_path, {"get /": COUNT, "get /other": code("other")}), "debug") as sandbox:
        ports = [debugger_port(sandbox, route) for route in ("get /", "get /other")]
        assert len(set(ports)) == 2
        answers = [pending(sandbox, pool) for _ in range(5)]
        with Editor(ports[1]).attach():
            assert sandbox.get("/other").text == "other 42"
        with Editor(ports[0]).attach():
            assert sorted(answer.result(PATIENCE) for answer in answers) == ["1", "2", "3", "4", "5"]


def test_new_route_gets_a_port(tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor) -> None:
    """It is printed when the manifest is read; functions in other languages have none."""
    app = write_app(tmp_path, {"get /": COUNT}, {"src/http/get-node/index.mjs": "// none"})
    with running(app, "debug") as sandbox:
        first = debugger_port(sandbox)
        write_handler(app, "get /new", code("new"))
        write_manifest(app, "get /", "get /node", "get /new")
        answer = pending(sandbox, pool, "/new")
        port = debugger_port(sandbox, "get /new")
        assert port != first
        with Editor(port).attach():
            assert answer.result(PATIENCE) == "new 42"
        assert "get /node | debugger port" not in sandbox.output


def test_failing_import_is_reported_after_one_attachment(
    tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor
) -> None:
    """The start is not repeated, because the editor would have to attach again."""
    with running(write_app(tmp_path, {"get /": "import no_such_module\n"}), "debug") as sandbox:
        answer = pool.submit(sandbox.get, "/")
        sandbox.wait_for(WAITS)
        with Editor(debugger_port(sandbox)).attach() as editor:
            assert answer.result(PATIENCE).status == 500
            assert editor.event("terminated") == {}
        sandbox.wait_for("No module named 'no_such_module'")
        assert len(re.findall(WAITS, sandbox.output)) == 1


def test_debugger_port_in_use_is_skipped(tmp_path: Path) -> None:
    """A second sandbox uses the ports after those of the first."""
    app = write_app(tmp_path, {"get /": COUNT})
    with running(app, "debug") as first, running(app, "debug") as second:
        assert debugger_port(first) != debugger_port(second)


@pytest.mark.parametrize("name", ["get /", "GET /", "/"])
@pytest.mark.sampled(1)
def test_debug_only_affects_one_function(
    tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor, name: str
) -> None:
    """Other functions wait for no editor, and their breakpoint() raises an error with instructions."""
    with running(write_app(tmp_path, {"get /": STOP, "get /other": STOP}), f"only={name}") as sandbox:
        other = sandbox.get("/other", accept="text/html")
        assert (other.status, "arc sandbox --debug" in other.text) == (500, True)
        answer = pending(sandbox, pool)
        with Editor(int(sandbox.wait_for(WAITS)[1])).attach() as editor:
            thread, _ = editor.stopped()
            editor.request("continue", threadId=thread)
            assert answer.result(PATIENCE) == "plain True"
        assert "get /other | debugger port" not in sandbox.output


def test_web_pages_cannot_reach_the_debugger(tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor) -> None:
    """A POST has a debugger message's header but gets no response; programs on this machine still do."""
    with running(write_app(tmp_path, {"get /": code("safe")}), "debug") as sandbox:
        answer = pending(sandbox, pool)
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
def test_http_request_is_never_read_as_a_debugger_message(
    method: str, target: str, headers: list[tuple[str, str]], body: bytes
) -> None:
    """This holds for any method, path, headers and body."""
    fields = [*headers, ("Content-Length", str(len(body)))]
    lines = [f"{method} /{target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields), "", ""]

    async def read() -> bytes:
        reader = asyncio.StreamReader()
        reader.feed_data("\r\n".join(lines).encode() + body)
        reader.feed_eof()
        return await read_message(reader)

    with pytest.raises(ValueError, match="Not a message of the Debug Adapter Protocol"):
        asyncio.run(read())


def test_debugpys_own_port_requires_a_secret(tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor) -> None:
    """A client that finds the process's port cannot attach."""
    with running(write_app(tmp_path, {"get /": code("safe")}), "debug") as sandbox:
        pending(sandbox, pool)
        sandbox.wait_for(WAITS)
        (worker,) = children_of(sandbox.process.pid)
        (port,) = listening_ports(worker)
        with Editor(port) as editor, pytest.raises(AssertionError, match="Client not authenticated"):
            editor.request("evaluate", expression="1")


def listening_ports(process: int) -> list[int]:
    """Return the ports of 127.0.0.1 on which a process listens; other addresses are an error."""
    found = [address.rpartition(":") for address in listening_addresses(process)]
    assert {host for host, _, _ in found} == {"127.0.0.1"}
    return [int(port) for _, _, port in found]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.sampled(1)
def test_ctrl_c_stops_a_sandbox_that_waits_for_an_editor(
    tmp_path: Path, pool: concurrent.futures.ThreadPoolExecutor, number: int
) -> None:
    """There is no traceback and no remaining process, and the editor receives the end of its session."""
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


def test_only_debugged_functions_import_debugpy(tmp_path: Path) -> None:
    """Neither other functions nor the sandbox import it."""
    shows = "import sys\ndef handler(event, context):\n    return str('debugpy' in sys.modules)\n"
    app = write_app(tmp_path, {"get /": shows, "get /other": shows})
    python = (sys.executable, "-X", "importtime")
    with running(app, "only=get /", python=python) as sandbox:
        assert sandbox.get("/other").text == "False"
        with Editor(debugger_port(sandbox)).attach():
            assert sandbox.get("/").text == "True"
        assert re.search(r"\| +uvicorn$", sandbox.output, re.MULTILINE)
        assert not re.search(r"\| +(debugpy|pydevd)$", sandbox.output, re.MULTILINE)


def test_debugging_does_not_change_a_handlers_imports(tmp_path: Path) -> None:
    """The path has no folder of the bootstrap, and the app's modules may have the names of its modules."""
    shows = "import json, sys, debugger, app_code\n"
    shows += (
        "def handler(event, context):\n    return {'statusCode': 200, 'body': json.dumps([*sys.path, debugger.X])}\n"
    )
    named = {
        f"src/http/{folder}/{name}.py": "X = 'mine'\n"
        for folder in ("get-index", "get-other")
        for name in ("debugger", "app_code")
    }
    app = write_app(tmp_path, {"get /": shows, "get /other": shows}, named)
    with running(app, "only=/") as sandbox, Editor(debugger_port(sandbox)).attach():
        debugged, other = (json.loads(sandbox.get(path).text) for path in ("/", "/other"))
        assert debugged[1:] == other[1:]
        assert debugged[-1] == "mine"


def command(app: Path, *words: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run `arc sandbox` with these words until it ends by itself."""
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
    """It fails before anything is started."""
    app = write_app(tmp_path, {"get /": COUNT})
    done = command(app, *words, before="sys.modules['debugpy'] = None; ")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "--debug requires debugpy, which is not installed. Run: pip install 'arc-sessions[debug]'\n"


def test_unknown_route_is_an_error(tmp_path: Path) -> None:
    """The message lists the known routes."""
    app = write_app(tmp_path, {"get /": COUNT, "post /cart": says("x")})
    done = command(app, "--debug-only", "get /cart")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Unknown route 'get /cart'. Choose one of: get /, post /cart.\n"


def test_ctrl_c_while_waiting_ends_the_command_with_130(tmp_path: Path) -> None:
    """A request is waiting for a debugger."""
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
