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
    ("header", "chosen"),
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
def test_the_best_accepted_encoding_is_chosen(header: str, chosen: str | None) -> None:
    """`br` before `gzip`, never what the client refuses, None when it takes neither."""
    assert choose_encoding(header) == chosen


@pytest.mark.parametrize(("preferred", "chosen"), [("gzip", "gzip"), ("br", "br"), ("deflate", "br"), (True, "br")])
def test_the_applications_preference_counts_when_accepted(preferred: object, chosen: str) -> None:
    """The response key `compression` names the encoding; what we do not have is passed over."""
    assert choose_encoding("gzip, br", preferred) == chosen
    assert choose_encoding("br", preferred) == "br"
    assert choose_encoding("gzip", preferred) == "gzip"


@pytest.mark.parametrize("body", [b"", b"x", "é" * 10_000, bytes(range(256)) * 50])
def test_what_was_compressed_is_decompressed_by_others(body: bytes | str) -> None:
    """The standard library and brotli read what we write."""
    raw = body.encode() if isinstance(body, str) else body
    assert gzip.decompress(compress(raw, "gzip")) == raw
    assert brotli.decompress(compress(raw, "br")) == raw


def test_equal_bodies_give_equal_bytes() -> None:
    """No time of day gets into the result, so that it can be cached and compared."""
    assert compress(b"body", "gzip")[4:8] == bytes(4)


def test_without_brotli_gzip_is_chosen(tmp_path: Path) -> None:
    """A process that has no brotli answers a browser that would take it by gzip."""
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
