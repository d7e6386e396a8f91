"""The panel at the end of every page, for developers: where the session is stored, and what is in it.

An app of your own has no such panel: delete this file, and the lines of page.py that name it.
"""

import os
from html import escape

import arc

SEALED = (
    "The session is stored in a <b>sealed cookie</b>: your browser keeps it, encrypted, and the server stores nothing."
)
TABLE = "The session is stored in the <b>DynamoDB table</b> <code>{}</code>: your browser keeps only a signed id."


def behind(req):
    store = arc.Settings.from_env(os.environ).table
    stored = SEALED if store == "jwe" else TABLE.format(escape(store))
    return f"""<section class="behind">
<h2>Behind this page</h2>
<p>{stored} To change that, read the end of <code>app.arc</code>.</p>
<p>Open the shop in a second tab and add something: this tab has it too, once you reload it.</p>
<div class="halves">
<div><h3>In your session now</h3><table id="session">{_session(req.session)}</table></div>
<div><h3>Which file to edit</h3><table id="files">{_files(req)}</table></div>
</div>
</section>"""


def _session(session):
    """Return rows of what the session contains, as Python shows it. Its id and its cookie are secrets of the visitor."""
    rows = {f"req.session[{key!r}]": value for key, value in session.items()}
    rows["req.session.user_id"] = session.user_id
    return "".join(_row(f"<code>{escape(name)}</code>", repr(value)) for name, value in rows.items())


def _files(req):
    route = req.path.strip("/").replace("-", "_") or "index"  # the route /sign-in is in the folder get-sign_in
    files = {
        "This page": f"src/http/get-{route}/handler.py",
        "Products and prices": "src/shared/catalog.py",
        "“Add” and “Remove”": "src/http/post-cart/handler.py",
        "Header and frame": "src/shared/page.py",
        "Colors": "src/shared/style.py",
        "This panel": "src/shared/behind.py",
    }
    return "".join(_row(part, file) for part, file in files.items())


def _row(name, value):
    return f'<tr><th scope="row">{name}</th><td><code dir="ltr">{escape(value)}</code></td></tr>'
