"""Ports, sockets and processes that a sandbox opens, and their end."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import io
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from unittest.mock import Mock

import pytest

from arc.errors import ToolError
from arc.tools.sandbox.addresses import bind
from arc.tools.sandbox.functions.function import Function
from arc.tools.sandbox.functions.worker import Worker
from arc.tools.sandbox.terminal import Output, Terminal
from tests.tools.sandbox.apps import COUNT, says, write_app
from tests.tools.sandbox.running import PATIENCE, ROOT, START, Sandbox, ends, running, surroundings
from tests.tools.sandbox.test_launch import launched

BUSY = {
    "get /": "import os\n" + says("x") + "print('worker', os.getpid())\n",
    "get /sleep": """
        import os, subprocess, time

        def handler(event, context):
            print("worker", os.getpid(), flush=True)
            print("child", subprocess.Popen(["sleep", "600"]).pid, flush=True)
            time.sleep(600)
        """,
    "get /spin": """
        import os, re, time

        def handler(event, context):
            print("worker", os.getpid(), flush=True)
            re.match(r"(a+)+$", "a" * 60 + "b")
        """,
}
CONFIG = {f"src/http/get-{name}/config.arc": "@aws\ntimeout 600\n" for name in ("sleep", "spin")}


def processes_of(sandbox: Sandbox) -> list[int]:
    """Return the sandbox's running workers, one idle and two busy ones, and a child of a worker."""
    sandbox.get("/")
    for path in ("/sleep", "/spin"):
        threading.Thread(target=_ask, args=(sandbox, path), daemon=True).start()
        sandbox.wait_for(rf"get {path} \| worker \d+")
    sandbox.wait_for(r"child \d+")
    found = [int(number) for number in re.findall(r"(?:worker|child) (\d+)", sandbox.output)]
    assert len(found) == 4
    return found


