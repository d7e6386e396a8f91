"""Encoding a session's data as JSON text and decoding it, as far as possible in C."""

from __future__ import annotations

from arc.sessions.values import MAX_DEPTH, RESERVED, finite, refuse_deep, whole_number, within_range

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    Pieces = Callable[[object, int], Iterable[str]]
    Scan = Callable[[str, int], tuple[Any, int]]

# The parts of json that are written in C. json itself compiles regular expressions, so its import takes nearly as long
# as that of this library.
try:
    import _json
except ImportError:  # an interpreter without them
    _json = None  # type: ignore[assignment]
try:
    import orjson  # type: ignore[import-not-found, unused-ignore]  # the extra `speed`
except ImportError:
    orjson = None
else:
    _AS_IS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS

# All digits become 1, and all opening brackets braces. Then a number that may be infinite is long, or has an exponent
# of 3 digits, or of a sign and 2. orjson makes floats of long integers.
_ONES = bytes.maketrans(b"023456789+E[", b"1111111111e{")
_LARGE = b"e111"
_LONG = b"1" * 19
_NUMBER_AS_KEY = b'1":'
_EXPONENT = b"1e"
_NO_STRUCTURE = bytes(one for one in range(256) if one not in b'{}[]"\\')
_ONE_KIND = bytes.maketrans(b"[]", b"{}")
_WHITE = " \t\n\r"  # RFC 8259 §2


# -- encoding


def encoder(
    *, default: Callable[[Any], object] | None = None, ascii_only: bool = False, rings: bool = False
) -> Callable[[object], str]:
    """Return a function that encodes data as JSON without spaces. `default` is that of `json.JSONEncoder`.

    The function raises `TypeError`, `ValueError` or `RecursionError` for values that JSON does not have, including NaN
    and infinities. With `rings`, a container within itself is always a `ValueError`.
    """
    pieces_by = _pieces_by(default, ascii_only=ascii_only)
    if rings:
        return lambda data: "".join(pieces_by({})(data, 0))
    # `JSONEncoder.encode` creates a C encoder at each call, which takes as long as encoding a small session.
    pieces = pieces_by(None)
    return lambda data: "".join(pieces(data, 0))


def _pieces_by(
    default: Callable[[Any], object] | None = None, *, ascii_only: bool = False
) -> Callable[[dict[int, object] | None], Pieces]:
    """Return what makes an encoder, which takes data and 0. With a dict for the open containers, that finds rings."""
    if _json is None:
        from json import JSONEncoder

        slow = JSONEncoder(ensure_ascii=ascii_only, separators=(",", ":"), allow_nan=False, default=default)
        return lambda _: lambda data, _: slow.iterencode(data)
    make: Any = _json.make_encoder
    quote = _json.encode_basestring_ascii if ascii_only else quoted
    sort_keys = skip_keys = allow_nan = False
    options = (default or _refuse, quote, None, ":", ",", sort_keys, skip_keys, allow_nan)
    return lambda containers: make(containers, *options)


def _refuse(value: object) -> object:
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _quote(text: str) -> str:
    return encode(text)


quoted: Callable[[str], str] = vars(_json)["encode_basestring"] if _json is not None else _quote
"""Return the JSON text of a string, non-ASCII characters as they are."""

_pieces, encode_ascii = _pieces_by()(None), encoder(ascii_only=True)


def encode(data: object) -> str:
    """Encode JSON data. Raises as `encoder` does, but with orjson use `represents` to detect NaN and infinities."""
    if orjson is not None:
        try:
            return str(orjson.dumps(data, option=_AS_IS), "utf-8")
        except TypeError:  # Integers over 64 bits, half a surrogate pair, and values that JSON does not have.
            pass
    return "".join(_pieces(data, 0))


# -- decoding


class _Rules:
    """How a scanner parses JSON: the attributes that it reads of a `json.JSONDecoder`."""

    strict = True
    object_hook = object_pairs_hook = array_hook = None  # Python 3.15 also reads the last.

    def __init__(self, parse_float: Callable[[str], float] = float, parse_int: Callable[[str], int] = int) -> None:
        self.parse_float, self.parse_int, self.parse_constant = parse_float, parse_int, finite


