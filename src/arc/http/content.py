"""The body of a response: which key holds it, its media type, its encoding as text for Lambda, and its compression."""

from __future__ import annotations

from functools import cache

from arc.http.fields import wrong_type
from arc.sessions.text import encoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

JSON = "application/json; charset=utf8"
# The response keys that name a body and its type, in order of precedence (Architect).
TYPE_OF_KEY = {
    "html": "text/html; charset=utf8",
    "css": "text/css; charset=utf8",
    "js": "text/javascript; charset=utf8",
    "text": "text/plain; charset=utf8",
    "json": JSON,
    "xml": "application/xml; charset=utf8",
}
_RANK = {key: rank for rank, key in enumerate(TYPE_OF_KEY)}
_TEXT_TYPES = frozenset(TYPE_OF_KEY.values())
_BINARY_TYPES = {
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
_BROTLI_QUALITY = 4  # For a body made per request: takes about as long as gzip, with a smaller result.
_GZIP = 31  # zlib's `wbits` for the gzip format, whose header then has no time


class Content:
    """The body of a response, `str` or `bytes`, and the response key that holds it."""

    __slots__ = ("body", "key", "result")

    def __init__(self, result: dict[str, Any], *, null: bool = True) -> None:
        """Select the body of `result`. `null` allows None under `json` to be sent as JSON's null."""
        self.result = result
        self.key = _select_key(result)
        if self.key == "body" and null and not result.get("body") and "json" in result:
            self.key = "json"
        self.body = _body(self.key, result)

    def is_compressible(self, content_type: str) -> bool:
        """Return True for text, unless it is base64 or the application turned compression off. Raises `TypeError`."""
        compression = self.result.get("compression")
        if compression is not None and not isinstance(compression, bool | str):
            advice = "Return False, or the preferred encoding: 'br' or 'gzip'."
            raise wrong_type("'compression'", compression, advice)
        encoded = self.result.get("isBase64Encoded")
        return compression is not False and not encoded and not is_binary(content_type)

    def encode(self, content_type: str, accept_encoding: str | None) -> tuple[str, bool, str | None]:
        """Return the body as text, whether it is base64, and its content encoding, None if it was not compressed.

        `accept_encoding` is the client's header, None to leave the body uncompressed. Bytes become base64. Text of a
        binary type is sent as base64 that the application encoded (Architect).
        """
        body, encoded = self.body, self.result.get("isBase64Encoded")
        if isinstance(body, str) and (encoded or (self.key == "body" and is_binary(content_type))):
            return body, True, None
        if body and accept_encoding:
            encoding = choose_encoding(accept_encoding, self.result.get("compression"))
            if encoding:
                raw = body.encode() if isinstance(body, str) else body
                return _base64(compress(raw, encoding)), True, encoding
        return (body, False, None) if isinstance(body, str) else (_base64(body), True, None)


def _select_key(result: dict[str, Any]) -> str:
    """Return the key that holds the body: the first nonempty one in order of precedence, else an empty one."""
    if len(result) == 1:
        (only,) = result
        return only if only in TYPE_OF_KEY and result[only] is not None else "body"
    keys = [key for key in result if key in TYPE_OF_KEY and result[key] is not None]
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
        raise wrong_type(repr(key), value, "Return str or bytes, or data under 'json'.")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"The response's {key!r} contains an unpaired surrogate at position {error.start}, which UTF-8 cannot "
                "encode. Decode input with errors='replace'."
            ) from None
    return value


def _base64(body: bytes) -> str:
    from binascii import b2a_base64

    return b2a_base64(body, newline=False).decode("ascii")


def is_binary(content_type: str) -> bool:
    """Return True for a type whose text is base64 that the application encoded (Architect's list)."""
    if content_type in _TEXT_TYPES:
        return False
    kind, _, subtype = content_type.partition(";")[0].strip().lower().partition("/")
    return subtype in _BINARY_TYPES.get(kind, "").split()


def is_private_by_default(content_type: str) -> bool:
    """Return True for a type that is not cached by default (Architect's rule)."""
    return (
        "text/html" in content_type or "application/json" in content_type or "application/vnd.api+json" in content_type
    )


# -- JSON


def json_text(source: str, value: object) -> str:
    """Return `value` as compact, unescaped JSON. A `Decimal`, boto3's number type, becomes a number.

    Raises `TypeError` for a type that JSON lacks, and `ValueError` for NaN, infinities, circular data and data nested
    too deeply. Both messages name `source`, the part of the response that has the value.
    """
    try:
        text = _write_json(value)
        text.encode()
    except UnicodeEncodeError:  # an unpaired surrogate, which JSON can escape
        return _write_ascii_json(value)
    except RecursionError:
        raise ValueError(f"The data in {source} of the response is nested too deeply for JSON.") from None
    except TypeError as error:
        raise TypeError(
            f"The data in {source} of the response has no JSON form: {error}. "
            "Use dict with str keys, list, tuple, str, int, float, bool and None."
        ) from None
    except ValueError as error:
        raise ValueError(f"The data in {source} of the response cannot be JSON: {error}.") from None
    return text


def is_decimal(value: object) -> bool:
    """Return True for a `decimal.Decimal`, without importing decimal."""
    return type(value).__name__ == "Decimal" and type(value).__module__ in ("decimal", "_decimal", "_pydecimal")


def _write_other(value: Any) -> object:
    if is_decimal(value) and value.is_finite():
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"a value of type {type(value).__name__}")


_write_json, _write_ascii_json = (
    encoder(default=_write_other, ascii_only=ascii_only, rings=True) for ascii_only in (False, True)
)


# -- compression


def choose_encoding(accept_encoding: str, preferred: object = None) -> str | None:
    """Return `"br"`, `"gzip"` or None: an encoding that the client accepts and this process supports.

    `accept_encoding` is the request's header (RFC 9110 §12.5.3). A quality of 0 refuses an encoding; other qualities
    are ignored. `preferred` is tried first, then `br`, then `gzip`, as in Architect.
    """
    accepted = _accepted_encodings(accept_encoding)
    for encoding in (preferred, "br", "gzip"):
        if encoding == "gzip" and "gzip" in accepted:
            return "gzip"
        if encoding == "br" and "br" in accepted and _brotli_compress() is not None:
            return "br"
    return None


def compress(body: bytes, encoding: str) -> bytes:
    """Return `body` compressed with `encoding`, a result of `choose_encoding`. The output is deterministic."""
    brotli = _brotli_compress() if encoding == "br" else None
    if brotli is not None:
        return brotli(body, quality=_BROTLI_QUALITY)
    import zlib

    compressor = zlib.compressobj(wbits=_GZIP)
    return compressor.compress(body) + compressor.flush()


def _accepted_encodings(header: str) -> set[str]:
    accepted = set()
    for part in header.split(","):
        encoding, _, weight = part.partition(";")
        name, _, quality = weight.replace(" ", "").lower().partition("=")
        if name != "q" or quality.strip("0.") or not quality:
            accepted.add(encoding.strip().lower())
    return accepted


@cache  # A failing import is slow.
def _brotli_compress() -> Callable[..., bytes] | None:
    """Return `brotli.compress`, None if Brotli is not installed."""
    try:
        from brotli import compress as brotli  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        return None
    return brotli  # type: ignore[no-any-return, unused-ignore]
