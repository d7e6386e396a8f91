"""Forms sent as multipart/form-data, as browsers send forms with a file field."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.errors import BadRequest
from arc.http.multipart import File, parse_multipart
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


def part(disposition: str, content: bytes = b"x", *headers: str) -> bytes:
    """One part of a form, with these parameters of its Content-Disposition."""
    lines = "".join(f"{line}\r\n" for line in (f"Content-Disposition: form-data{disposition}", *headers))
    return f"--XyZ\r\n{lines}\r\n".encode() + content + b"\r\n"


def posted(*parts: bytes, content_type: str = TYPE, body: bytes | None = None) -> Request:
    """A request with a multipart form of these parts, or with another `body`."""
    sent = b"".join(parts) + b"--XyZ--\r\n" if body is None else body
    return Request(
        payload_v2("POST", "/", headers={"content-type": content_type}, body=sent), None, lambda: Made().manager
    )


def test_text_fields_and_files_are_read_in_order() -> None:
    """Names and values are UTF-8, repeated names keep their order, line ends stay, and files are bytes."""
    read = [(name, value if isinstance(value, str) else value.bytes) for name, value in parse_multipart(TYPE, BODY)]
    assert read == [
        ("title", "Kettle é"),
        ("tag", "a"),
        ("tag", "two\r\nlines"),
        ("photo", b"\x00\x01"),
        ("größe", ""),
    ]


def test_files_are_separate_from_text_fields() -> None:
    """`req.files` has each file with its field, name, type and bytes, and `req.form` has no files."""
    png = b"\x89PNG\r\n\x1a\n\x00\xff--XyZ"
    request = posted(
        part('; name="title"', b"hi"),
        part('; name="photo"; filename="a.png"', png, "Content-Type: image/png"),
        part('; name="photo"; filename="b.bin"', b""),
    )
    assert dict(request.form) == {"title": "hi"}
    files = request.files.getall("photo")
    assert [(one.field, one.name, one.type, one.bytes) for one in files] == [
        ("photo", "a.png", "image/png", png),
        ("photo", "b.bin", "application/octet-stream", b""),
    ]
    assert request.files["photo"] is files[-1]
    assert [*request.files] == ["photo"]


def test_repr_of_a_file_shows_no_content() -> None:
    """It shows the file's name, type and length."""
    [file] = posted(part('; name="photo"; filename="a.png"', b"secret", "Content-Type: image/png")).files.values()
    assert repr(file) == "<File 'photo': 'a.png', image/png, 6 bytes>"


@pytest.mark.parametrize("filename", ['filename=""', "filename="])
def test_empty_file_field_is_no_file(filename: str) -> None:
    """Browsers send an empty name and no bytes if no file was chosen, and the error says so."""
    request = posted(part(f'; name="photo"; {filename}', b"", "Content-Type: application/octet-stream"))
    assert request.files.get("photo") is None
    assert request.files.getall("photo") == []
    with pytest.raises(KeyError, match=r"The visitor chose no file for 'photo'.*req\.files\.get\('photo'\)"):
        request.files["photo"]


def test_field_in_the_other_mapping_is_named() -> None:
    """The error for a file in `req.form`, or for text in `req.files`, names the right place."""
    request = posted(part('; name="photo"; filename="a.png"'), part('; name="title"'))
    with pytest.raises(KeyError, match=r"'photo' is an uploaded file.*req\.files\['photo'\]"):
        request.form["photo"]
    with pytest.raises(KeyError, match=r"'title' is a text field.*req\.form\['title'\]"):
        request.files["title"]
    for fields in (request.form, request.files):
        with pytest.raises(KeyError) as refusal:
            fields["other"]
        assert refusal.value.args == ("other",)


def test_form_without_enctype_is_explained() -> None:
    """Without `enctype` a browser sends only a file's name, and the error names the attribute."""
    content_type = "application/x-www-form-urlencoded"
    request = posted(content_type=content_type, body=b"photo=a.png")
    assert request.files == {}
    with pytest.raises(KeyError, match=r"'photo' is a text field.*enctype=.multipart/form-data"):
        request.files["photo"]


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("; name=title", "title"),
        ('; NAME="title"', "title"),
        ('; Name = "title"', "title"),
        (';name="title"', "title"),
        ('; name="a;b"', "a;b"),
        ('; name="a; filename=b"', "a; filename=b"),
        ('; name="a\\"', "a\\"),
        ('; name="a\\"b"', 'a"b'),
        ('; name="%22a%0D%0Ab%22"', '"a\r\nb"'),
        ('; x; y=1; name="title" ;', "title"),
        ('; fullname="x"; name="title"', "title"),
        ('; x="name=y"; name="title"', "title"),
        ('; name=""', ""),
        ("; name=größe", "größe"),
    ],
)
def test_field_names_are_read_in_every_notation(disposition: str, name: str) -> None:
    """Tokens and quoted strings, in any case, with anything in the quotes (RFC 7578 §4.2, RFC 2183 §2)."""
    assert dict(posted(part(disposition)).form) == {name: "x"}


