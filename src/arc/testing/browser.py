"""A browser for tests. It calls a handler with complete events and stores cookies as browsers do."""

from __future__ import annotations

import json
import time
from urllib.parse import quote, urljoin, urlsplit

from arc.http import development
from arc.http.headers import Headers
from arc.http.manager import discard_outdated_manager
from arc.http.misread import undecorated
from arc.testing.events import payload_v2
from arc.testing.jar import CookieJar, site_of
from arc.testing.reply import read_result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypedDict, Unpack
    from urllib.parse import SplitResult

    from arc.testing.events import Fields
    from arc.testing.forms import Form
    from arc.testing.reply import Answer

    class Options(TypedDict, total=False):
        """The options of every method."""

        json: object
        follow: bool
        headers: Mapping[str, str] | None
        sender: str | None

    class Content(TypedDict, total=False):
        """The body of a request: form fields, JSON, or bytes of a type."""

        form: Fields | None
        json: object
        body: bytes
        type: str


# The variable `__tracebackhide__` lets pytest leave out a function, so that a failure shows the test and the handler.
_MAX_REDIRECTS = 20
_REDIRECTS = (301, 302, 303, 307, 308)
_BODILESS = (204, 304)
_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")  # RFC 9110 §9.2.1
# The characters that a browser does not percent-encode in a path and in a query (WHATWG URL, percent-encode sets).
_SAFE_IN_PATH = "%/:@!$&'()*+,;=~|[]"
_SAFE_IN_QUERY = _SAFE_IN_PATH + "?`{}^\\"


class Page:
    """A response: `url`, `status`, `headers` (in any case), `set_cookies`, `body` (bytes), `text`, `json`, `forms`."""

    def __init__(self, url: str, answer: Answer, *, method: str = "GET") -> None:
        self.url = url
        self.status = answer.status
        self.set_cookies = [value for name, value in answer.headers if name == "set-cookie"]
        self.headers: Mapping[str, str] = Headers(pair for pair in answer.headers if pair[0] != "set-cookie")
        self.body = b"" if method == "HEAD" or self.status in _BODILESS else answer.body
        if self.body and self.headers.get("content-encoding") == "gzip":
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

    @property
    def forms(self) -> list[Form]:
        """The forms in the page's HTML, in their order."""
        from arc.testing.forms import find_forms

        return find_forms(self.body.decode(errors="replace"))

    def __repr__(self) -> str:
        return f"<Page {self.status} {self.url}>"


class _Request:
    """The parts of a request that a redirect does not change: its sender, its mode and the caller's headers."""

    __slots__ = ("headers", "mode", "origin", "site")

    def __init__(self, headers: dict[str, str], *, mode: str, site: str, origin: str) -> None:
        self.headers, self.origin = headers, origin
        self.mode, self.site = headers.get("sec-fetch-mode", mode), headers.get("sec-fetch-site", site)

    @property
    def navigates(self) -> bool:
        """True for a request that opens a page in a tab."""
        return self.mode == "navigate" and self.headers.get("sec-fetch-dest", "document") == "document"

    def same_site(self, method: str) -> tuple[str, ...]:
        """Return the SameSite values of the cookies to send (RFC 6265bis §5.8.3)."""
        if self.site != "cross-site":
            return ("strict", "lax", "none")
        return ("lax", "none") if self.navigates and method in _SAFE else ("none",)

    def headers_to(self, url: SplitResult, method: str) -> dict[str, str]:
        """Return the headers of the request to `url`. Fetch Metadata are sent only to trustworthy URLs."""
        headers = {"host": url.netloc, "accept-encoding": "gzip"}
        if method not in ("GET", "HEAD"):
            headers["origin"] = self.origin
        if _is_trustworthy(url):
            headers |= {"sec-fetch-site": self.site, "sec-fetch-mode": self.mode}
            navigation = {"sec-fetch-dest": "document", "sec-fetch-user": "?1"}
            headers |= navigation if self.mode == "navigate" else {"sec-fetch-dest": "empty"}
        return {**headers, **self.headers}


