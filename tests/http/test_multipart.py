"""Forms sent as multipart/form-data, as browsers send them when a form has a file field."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.errors import BadRequest
from arc.http.multipart import parse_multipart
from arc.http.request import Request
from arc.testing import payload_v2
from tests.sessions.making import Made

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
    [("multipart/form-data", BODY), ("multipart/form-data; boundary=other", BODY), (TYPE, b""), (TYPE, b"no boundary")],
)
def test_a_broken_form_is_a_bad_request(content_type: str, body: bytes) -> None:
    """What cannot be a form is the visitor's mistake, answered 400."""
    with pytest.raises(BadRequest):
        parse_multipart(content_type, body)


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
