"""A real browser beside a local cloud: other sites' pages have no access to it, and the app's page has."""

from __future__ import annotations

import contextlib
import json
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from arc.tools.sandbox.cloud.local_cloud import LocalCloud
from arc.tools.sandbox.cloud.state import temporary_state
from tests.engines import client_of
from tests.local_server import Handler, serving
from tests.tools.sandbox.cloud_functions import ROLE, functions, make_api, make_function

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

FORM = """
def handler(event, context):
    line = event["requestContext"]["http"]["method"] + " " + event["rawPath"] + " " + event.get("body", "")
    page = "<p>" + line + "</p><form method=post action=/login><input name=user><button>Sign in</button></form>"
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


class _Page(Handler):
    """An empty page of another site."""

    def answer(self) -> None:
        """Send the page."""
        self.respond(200, {"Content-Type": "text/html"}, b"")


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    """A local cloud with the function `shop`."""
    with contextlib.closing(temporary_state()) as state, contextlib.closing(LocalCloud(state, print)) as cloud:
        make_function(cloud.url, source=FORM)
        yield cloud


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """The address of a page of another site."""
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), _Page)) as server:
        yield f"http://localhost:{server.server_address[1]}/"


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "deadbeef.execute-api.localhost", "app.localhost"])
def test_pages_of_other_sites_reach_no_service(chrome: Browser, cloud: LocalCloud, elsewhere: str, name: str) -> None:
    """They create, remove and read nothing, under any name of this machine."""
    stolen = {"FunctionName": "stolen", "Runtime": "python3.13", "Role": ROLE, "Handler": "a.b"}
    with contextlib.closing(chrome.new_page()) as page:
        page.goto(elsewhere)
        body = json.dumps({**stolen, "Code": {"ZipFile": ""}})
        assert page.evaluate(STEALS, [f"http://{name}:{cloud.port}", body]) == ["refused", "refused"]
    assert functions(cloud.url) == ["shop"]
    assert client_of(cloud.url, "iam").list_users()["Users"] == []


def test_app_page_and_form_work(chrome: Browser, cloud: LocalCloud) -> None:
    """They use an address like API Gateway's."""
    arn = client_of(cloud.url, "lambda").get_function(FunctionName="shop")["Configuration"]["FunctionArn"]
    with contextlib.closing(chrome.new_page()) as page:
        page.goto(f"http://{make_api(cloud.url, arn)}:{cloud.port}/")
        assert page.locator("p").inner_text() == "GET /"
        page.fill("input", "ada")
        page.click("button")
        assert page.locator("p").inner_text().startswith("POST /login ")
