from vendor.shared.catalog import PRODUCTS

import arc


@arc.http.handler(csrf=True)
def handler(req):
    product = req.form.get("product", "")
    if product not in PRODUCTS:
        raise arc.BadRequest("Unknown product. Choose one from the shop.")
    req.session.increment(("cart", product))
    req.session.flash("info", f"{PRODUCTS[product][0]} is in your cart.")
    return {"status": 303, "location": "/#cart"}
