from vendor.shared.people import knows

import arc


@arc.http.handler(csrf=True)
def handler(req):
    email = req.form.get("email", "").strip().lower()
    if not knows(email, req.form.get("password", "")):
        req.session.flash("error", "That email and password do not match.")
        return {"status": 303, "location": "/sign-in"}
    req.session.sign_in(email)
    return {"status": 303, "location": "/account"}
