"""Parse forms sent as `multipart/form-data` (RFC 7578) into text fields and files."""

from __future__ import annotations

import re  # This module is imported only for such forms.

from arc.errors import BadRequest
from arc.http.headers import Query

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_FIELDS = 10_000
_MAX_PARAMETERS = 16  # of a Content-Disposition, which has at most three
_MAX_DISPOSITION = 8_192  # bytes, many times the length of a field's and a file's name
_DEFAULT_TYPE = "application/octet-stream"
_BOUNDARY = re.compile(  # RFC 2046 §5.1.1: at most 70 of these characters
    r""";\s*boundary=(?:"([\w'()+,./:=? -]{0,69}[\w'()+,./:=?-])"|([\w'()+,./:=?-]{1,70}))\s*(?:;|$)""",
    re.ASCII | re.IGNORECASE,
)
_DISPOSITION = re.compile(rb"(?:^|\r\n)content-disposition:([^\r\n;]*)([^\r\n]*)", re.IGNORECASE)
_TYPE = re.compile(rb"(?:^|\r\n)content-type:[ \t]*([^\r\n]*)", re.IGNORECASE)
# RFC 2183 §2. A quoted string ends at a quote before `;` or the end, because browsers escape quotes as %22 and leave a
# backslash alone, while other clients write `\"`. `*+` never backtracks, so a header is read in one pass.
_PARAMETER = re.compile(
    rb"""[ \t]*+([^=;"\s]*+)[ \t]*+(?:=[ \t]*+(?:"(.*?)"[ \t]*+|([^";]*+)))?(?:;|\Z)""",
    re.DOTALL,
)


class File:
    """An uploaded file: its `field` in the form, its `name`, its content `type` and its `bytes`.

    The visitor's browser chooses name and type: do not trust them. Folders and unprintable characters are removed
    from the name, which may leave it empty. The default type is `application/octet-stream`.
    """

    __slots__ = ("bytes", "field", "name", "type")

    def __init__(self, field: str, name: str, type: str, bytes: bytes) -> None:  # noqa: A002  # public names
        self.field, self.name, self.type, self.bytes = field, name, type, bytes

    def __repr__(self) -> str:
        return f"<File {self.field!r}: {self.name!r}, {self.type}, {len(self.bytes):,} bytes>"


def form_and_files(content_type: str, body: bytes) -> tuple[Query[str], Query[File]]:
    """Return the text fields and the files of a form. Raises `BadRequest` for a malformed form.

    File inputs without a file are left out of the files.
    """
    parts = parse_multipart(content_type, body)
    files = [(field, file) for field, file in parts if isinstance(file, File)]
    texts = [(field, value) for field, value in parts if isinstance(value, str)]
    form = Query(texts, {field: f"{field!r} is an uploaded file: req.files[{field!r}]" for field, _ in files})
    hints = {field: f"{field!r} is a text field: req.form[{field!r}]" for field in form}
    for field, _ in files:
        hints[field] = f"The visitor chose no file for {field!r}. Use req.files.get({field!r})"
    chosen = ((field, file) for field, file in files if file.name or file.bytes)
    return form, Query(chosen, hints, part="form has no file")


def parse_multipart(content_type: str, body: bytes) -> list[tuple[str, str | File]]:
    """Return the name of every field in order, with its text or its file. Raises `BadRequest`.

    Transfer encodings are ignored: browsers send none (RFC 7578 §4.7). The charset of a text field is ignored too. So
    the work is proportional to the length of the body.
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
    _, *parts = (b"\r\n" + body).split(delimiter, _MAX_FIELDS + 2)
    if not parts or len(parts) > _MAX_FIELDS + 1 or not parts.pop().startswith(b"--"):
        raise ValueError("no boundary in the body, no end, or too many fields")
    for part in parts:
        padding, line_end, rest = part.partition(b"\r\n")
        head, blank, value = (line_end + rest).partition(b"\r\n\r\n")
        if padding.strip(b" \t") or not blank:
            raise ValueError("malformed part")
        disposition = _DISPOSITION.search(head)
        parameters = _parameters(disposition[2]) if disposition else {}
        if b"name" not in parameters:
            continue
        field = _unescape(parameters[b"name"])
        if b"filename" in parameters or b"filename*" in parameters:
            kind = _TYPE.search(head)
            yield field, File(field, _file_name(parameters), _type(kind[1] if kind else b""), value)
        else:
            yield field, value.decode()


def _parameters(text: bytes) -> dict[bytes, bytes]:
    """Return the parameters after the first `;` of a header, names in lower case, the first value of each name."""
    if len(text) > _MAX_DISPOSITION:
        raise ValueError("header too long")
    parameters: dict[bytes, bytes] = {}
    position = 1
    for _ in range(_MAX_PARAMETERS):
        if position >= len(text):
            return parameters
        parameter = _PARAMETER.match(text, position)
        if parameter is None:
            break
        name, quoted, token = parameter.groups()
        value = (token or b"").strip() if quoted is None else quoted.replace(b'\\"', b'"')
        parameters.setdefault(name.lower(), value)
        position = parameter.end()
    raise ValueError("malformed or too many parameters")


def _unescape(name: bytes) -> str:
    """Return a name as it is in the HTML form. Browsers escape only quotes and line ends (WHATWG HTML)."""
    return name.decode().replace("%22", '"').replace("%0D%0A", "\r\n")


def _file_name(parameters: dict[bytes, bytes]) -> str:
    if b"filename" in parameters:
        name = _unescape(parameters[b"filename"])
    else:
        from urllib.parse import unquote

        name = unquote(parameters[b"filename*"].decode().rpartition("'")[2])  # RFC 8187 §3.2; browsers do not send it
    name = "".join(filter(str.isprintable, name.replace("\\", "/").rpartition("/")[2]))
    return "" if name in (".", "..") else name


def _type(kind: bytes) -> str:
    text = kind.decode("latin-1").strip()
    return text if text and text.isascii() and text.isprintable() else _DEFAULT_TYPE
