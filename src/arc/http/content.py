"""The body of a response: which key gives it, its media type, and how it is put into text for Lambda."""

from __future__ import annotations

from arc.sessions.text import encoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


JSON = "application/json; charset=utf8"
# Architect's response keys that are the body themselves, in the order in which they count.
OF_KEY = {
    "html": "text/html; charset=utf8",
    "css": "text/css; charset=utf8",
    "js": "text/javascript; charset=utf8",
    "text": "text/plain; charset=utf8",
    "json": JSON,
    "xml": "application/xml; charset=utf8",
}
_TEXT = frozenset(OF_KEY.values())
_BINARY = {
    "application": (
        "epub+zip java-archive msword octet-stream pdf rtf vnd.amazon.ebook vnd.apple.installer+xml vnd.ms-excel "
        "vnd.ms-powerpoint vnd.openxmlformats-officedocument.presentationml.presentation "
        "vnd.openxmlformats-officedocument.spreadsheetml.sheet "
        "vnd.openxmlformats-officedocument.wordprocessingml.document "
        "x-7z-compressed x-bzip x-bzip2 x-gzip x-java-archive x-rar-compressed x-tar x-zip zip"
    ),
    "audio": "3gpp aac basic mpeg ogg wav webm x-aiff x-midi x-wav",
    "font": "otf woff woff2",
    "image": "avif bmp gif jpeg png tiff vnd.microsoft.icon webp",
    "video": "3gpp mp2t mpeg ogg quicktime webm x-msvideo",
}
_RANK = {key: rank for rank, key in enumerate(OF_KEY)}


class Content:
    """A body, `str` or `bytes`, and the response key that gave it."""

    __slots__ = ("body", "key", "result")

    def __init__(self, result: dict[str, Any], *, null: bool = True) -> None:
        """`null` says whether None under `json`, where nothing else is the body, is JSON's null."""
        self.result = result
        self.key = _key(result)
        if self.key == "body" and null and not result.get("body") and "json" in result:
            self.key = "json"
        self.body = _body(self.key, result)

    def compressible(self, content_type: str) -> bool:
        """True for text that is not base64 yet, unless the application says False. Raises `TypeError`."""
        compression = self.result.get("compression")
        if compression is not None and not isinstance(compression, bool | str):
            raise TypeError(
                f"The response's 'compression' is of type {type(compression).__name__}. "
                "Return False, or the encoding to prefer: 'br' or 'gzip'."
            )
        encoded = self.result.get("isBase64Encoded")
        return compression is not False and not encoded and not is_binary(content_type)

    def sent(self, content_type: str, accept_encoding: str | None) -> tuple[str, bool, str | None]:
        """The body as text, whether that is base64, and how it was compressed (None: it was not).

        `accept_encoding` is the client's, None where the body is not to be compressed. Bytes become
        base64; text of a binary type counts as base64 that the application made (Architect).
        """
        body, encoded = self.body, self.result.get("isBase64Encoded")
        if isinstance(body, str) and (encoded or (self.key == "body" and is_binary(content_type))):
            return body, True, None
        if body and accept_encoding and (chosen := choose_encoding(accept_encoding, self.result.get("compression"))):
            return _base64(compress(_bytes(body), chosen)), True, chosen
        return (body, False, None) if isinstance(body, str) else (_base64(body), True, None)


def _key(result: dict[str, Any]) -> str:
    """The key that gives the body: of several the first that is not empty, an empty one if that is all there is."""
    keys = [key for key in result if key in OF_KEY and result[key] is not None]
    if len(keys) > 1:
        keys.sort(key=_RANK.__getitem__)
    for key in keys:
        if result[key] or isinstance(result[key], dict | list | tuple):
            return key
    return keys[0] if keys and not result.get("body") else "body"


def _body(key: str, result: dict[str, Any]) -> str | bytes:
    value = result.get(key)
    if key == "json" or (key == "body" and isinstance(value, dict | list)):
        return json_text(repr(key), value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(
            f"The response's {key!r} is of type {type(value).__name__}. Return str or bytes; data goes under 'json'."
        )
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"The response's {key!r} holds half a surrogate pair at position {error.start}, which UTF-8 cannot "
                "carry. Decode input with errors='replace'."
            ) from None
    return value