@pytest.mark.parametrize("disposition", ["", "; filename=a.png", "; x=y"])
def test_part_without_a_name_is_ignored(disposition: str) -> None:
    """RFC 7578 §4.2 requires a name."""
    request = posted(part(disposition))
    assert (dict(request.form), dict(request.files)) == ({}, {})


@pytest.mark.parametrize("disposition", ['; name="title', '; name="a"b', '; name=a"b', "; na me=x", ";x" * 20])
def test_malformed_disposition_is_a_bad_request(disposition: str) -> None:
    """An ambiguous header is refused."""
    with pytest.raises(BadRequest):
        _ = posted(part(disposition)).form


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ('filename="a.png"', "a.png"),
        ("filename=a.png", "a.png"),
        ('FILENAME="a;b.png"', "a;b.png"),
        ('filename="größe.png"', "größe.png"),
        ("filename*=UTF-8''gr%C3%B6%C3%9Fe.png", "größe.png"),
        ("filename=\"a.png\"; filename*=UTF-8''b.png", "a.png"),
        ('filename="C:\\fakepath\\a.png"', "a.png"),
        ('filename="../../etc/passwd"', "passwd"),
        ('filename="holiday/a.png"', "a.png"),
        ('filename=".."', ""),
        ('filename="a\x00\x1f.png"', "a.png"),
        ("filename*=UTF-8''..%2Fa.png", "a.png"),
    ],
)
def test_file_name_has_no_folder(filename: str, name: str) -> None:
    """The visitor chooses the folders in a file's name, so they are removed (RFC 7578 §4.2)."""
    assert [file.name for file in posted(part(f'; name="photo"; {filename}')).files.values()] == [name]


@given(st.text(st.characters(codec="utf-8")))
def test_file_name_is_never_a_path(filename: str) -> None:
    """Any name stays in the folder that it is joined to, or is empty."""
    sent = filename.replace("\r", "").replace("\n", "").replace('"', "%22")
    for file in posted(part(f'; name="photo"; filename="{sent}"')).files.values():
        assert file.name not in (".", "..")
        assert not {"/", "\\", "\x00"} & set(file.name)
        assert file.name.isprintable()


def test_body_is_parsed_once() -> None:
    """Form and files are the same objects at every access."""
    request = posted(part('; name="photo"; filename="a.png"'), part('; name="title"'))
    assert request.form is request.form
    assert request.files is request.files


@pytest.mark.parametrize("filling", ['"', ';a="', ";a=", "; ", " ", '" ', "\\\\", "a"])
@pytest.mark.parametrize("start", ["; name=", "; ", '; name="'])
def test_s08_long_disposition_is_read_in_one_pass(start: str, filling: str) -> None:
    """The work is proportional to the length of a header, not to its square."""
    body = part(start + filling * (1_000_000 // len(filling)) + '"x') + b"--XyZ--\r\n"
    with suppress(BadRequest):
        parse_multipart(TYPE, body)


def test_form_has_the_text_fields_of_every_encoding() -> None:
    """`req.form` works for URL-encoded and multipart forms."""
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
def test_malformed_form_is_a_bad_request(content_type: str, body: bytes) -> None:
    """A malformed form is answered with status 400."""
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
def test_boundary_is_found_in_every_notation(content_type: str, preamble: bytes) -> None:
    """Quotes, capitals, further parameters, text around the parts and white space after a boundary are accepted."""
    body = preamble + BODY.replace(b"--XyZ\r\n", b"--XyZ \t\r\n") + b"the end"
    text = [field for field in parse_multipart(content_type, body) if field[0] != "photo"]
    assert text == [field for field in parse_multipart(TYPE, BODY) if field[0] != "photo"]
    assert len(text) == 4


def test_ten_thousand_fields_are_accepted() -> None:
    """This is the limit."""
    field = b'--XyZ\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    assert len(parse_multipart(TYPE, field * 10_000 + b"--XyZ--\r\n")) == 10_000


@given(
    st.lists(st.tuples(st.text(max_size=10), st.text(max_size=30)), max_size=5),
    st.text("-XyZ\r\n", max_size=12),
)
def test_fields_are_read_as_sent(fields: list[tuple[str, str]], nearly: str) -> None:
    """Any names and values are read unchanged, including text that resembles a boundary."""
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
def test_parsing_raises_nothing_but_bad_request(middle: bytes, parameters: str, name: str) -> None:
    """Any text between the boundaries, in the name or in the header is parsed or refused."""
    part = f'--XyZ\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
    for content_type in (TYPE + parameters, "multipart/form-data; " + parameters):
        for body in (middle, part + middle + b"\r\n--XyZ--\r\n", b"--XyZ\r\n" + middle + b"\r\n--XyZ--\r\n"):
            try:
                fields = parse_multipart(content_type, body)
            except BadRequest:
                continue
            assert all(isinstance(name, str) and isinstance(value, str | File) for name, value in fields)
