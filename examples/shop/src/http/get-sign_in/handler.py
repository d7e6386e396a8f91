from vendor.shared.page import form, page

import arc


@arc.http.handler
def handler(req):
    fields = (
        '<label>Email <input name="email" type="email" required autocomplete="username"></label>'
        '<label>Password <input name="password" type="password" required autocomplete="current-password"></label>'
        "<button>Sign in</button>"
    )
    hint = "<p>Try <code>ada@example.com</code> and <code>correct horse</code>.</p>"
    return page(req, "Sign in", f'<div class="card narrow">{form(req, "/sign-in", fields)}{hint}</div>')
