"""Forms that a real browser and `arc.testing` submit."""

from __future__ import annotations

import json
from email import message_from_bytes
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from playwright.sync_api import BrowserContext

from arc.testing import App
from tests.tools.sandbox.apps import write_app
from tests.tools.sandbox.running import running

FORM = """<!doctype html><title>A form</title>
<form action="/send?x=1#there" id=a ATTRIBUTES>
<input name=plain value="ä &amp; b"><input name=empty><input name="with space" value="1 2+3">
<input type=hidden name=_csrf value=t><input name=readonly value=r readonly><input name="" value=1>
<input type=checkbox name=on checked><input type=checkbox name=off><input type=checkbox name=blank value="" checked>
<input type=radio name=size value=1><input type=radio name=size value=2 checked><input type=radio name=none value=9>
<input type=radio name=twice value=1 checked><input type=radio name=twice value=2 checked>
<select name=first><option>one<option>two</select>
<select name=last><option value="">none<option selected> two  words <option selected value=3>three</select>
<select name=many multiple><option selected>p<option selected>q<option>r</select>
<select name=words><option selected> two  words </select>
<select name=skipped><option disabled>choose<option>ok</select>
<select name=stuck><option disabled selected>choose<option>ok</select>
<select name=group><optgroup disabled><option>no</optgroup><option>yes</select>
<select name=long size=4><option>a<option>b</select><select name=nothing></select>
<textarea name=text>
first
 second &lt;b&gt;</textarea><textarea name=bare></textarea>
<input name=disabled disabled>
<fieldset disabled><legend><input name=legend value=l></legend><input name=inside value=1></fieldset>
<input type=number name=number value=4><input type=date name=date value=2026-01-02><input type=file name=file>
<input type=submit id=press><button name=other value=2>Other</button><button type=button name=script value=1></button>
<template><input name=template value=1></template><button type=reset name=reset value=1></button>
</form><input name=outside form=a value=o>"""
PAGE = f"""
    FORM = {FORM!r}

    def handler(event, context):
        html = FORM.replace("ATTRIBUTES", event["queryStringParameters"]["attributes"])
        return {{"statusCode": 200, "headers": {{"content-type": "text/html; charset=utf-8"}}, "body": html}}
"""
SEND = """
    import base64, json

    def handler(event, context):
        body = event.get("body") or ""
        body = base64.b64decode(body).decode() if event["isBase64Encoded"] else body
        kind = event["headers"].get("content-type", "")
        return {"statusCode": 200, "body": json.dumps([event["rawPath"], event["rawQueryString"], kind, body])}
"""


def fields(sent: list[str]) -> tuple[str, list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the path, the query's fields and the body's, in their order."""
    path, query, kind, body = sent
    if not kind.startswith("multipart/"):
        return path, parse_qsl(query, keep_blank_values=True), parse_qsl(body, keep_blank_values=True)
    message = message_from_bytes(f"content-type: {kind}\r\n\r\n{body}".encode())
    parts = [part for part in message.walk() if not part.is_multipart()]
    pairs = [(part["content-disposition"], str(part.get_payload())) for part in parts]
    return path, parse_qsl(query, keep_blank_values=True), pairs


@pytest.mark.parametrize("attributes", ["method=post", "method=get", "method=post enctype=multipart/form-data"])
def test_form_is_submitted_as_a_real_browser_does(attributes: str, visitor: BrowserContext, tmp_path: Path) -> None:
    """Every kind of control sends the same fields in the same order, in the query, a body or parts."""
    app = write_app(tmp_path, {"get /": PAGE, "any /send": SEND})
    path = f"/?attributes={attributes.replace(' ', '%20')}"
    tab = visitor.new_page()
    with running(app) as sandbox:
        tab.goto(sandbox.url + path)
        tab.click("#press")
        real = fields(json.loads(tab.inner_text("body")))
    with App(app) as opened:
        browser = opened.browser()
        browser.get(path)
        ours = fields(browser.submit().json)
    assert ours == real
    assert len(real[1]) + len(real[2]) > 20
