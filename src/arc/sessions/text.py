"""A session's data as JSON text and back, by the C encoder, and how much of its check that settles."""

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
_NO_BRACKETS = bytes(one for one in range(256) if one not in b"{}[]")
_NO_STRUCTURE = bytes(one for one in range(256) if one not in b'{}[]"\\')
_ONE_KIND = bytes.maketrans(b"[]", b"{}")
_decoder = json.JSONDecoder(parse_float=finite, parse_constant=finite)
_bounded = json.JSONDecoder(parse_int=whole_number, parse_float=within_range, parse_constant=finite)
quoted = json.encoder.encode_basestring
"""The JSON text of a string, non-ASCII characters as they are."""
# `JSONDecoder.decode` looks for white space around the value in Python; what we wrote ourselves has none.
_scan: Callable[[str, int], tuple[Any, int]] = vars(_decoder)["scan_once"]
_scan_finite: Callable[[str, int], tuple[Any, int]] = vars(json.JSONDecoder())["scan_once"]


def encoder(
    *, default: Callable[[Any], object] | None = None, ascii_only: bool = False, rings: bool = False
) -> Callable[[object], str]:
    """A function that makes the JSON text of data, without spaces; `default` is that of `json.JSONEncoder`.

    It raises `TypeError`, `ValueError` or `RecursionError` for what JSON does not have, NaN and infinities too. With
    `rings` a container within itself is a `ValueError` at once, however large it is, and not a `RecursionError`.
    """
    slow = json.JSONEncoder(ensure_ascii=ascii_only, separators=(",", ":"), allow_nan=False, default=default)
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return slow.encode
    quote = json.encoder.encode_basestring_ascii if ascii_only else json.encoder.encode_basestring
    options = (slow.default, quote, None, ":", ",", False, False, False)
    if rings:
        return lambda data: "".join(make({}, *options)(data, 0))
    # `JSONEncoder.encode` makes the C encoder anew at each call, which takes as long as encoding a small session.
    chunks = make(None, *options)
    return lambda data: "".join(chunks(data, 0))


_exact, encode_ascii = encoder(), encoder(ascii_only=True)


def encode(data: object) -> str:
    """The text of JSON data. Raises as `encoder` says; with orjson, `stands_for` says what it should refuse."""
    if orjson is not None:
        try:
            return str(orjson.dumps(data, option=_AS_IS), "utf-8")
        except TypeError:  # integers over 64 bits, half a surrogate pair, and what JSON does not have
            pass
    return _exact(data)


def decode(text: str) -> Any:
    """The data of any JSON text. Raises `ValueError`, for NaN and infinities too, or `RecursionError`."""
    return _decoder.decode(text)


def decode_own(text: str, *, encoded: bool = False) -> Any:
    """The data of a text that `encode` made. Raises `ValueError` or `RecursionError` where it did not.

    `encoded` says that it did, and not another writer: then no number is infinite, and none is looked at in Python.
    """
    if orjson is not None and not _may_exceed(text):
        try:
            return orjson.loads(text)
        except ValueError:  # half a surrogate pair, which another writer may have put there, or no JSON
            pass
    try:
        data, end = (_scan_finite if encoded else _scan)(text, 0)
    except StopIteration:
        raise ValueError("This is not a JSON value.") from None
    if end != len(text):
        raise ValueError("The text goes on after a JSON value.")
    return data


def _may_exceed(text: str) -> bool:
    """True when `text` may hold what orjson makes a float of: an integer over 64 bits, or a number that is infinite."""
    numbers = text.encode(errors="replace").translate(_NUMBERS)
    return _LONG in numbers or b"1e111" in numbers or b"1e+111" in numbers


def stands_for(text: str, data: Mapping[str, Any]) -> bool:
    """True when `text`, which `encode` made of `data`, is all there is to it: orjson writes NaN as null, for one."""
    if orjson is None:
        return True
    copy = decode_own(text)
    if copy == data:
        return True
    try:  # A tuple is not a list, but its text stands for it.
        return bool(decode_own(_exact(data)) == copy)
    except (TypeError, ValueError, RecursionError):
        return False


def text_of(data: Mapping[str, Any]) -> str | None:
    """The JSON text of a session's data; None where JSON does not have it."""
    try:
        return encode(data)
    except (TypeError, ValueError, RecursionError):
        return None


def copy_of(data: Mapping[str, Any], text: str, *, bounded: bool) -> dict[str, Any] | None:
    """A copy of `data` by its `text`; None where it holds something else, or what a session may not hold.

    The copy differs from what JSON changes: tuples, keys that are no text. Which value it is, and what may be kept
    all the same, is for `normalise` to say, whose `bounded` this is.
    """
    if '"":' in text or '"_arc_' in text or not RESERVED.isdisjoint(data):
        return None
    try:
        copy: dict[str, Any] = _bounded.decode(text) if bounded else decode_own(text, encoded=True)
        check_depth(text.encode(), copy)
    except (TypeError, ValueError, RecursionError):
        return None
    return copy if copy == data else None


def check_depth(raw: bytes, *parts: dict[str, Any]) -> None:
    """Raise `TypeError` when one of the `parts`, whose text is `raw`, has a container nested more than 30 deep."""
    if len(raw.translate(None, _NO_BRACKETS)) > 2 * MAX_DEPTH and not _closes_in_time(raw):
        for part in parts:
            refuse_deep(part)


def _closes_in_time(raw: bytes) -> bool:
    """True when taking out innermost containers 30 times leaves nothing; a tenth of the time that a walk takes."""
    skeleton = raw.translate(_ONE_KIND, _NO_STRUCTURE).replace(b'""', b"")
    if b'"' in skeleton or b"\\" in skeleton:
        return False  # strings may hold brackets, which a walk tells apart
    for _ in range(MAX_DEPTH):
        skeleton = skeleton.replace(b"{}", b"")  # of one kind, so that each time takes out one level
        if not skeleton:
            return True
    return False
