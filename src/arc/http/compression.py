"""Compression of response bodies."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_BROTLI_QUALITY = 4  # For a body made per request: about gzip's time, a smaller result.
_brotli: Callable[..., bytes] | None = None
_brotli_sought = False


def choose(accept_encoding: str, preferred: object = None) -> str | None:
    """`"br"`, `"gzip"` or None: what the client accepts and this process has, `preferred` first.

    `accept_encoding` is the request's header (RFC 9110 §12.5.3); a quality of 0 refuses, other qualities
    do not count. Without a preference `br` goes before `gzip`, as in Architect.
    """
    accepted = _accepted(accept_encoding)
    for encoding in (preferred, "br", "gzip"):
        if encoding == "gzip" and "gzip" in accepted:
            return "gzip"
        if encoding == "br" and "br" in accepted and _brotli_compress() is not None:
            return "br"
    return None


def compress(body: bytes, encoding: str) -> bytes:
    """`body` compressed by `encoding`, a result of `choose`; equal bodies give equal bytes."""
    brotli = _brotli_compress() if encoding == "br" else None
    if brotli is not None:
        return brotli(body, quality=_BROTLI_QUALITY)
    import zlib

    compressor = zlib.compressobj(wbits=31)  # 31: the gzip format, without a time in its header
    return compressor.compress(body) + compressor.flush()


def _accepted(header: str) -> set[str]:
    accepted = set()
    for part in header.split(","):
        encoding, _, weight = part.partition(";")
        name, _, quality = weight.replace(" ", "").lower().partition("=")
        if name != "q" or quality.strip("0.") or not quality:
            accepted.add(encoding.strip().lower())
    return accepted


def _brotli_compress() -> Callable[..., bytes] | None:
    """`brotli.compress` when it is installed; sought once, because a failing import is slow."""
    global _brotli, _brotli_sought  # once per process is the point
    if not _brotli_sought:
        try:
            from brotli import compress as found  # type: ignore[import-untyped, unused-ignore]
        except ImportError:
            found = None
        _brotli, _brotli_sought = found, True
    return _brotli
