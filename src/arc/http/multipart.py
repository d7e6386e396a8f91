"""The text fields of a form sent as `multipart/form-data` (RFC 7578)."""

from __future__ import annotations

import re  # this file is imported for such forms alone

from arc.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_FIELDS = 10_000
_BOUNDARY = re.compile(  # RFC 2046 §5.1.1: at most 70 characters, of these
    r""";\s*boundary=(?:"([\w'()+,./:=? -]{0,69}[\w'()+,./:=?-])"|([\w'()+,./:=?-]{1,70}))\s*(?:;|$)""",
    re.ASCII | re.IGNORECASE,
)
_DISPOSITION = re.compile(rb"(?:^|\r\n)content-disposition:([^\r\n]*)", re.IGNORECASE)
_NAME = re.compile(rb"""[;\s]name="([^"]*)\"""")
_FILE = re.compile(rb"[;\s]filename\*?=")


def parse_multipart(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """The name and text of every field in order; uploaded files are left out. Raises `BadRequest`.

    A part's own content type and transfer encoding mean nothing here: browsers send neither for text (RFC 7578 §4.4
    and §4.7), so that nothing in the body can ask for more work than its length.
    """
    try:
        return list(_fields(content_type, body))
    except ValueError:
        raise BadRequest("The request's form is malformed.") from None


def _fields(content_type: str, body: bytes) -> Iterator[tuple[str, str]]:
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
        name = _NAME.search(disposition[1]) if disposition else None
        if name is None or disposition is None or _FILE.search(disposition[1]):
            continue
        yield _sent(name[1]), value.decode()


def _sent(name: bytes) -> str:
    """A field's name as its form has it: browsers escape quotes and line ends alone (WHATWG HTML)."""
    return name.decode().replace("%22", '"').replace("%0D%0A", "\r\n")
