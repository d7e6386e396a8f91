"""The shop in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.e2e.conftest import Shop
from tests.tools.sandbox.running import Sandbox

WRONG = "That email and password do not match."


def sign_in(tab: Page, shop: Shop, password: str) -> None:
    """Send the sign-in form."""
    tab.goto(shop.url + "/sign-in")
    tab.fill("[name=email]", "ada@example.com")
    tab.fill("[name=password]", password)
    tab.click("main button")


@pytest.mark.sampled(1)
def test_wrong_password_message_appears_once(visitor: BrowserContext, shop: Shop) -> None:
    """The flash message is on the page after the redirect, and gone after a reload."""
    tab = visitor.new_page()
    sign_in(tab, shop, "battery staple")
    assert tab.inner_text(".message") == WRONG
    tab.reload()
    assert tab.query_selector(".message") is None
    assert tab.url == shop.url + "/sign-in"


@pytest.mark.sampled(1)
def test_cart_survives_a_new_tab_and_a_sign_in(visitor: BrowserContext, shop: Shop) -> None:
    """Its contents are in another tab and there after signing in."""
    tab = visitor.new_page()
    tab.goto(shop.url)
    tab.click("button[value=kettle]")
    tab.click("button[value=lamp]")
    tab.click("button[value=lamp]")
    other = visitor.new_page()
    other.goto(shop.url)
    for expected in ("1 × Stovetop kettle", "2 × Reading lamp", "€227.00"):
        assert expected in other.inner_text("#cart")
    sign_in(other, shop, "correct horse")
    assert "ada@example.com" in other.inner_text("main")
    other.goto(shop.url)
    assert "2 × Reading lamp" in other.inner_text("#cart")


@pytest.mark.sampled(1)
def test_form_in_an_earlier_tab_works(visitor: BrowserContext, shop: Shop) -> None:
    """Two tabs of an anonymous visitor may both add to the cart."""
    one, other = visitor.new_page(), visitor.new_page()
    one.goto(shop.url)
    other.goto(shop.url)
    one.click("button[value=radio]")
    other.click("button[value=notebook]")
    text = other.inner_text("#cart")
    assert "Kitchen radio" in text
    assert "Dot-grid notebook" in text


@pytest.mark.sampled(1)
def test_page_from_before_the_sign_out_is_anonymous(visitor: BrowserContext, shop: Shop) -> None:
    """After a reload an earlier tab shows no user, and its forms are refused."""
    tab = visitor.new_page()
    sign_in(tab, shop, "correct horse")
    old = visitor.new_page()
    old.goto(shop.url)
    assert "ada@example.com" in old.inner_text("header")
    tab.click("header button")
    assert "Sign in" in tab.inner_text("header")
    with old.expect_response("**/cart") as refused:
        old.click("button[value=kettle]")
    assert refused.value.status == 403
    old.goto(shop.url + "/account")
    assert "Sign in to see your account." in old.inner_text(".message")
    assert "ada@example.com" not in old.inner_text("header")


@pytest.mark.sampled(1)
def test_tampered_cookie_is_an_anonymous_visitor(visitor: BrowserContext, shop: Shop) -> None:
    """A changed character causes no error."""
    tab = visitor.new_page()
    sign_in(tab, shop, "correct horse")
    (cookie,) = (one for one in visitor.cookies() if one["name"] == "_idx")
    value = cookie["value"]
    changed = value[:60] + ("A" if value[60] != "A" else "B") + value[61:]
    visitor.clear_cookies()
    visitor.add_cookies([{"name": "_idx", "value": changed, "url": shop.url}])
    answer = tab.goto(shop.url)
    assert answer is not None
    assert answer.status == 200
    assert "Sign in" in tab.inner_text("header")


@pytest.mark.sampled(1)
def test_form_from_another_origin_is_refused(visitor: BrowserContext, shop: Shop, counter: Sandbox) -> None:
    """A page of another origin cannot add to the cart."""
    tab = visitor.new_page()
    tab.goto(shop.url)
    token = tab.get_attribute("[name=_csrf]", "value")
    tab.goto(counter.url.replace("127.0.0.1", "localhost"))
    tab.set_content(
        f'<form method="post" action="{shop.url}/cart"><input name="_csrf" value="{token}">'
        '<button name="product" value="kettle">x</button></form>'
    )
    with tab.expect_response("**/cart") as refused:
        tab.click("button")
    assert refused.value.status == 403


def test_simultaneous_forms_of_two_tabs_are_merged(visitor: BrowserContext, shop_on_a_table: Shop) -> None:
    """With a table, both products are in the cart."""
    tab = visitor.new_page()
    tab.goto(shop_on_a_table.url)
    tab.click("button[value=kettle]")
    send = """names => Promise.all(names.map(name => {
        const form = document.querySelector(`button[value=${name}]`).form
        const data = new URLSearchParams(new FormData(form))
        data.set('product', name)
        return fetch(form.action, {method: 'POST', body: data}).then(answer => answer.status)
    }))"""
    names = ["lamp", "radio", "notebook"]
    assert tab.evaluate(send, names) == [200] * len(names)
    tab.reload()
    for expected in ("1 × Stovetop kettle", "1 × Reading lamp", "1 × Kitchen radio", "1 × Dot-grid notebook"):
        assert expected in tab.inner_text("#cart")
