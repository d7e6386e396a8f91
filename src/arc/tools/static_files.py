"""The static files of an app: which are served, their types, and their fingerprints."""

from __future__ import annotations

import hashlib
import mimetypes
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from arc.http.assets import is_served

if TYPE_CHECKING:
    from arc.inventory import Static

MAX_SIZE = (6 * 1024 * 1024 - 4096) // 4 * 3
"""Bytes of a file. Source: AWS Lambda quotas; a response has at most 6 MB, in base64, with its headers."""
_FINGERPRINT = 10  # characters, as in Architect
# Types that some versions of Python lack, or have as something else.
_TYPES = {
    ".avif": "image/avif",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".map": "application/json",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
_OTHER = "application/octet-stream"
_TEXTS = ("application/json", "application/manifest+json", "application/xml", "image/svg+xml")


@dataclass(frozen=True)
class StaticFile:
    """A file that visitors get at `/_static/{place}`."""

    place: str
    """The path below the static folder, with slashes: `css/site.css`."""
    path: Path

    @property
    def content_type(self) -> str:
        """The media type, by the name; text is UTF-8."""
        kind, encoding = _table().guess_type(self.place, strict=False)
        kind = kind if kind is not None and encoding is None else _OTHER
        return f"{kind}; charset=utf-8" if kind.startswith("text/") or kind in _TEXTS else kind

    def fingerprinted(self, content: bytes) -> str:
        """The place with a hash of the content in the name: `css/site-6bf1794b4c.css`, as in Architect."""
        place = PurePosixPath(self.place)
        digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()[:_FINGERPRINT]
        return str(place.with_name(f"{place.stem}-{digest}{place.suffix}"))


def find_file(static: Static, place: str) -> StaticFile | None:
    """Return the file at `place`, None when the app does not serve one there."""
    if not is_served(place, static.ignore):
        return None
    file = StaticFile(place, static.folder.joinpath(*place.split("/")))
    return file if _is_inside(static.folder, file.path) else None


def list_files(static: Static) -> list[StaticFile]:
    """Return every file that the app serves, sorted."""
    files = []
    for folder, _, names in os.walk(static.folder):
        for name in names:
            path = Path(folder, name)
            place = path.relative_to(static.folder).as_posix()
            if is_served(place, static.ignore) and _is_inside(static.folder, path):
                files.append(StaticFile(place, path))
    return sorted(files, key=lambda file: file.place)


def etag(content: bytes) -> str:
    """Return the entity tag of a file: S3's, which is the MD5 of its content."""
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


def _is_inside(folder: Path, path: Path) -> bool:
    """Return whether a file exists in the folder; a link may not lead out of it."""
    return path.is_file() and path.resolve().is_relative_to(folder.resolve())


@cache
def _table() -> mimetypes.MimeTypes:
    """The types of Python's own table: files of this machine would make a deployment depend on it."""
    table = mimetypes.MimeTypes()
    for suffix, kind in _TYPES.items():
        table.add_type(kind, suffix)
    return table
