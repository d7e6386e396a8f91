"""The shop's products: name, description, price in cents, and a drawing as the contents of an SVG."""

PRODUCTS = {
    "kettle": (
        "Stovetop kettle",
        "Two liters, whistles in F sharp.",
        5900,
        '<path d="M12 42h30l-4-22H16zM42 24c9-2 10 8 1 12M21 20a6 6 0 0 1 12 0M16 20c0-16 22-16 22 0"/>',
    ),
    "lamp": (
        "Reading lamp",
        "Brass arm, warm light, no app.",
        8400,
        '<path d="M12 44h22M23 44V30L36 16M28 8l16 16c4-8-6-20-16-16zM40 26l8 8M44 20l8 2"/>',
    ),
    "notebook": (
        "Dot-grid notebook",
        "192 pages that lie flat.",
        1450,
        '<path d="M14 8h28v38H14zM20 8v38M26 18h10M26 26h10M26 34h6"/>',
    ),
    "radio": (
        "Kitchen radio",
        "FM, one knob, ten-year battery.",
        7200,
        '<path d="M8 20h44v24H8zM14 20 40 8M14 38V26M20 38V26M26 38V26M42 32m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0"/>',
    ),
}


def money(cents):
    return f"€{cents / 100:,.2f}"


def total(cart):
    return sum(PRODUCTS[product][2] * quantity for product, quantity in cart.items() if product in PRODUCTS)
