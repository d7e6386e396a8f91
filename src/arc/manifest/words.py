"""Words of a manifest: what a bare word means, and which text can stand bare."""

from __future__ import annotations

import math
import re

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_LONGEST_NUMBER = 40  # characters; more digits than a manifest counts with, so that text stays text
_PUNCTUATION = frozenset("()/~-_.,:$*?&!%=+|^`'\"")
_BARE = re.compile(r"[A-Za-z0-9_~()/\-.,:$*?&!%=+|^]+")

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
    """`value` (text, a number or a boolean) as a word that parses back to it, in quotes where it needs them.

    Raises `ValueError` for infinities and NaN, which a manifest cannot hold.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if _BARE.fullmatch(value) and meaning(value) == value else quoted(value)
    word = repr(value)
    if type(meaning(word)) is not type(value):
        raise ValueError(f"A manifest cannot hold the number {word[:60]}. Write it as text.")
    return word


def written_name(name: str) -> str:
    """A name or key as a word; names are always text, so `404` needs no quotes."""
    return name if _BARE.fullmatch(name) else quoted(name)


def quoted(text: str) -> str:
    r"""`text` in double quotes, with `\"` and `\\` where it holds a quote or a backslash."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
