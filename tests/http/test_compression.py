"""Compression of response bodies."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import brotli  # type: ignore[import-untyped, unused-ignore]
import pytest

from arc.http.content import choose_encoding, compress


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        ("gzip, deflate, br", "br"),
        ("gzip,deflate,br", "br"),
        ("GZIP", "gzip"),
        ("gzip", "gzip"),
        ("br;q=1.0, gzip;q=0.8", "br"),
        ("br;q=0, gzip", "gzip"),
        ("br; q=0.000 , gzip;q=0", None),
        ("gzip;q=0.001", "gzip"),
        ("deflate, zstd, identity, *", None),
        ("xgzip, brx", None),
        ("", None),
        (",;,q=;;=", None),
    ],
)
def test_best_accepted_encoding_is_selected(header: str, encoding: str | None) -> None:
    """`br` comes before `gzip`, refused encodings are never used, and None stands for neither."""
    assert choose_encoding(header) == encoding


@pytest.mark.parametrize(("preferred", "encoding"), [("gzip", "gzip"), ("br", "br"), ("deflate", "br"), (True, "br")])
def test_preferred_encoding_is_used_if_accepted(preferred: object, encoding: str) -> None:
    """The response key `compression` names an encoding, and an unknown one is ignored."""
    assert choose_encoding("gzip, br", preferred) == encoding
    assert choose_encoding("br", preferred) == "br"
    assert choose_encoding("gzip", preferred) == "gzip"


@pytest.mark.parametrize("body", [b"", b"x", "é" * 10_000, bytes(range(256)) * 50])
def test_compressed_bodies_are_decompressed(body: bytes | str) -> None:
    """The standard library and brotli decompress the result."""
    raw = body.encode() if isinstance(body, str) else body
    assert gzip.decompress(compress(raw, "gzip")) == raw
    assert brotli.decompress(compress(raw, "br")) == raw


def test_compression_is_deterministic() -> None:
    """The result contains no time, so it can be cached and compared."""
    assert compress(b"body", "gzip")[4:8] == bytes(4)


def test_gzip_is_used_without_brotli(tmp_path: Path) -> None:
    """A process without brotli sends gzip to a browser that accepts both."""
    (tmp_path / "brotli.py").write_text("raise ImportError")
    program = (
        "from arc.http.content import choose_encoding; print(choose_encoding('gzip, br', 'br'), choose_encoding('br'))"
    )
    done = subprocess.run(  # our own interpreter and program
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("gzip None\n", "")
