"""The layout of every page: the header, the visitor's messages, the page's own part, and the panel below it."""

from html import escape

from vendor.shared.behind import behind
from vendor.shared.style import CSS

import arc

ICON = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E%3Ccircle cx='4' cy='4' r='4' fill='%23b4472f'/%3E%3C/svg%3E"


def page(req, title, body):
    """Return a whole page around `body`. What a visitor typed must be escaped in `body` already."""
    messages = "".join(f'<p class="message" role="status">{escape(text)}</p>' for text in req.session.flashes())
    return {
        "html": f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · Corner Shop</title>
<link rel="icon" href="{ICON}">
<style>{CSS}</style>
<header><strong><a href="/">Corner Shop</a></strong>{_who(req)}</header>
<main>{messages}<h1>{escape(title)}</h1>{body}</main>
<footer>{behind(req)}</footer>
</html>""",
    }


def form(req, action, inside, **attributes):
    """Return a form with a CSRF token."""
    extra = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
    return f'<form method="post" action="{action}"{extra}>{arc.http.csrf.field(req)}{inside}</form>'


def _who(req):
    if req.session.user_id is None:
        return '<a href="/sign-in">Sign in</a>'
    name = escape(req.session.get("name", req.session.user_id))
    leave = form(req, "/sign-out", '<button class="quiet">Sign out</button>')
    return f'<a class="who" dir="auto" href="/account" title="{name}">{name}</a>{leave}'
