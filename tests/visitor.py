"""A browser, as far as functions in the tests' cloud need one: cookies kept, and requests over real HTTP."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any, NamedTuple

from arc.testing.jar import CookieJar

RAISED = "x-raised"  # a header of a function that failed by itself, so that nobody takes it for the cloud's failure
_TRIES, _PAUSE = 40, 0.1  # of a request that the cloud let fail; seconds


class Answer(NamedTuple):
    """What a function answered over HTTP; the names of `headers` are in lower case."""

    status: int
    headers: list[tuple[str, str]]
    text: str

    def json(self) -> Any:
        """The body as JSON; fails with the whole answer when that was no success."""
        assert self.status == 200, self
        return json.loads(self.text)


class Visitor:
    """A browser's requests to an HTTP API of the cloud at `port`, with the cookies that `jar` keeps.

    Several APIs behind one name, as a site has them, are one `site` to the browser; else the API's `host` is it.
    """

    def __init__(self, port: int, host: str, jar: CookieJar | None = None, *, site: str | None = None) -> None:
        self.port, self.host, self.site = port, host, site or host
        self.jar = CookieJar(time.time) if jar is None else jar
        self.failed = 0  # answers of the cloud's own that said so

    def get(self, path: str = "/") -> Answer:
        """The answer of a GET. What the cloud let fail is asked for again.

        As Lambda never does, the local cloud ends a worker in the middle of a request when its function is updated.
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
