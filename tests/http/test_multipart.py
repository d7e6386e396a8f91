"""Forms sent as multipart/form-data, as browsers send them when a form has a file field."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.errors import BadRequest
from arc.http.multipart import parse_multipart
from arc.http.request import Request
from arc.testing import payload_v2
from tests.sessions.making import Made

QUOTE = '"'
TYPE = "multipart/form-data; boundary=XyZ"
BODY = (
    '--XyZ\r\nContent-Disposition: form-data; name="title"\r\n\r\nKettle é\r\n'
    '--XyZ\r\nContent-Disposition: form-data; name="tag"\r\n\r\na\r\n'
    '--XyZ\r\nContent-Disposition: form-data; name="tag"\r\n\r\ntwo\r\nlines\r\n'
    '--XyZ\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    "\x00\x01\r\n"
    '--XyZ\r\nContent-Disposition: form-data; name="größe"\r\n\r\n\r\n--XyZ--\r\n'
).encode()


def test_text_fields_are_there_and_files_are_left_out() -> None:
    """Names and values are UTF-8, repeated names keep their order, line ends stay."""
    assert parse_multipart(TYPE, BODY) == [
        ("title", "Kettle é"),
        ("tag", "a"),
        ("tag", "two\r\nlines"),
        ("größe", ""),
    ]


def test_the_request_gives_them_as_its_form() -> None:
    """`req.form` does not care how the form was sent."""
    event = payload_v2("POST", "/", headers={"content-type": TYPE}, body=BODY)
    form = Request(event, None, lambda: Made().manager).form
    assert (form["title"], form.getall("tag")) == ("Kettle é", ["a", "two\r\nlines"])


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", BODY),
        ("multipart/form-data; boundary=other", BODY),
        ("multipart/form-data; boundary=XyZ zYx", BODY),
        ('multipart/form-data; boundary=""', BODY),
        (TYPE, b""),
        (TYPE, b"no boundary"),
        (TYPE, BODY.removesuffix(b"--\r\n")),
        (TYPE, BODY.removesuffix(b"--XyZ--\r\n")),
        (TYPE, BODY.replace(b"--XyZ\r\n", b"--XyZabc\r\n")),
        (TYPE, BODY.replace(b'"title"\r\n\r\n', b'"title"\r\n')),
        (TYPE, b'--XyZ\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 10_001 + b"--XyZ--\r\n"),
    ],
)
def test_a_broken_form_is_a_bad_request(content_type: str, body: bytes) -> None:
    """What cannot be a form is the visitor's mistake, answered 400."""
    with pytest.raises(BadRequest):
        parse_multipart(content_type, body)


@pytest.mark.parametrize(
    "content_type",
    [
        'multipart/form-data; boundary="XyZ"',
        "Multipart/Form-Data;BOUNDARY=XyZ",
        'multipart/form-data; charset=utf-8; boundary="XyZ" ; x=y',
    ],
)
@pytest.mark.parametrize("preamble", [b"", b"\r\n", b"This is a form.\r\n"])
def test_a_boundary_is_found_however_it_is_written(content_type: str, preamble: bytes) -> None:
    """Quotes, capitals, further parameters, text around the parts and white space after a boundary change nothing."""
    body = preamble + BODY.replace(b"--XyZ\r\n", b"--XyZ \t\r\n") + b"the end"
    assert parse_multipart(content_type, body) == parse_multipart(TYPE, BODY)


def test_ten_thousand_fields_are_a_form() -> None:
    """The most fields that are read."""
    field = b'--XyZ\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    assert len(parse_multipart(TYPE, field * 10_000 + b"--XyZ--\r\n")) == 10_000


@given(
    st.lists(st.tuples(st.text(max_size=10), st.text(max_size=30)), max_size=5),
    st.text("-XyZ\r\n", max_size=12),
)
def test_what_a_browser_sends_is_read_back(fields: list[tuple[str, str]], nearly: str) -> None:
    """Any names and values come out as they went in, text that nearly is a boundary included."""
    fields = [(re.sub("[\r\n]", "", name), value) for name, value in [*fields, ("nearly", nearly)]]
    if any("--XyZ" in value for _, value in fields):
        return
    body = "".join(
        f'--XyZ\r\nContent-Disposition: form-data; name="{name.replace(QUOTE, "%22")}"\r\n\r\n{value}\r\n'
        for name, value in fields
    )
    read = parse_multipart(TYPE, f"{body}--XyZ--\r\n".encode())
    assert read == [(name.replace("%22", QUOTE).replace("%0D%0A", "\r\n"), value) for name, value in fields]


@given(st.binary(max_size=200), st.text(max_size=30), st.text(max_size=20))
def test_nothing_raises_anything_but_a_bad_request(middle: bytes, parameters: str, name: str) -> None:
    """Whatever is between the boundaries, in the name or in the header, is fields or a bad request."""
    part = f'--XyZ\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
    for content_type in (TYPE + parameters, "multipart/form-data; " + parameters):
        for body in (middle, part + middle + b"\r\n--XyZ--\r\n", b"--XyZ\r\n" + middle + b"\r\n--XyZ--\r\n"):
            try:
                fields = parse_multipart(content_type, body)
            except BadRequest:
                continue
            assert all(isinstance(text, str) for field in fields for text in field)
