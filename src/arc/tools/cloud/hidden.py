"""Values that are never shown: a service may quote what it was sent."""

from __future__ import annotations

import json
import threading

_MASK = "********"
_SHORTEST = 4  # characters: a shorter value is hidden between quotes alone, else what is said would be garbled


class Hidden:
    """Values to hide, gathered by any thread."""

    def __init__(self) -> None:
        self._masks: dict[str, str] = {}
        self._lock = threading.Lock()

    def add(self, *values: str) -> None:
        """Hide these `values` from now on, also as JSON and Python write them."""
        masks = {form: mask for value in values if value for form, mask in _masks(value)}
        with self._lock:
            self._masks |= masks

    def masked(self, text: str) -> str:
        """`text` without the hidden values."""
        with self._lock:
            masks = sorted(self._masks.items(), key=lambda pair: len(pair[0]), reverse=True)
        for form, mask in masks:
            text = text.replace(form, mask)
        return text


def _masks(value: str) -> list[tuple[str, str]]:
    """What a value may look like where it is quoted, and what is shown instead."""
    written = (json.dumps(value), json.dumps(value, ensure_ascii=False), repr(value))
    forms = {value, *(one[1:-1] for one in written)}
    if len(value) >= _SHORTEST:
        return [(form, _MASK) for form in forms]
    return [(f"{quote}{form}{quote}", f"{quote}{_MASK}{quote}") for form in forms for quote in ("'", '"')]
