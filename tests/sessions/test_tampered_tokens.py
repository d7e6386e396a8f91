"""Tokens that somebody changed, and cookies that are no tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.sessions.jwe import seal
from tests.sessions.making import Counting, Made
from tests.sessions.tokens import BASE64URL, CIPHER, NONCE, TOKEN, base64url, is_refused_unopened, lenient, reason


@pytest.mark.parametrize("position", range(len(TOKEN)))
def test_s09_changing_any_character_invalidates_a_token(position: int) -> None:
    """At every position every other character of base64url, and some that are none, give a refusal."""
    for character in BASE64URL + ".=+/ \n%\0é":
        if character != TOKEN[position]:
            assert reason(TOKEN[:position] + character + TOKEN[position + 1 :]) in {"malformed", "forged"}


@pytest.mark.parametrize("addition", ["=", "==", "A", "A===", "\n", " ", "\t", "\0", "é", "%3D"])
@pytest.mark.parametrize("part", [0, 1, 2, 3, 4])
def test_s09_nothing_can_be_added_to_a_part(part: int, addition: str) -> None:
    """Padding, white space and further characters after or before any part are refused."""
    parts = TOKEN.split(".")
    for changed in (parts[part] + addition, addition + parts[part]):
        assert reason(".".join([*parts[:part], changed, *parts[part + 1 :]])) in {"malformed", "forged"}


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("part", [3, 4])
def test_s09_stray_trailing_bits_are_refused(part: int, size: int) -> None:
    """The characters that decode to the same bytes but are not canonical are refused without a key."""
    token = seal(b"x" * size, CIPHER, "A256GCM", NONCE)
    parts = token.split(".")
    same = [parts[part][:-1] + last for last in BASE64URL if lenient(parts[part][:-1] + last) == lenient(parts[part])]
    assert len(same) in {4, 16}
    for stray in set(same) - {parts[part]}:
        assert is_refused_unopened(".".join([*parts[:part], stray, *parts[part + 1 :]]))


@pytest.mark.parametrize("swap", [("-", "+"), ("_", "/")])
def test_s09_the_other_alphabet_is_refused(swap: tuple[str, str]) -> None:
    """The characters of standard base64 do not stand for those of base64url."""
    random = Counting()
    tokens = (seal(random(30), CIPHER, "A256GCM", random(12)) for _ in range(20))
    token = next(token for token in tokens if swap[0] in token)
    assert reason(token.replace(*swap)) == "malformed"


@given(st.text(max_size=200) | st.text(BASE64URL + ".", max_size=200))
def test_s10_no_text_whatever_is_taken(text: str) -> None:
    """Any text is refused with a reason, and nothing else is raised."""
    assert reason(text) in {"malformed", "forged"}


@given(st.lists(st.binary(max_size=40), min_size=3, max_size=3))
def test_s10_well_formed_parts_of_any_bytes_are_not_taken(parts: list[bytes]) -> None:
    """The right header before any bytes is refused with a reason, and nothing else is raised."""
    header = TOKEN.split(".")[0]
    assert reason(".".join([header, "", *map(base64url, parts)])) in {"malformed", "forged"}


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")))
def test_s10_whatever_a_token_holds_a_session_opens(payload: bytes) -> None:
    """Even a token under our own key that holds any bytes at all gives a session, empty unless it is one."""
    made = Made()
    token = seal(payload, made.manager.keyring.sealing, "A256GCM", NONCE)
    assert made.manager.load([token]) == {}
    assert made.names == ["refused"]


@given(st.lists(st.text(max_size=100), max_size=6))
def test_s10_whatever_cookies_come_a_session_opens(values: list[str]) -> None:
    """Any values of the session cookie give a fresh session and never an exception."""
    session = Made().manager.load(values)
    assert session.is_new
    assert session == {}
