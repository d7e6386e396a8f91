"""Signed ids."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import arc
from arc.sessions.record import Refused
from arc.sessions.signing import MAX_SIGNED, sign, unsign

SECRET = b"a secret of the tests"
OLDER = b"an older secret"
_TIMED = (ast.Eq, ast.NotEq, ast.In, ast.NotIn, ast.Is, ast.IsNot)  # comparisons that may end early
SIGNED = sign("7Lk-sK0LoscLEOTDWKIbnfJl", SECRET)


def reason(signed: str) -> str:
    """Return why `signed` is refused."""
    with pytest.raises(Refused) as refusal:
        unsign(signed, (SECRET, OLDER))
    return refusal.value.reason


def test_a_signed_id_has_known_bytes() -> None:
    """The id, a dot, and 43 characters of standard base64 without padding."""
    assert sign("abc", b"fallback") == "abc.jjqUW19YkT1v+kbKaxwbgurqIadzajN4p9CL1NhGuRI"


@given(st.text(string.printable, min_size=1, max_size=40), st.binary(min_size=1, max_size=80))
def test_unsigning_returns_the_signed_value(value: str, secret: bytes) -> None:
    """Any value is returned under the secret that signed it, including values with dots."""
    assert unsign(sign(value, secret), (secret,)) == (value, 0)


def test_s04_every_secret_of_the_list_verifies() -> None:
    """Current and older secrets verify in any order, and the index identifies the secret."""
    assert unsign(sign("id", OLDER), (SECRET, OLDER)) == ("id", 1)
    assert unsign(sign("id", OLDER), (OLDER, SECRET)) == ("id", 0)
    with pytest.raises(Refused):
        unsign(sign("id", OLDER), (SECRET,))
    with pytest.raises(Refused):
        unsign(sign("id", SECRET), ())


def test_s08_a_signed_id_that_is_too_long_is_refused() -> None:
    """A value longer than a cookie is refused before its MAC is computed."""
    assert reason("A" * (MAX_SIGNED + 1)) == "too-long"
    assert reason(sign("A" * MAX_SIGNED, SECRET)) == "too-long"
    assert unsign(sign("A" * (MAX_SIGNED - 44), SECRET), (SECRET,))[1] == 0


@pytest.mark.parametrize("position", range(len(SIGNED)))
def test_s09_changing_any_character_invalidates_a_signed_id(position: int) -> None:
    """Every other character at every position is refused, including stray bits of the last one."""
    for character in string.printable + "é\0":
        if character != SIGNED[position]:
            assert reason(SIGNED[:position] + character + SIGNED[position + 1 :]) in {"malformed", "forged"}


@pytest.mark.parametrize(
    "changed", [SIGNED + "=", SIGNED + " ", " " + SIGNED, SIGNED[:-1], SIGNED + "A", SIGNED + "\n"]
)
def test_s09_additions_and_omissions_are_refused(changed: str) -> None:
    """Padding, white space and other lengths are refused."""
    assert reason(changed) in {"malformed", "forged"}


@given(st.text(max_size=120))
def test_s10_any_text_is_refused(text: str) -> None:
    """Any text is refused with a reason and raises nothing else."""
    assert reason(text) in {"malformed", "forged"}


def test_an_empty_id_is_refused() -> None:
    """The MAC of an empty value is refused."""
    assert reason(sign("", SECRET)) == "malformed"


def test_s14_every_mac_is_compared_in_constant_time() -> None:
    """The runtime has no `==` or `in` beside a name that means a MAC, a tag, a signature or a digest."""
    runtime = [path for part in ("sessions", "http") for path in (Path(arc.__file__).parent / part).rglob("*.py")]
    words = {"mac", "_mac", "signature", "digest", "hexdigest", "tag", "expected"}
    found = []
    for path in runtime:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare) and any(isinstance(one, _TIMED) for one in node.ops):
                names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
                names |= {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}
                found += [f"{path.name}:{node.lineno}"] if names & words else []
    assert runtime
    assert found == []


def test_s14_signing_compares_with_compare_digest() -> None:
    """A signed id is compared only with `hmac.compare_digest`."""
    source = (Path(arc.__file__).parent / "sessions" / "signing.py").read_text(encoding="utf-8")
    assert "hmac.compare_digest(mac, _mac(value, secret))" in source
