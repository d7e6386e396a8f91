import arc

LONGEST = 60  # characters


@arc.http.handler(csrf=True)
def handler(req):
    if req.session.user_id is None:
        req.session.flash("error", "Sign in to change your name.")
        return {"status": 303, "location": "/sign-in"}
    name = " ".join(req.form.get("name", "").split())
    if not any(map(str.isprintable, name)):
        req.session.flash("error", "Enter a name.")
    elif len(name) > LONGEST:
        req.session.flash("error", f"That name has {len(name)} characters. Enter one of at most {LONGEST}.")
    else:
        req.session["name"] = name
        req.session.flash("info", f"Hello, {name}!")
    return {"status": 303, "location": "/account"}
