"""`Browser.submit` sends a form as a browser does, with the fields that the page has."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

import arc
from arc.testing import Browser
from tests.http.making import browser
from tests.sessions.making import Made


def visitor(html: str) -> Browser:
    """A browser that has opened a page with this HTML. Every form's handler shows what arrived."""

    @arc.http.handler
    def handler(req: arc.Request) -> dict[str, Any]:
        if req.path == "/":
            return {"html": html}
        files = {name: [file.name, file.bytes.decode()] for name, file in req.files.items()}
        shown = {"method": req.method, "path": req.path, "query": req.query, "form": req.form, "files": files}
        return {"json": shown}

    opened = browser(handler)
    opened.get("/")
    return opened


def sent(html: str, *arguments: Any, **fields: Any) -> dict[str, Any]:
    """What arrives when the form in `html` is submitted."""
    answer: dict[str, Any] = visitor(html).submit(*arguments, **fields).json
    return answer


def fields(inside: str, *arguments: Any, **more: Any) -> dict[str, str]:
    """The fields that arrive from a form with these controls."""
    form: dict[str, str] = sent(f"<form method=post action=/send>{inside}</form>", *arguments, **more)["form"]
    return form


def test_hidden_fields_are_sent_with_the_ones_filled_in() -> None:
    """A CSRF token in the page is carried, and what is not filled in keeps its value."""
    inside = '<input type=hidden name=_csrf value="a&amp;b"><input name=email value=old><input name=city value=Rome>'
    assert fields(inside, email="ada@example.com") == {"_csrf": "a&b", "email": "ada@example.com", "city": "Rome"}


def test_fields_may_be_a_dict_or_keywords() -> None:
    """Both are merged, so that any name can be given."""
    inside = "<input name=form><input name=fields><input name=data-x>"
    assert fields(inside, 0, {"data-x": 1}, form="f", fields="g") == {"form": "f", "fields": "g", "data-x": "1"}


def test_csrf_token_is_carried_to_a_verifying_handler() -> None:
    """A form of `arc.http.csrf.field` passes, also after a redirect to its page."""
    made = Made()

    @arc.http.handler(manager=made.manager)
    def page(req: arc.Request) -> dict[str, Any]:
        entries = ", ".join(req.session.get("entries", []))
        field = arc.http.csrf.field(req)
        return {"html": f'{entries}<form method="post" action="/sign">{field}<input name="entry"></form>'}

    @arc.http.handler(csrf=True, manager=made.manager)
    def sign(req: arc.Request) -> dict[str, Any]:
        req.session.setdefault("entries", []).append(req.form["entry"])
        return {"status": 303, "location": "/"}

    def app(event: dict[str, Any], context: object) -> dict[str, Any]:
        return (sign if event["rawPath"] == "/sign" else page)(event, context)

    opened = Browser(app, clock=made.clock)
    opened.get("/")
    opened.submit(entry="one")
    assert opened.submit(entry="two").text.startswith("one, two<form")
    assert opened.post("/sign", {"entry": "three"}).status == 403


def test_unchanged_controls_send_what_a_browser_sends() -> None:
    """Boxes only if checked, one choice of a list, the text of a textarea, and neither disabled nor unnamed ones."""
    inside = """
        <input type=checkbox name=news checked><input type=checkbox name=ads value=yes>
        <input type=radio name=size value=s><input type=radio name=size value=m checked>
        <select name=color><option>red <option value=b selected>blue</select>
        <select name=first><option disabled>choose<option>one<option>two</select>
        <select name=many multiple><option>x</select>
        <textarea name=note>
 a &lt; b
c</textarea>
        <input name=off disabled><fieldset disabled><input name=also-off></fieldset><input value=unnamed>
        <input type=reset name=r value=x><button type=button name=js value=x></button>
    """
    assert fields(inside) == {"news": "on", "size": "m", "color": "b", "first": "one", "note": " a < b\r\nc"}


