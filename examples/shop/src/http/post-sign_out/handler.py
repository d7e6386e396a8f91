import arc


@arc.http.handler(csrf=True)
def handler(req):
    req.session.sign_out()
    return {"status": 303, "location": "/"}
