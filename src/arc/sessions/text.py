"""A session's data as JSON text and back, by the C encoder, and how much of its check that settles."""

from __future__ import annotations

import json

from arc.sessions.values import MAX_DEPTH, check_depth, finite, is_reserved, whole_number, within_range

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_PARTS = (",", ":")
_encoder = json.JSONEncoder(ensure_ascii=False, separators=_PARTS, allow_nan=False)
_decoder = json.JSONDecoder(parse_float=finite, parse_constant=finite)
_strict = json.JSONDecoder(parse_int=whole_number, parse_float=within_range, parse_constant=finite)
encode_ascii = json.JSONEncoder(separators=_PARTS, allow_nan=False).encode
# `JSONEncoder.encode` makes the C encoder anew at each call, which takes as long as encoding a small session. Where
# there is one, its arguments are those of `_encoder`; without markers, a container within itself is a RecursionError.
_make: Any = getattr(json.encoder, "c_make_encoder", None)
_chunks = _make and _make(None, _encoder.default, json.encoder.encode_basestring, None, ":", ",", *[False] * 3)


def encode(data: object) -> str:
    """The text of JSON data. Raises `TypeError`, `ValueError` or `RecursionError` for what JSON does not have."""
    return "".join(_chunks(data, 0)) if _chunks else _encoder.encode(data)


def decode(text: str) -> Any:
    """The data of a text. Raises `ValueError`, for NaN and infinities too, or `RecursionError`."""
    return _decoder.decode(text)


def text_of(data: Mapping[str, Any]) -> str | None:
    """The JSON text of a session's data; None where JSON does not have it."""
    try:
        return encode(data)
    except (TypeError, ValueError, RecursionError):
        return None


def copy_of(data: Mapping[str, Any], text: str) -> dict[str, Any] | None:
    """A copy of `data` by its `text`; None where it holds something else, or what a session may not hold.

    The copy differs from what JSON changes: tuples, keys that are no text. Which value it is, and what may be kept
    all the same, is for `normalise` to say.
    """
    if '"":' in text or "_arc_" in text or any(map(is_reserved, data)):
        return None
    try:
        text.encode()
        copy: dict[str, Any] = _strict.decode(text)
        if is_deep(text):
            check_depth(copy)
    except (TypeError, ValueError, RecursionError):
        return None
    return copy if copy == data else None


def is_deep(text: str) -> bool:
    """True when `text` opens so many containers that they may be nested too deep."""
    return text.count("{") + text.count("[") > MAX_DEPTH
