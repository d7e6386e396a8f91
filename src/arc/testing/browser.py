"""A browser for tests: it calls a handler with complete events and keeps cookies as browsers do."""

from __future__ import annotations

import json
import time
from base64 import b64decode
from urllib.parse import parse_qsl, urljoin, urlsplit

from arc.testing.events import payload_v2
from arc.testing.jar import CookieJar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_MOST_REDIRECTS = 20
_REDIRECTS = (301, 302, 303, 307, 308)


class Page:
    """What came back: `status`, `headers` (lower case), `set_cookies`, `body` (bytes), `text`, `json`."""

    def __init__(self, url: str, reply: dict[str, Any]) -> None:
        self.url = url
        self.status: int = reply["statusCode"]
        self.headers: dict[str, str] = {}
        self.set_cookies: list[str] = list(reply.get("cookies") or ())
        for name, value in (reply.get("headers") or {}).items():
            self._header(name.lower(), str(value))
        for name, values in (reply.get("multiValueHeaders") or {}).items():
            for value in values:
                self._header(name.lower(), str(value))
        body = reply.get("body") or ""
        self.body: bytes = b64decode(body) if reply.get("isBase64Encoded") else body.encode()
        if self.headers.get("content-encoding") == "gzip":
            from gzip import decompress

            self.body = decompress(self.body)

    @property
    def text(self) -> str:
        """The body as UTF-8 text."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def _header(self, name: str, value: str) -> None:
        if name == "set-cookie":
            self.set_cookies.append(value)
        else:
            self.headers[name] = value

    def __repr__(self) -> str:
        return f"<Page {self.status} {self.url}>"


class Browser:
    """A visitor's browser in front of `handler`, a Lambda handler.

    Every call is one navigation in one of its tabs, which share the cookies in `jar`. `event` builds the
    events (`arc.testing.payload_v2` by default), `origin` is the address shown, `clock` gives Unix
    seconds: hand it the session manager's own to test expiry. `headers` go with every request.
    """

    def __init__(
        self,
        handler: Callable[[dict[str, Any], Any], dict[str, Any]],
        *,
        event: Callable[..., dict[str, Any]] = payload_v2,
        origin: str = "https://app.example",
        clock: Callable[[], float] = time.time,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.handler, self.origin = handler, origin
        self.jar = CookieJar(clock)
        self._event, self._headers = event, dict(headers or {})

    def get(self, path: str = "/", *, follow: bool = True, headers: Mapping[str, str] | None = None) -> Page:
        """Go to `path`, which may have a query string; redirects are followed unless `follow=False`."""
        return self.request("GET", path, follow=follow, headers=headers)

    def post(
        self,
        path: str = "/",
        form: Mapping[str, str] | None = None,
        *,
        json: object = None,
        follow: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> Page:
        """Send a form, or JSON, to `path` from a page of the same origin."""
        return self.request("POST", path, form=form, json=json, follow=follow, headers=headers)

    def request(
        self,
        method: str,
        path: str = "/",
        *,
        form: Mapping[str, str] | None = None,
        json: object = None,
        follow: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> Page:
        """Send one request and, after a redirect, those that it leads to."""
        page = self._send(method, path, form, json, headers)
        for _ in range(_MOST_REDIRECTS):
            if not follow or page.status not in _REDIRECTS or "location" not in page.headers:
                return page
            target = urlsplit(urljoin(page.url, page.headers["location"]))
            if target.netloc != urlsplit(self.origin).netloc:
                return page
            same = page.status in (307, 308)
            path = target.path + (f"?{target.query}" if target.query else "")
            page = self._send(method if same else "GET", path, form if same else None, json if same else None, headers)
        raise AssertionError(f"{self.origin}{path} redirects more than {_MOST_REDIRECTS} times.")

    def _send(
        self,
        method: str,
        path: str,
        form: Mapping[str, str] | None,
        payload: object,
        headers: Mapping[str, str] | None,
    ) -> Page:
        home, target = urlsplit(self.origin), urlsplit(path)
        host, secure = home.hostname or "", home.scheme == "https" or home.hostname in ("localhost", "127.0.0.1")
        sent = {
            "host": home.netloc,
            "accept-encoding": "gzip",
            "sec-fetch-mode": "navigate",
            "sec-fetch-site": "none" if method == "GET" else "same-origin",
            **self._headers,
            **(headers or {}),
        }
        event = self._event(
            method,
            target.path,
            query=parse_qsl(target.query, keep_blank_values=True),
            headers=sent,
            cookies=self.jar.send(host, target.path, secure=secure),
            form=form,
            json=payload,
        )
        page = Page(urljoin(self.origin, path), self.handler(event, None))
        for header in page.set_cookies:
            self.jar.receive(header, host, secure=secure, path=target.path)
        return page
