import arc


@arc.http.handler
def handler(req):
    session = arc.http.session.read(req)
    session["count"] = session.get("count", 0) + 1
    cookie = arc.http.session.write(session)
    return {"cookie": cookie, "status": 302, "location": "/"}
