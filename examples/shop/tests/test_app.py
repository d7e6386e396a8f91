"""The shop's tests. Run them in the app's folder: pytest"""

from pathlib import Path

import pytest

from arc.testing import App


@pytest.fixture
def app():
    with App(Path(__file__).parents[1]) as app:
        yield app


@pytest.fixture
def browser(app):
    return app.browser()


@pytest.fixture
def signed_in(app):
    browser = app.browser()
    browser.get("/sign-in")
    browser.submit("/sign-in", email="ada@example.com", password="correct horse")
    return browser


def test_product_is_added_to_the_cart(browser):
    browser.get("/")
    page = browser.submit("/cart", product="lamp")
    assert "1 × Reading lamp" in page.text


def test_each_visitor_has_a_cart(app, browser):
    browser.get("/")
    browser.submit("/cart", product="lamp")
    assert "1 × Reading lamp" not in app.browser().get("/").text


def test_wrong_password_is_refused(browser):
    browser.get("/sign-in")
    page = browser.submit("/sign-in", email="ada@example.com", password="battery staple")
    assert "do not match" in page.text
    assert browser.get("/account").url.endswith("/sign-in")


def test_account_is_shown_after_signing_in(signed_in):
    assert "ada@example.com" in signed_in.get("/account").text


def test_signing_out_ends_the_session(signed_in):
    signed_in.get("/")
    signed_in.submit("/sign-out")
    assert signed_in.get("/account").url.endswith("/sign-in")


def test_form_of_another_site_is_refused(signed_in):
    page = signed_in.post("/cart", {"product": "lamp"}, sender="https://evil.example/")
    assert page.status == 403
