"""Changed tokens, and cookies that are not tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.sessions.jwe import seal
from tests.sessions.making import Counting, Made
from tests.sessions.tokens import BASE64URL, CIPHER, NONCE, TOKEN, base64url, is_refused_unopened, lenient, reason


@pytest.mark.parametrize("position", range(len(TOKEN)))
def test_s09_changing_any_character_invalidates_a_token(position: int) -> None:
    """Every other character at every position is refused, also characters outside base64url."""
    for character in BASE64URL + ".=+/ \n%\0é":
        if character != TOKEN[position]:
            assert reason(TOKEN[:position] + character + TOKEN[position + 1 :]) in {"malformed", "forged"}


@pytest.mark.parametrize("addition", ["=", "==", "A", "A===", "\n", " ", "\t", "\0", "é", "%3D"])
@pytest.mark.parametrize("part", [0, 1, 2, 3, 4])
def test_s09_nothing_can_be_added_to_a_part(part: int, addition: str) -> None:
    """Padding, white space and further characters before or after any part are refused."""
    parts = TOKEN.split(".")
    for changed in (parts[part] + addition, addition + parts[part]):
        assert reason(".".join([*parts[:part], changed, *parts[part + 1 :]])) in {"malformed", "forged"}


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("part", [3, 4])
def test_s09_stray_trailing_bits_are_refused(part: int, size: int) -> None:
    """Other characters that decode to the same bytes are refused unopened."""
    token = seal(b"x" * size, CIPHER, "A256GCM", NONCE)
    parts = token.split(".")
    same = [parts[part][:-1] + last for last in BASE64URL if lenient(parts[part][:-1] + last) == lenient(parts[part])]
    assert len(same) in {4, 16}
    for stray in set(same) - {parts[part]}:
        assert is_refused_unopened(".".join([*parts[:part], stray, *parts[part + 1 :]]))


@pytest.mark.parametrize("swap", [("-", "+"), ("_", "/")])
def test_s09_the_other_alphabet_is_refused(swap: tuple[str, str]) -> None:
    """Characters of standard base64 are not accepted for those of base64url."""
    random = Counting()
    tokens = (seal(random(30), CIPHER, "A256GCM", random(12)) for _ in range(20))
    token = next(token for token in tokens if swap[0] in token)
    assert reason(token.replace(*swap)) == "malformed"


@given(st.text(max_size=200) | st.text(BASE64URL + ".", max_size=200))
def test_s10_any_text_is_refused(text: str) -> None:
    """Any text is refused with a reason and raises nothing else."""
    assert reason(text) in {"malformed", "forged"}


@given(st.lists(st.binary(max_size=40), min_size=3, max_size=3))
def test_s10_any_bytes_in_well_formed_parts_are_refused(parts: list[bytes]) -> None:
    """The right header with any bytes is refused with a reason and raises nothing else."""
    header = TOKEN.split(".")[0]
    assert reason(".".join([header, "", *map(base64url, parts)])) in {"malformed", "forged"}


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")))
def test_s10_any_sealed_bytes_load_a_session(payload: bytes) -> None:
    """A token under our key with any bytes loads a session, which is empty unless the bytes are one."""
    made = Made()
    token = seal(payload, made.manager.keyring.sealing, "A256GCM", NONCE)
    assert made.manager.load([token]) == {}
    assert made.names == ["refused"]


@given(st.lists(st.text(max_size=100), max_size=6))
def test_s10_any_cookies_load_a_session(values: list[str]) -> None:
    """Any values of the session cookie load a new session and never raise."""
    session = Made().manager.load(values)
    assert session.is_new
    assert session == {}
