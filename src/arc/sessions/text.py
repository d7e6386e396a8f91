"""Encoding a session's data as JSON text and decoding it, as far as possible in C."""

from __future__ import annotations

import json

from arc.sessions.values import MAX_DEPTH, RESERVED, finite, refuse_deep, whole_number, within_range

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

try:
    import orjson  # type: ignore[import-not-found, unused-ignore]  # the extra `speed`
except ImportError:
    orjson = None
else:
    _AS_IS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS

_NUMBERS = bytes.maketrans(b"023456789E", b"111111111e")
_LONG = b"1" * 19
_NO_STRUCTURE = bytes(one for one in range(256) if one not in b'{}[]"\\')
_ONE_KIND = bytes.maketrans(b"[]", b"{}")
_decoder = json.JSONDecoder(parse_float=finite, parse_constant=finite)
_bounded = json.JSONDecoder(parse_int=whole_number, parse_float=within_range, parse_constant=finite)
quoted = json.encoder.encode_basestring
"""The JSON text of a string, non-ASCII characters as they are."""
# `JSONDecoder.decode` looks for white space around the value in Python, and our own texts have none. A function for
# `parse_float` would be called for each number, so this is for texts without numbers that may be infinite.
_scan: Callable[[str, int], tuple[Any, int]] = vars(json.JSONDecoder(parse_constant=finite))["scan_once"]


def encoder(
    *, default: Callable[[Any], object] | None = None, ascii_only: bool = False, rings: bool = False
) -> Callable[[object], str]:
    """Return a function that encodes data as JSON without spaces. `default` is that of `json.JSONEncoder`.

    The function raises `TypeError`, `ValueError` or `RecursionError` for values that JSON does not have, including NaN
    and infinities. With `rings`, a container within itself is always a `ValueError`.
    """
    slow = json.JSONEncoder(ensure_ascii=ascii_only, separators=(",", ":"), allow_nan=False, default=default)
    make: Any = vars(json.encoder)["c_make_encoder"]  # None on an interpreter without it
    if make is None:
        return slow.encode
    quote = json.encoder.encode_basestring_ascii if ascii_only else json.encoder.encode_basestring
    options = (slow.default, quote, None, ":", ",", False, False, False)
    if rings:
        return lambda data: "".join(make({}, *options)(data, 0))
    # `JSONEncoder.encode` creates a C encoder at each call, which takes as long as encoding a small session.
    chunks = make(None, *options)
    return lambda data: "".join(chunks(data, 0))


_exact, encode_ascii = encoder(), encoder(ascii_only=True)


def encode(data: object) -> str:
    """Encode JSON data. Raises as `encoder` does, but with orjson use `represents` to detect NaN and infinities."""
    if orjson is not None:
        try:
            return str(orjson.dumps(data, option=_AS_IS), "utf-8")
        except TypeError:  # Integers over 64 bits, half a surrogate pair, and values that JSON does not have.
            pass
    return _exact(data)


def decode(text: str) -> Any:
    """Decode any JSON text. Raises `ValueError`, also for NaN and infinities, or `RecursionError`."""
    return _decoder.decode(text)


def decode_own(text: str, *, encoded: bool = False) -> Any:
    """Decode a JSON text, faster than `decode` if it has no spaces around the value.

    `encoded` is true when `encode` made the text. Then no number can be infinite. Raises `ValueError` and
    `RecursionError` as `decode` does, and `TypeError` for data that is nested more than 30 deep.
    """
    if orjson is None and (encoded or not _may_exceed(text)):
        try:
            data, end = _scan(text, 0)
        except StopIteration:
            end = -1
        if end != len(text):
            data = decode(text)
    else:
        data = _decode_by_orjson(text)
    if text.count("{") + text.count("[") > MAX_DEPTH:
        check_depth(text.encode(errors="surrogatepass"), data)
    return data


def _decode_by_orjson(text: str) -> Any:
    """Decode `text` by orjson, if there is one and it decodes the text as `decode` does."""
    if orjson is not None and not _may_exceed(text):
        try:
            return orjson.loads(text)
        except ValueError:  # Half a surrogate pair, which another writer may have stored, or invalid JSON.
            pass
    return decode(text)


def _may_exceed(text: str) -> bool:
    """True when `text` may contain an integer over 64 bits, which orjson decodes as a float, or an infinite number."""
    numbers = text.encode(errors="replace").translate(_NUMBERS)
    # `in` takes longer: it first tries the bytes as an integer.
    return max(numbers.find(_LONG), numbers.find(b"1e111"), numbers.find(b"1e+111")) >= 0


def represents(text: str, data: Mapping[str, Any]) -> bool:
    """True when `text`, which `encode` returned for `data`, represents all of it. orjson writes NaN as null."""
    if orjson is None:
        return True
    try:
        copy = decode_own(text)
        # A tuple differs from a list, but its text represents it.
        return copy == data or bool(decode_own(_exact(data)) == copy)
    except (TypeError, ValueError, RecursionError):
        return False


def copy_via_text(data: Mapping[str, Any], text: str, *, bounded: bool) -> dict[str, Any] | None:
    """Copy `data` by decoding its `text`. Return None if that may differ from the result of `normalize`.

    It does for values that JSON changes, such as tuples and other keys than strings, and for values that a session
    cannot store. `bounded` is that of `normalize`.
    """
    if '"":' in text or '"_arc_' in text or not RESERVED.isdisjoint(data):
        return None
    try:
        raw = text.encode()  # Raises `UnicodeEncodeError`, a `ValueError`, for half of a surrogate pair.
        copy: dict[str, Any]
        if bounded:
            copy = _bounded.decode(text)
            if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH:
                check_depth(raw, copy)
        else:
            copy = decode_own(text, encoded=True)
    except (TypeError, ValueError, RecursionError):
        return None
    return copy if copy == data else None


def check_depth(raw: bytes, *parts: dict[str, Any]) -> None:
    """Raise `TypeError` when one of the `parts`, which were decoded from `raw`, is nested more than 30 deep."""
    if not _is_shallow(raw):
        for part in parts:
            refuse_deep(part)


def _is_shallow(raw: bytes) -> bool:
    """True when removing the innermost containers 30 times leaves nothing. This is ten times as fast as a walk."""
    # Quotes and backslashes that remain belong to strings that may contain brackets; only a walk distinguishes these.
    skeleton = raw.translate(_ONE_KIND, _NO_STRUCTURE).replace(b'""', b"")
    for _ in range(MAX_DEPTH):
        skeleton = skeleton.replace(b"{}", b"")  # All brackets are of one kind, so that this removes one level.
        if not skeleton:
            return True
    return False
