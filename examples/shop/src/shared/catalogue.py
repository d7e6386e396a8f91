"""What the shop sells; prices in cents."""

PRODUCTS = {
    "kettle": ("Stovetop kettle", "Two litres, whistles in F sharp.", 5900, "🫖"),
    "lamp": ("Reading lamp", "Brass arm, warm light, no app.", 8400, "💡"),
    "notebook": ("Dot-grid notebook", "192 pages that lie flat.", 1450, "📓"),
    "radio": ("Kitchen radio", "FM, one knob, ten-year battery.", 7200, "📻"),
}


def money(cents):
    return f"€{cents / 100:,.2f}"


def total(cart):
    return sum(PRODUCTS[product][2] * quantity for product, quantity in cart.items() if product in PRODUCTS)
