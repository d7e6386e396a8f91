"""Words of a manifest: what a bare word means, and which text can stand bare."""

from __future__ import annotations

import math
import re

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_LONGEST_NUMBER = 40  # characters; more digits than a manifest counts with, so that text stays text
_PUNCTUATION = frozenset("()/~-_.,:$*?&!%=+|^`'\"")
_BARE = re.compile(r"[A-Za-z0-9_~()/\-.,:$*?&!%=+|^]+")

# Bare words that Architect reads as numbers, some of which are text here.
_NUMBER_THERE = re.compile(
    r"-?(?:Infinity|[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?)|0[xX][0-9A-Fa-f]+|0[bB][01]+|0[oO][0-7]+"
)

# Words that hold quotes and need none, here and in Architect.
_BARE_WITH_QUOTES = re.compile(r"[A-Za-z_~()/.,:$*?&!%=+|^][A-Za-z0-9_~()/\-.,:$*?&!%=+|^'\"`]*")

QUOTES = frozenset("\"'`")


def meaning(word: str) -> str | int | float | bool:
    """What a bare word stands for: a boolean, a number, or itself.

    A number is written as JSON writes one, so `00123` and `+1` are text and keep every character.
    """
    if word in ("true", "false"):
        return word == "true"
    number = _NUMBER.fullmatch(word)
    if number is None or len(word) > _LONGEST_NUMBER:
        return word
    if number[1] is None and number[2] is None:
        return int(word)
    value = float(word)
    return value if math.isfinite(value) else word


def may_stand_bare(character: str) -> bool:
    """True for a character that a bare word may hold: letters, digits and most ASCII punctuation."""
    return character in _PUNCTUATION or character.isalnum()


def written(value: str | float) -> str:
    """Return `value` (text, a number or a boolean) as a word that parses back to it, in quotes where it needs them.

    Raises `ValueError` for infinities and NaN, which a manifest cannot hold.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if _is_bare_text(value) else quoted(value)
    word = repr(value)
    if type(meaning(word)) is not type(value):
        raise ValueError(f"A manifest cannot hold the number {word[:60]}. Write it as text.")
    return word


def written_for_both(text: str) -> str | None:
    """Return `text` as words that Architect's parser reads alike, None where none are.

    That parser keeps backslashes as they are, and takes one before the closing quote for an escape that never ends.
    Several words of a variable's value are one value, joined by a space.
    """
    if _is_bare_text(text) or quoted(text)[1:-1] == text:
        return written(text)
    if _BARE_WITH_QUOTES.fullmatch(text):
        return text
    words = [written_for_both(word) for word in text.split(" ")] if " " in text else []
    good = [word for word in words if word is not None]
    return " ".join(good) if words and len(good) == len(words) else None


def _is_bare_text(text: str) -> bool:
    """Return True for text that means itself without quotes, here and in Architect."""
    return _BARE.fullmatch(text) is not None and meaning(text) == text and _NUMBER_THERE.fullmatch(text) is None


def quoted(text: str) -> str:
    r"""Return `text` in quotes: of the three kinds, the first that it lacks.

    Backslashes stay as they are, except before a quote or a backslash, where they are doubled.
    """
    quote = next((each for each in "\"'`" if each not in text), '"')
    inside = re.sub(rf"\\(?=[\\{quote}]|\Z)", r"\\\\", text).replace(quote, f"\\{quote}")
    return f"{quote}{inside}{quote}"
