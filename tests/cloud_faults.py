"""A proxy in front of the tests' cloud that makes selected calls fail."""

from __future__ import annotations

import http.client
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from arc.tools.cloud.cloud import Cloud
from tests.cloud_calls import REFUSALS, Reply, call_name, refusal
from tests.engines import Engine, client_of, environ_of
from tests.local_server import Handler, serving
from tests.tools import warm
from tests.tools.pauses import session_at, short

Hook = Callable[[bool], str | None]
Fault = str | Hook | None
Plan = Callable[[str, int], Fault]

_UPDATES = ("lambda.UpdateFunctionConfiguration", "lambda.UpdateFunctionCode")


class FaultyCloud(ThreadingHTTPServer):
    """The cloud at another `url`. `calls` are the names of all calls in order, such as `ssm.PutParameter`.

    `faults(name, number)` decides about a call, where the first call has the number 1:

    - None forwards the call.
    - `throttle`, `conflict`, `pending` and `error` refuse it as its service does.
    - `lost` forwards it and drops the response. `unsent` drops the call itself.
    - A callable is called with True before the call is forwarded, and may return one of these words. It is called with
      False after the call took effect.

    Services have their names in signatures (`tagging` is `resourcegroupstaggingapi`). With `strict`, an update of a
    function during another update is refused, as Lambda does and the local cloud does not.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, cloud: Engine, *, strict: bool = True) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.cloud, self.strict = cloud, strict
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.calls: list[str] = []
        self.faults: Plan = lambda _name, _number: None
        self.failures: list[Exception] = []
        self.one_update = threading.Lock()
        self._lock = threading.Lock()

    def client(self, service: str, **config: Any) -> Any:
        """A boto3 client that uses this proxy. `cloud.client` does not use it."""
        return client_of(self.url, service, **config)

    def environ(self, home: Path) -> dict[str, str]:
        """Variables for a command that uses this proxy."""
        return environ_of(self.url, home)

    def begin(self, faults: Plan) -> None:
        """Use `faults` from now on, and count calls from 1."""
        with self._lock:
            self.calls, self.faults = [], faults

    def record_call(self, name: str) -> Fault:
        """Record a call. Return its fault."""
        with self._lock:
            self.calls.append(name)
            return self.faults(name, len(self.calls))

    def forward(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> Reply:
        """The cloud's response."""
        connection = http.client.HTTPConnection("127.0.0.1", self.cloud.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            connection.endheaders(body)
            reply = connection.getresponse()
            return Reply(reply.status, reply.getheaders(), reply.read())
        finally:
            connection.close()

    def is_updating(self, path: str) -> bool:
        """True during an update of the function in `path`."""
        name = unquote(urlsplit(path).path.split("/")[3])
        client = self.cloud.look("lambda")
        with suppress(client.exceptions.ResourceNotFoundException):
            return bool(client.get_function_configuration(FunctionName=name)["LastUpdateStatus"] == "InProgress")
        return False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: a killed client is not an error."""


class Kill:
    """A plan that kills a process at its `number`th call, before the call takes effect or `after` it."""

    def __init__(self, number: int, *, after: bool) -> None:
        self.number, self.after, self.fired = number, after, False
        self._aimed = threading.Event()

    def aim(self, process: subprocess.Popen[Any] | warm.Process) -> None:
        """Set the process. The call waits for it."""
        self._process = process
        self._aimed.set()

    def __call__(self, name: str, number: int) -> Fault:
        """The hook for the selected call."""
        return self._strike if number == self.number else None

    def _strike(self, before: bool) -> str | None:
        if before == self.after:
            return None
        assert self._aimed.wait(30), "No process to kill was set."
        self.fired = True
        self._process.kill()
        self._process.wait(30)
        return "unsent"


class Death(BaseException):
    """The command was killed. Its error handlers do not catch this."""


class MortalCloud(Cloud):
    """The cloud at `url`, for a command in this process that is killed at its `number`th call among those `counted`.

    That call and all later ones raise `Death` and do not reach the cloud, as after SIGKILL. With `after`, that call
    takes effect first. `dead` is True once the call was made.
    """

    def __init__(
        self, url: str, number: int, *, after: bool, counted: Callable[[str], bool] = lambda _name: True
    ) -> None:
        super().__init__(session_at(url), url=url, sleep=short)
        self.number, self.after, self.counted = number, after, counted
        self.dead = False
        self._number = 0
        self._one = threading.Lock()

    def call(self, service: str, operation: str, doing: str, **request: Any) -> dict[str, Any]:
        """The cloud's response, or `Death`."""
        with self._one:
            if self.dead:
                raise Death
            if self.counted(f"{service}.{operation.title().replace('_', '')}"):
                self._number += 1
                self.dead = self._number == self.number
            dies = self.dead
        if dies and not self.after:
            raise Death
        answer = super().call(service, operation, doing, **request)
        if dies:
            raise Death
        return answer


def on(name: str, fault: Fault, *, first: int = 1, times: int = 1) -> Plan:
    """A plan with `fault` for `times` calls of `name`, beginning with the `first`."""
    count = 0

    def plan(call: str, number: int) -> Fault:
        nonlocal count
        count += call == name
        return fault if call == name and first <= count < first + times else None

    return plan


def afterwards(change: Callable[[], object]) -> Hook:
    """A hook that calls `change` after the call took effect, before the client has the response."""

    def hook(before: bool) -> None:
        if not before:
            change()

    return hook


@contextmanager
def faulty_cloud(cloud: Engine, *, strict: bool = True, kind: type[FaultyCloud] = FaultyCloud) -> Iterator[FaultyCloud]:
    """Run a proxy until the block ends. Then raise what a plan or a hook raised."""
    with serving(kind(cloud, strict=strict)) as server:
        yield server
    for failure in server.failures:
        raise failure


class _Handler(Handler):
    server: FaultyCloud
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # Sends a response in one piece. A second piece would wait for the client's acknowledgement.
    disable_nagle_algorithm = True

    def handle_expect_100(self) -> bool:
        """Let the client send its body at once. Without a response it waits for a second."""
        is_expected = super().handle_expect_100()
        self.wfile.flush()
        return is_expected

    def answer(self) -> None:
        size = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(size)
        if len(body) < size:  # The client was killed during the call.
            self.close_connection = True
            return
        name = call_name(self.command, self.path, self.headers, body)
        try:
            reply = self._reply(name, body)
        except Exception as error:  # noqa: BLE001  # reported to the test
            self.server.failures.append(error)
            reply = None
        if reply is None:
            self.close_connection = True
            return
        self.send_response_only(reply.status)
        for header, value in reply.headers:
            if header.lower() not in {"connection", "content-length", "transfer-encoding"}:
                self.send_header(header, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def _reply(self, name: str, body: bytes) -> Reply | None:
        fault = self.server.record_call(name)
        hook = fault if callable(fault) else None
        word = hook(True) if hook else fault  # noqa: FBT003
        assert word in {None, "lost", "unsent", *REFUSALS}, word
        if word == "unsent":
            return None
        if word in REFUSALS:
            return refusal(str(word), name)
        if self.server.strict and name in _UPDATES:
            with self.server.one_update:
                busy = self.server.is_updating(self.path)
                reply = refusal("conflict", name) if busy else self._forward(body)
        else:
            reply = self._forward(body)
        if hook:
            hook(False)  # noqa: FBT003
        return None if word == "lost" else reply

    def _forward(self, body: bytes) -> Reply:
        return self.server.forward(self.command, self.path, self.headers.items(), body)
