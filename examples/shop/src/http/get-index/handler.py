from html import escape

from vendor.shared.catalog import PRODUCTS, money, total
from vendor.shared.page import form, page

import arc


@arc.http.handler
def handler(req):
    cards = "".join(card(req, product) for product in PRODUCTS)
    return page(req, "Good things for the kitchen table", f'<div class="grid">{cards}</div>{cart(req)}')


def card(req, product):
    name, text, price, picture = PRODUCTS[product]
    button = form(req, "/cart", f'<button name="product" value="{product}">Add</button>')
    return (
        f'<article class="card"><svg viewBox="0 0 60 52" aria-hidden="true">{picture}</svg><h2>{escape(name)}</h2><p>{escape(text)}</p>'
        f'<div class="row"><span>{money(price)}</span>{button}</div></article>'
    )


def cart(req):
    items = {product: count for product, count in req.session.get("cart", {}).items() if product in PRODUCTS}
    if not items:
        return '<section id="cart"><h2>Your cart</h2><p>Nothing in it yet.</p></section>'
    rows = "".join(row(req, product, count) for product, count in items.items())
    return (
        f'<section id="cart"><h2>Your cart</h2><table>{rows}'
        f"<tr><td><b>Total</b></td><td><b>{money(total(items))}</b></td><td></td></tr></table></section>"
    )


def row(req, product, count):
    name, _, price, _ = PRODUCTS[product]
    inside = (
        f'<input type="hidden" name="product" value="{product}"><button class="quiet" name="remove">Remove</button>'
    )
    return f"<tr><td>{count} × {escape(name)}</td><td>{money(price * count)}</td><td>{form(req, '/cart', inside)}</td></tr>"
