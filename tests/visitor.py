"""A minimal browser for functions in the tests' cloud: it stores cookies and sends real HTTP requests."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any, NamedTuple

from arc.testing.jar import CookieJar

RAISED = "x-raised"  # a header of a function's failure, to distinguish it from the cloud's
_TRIES, _PAUSE = 40, 0.1  # of a request that failed in the cloud; seconds


class Answer(NamedTuple):
    """A function's response. The names of `headers` are in lower case."""

    status: int
    headers: list[tuple[str, str]]
    text: str

    def json(self) -> Any:
        """The body as JSON. Fails with the whole response if its status is not 200."""
        assert self.status == 200, self
        return json.loads(self.text)


class Visitor:
    """A browser's requests to an HTTP API of the cloud at `port`, with the cookies in `jar`.

    `site` is the browser's name for several APIs of one site. The default is the API's `host`.
    """

    def __init__(self, port: int, host: str, jar: CookieJar | None = None, *, site: str | None = None) -> None:
        self.port, self.host, self.site = port, host, site or host
        self.jar = CookieJar(time.time) if jar is None else jar
        self.failed = 0  # responses of the cloud itself with an error

    def get(self, path: str = "/") -> Answer:
        """The response to a GET. The request is repeated if the cloud fails.

        Unlike Lambda, the local cloud ends a worker during a request when its function is updated.
        """
        for _ in range(_TRIES):
            answer = self._ask(path)
            if answer.status < 500 or any(name == RAISED for name, _ in answer.headers):
                break
            self.failed += 1
            time.sleep(_PAUSE)
        for name, value in answer.headers:
            if name == "set-cookie":
                self.jar.receive(value, self.site, secure=True, path=path)
        return answer

    def _ask(self, path: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            cookies = self.jar.send(self.site, path, secure=True)
            headers = {"Host": self.host, **({"Cookie": "; ".join(cookies)} if cookies else {})}
            connection.request("GET", path, headers=headers)
            reply = connection.getresponse()
            names = [(name.lower(), value) for name, value in reply.getheaders()]
            return Answer(reply.status, names, reply.read().decode())
        finally:
            connection.close()
