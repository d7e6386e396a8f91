"""The media types that decide how a response is sent."""

from __future__ import annotations

JSON = "application/json; charset=utf8"
# Architect's response keys that are the body themselves, in the order in which they count.
OF_KEY = {
    "html": "text/html; charset=utf8",
    "css": "text/css; charset=utf8",
    "js": "text/javascript; charset=utf8",
    "text": "text/plain; charset=utf8",
    "json": JSON,
    "xml": "application/xml; charset=utf8",
}
_TEXT = frozenset(OF_KEY.values())
_BINARY = {
    "application": (
        "epub+zip java-archive msword octet-stream pdf rtf vnd.amazon.ebook vnd.apple.installer+xml vnd.ms-excel "
        "vnd.ms-powerpoint vnd.openxmlformats-officedocument.presentationml.presentation "
        "vnd.openxmlformats-officedocument.spreadsheetml.sheet "
        "vnd.openxmlformats-officedocument.wordprocessingml.document "
        "x-7z-compressed x-bzip x-bzip2 x-gzip x-java-archive x-rar-compressed x-tar x-zip zip"
    ),
    "audio": "3gpp aac basic mpeg ogg wav webm x-aiff x-midi x-wav",
    "font": "otf woff woff2",
    "image": "avif bmp gif jpeg png tiff vnd.microsoft.icon webp",
    "video": "3gpp mp2t mpeg ogg quicktime webm x-msvideo",
}


def is_binary(content_type: str) -> bool:
    """True for a type whose text is taken for base64 that the application made (Architect's list)."""
    if content_type in _TEXT:
        return False
    kind, _, subtype = content_type.partition(";")[0].strip().lower().partition("/")
    return subtype in _BINARY.get(kind, "").split()


def is_private_by_default(content_type: str) -> bool:
    """True for a type that is not cached unless the application says so (Architect's rule)."""
    return (
        "text/html" in content_type or "application/json" in content_type or "application/vnd.api+json" in content_type
    )
