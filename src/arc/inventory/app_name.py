"""The name of an app: what is valid, and what an invalid one should become."""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256

_NAME = re.compile(r"[a-z][a-zA-Z0-9_-]{1,99}")
_HASH_DIGITS = 6
_LONGEST_NAME = 60  # characters of a suggested name; the names of stacks and tables contain it
NAME_HINT = "Use 2 to 100 letters, digits, '-' and '_', and begin with a lowercase letter."


def is_app_name(text: str) -> bool:
    """Return whether an app can have this name."""
    return _NAME.fullmatch(text) is not None


def name_for(text: str) -> str:
    """Return a valid app name for any text, such as a folder's name: `Über uns!` becomes `uber-uns`.

    A text with fewer than two Latin letters or digits gets a name with its hash, which is the same each time: `日本`
    becomes `app-cf2abf`.
    """
    return _latin_name(text) or f"app-{sha256(unicodedata.normalize('NFC', text).encode()).hexdigest()[:_HASH_DIGITS]}"


def name_advice(text: str) -> str:
    """Return what to write instead of an invalid name."""
    name = _latin_name(text)
    return f"Write {name}. {NAME_HINT}" if name else NAME_HINT


def _latin_name(text: str) -> str:
    """Return a valid app name of the Latin letters and digits in `text`, "" if they are too few."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "-", text)
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9_]+", "-", plain)
    name = re.sub(r"^[^a-z]+", "", name)[:_LONGEST_NAME].strip("-_")
    return name if is_app_name(name) else ""
