"""JSON as Node writes it."""

from __future__ import annotations

from arc.sessions.text import encoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


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
    """True for a `decimal.Decimal`, told without importing decimal."""
    return type(value).__name__ == "Decimal" and type(value).__module__ in ("decimal", "_decimal", "_pydecimal")


def _other(item: Any) -> object:
    if is_decimal(item) and item.is_finite():
        return int(item) if item == item.to_integral_value() else float(item)
    raise TypeError(f"a value of type {type(item).__name__}")


_unescaped, _ascii = (encoder(default=_other, ascii_only=ascii_only, rings=True) for ascii_only in (False, True))
