"""The layout of every page."""

from html import escape

import arc

STYLE = """
:root { color-scheme: light dark; --ink: #1d2433; --paper: #faf8f4; --card: #fff; --line: #e5dfd3; --accent: #b4472f; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ece7dc; --paper: #16181d; --card: #1f2229; --line: #343842; --accent: #f08a6c; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 17px/1.55 Georgia, "Times New Roman", serif; }
header, main { max-width: 60rem; margin: 0 auto; padding: 1.25rem 1.5rem; }
header { display: flex; align-items: baseline; gap: 1.5rem; border-bottom: 1px solid var(--line); }
header strong { font-size: 1.4rem; margin-right: auto; }
header form { margin: 0; }
a { color: inherit; }
h1 { font-size: 1.9rem; font-weight: 500; margin: 1rem 0; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(12.5rem, 1fr)); gap: 1.25rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.25rem; }
.card h2 { font-size: 1.1rem; margin: .5rem 0 .25rem; }
.card p { margin: 0 0 .75rem; opacity: .8; }
article { display: flex; flex-direction: column; } article .row { margin-top: auto; }
svg { width: 3.75rem; fill: none; stroke: var(--accent); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
code { white-space: nowrap; font-size: .85em; }
.row { display: flex; justify-content: space-between; align-items: center; }
button { font: inherit; white-space: nowrap; border: 0; border-radius: .5rem; padding: .4rem .9rem; background: var(--accent); color: #fff;
  cursor: pointer; }
@media (prefers-color-scheme: dark) { button { color: #16181d; } }
button.quiet { background: none; color: inherit; padding: 0; text-decoration: underline; }
label { display: block; margin-bottom: 1rem; }
input { display: block; width: 100%; font: inherit; padding: .5rem .7rem; border: 1px solid var(--line);
  border-radius: .5rem; background: var(--paper); color: inherit; }
.narrow { max-width: 24rem; }
.narrow p { margin: 1.25rem 0 0; }
.message { border-left: 4px solid var(--accent); background: var(--card); padding: .7rem 1rem; margin: 1rem 0; }
table { width: 100%; border-collapse: collapse; margin-top: .5rem; }
td { padding: .45rem 0; border-bottom: 1px solid var(--line); } td:last-child { text-align: right; }
section { margin-top: 2.5rem; }
"""


def page(req, title, body, status=200):
    """Return a whole page around `body`, with the visitor's pending messages."""
    messages = "".join(f'<p class="message" role="status">{escape(text)}</p>' for text in req.session.flashes())
    return {
        "status": status,
        "html": f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · Corner Shop</title>
<style>{STYLE}</style>
<header><strong><a href="/" style="text-decoration:none">Corner Shop</a></strong>{_who(req)}</header>
<main>{messages}<h1>{escape(title)}</h1>{body}</main>
</html>""",
    }


def form(req, action, inside, **attributes):
    """Return a form with a CSRF token."""
    extra = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
    return f'<form method="post" action="{action}"{extra}>{arc.http.csrf.field(req)}{inside}</form>'


def _who(req):
    if req.session.user_id is None:
        return '<a href="/sign-in">Sign in</a>'
    leave = form(req, "/sign-out", '<button class="quiet">Sign out</button>')
    return f'<a href="/account">{escape(req.session.user_id)}</a>{leave}'