def test_choices_are_made_by_value() -> None:
    """True and False check and uncheck a box, and other values must be among the choices."""
    inside = """<input type=checkbox name=news checked><input type=checkbox name=ads value=yes>
        <input type=radio name=size value=s><input type=radio name=size value=m checked>
        <select name=color><option>red</option><option value=b>blue</option></select>"""
    chosen = fields(inside, news=False, ads=True, size="s", color="b")
    assert chosen == {"ads": "yes", "size": "s", "color": "b"}


def test_several_choices_are_a_list() -> None:
    """A list fills boxes of one name, a multiple select, and text fields of one name in their order."""
    inside = """<input type=checkbox name=day value=mon><input type=checkbox name=day value=tue>
        <input name=tag><input name=tag><select name=many multiple><option>x<option>y<option>z</select>"""
    page = f"<form action=/send>{inside}</form>"
    opened = visitor(page)
    opened.submit(0, {"day": ["mon", "tue"], "tag": ["a", "b"], "many": ["z", "x"]})
    assert opened.page is not None
    assert opened.page.url.endswith("/send?day=mon&day=tue&tag=a&tag=b&many=x&many=z")


def test_first_button_is_pressed_unless_another_one_is_named() -> None:
    """Only the pressed button's value is sent, to its own address if it has one."""
    page = """<form method=post action=/save><button name=do value=save>Save</button>
        <button name=do value=delete formaction=/delete>Delete</button></form>"""
    assert sent(page) == {"method": "POST", "path": "/save", "query": {}, "form": {"do": "save"}, "files": {}}
    pressed = sent(page, do="delete")
    assert (pressed["path"], pressed["form"]) == ("/delete", {"do": "delete"})


def test_form_with_get_sends_its_fields_as_the_query() -> None:
    """They replace the query of the action, and a form without an action goes to the page's own address."""
    asked = sent("<form action='/find?old=1#top'><input name=q></form>", q="tea & cake")
    assert (asked["method"], asked["path"], asked["query"]) == ("GET", "/find", {"q": "tea & cake"})
    opened = visitor("<form><input name=q></form>")
    assert opened.submit(q="tea").url == "https://app.example/?q=tea"


def test_relative_action_is_resolved_against_the_page() -> None:
    """So is a form of a page that a redirect led to."""

    @arc.http.handler
    def handler(req: arc.Request) -> dict[str, Any]:
        if req.path == "/":
            return {"status": 303, "location": "/shop/cart"}
        return {"html": f"{req.path}<form method=post action=pay></form>"}

    opened = browser(handler)
    opened.get("/")
    assert opened.submit().text.startswith("/shop/pay<")


def test_files_are_sent_as_multipart() -> None:
    """A file is a name and bytes; one that is not chosen has no name, and text fields stay text."""
    inside = "<input name=title><input type=file name=photo><input type=file name=none>"
    page = f"<form method=post action=/send enctype=multipart/form-data>{inside}</form>"
    arrived = sent(page, title='Ä "b"\n', photo=("a.txt", b"arc-testing-form\r\n"))
    assert arrived["form"] == {"title": 'Ä "b"\r\n'}
    assert arrived["files"]["photo"] == ["a.txt", "arc-testing-form\r\n"]


def test_file_in_a_form_that_cannot_send_it_is_an_error() -> None:
    """A browser would send the file's name alone."""
    with pytest.raises(AssertionError, match=r"Add method=\"post\" enctype=\"multipart/form-data\" to the form\."):
        fields("<input type=file name=photo>", photo=("a.txt", b"x"))


def test_form_is_chosen_by_action_number_or_what_it_takes() -> None:
    """Among several forms with one action, a button's value decides."""
    shop = "".join(
        f"<form method=post action=/cart><input type=hidden name=_csrf value=t{number}>"
        f"<button name=product value={product}>Add</button></form>"
        for number, product in enumerate(("kettle", "lamp"))
    )
    page = f"<form action=/find><input name=q></form>{shop}"
    assert sent(page, "/find", q="x")["query"] == {"q": "x"}
    assert sent(page, 2)["form"] == {"_csrf": "t1", "product": "lamp"}
    assert sent(page, "/cart", product="lamp")["form"] == {"_csrf": "t1", "product": "lamp"}
    assert sent(page, q="y")["path"] == "/find"


