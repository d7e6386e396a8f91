"""The text fields and the files of a form sent as `multipart/form-data` (RFC 7578)."""

from __future__ import annotations

import re  # this file is imported for such forms alone

from arc.errors import BadRequest
from arc.http.headers import Query

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_FIELDS = 10_000
_MOST_PARAMETERS = 16  # of a Content-Disposition, which has three in all
_LONGEST_DISPOSITION = 8_192  # bytes; many times what the names of a field and of a file take
_BOUNDARY = re.compile(  # RFC 2046 §5.1.1: at most 70 characters, of these
    r""";\s*boundary=(?:"([\w'()+,./:=? -]{0,69}[\w'()+,./:=?-])"|([\w'()+,./:=?-]{1,70}))\s*(?:;|$)""",
    re.ASCII | re.IGNORECASE,
)
_DISPOSITION = re.compile(rb"(?:^|\r\n)content-disposition:([^\r\n;]*)([^\r\n]*)", re.IGNORECASE)
_TYPE = re.compile(rb"(?:^|\r\n)content-type:[ \t]*([^\r\n]*)", re.IGNORECASE)
# RFC 2183 §2. A quoted string ends at a quote that nothing but `;` follows: browsers escape quotes as %22 and leave a
# backslash alone, other clients write `\"`. `*+` tries no match twice, so that a header is read in one pass.
_PARAMETER = re.compile(
    rb"""[ \t]*+([^=;"\s]*+)[ \t]*+(?:=[ \t]*+(?:"(.*?)"[ \t]*+|([^";]*+)))?(?:;|\Z)""",
    re.DOTALL,
)
_NO_TYPE = "application/octet-stream"


class File:
    """An uploaded file: its `field` in the form, its `name`, its content `type` and its `bytes`.

    Name and type are the visitor's word, never to be trusted. The name is without folders and unprintable characters,
    and empty when nothing is left. A file that came without a type is `application/octet-stream`.
    """

    __slots__ = ("bytes", "field", "name", "type")

    def __init__(self, field: str, name: str, type: str, bytes: bytes) -> None:  # noqa: A002  # what they are
        self.field, self.name, self.type, self.bytes = field, name, type, bytes

    def __repr__(self) -> str:
        return f"<File {self.field!r}: {self.name!r}, {self.type}, {len(self.bytes):,} bytes>"


def form_and_files(content_type: str, body: bytes) -> tuple[Query[str], Query[File]]:
    """The text fields, and the files that the visitor chose. Raises `BadRequest`."""
    parts = parse_multipart(content_type, body)
    files = [(field, file) for field, file in parts if isinstance(file, File)]
    texts = [(field, value) for field, value in parts if isinstance(value, str)]
    form = Query(texts, {field: f"{field!r} is an uploaded file: req.files[{field!r}]" for field, _ in files})
    elsewhere = {field: f"{field!r} is a text field: req.form[{field!r}]" for field in form}
    for field, _ in files:
        elsewhere[field] = f"No file was chosen for {field!r}. Ask with req.files.get({field!r})"
    return form, Query(((field, file) for field, file in files if file.name or file.bytes), elsewhere)


def parse_multipart(content_type: str, body: bytes) -> list[tuple[str, str | File]]:
    """The name of every field in order, with its text or its file. Raises `BadRequest`.

    A part's transfer encoding means nothing here: browsers send none (RFC 7578 §4.7), and the type of a text field is
    no encoding, so that nothing in the body can ask for more work than its length.
    """
    try:
        return list(_fields(content_type, body))
    except ValueError:
        raise BadRequest("The request's form is malformed.") from None


def _fields(content_type: str, body: bytes) -> Iterator[tuple[str, str | File]]:
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        raise ValueError("no boundary")
    delimiter = b"\r\n--" + (boundary[1] or boundary[2]).encode()
    _, *parts = (b"\r\n" + body).split(delimiter, _MOST_FIELDS + 2)
    if not parts or len(parts) > _MOST_FIELDS + 1 or not parts.pop().startswith(b"--"):
        raise ValueError("no boundary in the body, no end, or too many fields")
    for part in parts:
        padding, line_end, rest = part.partition(b"\r\n")
        head, blank, value = (line_end + rest).partition(b"\r\n\r\n")
        if padding.strip(b" \t") or not blank:
            raise ValueError("no part of a form")
        disposition = _DISPOSITION.search(head)
        parameters = _parameters(disposition[2]) if disposition else {}
        if b"name" not in parameters:
            continue
        field = _sent(parameters[b"name"])
        if b"filename" in parameters or b"filename*" in parameters:
            kind = _TYPE.search(head)
            yield field, File(field, _file_name(parameters), _type(kind[1] if kind else b""), value)
        else:
            yield field, value.decode()


def _parameters(text: bytes) -> dict[bytes, bytes]:
    """What follows the first `;` of a header, names in lower case, the first of each name."""
    if len(text) > _LONGEST_DISPOSITION:
        raise ValueError("a long header")
    parameters: dict[bytes, bytes] = {}
    position = 1
    for _ in range(_MOST_PARAMETERS):
        if position >= len(text):
            return parameters
        parameter = _PARAMETER.match(text, position)
        if parameter is None:
            break
        name, quoted, token = parameter.groups()
        value = (token or b"").strip() if quoted is None else quoted.replace(b'\\"', b'"')
        parameters.setdefault(name.lower(), value)
        position = parameter.end()
    raise ValueError("no parameters of a header, or too many")


def _sent(name: bytes) -> str:
    """A field's name as its form has it: browsers escape quotes and line ends alone (WHATWG HTML)."""
    return name.decode().replace("%22", '"').replace("%0D%0A", "\r\n")


def _file_name(parameters: dict[bytes, bytes]) -> str:
    if b"filename" in parameters:
        name = _sent(parameters[b"filename"])
    else:
        from urllib.parse import unquote

        name = unquote(parameters[b"filename*"].decode().rpartition("'")[2])  # RFC 8187 §3.2; browsers send none
    name = "".join(filter(str.isprintable, name.replace("\\", "/").rpartition("/")[2]))
    return "" if name in (".", "..") else name


def _type(kind: bytes) -> str:
    text = kind.decode("latin-1").strip()
    return text if text and text.isascii() and text.isprintable() else _NO_TYPE
