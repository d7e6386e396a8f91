"""A debugger client, such as an editor, which speaks the Debug Adapter Protocol to a port."""

from __future__ import annotations

import itertools
import json
import socket
from typing import TYPE_CHECKING, Any, Self

from tests.tools.sandbox.running import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Message = dict[str, Any]


class Editor:
    """A debugging session. Messages that no method has returned yet are kept in order."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._stream = self._socket.makefile("rb")
        self._numbers = itertools.count(1)
        self._kept: list[Message] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.vanish()

    def attach(self, file: Path | None = None, *lines: int) -> Self:
        """Attach with breakpoints in these lines of `file`, and let the process continue."""
        try:
            self._attach(file, *lines)
        except BaseException:
            self.vanish()
            raise
        return self

    def _attach(self, file: Path | None, *lines: int) -> None:
        self.request("initialize", adapterID="debugpy", clientID="test")
        attaching = self.send("attach")
        self.event("initialized")
        if file is not None:
            breakpoints = [{"line": line} for line in lines]
            set_ones = self.request("setBreakpoints", source={"path": str(file)}, breakpoints=breakpoints)
            assert all(one["verified"] for one in set_ones["breakpoints"])
        self.request("configurationDone")
        self.answer(attaching)

    def stopped(self) -> tuple[int, Message]:
        """Return the next thread that stops, and its frame."""
        thread = self.event("stopped")["threadId"]
        return thread, self.request("stackTrace", threadId=thread)["stackFrames"][0]

    def value(self, expression: str, frame: Message) -> str:
        """Return the value of an expression in a frame, as Python prints it."""
        return str(self.request("evaluate", expression=expression, frameId=frame["id"])["result"])

    def request(self, command: str, **arguments: Any) -> Message:
        """Send a request and return the body of its response."""
        return self.answer(self.send(command, **arguments))

    def send(self, command: str, **arguments: Any) -> int:
        """Send a request and return its number."""
        number = next(self._numbers)
        message = {"seq": number, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(message).encode()
        self._socket.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        return number

    def answer(self, number: int) -> Message:
        """Return the body of the response to the request with this number."""
        answer = self._next(lambda message: message.get("request_seq") == number)
        assert answer["success"], answer
        return dict(answer.get("body") or {})

    def event(self, name: str) -> Message:
        """Return the body of the next event with this name."""
        return dict(self._next(lambda message: message.get("event") == name).get("body") or {})

    def rest(self) -> list[Message]:
        """Return all messages until the other side disconnects."""
        found = []
        while head := self._stream.readline():
            self._stream.readline()
            found.append(json.loads(self._stream.read(int(head.partition(b":")[2]))))
        return self._kept + found

    def vanish(self) -> None:
        """Close the connection without a disconnect request."""
        self._stream.close()
        self._socket.close()

    def _next(self, is_wanted: Callable[[Message], bool]) -> Message:
        for index, message in enumerate(self._kept):
            if is_wanted(message):
                return self._kept.pop(index)
        while True:
            head = self._stream.readline()
            assert head, f"The connection ended after {self._kept}"
            self._stream.readline()
            message = json.loads(self._stream.read(int(head.partition(b":")[2])))
            if is_wanted(message):
                return dict(message)
            self._kept.append(message)