def _bytes(body: str | bytes) -> bytes:
    return body.encode() if isinstance(body, str) else body


def _base64(body: bytes) -> str:
    from binascii import b2a_base64

    return b2a_base64(body, newline=False).decode("ascii")


def is_binary(content_type: str) -> bool:
    """True for a type whose text is taken for base64 that the application made (Architect's list)."""
    if content_type in _TEXT:
        return False
    kind, _, subtype = content_type.partition(";")[0].strip().lower().partition("/")
    return subtype in _BINARY.get(kind, "").split()


def is_private_by_default(content_type: str) -> bool:
    """True for a type that is not cached unless the application says so (Architect's rule)."""
    return (
        "text/html" in content_type or "application/json" in content_type or "application/vnd.api+json" in content_type
    )


def json_text(what: str, value: object) -> str:
    """`value` as JSON: no spaces, text unescaped, a `Decimal` (boto3's numbers) as a number.

    Raises `TypeError` for a type that JSON does not have and `ValueError` for NaN, infinities and data
    that holds itself or is nested too deeply; both name `what` of the response it was.
    """
    try:
        written = _unescaped(value)
        written.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can escape
        return _ascii(value)
    except RecursionError:
        raise ValueError(f"The data in {what} of the response is nested too deeply for JSON.") from None
    except TypeError as error:
        raise TypeError(
            f"In {what} of the response is something that JSON does not have: {error}. "
            "Use dict with str keys, list, tuple, str, int, float, bool and None."
        ) from None
    except ValueError as error:
        raise ValueError(f"The data in {what} of the response cannot be JSON: {error}.") from None
    return written


def is_decimal(value: object) -> bool:
    """True for a `decimal.Decimal`, recognized without importing decimal."""
    return type(value).__name__ == "Decimal" and type(value).__module__ in ("decimal", "_decimal", "_pydecimal")


def _other(item: Any) -> object:
    if is_decimal(item) and item.is_finite():
        return int(item) if item == item.to_integral_value() else float(item)
    raise TypeError(f"a value of type {type(item).__name__}")


_unescaped, _ascii = (encoder(default=_other, ascii_only=ascii_only, rings=True) for ascii_only in (False, True))


_BROTLI_QUALITY = 4  # For a body made per request: about gzip's time, a smaller result.
_brotli: Callable[..., bytes] | None = None
_brotli_sought = False


def choose_encoding(accept_encoding: str, preferred: object = None) -> str | None:
    """`"br"`, `"gzip"` or None: what the client accepts and this process has, `preferred` first.

    `accept_encoding` is the request's header (RFC 9110 §12.5.3); a quality of 0 refuses, other qualities
    do not count. Without a preference `br` goes before `gzip`, as in Architect.
    """
    accepted = _accepted(accept_encoding)
    for encoding in (preferred, "br", "gzip"):
        if encoding == "gzip" and "gzip" in accepted:
            return "gzip"
        if encoding == "br" and "br" in accepted and _brotli_compress() is not None:
            return "br"
    return None


def compress(body: bytes, encoding: str) -> bytes:
    """`body` compressed by `encoding`, a result of `choose_encoding`; equal bodies give equal bytes."""
    brotli = _brotli_compress() if encoding == "br" else None
    if brotli is not None:
        return brotli(body, quality=_BROTLI_QUALITY)
    import zlib

    compressor = zlib.compressobj(wbits=31)  # 31: the gzip format, without a time in its header
    return compressor.compress(body) + compressor.flush()


def _accepted(header: str) -> set[str]:
    accepted = set()
    for part in header.split(","):
        encoding, _, weight = part.partition(";")
        name, _, quality = weight.replace(" ", "").lower().partition("=")
        if name != "q" or quality.strip("0.") or not quality:
            accepted.add(encoding.strip().lower())
    return accepted


def _brotli_compress() -> Callable[..., bytes] | None:
    """`brotli.compress` when it is installed; sought once, because a failing import is slow."""
    global _brotli, _brotli_sought  # once per process is the point
    if not _brotli_sought:
        try:
            from brotli import compress as found  # type: ignore[import-untyped, unused-ignore]
        except ImportError:
            found = None
        _brotli, _brotli_sought = found, True
    return _brotli
