"""The static files of a deployment: which are uploaded before the pages that name them, which after, which deleted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.tools.deploy.bucket import Upload
from arc.tools.static_files import MAX_SIZE, etag, list_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from arc.inventory import Static
    from arc.tools.static_files import StaticFile

_FOREVER = "public, max-age=31536000, immutable"
_CHECKED = "no-cache"  # kept by browsers, which ask each time whether it has changed


@dataclass(frozen=True)
class StaticPlan:
    """What happens with the objects of the static bucket."""

    new: tuple[Upload, ...] = ()
    """Uploaded before the functions change, so that new pages never name a missing file."""
    changed: tuple[Upload, ...] = ()
    """Uploaded once the functions have changed, because visitors see them at once."""
    surplus: tuple[str, ...] = ()
    """Keys of objects that are deleted at the end."""

    @property
    def uploads(self) -> tuple[Upload, ...]:
        """Every upload."""
        return self.new + self.changed

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.surplus)


@dataclass(frozen=True)
class StaticFiles:
    """The static files of an app, read once for a deployment."""

    static: Static
    files: tuple[tuple[StaticFile, bytes], ...]

    @property
    def manifest(self) -> bytes | None:
        """The content of Architect's `static.json`; None where files have their own names alone."""
        if not self.static.fingerprint:
            return None
        names = {file.place: file.fingerprinted(content) for file, content in self.files}
        return json.dumps(names, indent=2, sort_keys=True).encode()

    @property
    def prefix(self) -> str:
        """What the keys of the files begin with: nothing, or a folder with a slash."""
        return f"{self.static.prefix}/" if self.static.prefix else ""

    def plan(self, objects: Mapping[str, str]) -> StaticPlan:
        """Compare the files with the `objects` of the bucket, which are ETags by key."""
        desired = {upload.key: upload for upload in self._uploads()}
        new, changed = [], []
        for key, upload in desired.items():
            if key not in objects:
                new.append(upload)
            elif objects[key] != etag(upload.content).strip('"'):
                changed.append(upload)
        surplus = [key for key in objects if key.startswith(self.prefix) and key not in desired]
        return StaticPlan(tuple(new), tuple(changed), tuple(surplus) if self.static.prune else ())

    def _uploads(self) -> Sequence[Upload]:
        """Every object: a file under its own name, and with fingerprints also under one that browsers keep."""
        uploads = []
        for file, content in self.files:
            uploads.append(self._upload(file, file.place, content, _CHECKED))
            if self.static.fingerprint:
                uploads.append(self._upload(file, file.fingerprinted(content), content, _FOREVER))
        return uploads

    def _upload(self, file: StaticFile, place: str, content: bytes, cached: str) -> Upload:
        headers = {"ContentType": file.content_type, "CacheControl": cached}
        return Upload(f"/_static/{place}", self.prefix + place, content, headers)


def read_static_files(static: Static | None) -> StaticFiles | None:
    """Return the static files of an app, None for an app without the folder.

    Raises `ToolError` for files that are larger than Lambda can send, before anything is uploaded.
    """
    if static is None or not static.folder.is_dir():
        return None
    files = list_files(static)
    large = [file for file in files if file.path.stat().st_size > MAX_SIZE]
    if large:
        sizes = "\n".join(f"  {file.path} ({file.path.stat().st_size:,} bytes)" for file in large)
        raise ToolError(
            f"Lambda sends static files of at most {MAX_SIZE:,} bytes, and these are larger:\n{sizes}\n"
            "Make them smaller, serve them from another place, or exclude them with `ignore` in @static. Nothing was "
            "deployed."
        )
    return StaticFiles(static, tuple((file, file.path.read_bytes()) for file in files))
