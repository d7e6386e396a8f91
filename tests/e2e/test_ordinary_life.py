"""A real browser's ordinary use on both stores signs no one out, and leaves no one signed in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.tools.sandbox.running import Sandbox, running

HANDLER = """
import time

import arc


@arc.http.handler
def handler(req):
    if req.path == "/favicon.ico":
        return {"status": 404}
    session = req.session
    if req.method == "POST":
        if req.path == "/sign-in":
            session.sign_in(req.form["user"])
        elif req.path == "/sign-out":
            session.sign_out()
        elif req.path == "/slow":
            time.sleep(1.5)
            session["slow"] = True
        else:
            session["cart"] = session.get("cart", 0) + 1
            session.flash("info", "Thank you")
        return {"status": 303, "location": "/quiet" if req.path == "/quiet" else "/"}
    if req.path == "/quiet":
        return {"html": "<link rel=prefetch href=/><link rel=prefetch href=/sign-out>quiet"}
    forms = "".join(
        f"<form method=post action={path}><input name=user value=ada><button id={path[1:]}>{path}</button></form>"
        for path in ("/sign-in", "/sign-out", "/cart", "/quiet")
    )
    who, cart = session.user_id or "no one", session.get("cart", 0)
    return {"html": f"<p id=who>{who}</p><p id=items>{cart}</p><p id=message>{session.flashes()}</p>{forms}"}
"""


class Site:
    """An app whose `.env` a test changes while its visitors keep their cookies."""

    def __init__(self, folder: Path, store: str) -> None:
        self.folder, self.store = folder, store
        for route in ("get-index", "any-catchall"):
            (folder / "src/http" / route).mkdir(parents=True)
            (folder / "src/http" / route / "handler.py").write_text(HANDLER)
        (folder / "app.arc").write_text(
            "@app\nlife\n\n@http\nget /\nany /*\n\n@tables\nsession\n  _idx *String\n  _ttl TTL\n\n"
            "@aws\nruntime python3.12\n"
        )

    @contextmanager
    def served(self, **variables: str) -> Iterator[str]:
        """The site's address on a host with a parent domain, served with `variables`."""
        lines = {"SESSION_TABLE_NAME": self.store, **variables}
        (self.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        with running(self.folder) as sandbox:
            yield at(sandbox, "www.life.localhost")


def at(sandbox: Sandbox, host: str) -> str:
    """The sandbox's address under another name of this machine."""
    return re.sub(r"//[^:]+:", f"//{host}:", sandbox.url)


@pytest.fixture(params=["jwe", "session"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    """The site with its sessions in the sealed cookie, and in a table."""
    return Site(tmp_path / "life", request.param)


@pytest.fixture(scope="module", params=["jwe", "session"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of such a site, served without further variables."""
    with Site(tmp_path_factory.mktemp("sites") / "life", request.param).served() as address:
        yield address


def press(tab: Page, button: str) -> None:
    """Send one of the page's forms, and wait for the page after it."""
    with tab.expect_navigation():
        tab.click(f"#{button}")


def who(tab: Page) -> str:
    """The signed-in user, as a newly loaded page shows."""
    tab.reload()
    return tab.inner_text("#who")


@pytest.mark.sampled(1)
def test_changed_domain_keeps_sign_ins_working(visitor: BrowserContext, site: Site) -> None:
    """ARC_SESSION_DOMAIN is set and unset while a visitor keeps all cookies."""
    tab = visitor.new_page()
    with site.served() as url:
        tab.goto(url)
        press(tab, "cart")
    with site.served(ARC_SESSION_DOMAIN="life.localhost") as url:
        tab.goto(url)
        assert tab.inner_text("#items") == "1"
        press(tab, "sign-in")
        assert who(tab) == "ada"
        press(tab, "sign-out")
        assert who(tab) == "no one"
        press(tab, "sign-in")
    with site.served() as url:
        tab.goto(url)
        assert tab.inner_text("#who") == "ada"
        press(tab, "sign-out")
        assert who(tab) == "no one"
        assert [one["name"] for one in visitor.cookies() if one["name"] == "_idx"] == []


@pytest.mark.sampled(1)
def test_sign_out_applies_to_both_tabs(visitor: BrowserContext, url: str) -> None:
    """Two tabs with earlier pages sign in one after the other, and one sign-out ends both."""
    one, other = visitor.new_page(), visitor.new_page()
    one.goto(url)
    press(one, "cart")
    other.goto(url)
    press(one, "sign-in")
    press(other, "sign-in")
    assert [who(one), who(other)] == ["ada", "ada"]
    press(one, "sign-out")
    assert [who(one), who(other)] == ["no one", "no one"]


@pytest.mark.parametrize("url", ["session"], indirect=True)
def test_slow_request_does_not_undo_a_sign_in(visitor: BrowserContext, url: str) -> None:
    """With a table, a late response to a request with the old id signs no one out."""
    tab, script = visitor.new_page(), visitor.new_page()
    tab.goto(url)
    press(tab, "cart")
    script.goto(url)
    script.evaluate("() => { window.slow = fetch('/slow', {method: 'POST'}).then(answer => answer.status) }")
    press(tab, "sign-in")
    assert script.evaluate("() => window.slow") == 200
    assert who(tab) == "ada"


@pytest.mark.sampled(1)
def test_cross_site_post_signs_no_one_out(visitor: BrowserContext, url: str) -> None:
    """Another site sends the visitor back by POST without the cookie, and the page after the redirect has it."""
    tab = visitor.new_page()
    tab.goto(url)
    press(tab, "sign-in")
    tab.goto(re.sub(r"//[^:]+:", "//127.0.0.1:", url))  # another site, which has its own cookies
    tab.set_content(f"<form method=post action={url}/paid><button id=pay>pay</button></form>")
    with tab.expect_request("**/paid") as sent:
        press(tab, "pay")
    assert "cookie" not in sent.value.all_headers()
    assert tab.url == url + "/"
    assert who(tab) == "ada"


@pytest.mark.sampled(1)
def test_prefetch_keeps_messages_and_sign_ins(visitor: BrowserContext, url: str) -> None:
    """The browser prefetches the next page and the sign-out, and the visitor then reads the message, signed in."""
    tab = visitor.new_page()
    tab.goto(url)
    press(tab, "sign-in")
    with tab.expect_response(url + "/sign-out"), tab.expect_response(url + "/") as ahead:
        press(tab, "quiet")
    assert ahead.value.request.all_headers()["sec-purpose"].startswith("prefetch")
    tab.goto(url)
    assert "Thank you" in tab.inner_text("#message")
    assert who(tab) == "ada"
    assert "Thank you" not in tab.inner_text("#message")
