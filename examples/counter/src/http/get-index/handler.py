import json

import arc

FORM = '<form action="/count" method="post"><button>Count</button></form>'


@arc.http.handler
def handler(req):
    session = arc.http.session.read(req)
    return {"type": "text/html; charset=utf8", "body": f"<pre>{json.dumps(session)}</pre>{FORM}"}
