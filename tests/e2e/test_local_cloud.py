"""A real browser beside a local cloud: what a page on the web can make it do there, and what the app's own page can."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from arc.tools.sandbox.cloud.local_cloud import LocalCloud
from arc.tools.sandbox.cloud.state import temporary_state
from tests.engines import client_of
from tests.tools.sandbox.cloud_functions import ROLE, functions, make_api, make_function

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

FORM = """
def handler(event, context):
    told = event["requestContext"]["http"]["method"] + " " + event["rawPath"] + " " + event.get("body", "")
    page = "<p>" + told + "</p><form method=post action=/login><input name=user><button>Sign in</button></form>"
    return {"statusCode": 200, "headers": {"content-type": "text/html"}, "body": page}
"""
STEALS = """
async ([services, body]) => {
  const create = services + '/2015-03-31/functions'
  const user = services + '/?Action=CreateUser&Version=2010-05-08&UserName='
  const tried = [
    () => fetch(create, { method: 'POST', mode: 'no-cors', body }),
    () => fetch(create, { method: 'POST', mode: 'cors', body, headers: { 'content-type': 'application/json' } }),
    () => fetch(services + '/_ministack/reset', { method: 'POST', mode: 'no-cors' }),
    () => fetch(user + 'fetched', { mode: 'no-cors' }),
    () => new Promise(done => {
      const image = new Image()
      image.onload = image.onerror = done
      image.referrerPolicy = 'no-referrer'
      image.src = user + 'pictured'
    }),
    () => fetch(services + '/_ministack/health').then(answer => answer.text()),
  ]
  const read = []
  for (const one of tried) read.push(await one().catch(() => 'refused'))
  return read.filter(answer => typeof answer === 'string')
}
"""


class _Page(BaseHTTPRequestHandler):
    """An empty page of somebody else."""

    def do_GET(self) -> None:
        """Answer with it."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    """A local cloud with the function `shop`."""
    with contextlib.closing(temporary_state()) as state, contextlib.closing(LocalCloud(state, print)) as cloud:
        make_function(cloud.url, source=FORM)
        yield cloud


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """The address of a page that is not the app's."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://localhost:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "deadbeef.execute-api.localhost", "app.localhost"])
def test_a_page_elsewhere_reaches_no_service(chrome: Browser, cloud: LocalCloud, elsewhere: str, name: str) -> None:
    """It makes nothing there, removes nothing and reads nothing, by whatever name it calls this machine."""
    stolen = {"FunctionName": "stolen", "Runtime": "python3.13", "Role": ROLE, "Handler": "a.b"}
    with contextlib.closing(chrome.new_page()) as page:
        page.goto(elsewhere)
        body = json.dumps({**stolen, "Code": {"ZipFile": ""}})
        assert page.evaluate(STEALS, [f"http://{name}:{cloud.port}", body]) == ["refused", "refused"]
    assert functions(cloud.url) == ["shop"]
    assert client_of(cloud.url, "iam").list_users()["Users"] == []


def test_a_page_of_the_app_is_shown_and_its_form_sent(chrome: Browser, cloud: LocalCloud) -> None:
    """By an address of its own, as API Gateway gives it."""
    arn = client_of(cloud.url, "lambda").get_function(FunctionName="shop")["Configuration"]["FunctionArn"]
    with contextlib.closing(chrome.new_page()) as page:
        page.goto(f"http://{make_api(cloud.url, arn)}:{cloud.port}/")
        assert page.locator("p").inner_text() == "GET /"
        page.fill("input", "ada")
        page.click("button")
        assert page.locator("p").inner_text().startswith("POST /login ")