def _scanner(rules: _Rules) -> Scan:
    """Return a function that decodes the value at a position of a text, and returns it with its end."""
    if _json is None:
        from json import JSONDecoder

        parse = {"parse_float": rules.parse_float, "parse_int": rules.parse_int, "parse_constant": finite}
        return vars(JSONDecoder(**parse))["scan_once"]
    make: Any = _json.make_scanner
    scan: Scan = make(rules)
    return scan


# A function for `parse_float` is called for each number, so the first is for texts without infinite numbers.
_scan, _scan_finite = _scanner(_Rules()), _scanner(_Rules(finite))
_scan_bounded = _scanner(_Rules(within_range, whole_number))


# Besides `ValueError`. Python 3.11 fails to find that error's class until json.decoder is imported.
_INVALID = (StopIteration, SystemError)


def decode(text: str) -> Any:
    """Decode any JSON text. Raises `ValueError`, also for NaN and infinities, or `RecursionError`."""
    return _decode_by(_scan_finite, text)


def _decode_by(scan: Scan, text: str) -> Any:
    trimmed = text.strip(_WHITE)
    try:
        data, end = scan(trimmed, 0)
    except _INVALID:
        end = -1
    if end != len(trimmed):
        raise ValueError("The text is not JSON.")
    return data


def decode_own(text: str, raw: bytes) -> Any:
    """Decode a JSON `text` whose UTF-8 is `raw`, faster than `decode` if it has no spaces around the value.

    Raises `ValueError` and `RecursionError` as `decode` does, and `TypeError` for data nested more than 30 deep.
    """
    ones = raw.translate(_ONES)
    if ones.find(_LARGE) >= 0 or ones.find(_LONG) >= 0:
        data = decode(text)
    elif orjson is None:
        try:
            data, end = _scan(text, 0)
        except _INVALID:
            end = -1
        if end != len(text):
            data = decode(text)
    else:
        try:
            data = orjson.loads(raw)
        except ValueError:  # Half a surrogate pair, which another writer may have stored, or invalid JSON.
            data = decode(text)
    if ones.count(b"{") > MAX_DEPTH:
        check_depth(raw, data)
    return data


def represents(text: str, data: Mapping[str, Any]) -> bool:
    """True when `text`, which `encode` returned for `data`, represents all of it. orjson writes NaN as null."""
    if orjson is None:
        return True
    try:
        copy = _decode_again(text)
        # A tuple differs from a list, but its text represents it.
        return copy == data or bool(_decode_again("".join(_pieces(data, 0))) == copy)
    except (TypeError, ValueError, RecursionError):
        return False


def _decode_again(text: str) -> Any:
    """Decode what `encode` made, with a float for an integer over 64 bits."""
    try:
        return orjson.loads(text)
    except ValueError:  # half of a surrogate pair
        return decode(text)


def is_storable(text: str, data: Mapping[str, Any]) -> bool:
    """True when `text`, which `encode` returned for `data`, surely is what a session without limits for numbers stores.

    This is faster than `copy_via_text`.
    """
    if '"":' in text or '"_arc_' in text or not RESERVED.isdisjoint(data):
        return False
    # The standard library writes only values that JSON has, but keys of any type. orjson writes other values, too.
    if orjson is None and ('"null":' in text or '"true":' in text or '"false":' in text):
        return False
    try:
        raw = text.encode()
        if orjson is not None and orjson.loads(raw) != data:
            return False
    except ValueError:  # half of a surrogate pair
        return False
    ones = raw.translate(_ONES)
    if orjson is None and ones.find(_NUMBER_AS_KEY) >= 0:
        return False
    return ones.count(b"{") <= MAX_DEPTH or _is_shallow(raw)


def is_spelled_alike(text: str) -> bool:
    """True when Node, orjson and Python surely write the values of `text`, which one of them wrote, in the same way.

    They differ in floats with many zeros and in halves of surrogate pairs, which are escapes.
    """
    if "\\u" in text or "0.0000" in text:
        return False
    return text.encode(errors="surrogatepass").translate(_ONES).find(_EXPONENT) < 0


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
            copy = _decode_by(_scan_bounded, text)
            if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH:
                check_depth(raw, copy)
        else:
            copy = decode_own(text, raw)
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