def _ask(sandbox: Sandbox, path: str) -> None:
    with contextlib.suppress(OSError):  # The sandbox ends while the request runs.
        sandbox.get(path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_process_is_left_behind(tmp_path: Path, number: int) -> None:
    """Idle and busy workers and their children end with the sandbox, even if it is killed."""
    with running(write_app(tmp_path, BUSY, CONFIG)) as sandbox:
        processes = processes_of(sandbox)
        code = sandbox.stop(number)
        assert code == (-number if number == signal.SIGKILL else 0)
        assert all(ends(process) for process in processes)


def test_stopping_prints_no_failures(tmp_path: Path) -> None:
    """Ctrl-C prints neither a traceback nor a status."""
    with running(write_app(tmp_path, BUSY, CONFIG)) as sandbox:
        processes_of(sandbox)
        sandbox.stop(signal.SIGINT)
        assert not re.search(r"\b500\b(?! ms)", sandbox.output)
        assert "Traceback" not in sandbox.output


def test_stopping_under_load_prints_nothing(tmp_path: Path) -> None:
    """Requests and workers may arrive while the functions end; only lines of earlier requests follow."""
    with running(write_app(tmp_path, {"get /": says("x")})) as sandbox:
        sandbox.get("/")
        visitors = [threading.Thread(target=_ask_without_end, args=(sandbox.port,)) for _ in range(6)]
        for visitor in visitors:
            visitor.start()
        sandbox.get("/")
        said = sandbox.output
        assert sandbox.stop(signal.SIGINT) == 0
        for visitor in visitors:
            visitor.join(PATIENCE)
        added = sandbox.output.removeprefix(said).splitlines()
        assert [line for line in added if not re.search(r"  GET     / +200 +\d+ ms$", line)] == []


def _ask_without_end(port: int) -> None:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        while True:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            if not connection.recv(65536):
                return


def test_stopping_during_an_upload_prints_nothing(tmp_path: Path) -> None:
    """The client is disconnected."""
    with running(write_app(tmp_path, {"post /": says("x")})) as sandbox:
        said = sandbox.output
        with socket.create_connection(("127.0.0.1", sandbox.port), timeout=PATIENCE) as connection:
            connection.sendall(
                b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
            )
            assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
            connection.sendall(b"half")
            assert sandbox.stop(signal.SIGINT) == 0
        assert sandbox.output == said


def test_interrupted_upload_reaches_no_handler(tmp_path: Path) -> None:
    """A function never runs on part of a body."""
    code = "def handler(event, context):\n    print('body', event['body'])\n"
    with running(write_app(tmp_path, {"post /": code})) as sandbox:
        with socket.create_connection(("127.0.0.1", sandbox.port), timeout=PATIENCE) as connection:
            connection.sendall(
                b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
            )
            assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
            connection.sendall(b"half")
        sandbox.request("POST", "/", b"whole", {"content-type": "text/plain"})
        sandbox.wait_for("body whole")
        assert sandbox.output.count("| body") == 1


def test_ended_worker_gets_no_event(tmp_path: Path) -> None:
    """Its process may request one after it was killed, and does not have to wait."""

    async def request_next() -> object:
        launch = launched(tmp_path)
        worker = Worker(Mock(spec=Function), Output(Terminal(io.StringIO()), "get /"), launch, 0)
        worker.end()
        found = await asyncio.wait_for(worker.next(), PATIENCE)
        worker.on_exit(-signal.SIGKILL)
        return found

    assert asyncio.run(request_next()) is None


def test_only_loopback_sockets_are_opened(tmp_path: Path) -> None:
    """The sandbox and its workers use only 127.0.0.1 and ::1."""
    with running(write_app(tmp_path, {"get /": "import os\n" + COUNT + "print('worker', os.getpid())\n"})) as sandbox:
        sandbox.get("/")
        worker = int(sandbox.wait_for(r"worker (\d+)")[1])
        addresses = addresses_of(sandbox.process.pid) | addresses_of(worker)
    assert "127.0.0.1" in addresses
    assert addresses <= {"127.0.0.1", "::1"}


def addresses_of(process: int) -> set[str]:
    """Return the local addresses of a process's TCP and UDP sockets."""
    listed = subprocess.run(["ls", "-l", f"/proc/{process}/fd"], capture_output=True, text=True, check=True).stdout
    inodes = set(re.findall(r"socket:\[(\d+)\]", listed))
    found = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        with Path(f"/proc/{process}/net/{table}").open(encoding="ascii") as lines:
            for fields in (line.split() for line in list(lines)[1:]):
                if fields[9] in inodes:
                    found.add(_address(fields[1].partition(":")[0]))
    return found


def _address(raw: str) -> str:
    words = [bytes.fromhex(raw[start : start + 8])[::-1] for start in range(0, len(raw), 8)]
    return socket.inet_ntop(socket.AF_INET if len(words) == 1 else socket.AF_INET6, b"".join(words))


def test_both_loopback_addresses_answer(tmp_path: Path) -> None:
    """`localhost` may mean either; a machine without IPv6 has only 127.0.0.1."""
    with running(write_app(tmp_path, {"get /": says("both")})) as sandbox:
        addresses = re.findall(r"http://(127\.0\.0\.1|\[::1\]):\d+", sandbox.output)
        for address in addresses:
            with socket.create_connection((address.strip("[]"), sandbox.port)) as connection:
                connection.sendall(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
                assert connection.recv(65536).endswith(b"both")
    assert addresses[0] == "127.0.0.1"


def test_two_sandboxes_run_at_once(tmp_path: Path) -> None:
    """Each has its own port, app and state."""
    first, second = (write_app(tmp_path / name, {"get /": COUNT, "get /name": says(name)}) for name in ("one", "two"))
    with running(first, port="any") as one, running(second, port="any") as two:
        print(one.output, two.output, sep="")
        assert one.port != two.port
        assert [one.get("/").text, one.get("/").text, two.get("/").text] == ["1", "2", "1"]
        assert (one.get("/name").text, two.get("/name").text) == ("one", "two")


def test_next_free_port_is_used_if_the_default_is_in_use(tmp_path: Path) -> None:
    """The printed address is the one that answers."""
    app = write_app(tmp_path, {"get /": says("x")})
    with running(app, port="any") as one, running(app, port="any") as two:
        assert two.port > one.port >= 3333
        assert two.get("/").text == "x"


def test_configured_port_in_use_is_an_error(tmp_path: Path) -> None:
    """The message names the port and the option, and nothing is started."""
    app = write_app(tmp_path, {"get /": says("x")})
    with running(app) as sandbox:
        with pytest.raises(ToolError, match=rf"Port {sandbox.port} is in use.*--port"):
            bind(sandbox.port, None)
        second = subprocess.run(
            [sys.executable, "-c", START, str(app), str(sandbox.port)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=surroundings(),
            timeout=PATIENCE,
            check=False,
        )
    assert second.returncode == 1
    assert f"Port {sandbox.port} is in use" in second.stderr


def test_quiet_prints_only_the_address(tmp_path: Path) -> None:
    """The output is one line."""
    with running(write_app(tmp_path, {"get /": says("x")}), "quiet") as sandbox:
        assert sandbox.get("/").text == "x"
        assert sandbox.output.splitlines() == [sandbox.output.strip()]


def test_start_prints_the_routes(tmp_path: Path) -> None:
    """Each has a method, a path and a file, or a hint that the file is missing."""
    app = write_app(tmp_path, {"get /": says("x"), "post /users/:id": says("x")})
    (app / "src" / "http" / "get-index" / "handler.py").unlink()
    with running(app) as sandbox:
        assert re.search(r"get +/ +src/http/get-index: no handler yet", sandbox.output)
        assert re.search(r"post +/users/:id +src/http/post-users-000id/handler\.py", sandbox.output)


def test_killed_idle_worker_fails_no_request(tmp_path: Path) -> None:
    """The next event goes to a new process."""
    with running(
        write_app(tmp_path, {"get /": "import os\ndef handler(event, context):\n    return os.getpid()\n"})
    ) as sandbox:
        for _ in range(5):
            answer = sandbox.get("/")
            assert answer.status == 200
            subprocess.run(["kill", "-9", answer.text], check=True)


def test_slow_requests_of_one_route_run_in_parallel(tmp_path: Path) -> None:
    """Two events that wait for each other both finish."""
    code = """
        import os, pathlib, time

        def handler(event, context):
            here = pathlib.Path(os.environ["MEETING"], event["rawQueryString"])
            here.touch()
            while len(list(here.parent.iterdir())) < 2:
                time.sleep(0.01)
            return {"statusCode": 200, "body": "met"}
        """
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    answers: list[str] = []
    with running(
        write_app(tmp_path / "app", {"get /": code}), "env=MEETING", environ={"MEETING": str(meeting)}
    ) as sandbox:
        visitors = [
            threading.Thread(target=lambda who=who: answers.append(sandbox.get(f"/?{who}").text)) for who in "ab"
        ]
        for visitor in visitors:
            visitor.start()
        for visitor in visitors:
            visitor.join()
    assert answers == ["met", "met"]


@pytest.mark.parametrize("option", ["native", "pure"])
def test_workers_run_with_and_without_the_native_client(tmp_path: Path, option: str) -> None:
    """Tests with the option "pure" use the pure client, and others the native one where it is built."""
    code = (
        "import sys\ndef handler(event, context):\n    return sys.modules['runtime_client'].__file__.endswith('.py')\n"
    )
    native = option == "native" and importlib.util.find_spec("runtime_client") is not None
    with running(write_app(tmp_path, {"get /": code}), option) as sandbox:
        assert sandbox.get("/").text == ("false" if native else "true")


@pytest.mark.parametrize("option", ["native", "pure"])
def test_large_bodies_arrive_complete(tmp_path: Path, option: str) -> None:
    """Five megabytes are received and returned."""
    code = "def handler(event, context):\n    return event['body']\n"
    body = b"0123456789" * 500_000
    with running(write_app(tmp_path, {"post /": code}), option) as sandbox:
        assert sandbox.request("POST", "/", body, {"content-type": "text/plain"}).body == body
