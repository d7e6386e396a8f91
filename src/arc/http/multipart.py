"""The text fields of a form sent as `multipart/form-data` (RFC 7578)."""

from __future__ import annotations

from arc.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_FIELDS = 10_000


def parse_multipart(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """The name and text of every field in order; uploaded files are left out. Raises `BadRequest`."""
    try:
        return list(_fields(content_type, body))
    except (ValueError, LookupError, RecursionError):
        raise BadRequest("The request's form is malformed.") from None


def _fields(content_type: str, body: bytes) -> Iterator[tuple[str, str]]:
    import re
    from email.message import Message
    from email.parser import BytesParser

    header = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "strict")
    form = BytesParser().parsebytes(header + body)
    if not form.is_multipart():
        raise ValueError("no boundary, or none in the body")
    parts = form.get_payload()
    if not isinstance(parts, list) or len(parts) > _MOST_FIELDS:
        raise ValueError("too many fields")
    for part in parts:
        if not isinstance(part, Message):
            raise ValueError("no part of a form")  # noqa: TRY004  # the visitor's mistake, not a programmer's
        disposition = next((str(raw) for name, raw in part.raw_items() if name.lower() == "content-disposition"), "")
        name = re.search(r'[;\s]name="([^"]*)"', disposition)
        if name is None or re.search(r"[;\s]filename\*?=", disposition):
            continue
        value = part.get_payload(decode=True)
        if not isinstance(value, bytes):
            raise ValueError("a form within the form")  # noqa: TRY004
        yield _sent(name[1]), value.decode()


def _sent(name: str) -> str:
    """A field's name as its form has it: browsers escape quotes and line ends alone (WHATWG HTML)."""
    text = name.encode("utf-8", "surrogateescape").decode()
    return text.replace("%22", '"').replace("%0D%0A", "\r\n")