def test_control_may_name_its_form_by_id() -> None:
    """It belongs to that form wherever it is on the page."""
    page = "<form id=a method=post action=/send></form><form><input name=x form=a value=1></form>"
    assert sent(page, 0)["form"] == {"x": "1"}


def test_several_browsers_of_one_app_are_several_visitors() -> None:
    """Each submits the form of its own page."""
    one, other = visitor("<form action=/send><input name=q value=1></form>"), visitor("<form action=/send></form>")
    assert one.submit().url.endswith("/send?q=1")
    assert other.submit().url.endswith("/send")


def test_page_is_that_of_the_last_navigation() -> None:
    """A script's request and an answer without a page leave it, and an earlier page can be put back."""
    opened = visitor("<form action=/send><input name=q></form>")
    first = opened.page
    opened.post("/api", json={"a": 1})
    opened.get("/api", headers={"sec-fetch-mode": "cors"})
    assert opened.page is first
    opened.get("/other")
    opened.page = first
    assert opened.submit(q=1).status == 200


def test_submitted_form_comes_from_its_page() -> None:
    """Origin and Fetch Metadata are those of a form on the application's own page."""
    seen: list[dict[str, str]] = []

    def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
        seen.append(event["headers"])
        return {"statusCode": 200, "body": "<form method=post action=/send></form>"}

    opened = Browser(handler)
    opened.get("/")
    opened.submit(headers={"x-own": "1"}, follow=False)
    sent_headers = {name: seen[-1][name] for name in ("origin", "sec-fetch-site", "sec-fetch-mode", "x-own")}
    assert json.dumps(sent_headers) == json.dumps(
        {"origin": "https://app.example", "sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate", "x-own": "1"}
    )


@pytest.mark.parametrize(
    ("arguments", "fields", "message"),
    [
        (
            ["/buy"],
            {},
            "No form has the action '/buy'. The page https://app.example/ has:\n  0: GET /find with q\n  1:",
        ),
        ([7], {}, "No form has the number 7. The page https://app.example/ has:\n  0: GET /find with q"),
        ([-1], {}, "No form has the number -1."),
        ([], {}, "Several forms take no fields. Choose a form by its action or its number. The page"),
        ([], {"emial": "x"}, "No form takes emial='x'. Choose a form by its action or its number. The page"),
        (["/find"], {"emial": "x"}, "The form has no field 'emial'. Its fields: q."),
        (["/send"], {"size": "XL"}, "The field 'size' cannot take 'XL'. Its choices: S, M."),
        (["/find"], {"q": ["a", "b"]}, "The field 'q' cannot take 'b'. The form has it only once."),
    ],
)
def test_what_the_page_does_not_have_is_an_error(arguments: list[Any], fields: dict[str, Any], message: str) -> None:
    """The message names the page's forms, or the form's fields or choices."""
    page = "<form action=/find><input name=q></form><form action=/send><select name=size><option>S<option>M"
    with pytest.raises(AssertionError, match=f"^{re.escape(message)}"):
        visitor(page).submit(*arguments, **fields)


def test_page_without_a_form_is_an_error() -> None:
    """So is a browser that has not opened a page."""
    with pytest.raises(AssertionError, match=r"^The page https://app\.example/ has no form\.$"):
        visitor("<p>No form").submit()
    with pytest.raises(AssertionError, match=r"^This browser has not opened a page\. Open one: browser\.get\('/'\)$"):
        Browser(arc.http.handler(lambda _req: None)).submit()


def test_forms_of_a_page_can_be_inspected() -> None:
    """`Page.forms` has the method, the action, the fields and the filled-in values of each."""
    inside = "<input name=x value=1><input name=x value=2><input type=checkbox name=z><button name=y value=1></button>"
    page = visitor(f"<form method=POST action=/a>{inside}</form>").page
    assert page is not None
    (form,) = page.forms
    assert (form.method, form.action, form.values) == ("POST", "/a", {"x": "1"})
    assert form.fields == {"x": [], "z": ["on"], "y": ["1"]}