class Browser:
    """A visitor's browser in front of `handler`, a Lambda handler.

    Each call sends one request from one of the browser's tabs, which share the cookies in `jar`.

    - `event` builds the events, by default in the format `arc.testing.payload_v2`. The handler's result is read as AWS
      reads it for that format. A result that AWS refuses raises an `AssertionError`.
    - `origin` is the address of the application.
    - `clock` returns Unix seconds. To test expiry, pass the same clock to the session manager.
    - `headers` are sent with every request.

    Each method takes a `path`, which may have a query string, `headers`, and `form` or `json` for a body. By default
    redirects are followed; `follow=False` returns the redirect itself. `sender` is the address of the page that sends
    the request, by default one of the application's own.

    GET requests and forms are navigations. JSON and other methods are requests of a script, and so is any request with
    `headers={"sec-fetch-mode": "cors"}`. `ARC_…` variables that changed since the last request take effect.

    `page` is the page of the last navigation, whose forms `submit` sends.
    """

    def __init__(
        self,
        handler: Callable[[dict[str, Any], Any], Any],
        *,
        event: Callable[..., dict[str, Any]] = payload_v2,
        origin: str = "https://app.example",
        clock: Callable[[], float] = time.time,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.handler, self.origin = handler, origin
        self.jar = CookieJar(clock)
        self.page: Page | None = None
        self._event, self._headers = event, dict(headers or {})

    def get(self, path: str = "/", **options: Unpack[Options]) -> Page:
        """Open `path`."""
        __tracebackhide__ = True
        return self.request("GET", path, **options)

    def head(self, path: str = "/", **options: Unpack[Options]) -> Page:
        """Request the headers of `path`."""
        __tracebackhide__ = True
        return self.request("HEAD", path, **options)

    def options(self, path: str = "/", **options: Unpack[Options]) -> Page:
        """Request the options of `path`."""
        __tracebackhide__ = True
        return self.request("OPTIONS", path, **options)

    def post(self, path: str = "/", form: Fields | None = None, **options: Unpack[Options]) -> Page:
        """Send form fields or `json` to `path`."""
        __tracebackhide__ = True
        return self.request("POST", path, form=form, **options)

    def put(self, path: str = "/", form: Fields | None = None, **options: Unpack[Options]) -> Page:
        """Send form fields or `json` to `path` by PUT."""
        __tracebackhide__ = True
        return self.request("PUT", path, form=form, **options)

    def patch(self, path: str = "/", form: Fields | None = None, **options: Unpack[Options]) -> Page:
        """Send form fields or `json` to `path` by PATCH."""
        __tracebackhide__ = True
        return self.request("PATCH", path, form=form, **options)

    def delete(self, path: str = "/", **options: Unpack[Options]) -> Page:
        """Delete `path`."""
        __tracebackhide__ = True
        return self.request("DELETE", path, **options)

    def submit(
        self,
        form: str | int | None = None,
        fields: Mapping[str, object] | None = None,
        /,
        *,
        follow: bool = True,
        headers: Mapping[str, str] | None = None,
        **more: object,
    ) -> Page:
        """Fill in a form of the last page and submit it, with its hidden fields, as a visitor does.

        - `form` is the form's action or its number on the page. It can be left out if only one form fits.
        - `fields`, or keywords, are the values by the fields' names. The other fields keep the page's values. True and
          False check and uncheck a box, a list selects several choices, and a file is `("name.txt", b"content")`.
        - A button whose name and value are among the fields is pressed, else the form's first one.

        Raises `AssertionError` for a form, a field or a choice that the page does not have, and names those it has.
        """
        __tracebackhide__ = True
        from arc.testing.forms import choose_form

        page = self.page
        if page is None:
            raise AssertionError("This browser has not opened a page. Open one: browser.get('/')")
        values = {**(fields or {}), **more}
        request = choose_form(page.forms, page.url, form, values).submission(page.url, values)
        content: Content = {"form": request.pairs}
        if request.body is not None:
            content = {"body": request.body, "type": request.content_type}
        return self._navigate(request.method, request.url, content, follow=follow, headers=headers, sender=page.url)

    def request(
        self,
        method: str,
        path: str = "/",
        *,
        form: Fields | None = None,
        json: object = None,
        follow: bool = True,
        headers: Mapping[str, str] | None = None,
        sender: str | None = None,
    ) -> Page:
        """Send a request, and follow redirects. Return the last response."""
        __tracebackhide__ = True
        content: Content = {"form": form, "json": json}
        return self._navigate(method.upper(), path, content, follow=follow, headers=headers, sender=sender)

    def _navigate(
        self,
        method: str,
        path: str,
        content: Content,
        *,
        follow: bool,
        headers: Mapping[str, str] | None,
        sender: str | None,
    ) -> Page:
        __tracebackhide__ = True
        url = urljoin(self.origin, path)
        sent = {name.lower(): str(value) for name, value in {**self._headers, **(headers or {})}.items()}
        is_page = method in ("GET", "POST") and content.get("json") is None
        mode = sent.get("sec-fetch-mode", "navigate" if is_page else "cors")
        typed = sender is None and mode == "navigate" and method == "GET"  # into the address bar
        page_url = urlsplit(sender or url)
        site = "none" if typed else _fetch_site(page_url, urlsplit(url))
        request = _Request(sent, mode=mode, site=site, origin=f"{page_url.scheme}://{page_url.netloc}")
        for _ in range(_MAX_REDIRECTS + 1):
            page = self._send(method, url, request, content)
            if request.navigates and page.status not in _BODILESS:
                self.page = page
            if not follow or page.status not in _REDIRECTS or "location" not in page.headers:
                return page
            url = urljoin(page.url, page.headers["location"])
            if urlsplit(url)[:2] != urlsplit(page.url)[:2]:
                return page
            # Fetch, "HTTP-redirect fetch".
            if (page.status == 303 and method != "HEAD") or (page.status in (301, 302) and method == "POST"):  # noqa: PLR2004
                method, content = "GET", {}
        raise AssertionError(f"{url} redirects more than {_MAX_REDIRECTS} times.")

    def _send(self, method: str, url: str, request: _Request, content: Content) -> Page:
        __tracebackhide__ = True
        target = urlsplit(url)
        path = quote(target.path or "/", safe=_SAFE_IN_PATH)
        host, secure = target.hostname or "", _is_trustworthy(target)
        headers = request.headers_to(target, method)
        if "type" in content:
            headers["content-type"] = content["type"]
        discard_outdated_manager()
        event = self._event(
            method,
            path,
            query=quote(target.query, safe=_SAFE_IN_QUERY),
            headers=headers,
            cookies=self.jar.send(host, path, secure=secure, same_site=request.same_site(method)),
            **{name: value for name, value in content.items() if name != "type"},
        )
        with development.observed_by(_Warnings()):
            result = self.handler(event, None)
        if message := undecorated(result):
            _warn(message)
        page = Page(url, read_result(result, event), method=method)
        embedded = request.site == "cross-site" and not request.navigates
        for header in page.set_cookies:
            self.jar.receive(header, host, secure=secure, path=path, embedded=embedded)
        return page


class _Warnings(development.Observer):
    """Reports probable mistakes in a handler's results as warnings."""

    def warn(self, message: str) -> None:
        """Issue a warning."""
        _warn(message)


def _warn(message: str) -> None:
    """Issue a warning that names the line of the test."""
    import sys
    import warnings

    frame, level = sys._getframe(1), 2  # noqa: SLF001  # the documented way to the caller
    while frame.f_back is not None and not development.is_app_file(frame.f_code.co_filename):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)


def _is_trustworthy(url: SplitResult) -> bool:
    """Return True for https and this machine, where browsers accept Secure cookies and send Fetch Metadata."""
    host = url.hostname or ""
    return url.scheme == "https" or host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")


def _fetch_site(page: SplitResult, target: SplitResult) -> str:
    """Return the value of Sec-Fetch-Site for a request from `page` to `target`."""
    if page[:2] == target[:2]:
        return "same-origin"
    same = page.scheme == target.scheme and site_of(page.hostname or "") == site_of(target.hostname or "")
    return "same-site" if same else "cross-site"


class Clock:
    """A callable that returns Unix seconds: `Clock(1_800_000_000)`, then `clock.forward(days=8)`."""

    def __init__(self, now: float = 1_800_000_000) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the current time in Unix seconds."""
        return self.now

    def forward(self, seconds: float = 0, *, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        """Move the clock forward, or back for negative numbers."""
        self.now += seconds + 60 * minutes + 3600 * hours + 86_400 * days
