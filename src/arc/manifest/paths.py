"""Paths of routes as other frameworks write them: `/users/{id}` means `/users/:id`."""

from __future__ import annotations

import re

_IN_BRACKETS = re.compile(r"\$?\{(?P<first>[^{}]+)\}|<(?P<last>[^<>]+)>|\[{1,2}(?P<only>[^\[\]]+)\]{1,2}")
_STATIC = re.compile(r"[a-zA-Z0-9\-._]+")
_NAME = re.compile(r"[a-zA-Z0-9_.-]+")


def likely_path(text: str) -> str | None:
    """Return the path that `text` probably stands for, in the manifest's syntax; None when that is unclear.

    Parameters in braces (FastAPI, OpenAPI, API Gateway), angle brackets (Flask, Django) and square brackets (Next.js)
    are understood, with their types, and so are catch-alls in the same styles. Superfluous slashes are dropped.
    """
    parts = [_part(part) for part in text.partition("?")[0].split("/") if part]
    good = [part for part in parts if part is not None]
    names = [part for part in good if part[0] == ":"]
    if len(good) < len(parts) or "*" in good[:-1] or len(set(names)) < len(names):
        return None
    return "/" + "/".join(good)


def _part(text: str) -> str | None:
    """Return one part of a path, None when it is unclear."""
    if text[0] in ":*" and "*" in text:  # :rest*, *rest and **
        return "*"
    found = _IN_BRACKETS.fullmatch(text)
    if found is None:
        return text if _STATIC.fullmatch(text.removeprefix(":")) else None
    inside = found["first"] or found["last"] or found["only"]
    words = [word.strip() for word in inside.split(":")]
    name, kinds = (words[-1], words[:-1]) if found["last"] else (words[0], words[1:])
    if "path" in kinds or inside.startswith(("...", "*")) or inside.endswith(("+", "*")):
        return "*"
    return f":{name}" if _NAME.fullmatch(name) else None
