"""The URL of a page, in a process with the variables of an environment."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("environ", "address"),
    [
        ({}, "/cart"),
        ({"ARC_ENV": "testing"}, "/cart"),
        ({"ARC_ENV": "staging"}, "/staging/cart"),
        ({"ARC_ENV": "production"}, "/production/cart"),
        ({"ARC_ENV": "staging", "ARC_LOCAL": "1"}, "/cart"),
    ],
)
def test_url_puts_the_stage_before_a_path(environ: dict[str, str], address: str) -> None:
    """`url` adds the stage in a deployed environment, as in Node."""
    code = "import arc; print(arc.http.url('/cart'))"
    run = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == address
