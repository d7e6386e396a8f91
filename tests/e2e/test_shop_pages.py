"""What the shop's pages show: the visitor's name, the panel behind each page, and both color schemes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import EXAMPLES
from tests.e2e.test_shop import sign_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from tests.e2e.conftest import Shop

LONGEST = 60  # characters of a name
NAMES = {
    "long": "Maximiliana" * 5,
    "words": "Ada Augusta, Countess of Lovelace, born Byron, of Ockham",
    "emoji": "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{ROCKET}\N{REGIONAL INDICATOR SYMBOL LETTER F}" * (LONGEST // 4),
    "right-to-left": "سارة بنت عبد الرحمن بن محمد الفاروق الطويل",
    "override": "Ada \N{RIGHT-TO-LEFT OVERRIDE}ecalevoL",
    "html": "<img src=x onerror=\"document.title='broken'\"></a><h1>'&amp;",
    "marks": "Z" + "\N{COMBINING GRAVE ACCENT}" * (LONGEST - 1),
}
# The lowest contrast between a text and the background that is painted behind it, by WCAG 2.
CONTRAST = """() => {
  const numbers = color => color.match(/[\\d.]+/g).map(Number)
  const light = color => numbers(color).slice(0, 3).map(part => part / 255)
    .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0)
  const background = element => {
    const color = getComputedStyle(element).backgroundColor
    return numbers(color)[3] === 0 ? background(element.parentElement) : color
  }
  const texts = [...document.body.querySelectorAll('*')].filter(element =>
    [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim()))
  return Math.min(...texts.map(element => {
    const pair = [light(getComputedStyle(element).color), light(background(element))].sort((a, b) => b - a)
    return (pair[0] + 0.05) / (pair[1] + 0.05)
  }))
}"""


def save_name(tab: Page, shop: Shop, name: str) -> None:
    """Sign in, and send the form of the account page."""
    sign_in(tab, shop, "correct horse")
    tab.fill("[name=name]", name)
    tab.click("main button")


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_any_name_is_shown_as_it_was_typed(chrome: Browser, sealed_shop: Shop, name: str) -> None:
    """On a phone the header keeps its one line and its button, and nothing in a name becomes HTML."""
    context = chrome.new_context(viewport={"width": 390, "height": 800})
    tab = context.new_page()
    sign_in(tab, sealed_shop, "correct horse")
    plain = tab.locator("header").bounding_box()
    tab.fill("[name=name]", name)
    tab.click("main button")
    assert tab.inner_text(".message") == f"Hello, {name}!"
    for path in ("/account", "/"):
        tab.goto(sealed_shop.url + path)
        assert tab.inner_text("header .who") == name
        assert repr(name) in tab.inner_text("#session")
        assert tab.locator("header").bounding_box() == plain
        assert tab.evaluate("document.documentElement.scrollWidth") == 390
        assert tab.locator("h1").count() == 1
        assert tab.title().endswith("Corner Shop")
    tab.click("header button")
    assert "Sign in" in tab.inner_text("header")
    context.close()


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("n" * (LONGEST + 1), "That name has 61 characters. Enter one of at most 60."),
        ("n" * 100_000, "That name has 100000 characters. Enter one of at most 60."),
        ("\N{ZERO WIDTH SPACE}\N{ZERO WIDTH JOINER}", "Enter a name."),
        (" \t ", "Enter a name."),
    ],
    ids=["long", "huge", "invisible", "blank"],
)
def test_name_that_cannot_be_shown_is_refused(
    visitor: BrowserContext, sealed_shop: Shop, name: str, message: str
) -> None:
    """A message says why, and the header still shows the email address."""
    tab = visitor.new_page()
    save_name(tab, sealed_shop, name)
    assert tab.inner_text(".message") == message
    assert tab.inner_text("header .who") == "ada@example.com"


@pytest.mark.sampled(1)
def test_panel_shows_the_session_and_no_secret(visitor: BrowserContext, shop: Shop) -> None:
    """It has a row for each key and for the user. The cookie's value is not on the page."""
    tab = visitor.new_page()
    tab.goto(shop.url)
    rows = tab.locator("#session tr")
    assert rows.all_inner_texts() == ["req.session.user_id\tNone"]
    sign_in(tab, shop, "correct horse")
    tab.goto(shop.url)
    tab.click("button[value=kettle]")
    tab.click("button[value=kettle]")
    assert rows.all_inner_texts() == [
        "req.session['cart']\t{'kettle': 2}",
        "req.session.user_id\t'ada@example.com'",
    ]
    (cookie,) = (one["value"] for one in visitor.cookies() if one["name"] == "_idx")
    for part in cookie.split("."):
        assert not part or part not in tab.content()


def test_panel_names_the_sealed_cookie(visitor: BrowserContext, sealed_shop: Shop) -> None:
    """It is the shop's store as long as nothing is set."""
    tab = visitor.new_page()
    tab.goto(sealed_shop.url)
    assert "The session is stored in a sealed cookie:" in tab.inner_text("footer")


def test_panel_names_the_table(visitor: BrowserContext, shop_on_a_table: Shop) -> None:
    """It shows the name that `.env` contains."""
    tab = visitor.new_page()
    tab.goto(shop_on_a_table.url)
    assert "The session is stored in the DynamoDB table session:" in tab.inner_text("footer")


@pytest.mark.parametrize("path", ["/", "/sign-in", "/account"])
def test_panel_names_existing_files(visitor: BrowserContext, sealed_shop: Shop, path: str) -> None:
    """The first is the handler of the page."""
    tab = visitor.new_page()
    sign_in(tab, sealed_shop, "correct horse")
    tab.goto(sealed_shop.url + path)
    files = tab.locator("#files td").all_inner_texts()
    folder = "get-" + (path[1:].replace("-", "_") or "index")
    assert files[0] == f"src/http/{folder}/handler.py"
    assert all((EXAMPLES / "shop" / file).is_file() for file in files)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_both_color_schemes(chrome: Browser, sealed_shop: Shop, scheme: str) -> None:
    """Every text has the contrast that WCAG 2 requires (4.5 to 1)."""
    context = chrome.new_context(color_scheme="dark" if scheme == "dark" else "light")
    tab = context.new_page()
    tab.goto(sealed_shop.url)
    tab.click("button[value=kettle]")
    assert tab.evaluate(CONTRAST) >= 4.5
    save_name(tab, sealed_shop, "Ada")
    assert tab.evaluate(CONTRAST) >= 4.5
    context.close()


def test_removed_product_leaves_the_cart(visitor: BrowserContext, sealed_shop: Shop) -> None:
    """The others stay, and the last one leaves an empty cart."""
    tab = visitor.new_page()
    tab.goto(sealed_shop.url)
    for product in ("kettle", "kettle", "radio"):
        tab.click(f"button[value={product}]")
    tab.click("#cart tr:has-text('kettle') button")
    assert "Stovetop kettle is no longer in your cart." in tab.inner_text(".message")
    assert "kettle" not in tab.inner_text("#cart")
    assert "1 × Kitchen radio" in tab.inner_text("#cart")
    tab.click("#cart button")
    assert "Nothing in it yet." in tab.inner_text("#cart")
