from html import escape

from vendor.shared.page import form, page

import arc


@arc.http.handler
def handler(req):
    if req.session.user_id is None:
        req.session.flash("error", "Sign in to see your account.")
        return {"status": 303, "location": "/sign-in"}
    name = escape(req.session.get("name", ""))
    fields = f'<label>Your name <input name="name" value="{name}" dir="auto" required></label><button>Save</button>'
    return page(
        req,
        "Your account",
        f"<p>You are signed in as <b>{escape(req.session.user_id)}</b>.</p>"
        f'<div class="card narrow">{form(req, "/account", fields)}</div>',
    )
