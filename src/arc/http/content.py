"""The body of a response: which key gives it, and how it is put into text for Lambda."""

from __future__ import annotations

from arc.http import media_types
from arc.http.json_text import json_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_RANK = {key: rank for rank, key in enumerate(media_types.OF_KEY)}


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
        return compression is not False and not encoded and not media_types.is_binary(content_type)

    def sent(self, content_type: str, accept_encoding: str | None) -> tuple[str, bool, str | None]:
        """The body as text, whether that is base64, and how it was compressed (None: it was not).

        `accept_encoding` is the client's, None where the body is not to be compressed. Bytes become
        base64; text of a binary type counts as base64 that the application made (Architect).
        """
        body, encoded = self.body, self.result.get("isBase64Encoded")
        if isinstance(body, str) and (encoded or (self.key == "body" and media_types.is_binary(content_type))):
            return body, True, None
        if body and accept_encoding:
            from arc.http.compression import choose, compress

            if chosen := choose(accept_encoding, self.result.get("compression")):
                return _base64(compress(_bytes(body), chosen)), True, chosen
        return (body, False, None) if isinstance(body, str) else (_base64(body), True, None)


def _key(result: dict[str, Any]) -> str:
    """The key that gives the body: of several the first that is not empty, an empty one if that is all there is."""
    keys = [key for key in result if key in media_types.OF_KEY and result[key] is not None]
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
