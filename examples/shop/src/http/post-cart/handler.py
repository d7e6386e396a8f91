from vendor.shared.catalog import PRODUCTS

import arc


@arc.http.handler(csrf=True)
def handler(req):
    product = req.form.get("product", "")
    if product not in PRODUCTS:
        raise arc.BadRequest("Unknown product. Choose one from the shop.")
    name = PRODUCTS[product][0]
    if "remove" in req.form:
        req.session.get("cart", {}).pop(product, None)
        req.session.flash("info", f"{name} is no longer in your cart.")
    else:
        req.session.increment(("cart", product))
        req.session.flash("info", f"{name} is in your cart.")
    return {"status": 303, "location": "/"}
